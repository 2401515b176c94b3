"""Scores in the form that lm-evaluation-harness writes them, for tools that read its results files.

One task for each benchmark and mode ("gsm8k_cot"), with `exact_match,strict` (our grader), `exact_match,compat` (the
public DeepSeekMath rules), and maj@K and pass@K where there were samples, each with a standard error.
"""

from math import sqrt
from typing import Any

from eval.reporting.metrics import Z95
from pipeline.config.eval import Evaluation


def harness_results(
    model: str, scores: dict[str, dict], shots: dict[str, int], settings: Evaluation
) -> dict[str, Any]:
    """`scores`: benchmark.mode -> its entry of summary.json; `shots`: benchmark.mode -> worked examples shown."""
    scores = {
        name: values for name, values in scores.items() if "greedy" in values
    }  # the others were not run
    tasks = {name: name.replace(".", "_") for name in scores}
    measured = {task: _metrics(scores[name]) for name, task in tasks.items()}
    return {
        "results": {task: {"alias": task, **values} for task, values in measured.items()},
        "group_subtasks": {task: [] for task in measured},
        "configs": {
            task: {
                "task": task,
                "num_fewshot": shots.get(name, 0),
                "output_type": "generate_until",
                "generation_kwargs": {
                    "do_sample": False, "temperature": 0.0, "max_gen_toks": settings.max_new_tokens,
                },
                "metadata": {"version": 1},
            }
            for name, task in tasks.items()
        },
        "versions": {task: 1 for task in measured},
        "n-shot": {task: shots.get(name, 0) for name, task in tasks.items()},
        "higher_is_better": {task: dict.fromkeys(_names(values), True) for task, values in measured.items()},
        "n-samples": {
            task: {"original": scores[name]["n"], "effective": scores[name]["n"]} for name, task in tasks.items()
        },
        "config": {
            "model": "hf", "model_args": f"pretrained={model}", "batch_size": settings.batch, "limit": settings.limit,
            "random_seed": settings.seed,
        },
        "model_name": model,
    }  # fmt: skip


def _names(values: dict[str, float]) -> list[str]:
    return [key.split(",")[0] for key in values if "_stderr" not in key]


def _metrics(scores: dict) -> dict[str, float]:
    names = {"greedy": "exact_match,strict", "compat": "exact_match,compat"}
    names |= {
        key: f"{key},none" for key in scores if key.startswith(("maj@", "pass@")) and "_" not in key
    }
    metrics = {}
    for key, name in names.items():
        if scores.get(key) is not None:
            metric, _, kind = name.partition(",")
            metrics[name] = scores[key]
            metrics[f"{metric}_stderr,{kind}"] = _stderr(scores, key)
    return metrics


def _stderr(scores: dict, key: str) -> float:
    """Of a share its binomial error; of a mean of fractions what its bootstrap interval implies."""
    if "@" in key:
        return (scores[f"{key}_high"] - scores[f"{key}_low"]) / (2 * Z95)
    return sqrt(scores[key] * (1 - scores[key]) / max(scores["n"] - 1, 1))
