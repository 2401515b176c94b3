"""Scores in the form that lm-evaluation-harness writes them, for tools that read its results files.

The part that depends on nothing but the evaluation; eval/reporting/harness_files.py adds date, commit and versions.

One task for each benchmark and mode ("gsm8k_cot"), with `exact_match,strict` (our grader), `exact_match,compat` (the
public DeepSeekMath rules), and maj@K and pass@K where there were samples, each with a standard error.
"""

from math import sqrt
from typing import Any

from eval.reporting.metrics import Z95
from pipeline.config.eval import Evaluation

Scores = dict[str, Any]  # of one task: an entry of summary.json


def harness_results(
    model: str, scores: dict[str, Scores], shots: dict[str, int], settings: Evaluation
) -> dict[str, Any]:
    """`scores`: benchmark.mode -> its entry of summary.json; `shots`: benchmark.mode -> worked examples shown."""
    measured: dict[str, dict[str, float]] = {}
    counts: dict[str, int] = {}
    few_shot: dict[str, int] = {}
    for name, values in scores.items():
        if "greedy" not in values:
            continue  # not run on this machine
        task = task_name(name)
        measured[task] = _metrics(values)
        counts[task] = values["n"]
        few_shot[task] = shots.get(name, 0)

    return {
        "results": {task: {"alias": task, **values} for task, values in measured.items()},
        "group_subtasks": {task: [] for task in measured},
        "configs": {task: _config(task, few_shot[task], settings) for task in measured},
        "versions": {task: 1 for task in measured},
        "n-shot": few_shot,
        "higher_is_better": {
            task: dict.fromkeys(_names(values), True) for task, values in measured.items()
        },
        "n-samples": {task: {"original": n, "effective": n} for task, n in counts.items()},
        "config": {
            "model": "hf",
            "model_args": f"pretrained={model}",
            "batch_size": settings.batch,
            "batch_sizes": [],
            "device": None,
            "use_cache": None,
            "limit": settings.limit,
            "bootstrap_iters": 0,  # errors are computed in closed form
            "gen_kwargs": {"max_gen_toks": settings.max_new_tokens},
            "random_seed": settings.seed,
            "numpy_seed": settings.seed,
            "torch_seed": settings.seed,
            "fewshot_seed": settings.seed,
        },
        "model_name": model,
    }


def task_name(name: str) -> str:
    """The harness's name of a benchmark and mode: a word without dots."""
    return name.replace(".", "_")


def _config(task: str, shots: int, settings: Evaluation) -> dict[str, Any]:
    """The harness's declaration of a task that generates."""
    return {
        "task": task,
        "num_fewshot": shots,
        "output_type": "generate_until",
        "generation_kwargs": {
            "do_sample": False,
            "temperature": 0.0,
            "max_gen_toks": settings.max_new_tokens,
        },
        "metadata": {"version": 1},
    }


def _names(values: dict[str, float]) -> list[str]:
    """Metrics without their filters: "exact_match" of "exact_match,strict"."""
    return [key.split(",")[0] for key in values if "_stderr" not in key]


def _metrics(scores: Scores) -> dict[str, float]:
    """Values and standard errors under the harness's keys, "<metric>,<filter>"."""
    names = {"greedy": "exact_match,strict", "compat": "exact_match,compat"}
    for key in scores:
        if key.startswith(("maj@", "pass@")) and "_" not in key:  # not maj@8_low
            names[key] = f"{key},none"

    metrics: dict[str, float] = {}
    for key, name in names.items():
        if scores.get(key) is None:
            continue
        metric, _, filter_name = name.partition(",")
        metrics[name] = scores[key]
        metrics[f"{metric}_stderr,{filter_name}"] = _stderr(scores, key)
    return metrics


def _stderr(scores: Scores, key: str) -> float:
    """Of a share its binomial error; of a mean of fractions what its bootstrap interval implies."""
    if "@" in key:
        width: float = scores[f"{key}_high"] - scores[f"{key}_low"]
        return width / (2 * Z95)

    share: float = scores[key]
    return sqrt(share * (1 - share) / max(scores["n"] - 1, 1))
