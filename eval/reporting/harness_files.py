"""The dated files of lm-evaluation-harness, for tools that read its output folders.

    <output>/<model>/results_<date>.json            scores, settings, date, commit, versions, tokenizer
    <output>/<model>/samples_<task>_<date>.jsonl    a line for each problem and filter

Names, keys and digests follow lm-evaluation-harness 0.4.9; its own readers were not run on them. A filter is a verdict
here: "strict" is our grader, "compat" the public DeepSeekMath rules, "none" stands for the samples of Maj@K and Pass@K.
"""

import hashlib
import json
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from eval.reporting.lm_eval_format import harness_results, task_name
from eval.sampling.how_to_ask import HowToAsk
from pipeline.artifacts.code_digest import ROOT
from pipeline.artifacts.write import write_json, write_jsonl

Row = dict[str, Any]

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "sympy", "pyarrow")
"""Libraries that a result may depend on."""


def write_harness_files(
    output: Path,
    model: str,
    samples: Path,
    scores: Mapping[str, Row],
    shots: Mapping[str, int],
    asking: HowToAsk,
) -> list[Path]:
    """Write the files; returns their paths, results first.

    Args:
        output: the folder given with --output.
        model: folder or Hub id.
        samples: the folder of graded samples, <benchmark>.<mode>.parquet.
        scores: by "benchmark.mode", entries of summary.json.
        shots: by "benchmark.mode", worked examples shown.
        asking: how the model was asked.
    """
    now = datetime.now()
    date = now.isoformat().replace(":", "-")
    folder = output / sanitised(model)
    folder.mkdir(parents=True, exist_ok=True)

    written: list[Path] = []
    digests: dict[str, str] = {}
    for name in scores:
        task = task_name(name)
        stop = asking.stop.get(_mode(name), [])
        arguments = {"until": stop, "do_sample": False, "temperature": 0.0}
        arguments["max_gen_toks"] = asking.settings.max_new_tokens

        rows = pq.read_table(samples / f"{name}.parquet").to_pylist()
        lines = list(_samples(rows, arguments))
        digests[task] = _task_digest(lines)
        path = folder / f"samples_{task}_{date}.jsonl"
        write_jsonl(path, lines)
        written.append(path)

    results = harness_results(model, dict(scores), dict(shots), asking.settings)
    results |= {"task_hashes": digests, "date": now.timestamp()}
    results |= _environment() | _tokenizer(model) | _names(model)
    path = folder / f"results_{date}.json"
    write_json(path, results)
    return [path, *written]


def sanitised(model: str) -> str:
    """A model's name as a folder's name, in the harness's way."""
    return re.sub(r"[\"<>:/|\\?*\[\]]+", "__", model)


def _mode(name: str) -> Any:
    return name.rpartition(".")[2]


# Samples.


def _samples(rows: list[Row], arguments: Row) -> Iterator[Row]:
    """Two lines a problem for the greedy answer, one for all samples together."""
    problems: dict[str, list[Row]] = {}
    for row in rows:
        problems.setdefault(row["id"], []).append(row)

    for number, answers in enumerate(problems.values()):
        greedy = [row for row in answers if row["greedy"]]
        for row in greedy:
            verdicts = {"strict": row["correct"]}
            if row["compat"] is not None:
                verdicts["compat"] = row["compat"]
            for filter_name, verdict in verdicts.items():
                measured = {"exact_match": float(verdict)}
                yield _line(number, [row], arguments, filter_name, measured)

        sampled = [row for row in answers if not row["greedy"]]
        if sampled:
            share = sum(row["correct"] for row in sampled) / len(sampled)
            drawn = arguments | {"do_sample": True}
            yield _line(number, sampled, drawn, "none", {"pass@1": share})


def _line(
    number: int, answers: list[Row], arguments: Row, filter_name: str, measured: dict[str, float]
) -> Row:
    """One line: the problem, what was asked, what was answered, and the verdict."""
    first = answers[0]
    problem = {name: first[name] for name in ("id", "question", "kind", "level", "language")}
    problem["answer"] = first["gold"]
    target = str(first["gold"])

    return {
        "doc_id": number,
        "doc": problem,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": first["prompt"], "arg_1": arguments}},
        "resps": [[row["output"] for row in answers]],
        "filtered_resps": [row["extracted"] or "" for row in answers],
        "filter": filter_name,
        "metrics": list(measured),
        "doc_hash": _sha256(json.dumps(problem, indent=2, ensure_ascii=False)),
        "prompt_hash": _sha256(first["prompt"]),
        "target_hash": _sha256(target),
        **measured,
    }


def _task_digest(lines: list[Row]) -> str:
    return _sha256("".join(x["doc_hash"] + x["prompt_hash"] + x["target_hash"] for x in lines))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# What the results were measured with.


def _environment() -> Row:
    """Commit, versions and machine."""
    libraries = {name: _version(name) for name in PACKAGES}
    machine = [f"Python {platform.python_version()}", platform.platform(), platform.processor()]
    lines = [text for text in machine if text]
    lines += [f"{name} {number}" for name, number in libraries.items()]
    return {
        "git_hash": _commit(),
        "upper_git_hash": None,
        "pretty_env_info": "\n".join(lines),
        "transformers_version": libraries["transformers"],
        "lm_eval_version": None,  # its form, not its program
        "versions_of_libraries": libraries,
        "end_time": time.perf_counter(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of this repository; None for a copy without its history."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _tokenizer(model: str) -> Row:
    """The model's special tokens and chat template."""
    from pipeline.model.load import load_tokenizer

    tokenizer = load_tokenizer(model)
    values: Row = {
        f"tokenizer_{name}_token": [
            getattr(tokenizer, f"{name}_token"),
            str(getattr(tokenizer, f"{name}_token_id")),
        ]
        for name in ("pad", "eos", "bos")
    }
    template = str(tokenizer.chat_template)
    return values | {
        "eot_token_id": tokenizer.eos_token_id,
        "chat_template": template,
        "chat_template_sha": _sha256(template),
    }


def _names(model: str) -> Row:
    return {
        "model_source": "hf",
        "model_name": model,
        "model_name_sanitized": sanitised(model),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": False,
    }
