"""Do our model folders load in plain transformers, oldest and newest promised release, and answer the same?

    python -m benchmarks.model_folders                                   the mini run's models, both releases
    python -m benchmarks.model_folders --models DIR --releases 4.57.3

Installs each release with a torch into a virtual environment of its own (results/environments/<release>, kept; about
1.5 GB each on a processor), and runs this file there: with nothing of this project on the path it computes logits of
one prompt and 20 greedy answers. Here they are computed with the pinned release. Printed: the largest difference of
the logits, and how many answers are equal. Exit status 1 where an answer differs or logits by more than 1e-4.
"""

import argparse
import json
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any

ENVIRONMENTS = Path("results/environments")
NEWEST = "5.24.0"
"""The newest release that was tried."""

TOLERANCE = 1e-4
"""Releases sum in other orders; fp32 logits of these models lie within 1e-5 of one another."""

QUESTIONS = 20


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    if args.probe:
        print(json.dumps(probe(args.models[0], read_questions(args.problems))))
        return

    from pipeline.model.older_releases import OLDEST

    failed = False
    for folder in args.models:
        ours = probe(folder, read_questions(args.problems))
        print(f"{folder}: transformers {version('transformers')}, {len(ours['answers'])} answers")

        for release in args.releases or (OLDEST, NEWEST):
            theirs = probe_in(environment(release), folder, args.problems)
            difference = max(
                abs(a - b) for a, b in zip(ours["logits"], theirs["logits"], strict=True)
            )
            pairs = zip(ours["answers"], theirs["answers"], strict=True)
            equal = sum(a == b for a, b in pairs)
            print(
                f"  transformers {theirs['release']}: logits differ by {difference:.1e} at most, "
                f"{equal} of {len(ours['answers'])} answers are equal"
            )
            failed |= difference > TOLERANCE or equal < len(ours["answers"])
    sys.exit(1 if failed else 0)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    mini = Path("results/mini")
    parser.add_argument(
        "--models", type=Path, nargs="+", default=[mini / "models/rl", mini / "models/base"]
    )
    parser.add_argument("--problems", type=Path, default=mini / "world/problems/test.jsonl")
    parser.add_argument("--releases", nargs="+", help="of transformers; default: both ends")
    parser.add_argument("--probe", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def read_questions(problems: Path) -> list[str]:
    with open(problems, encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(QUESTIONS), strict=False)]
    return [row["question"] for row in rows]


def probe(folder: Path, questions: list[str]) -> dict[str, Any]:
    """Logits behind the first prompt and greedy answers, with whatever transformers is installed.

    Imports nothing of this project: it also runs in the environments of other releases.
    """
    import torch
    import transformers

    # Loosely typed: each release declares its own types.
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder)
    suffix = json.loads((folder / "prompts.json").read_text("utf-8"))["suffixes"]["cot"]["en"]

    logits: list[float] = []
    answers = []
    for question in questions:
        messages = [{"role": "user", "content": f"{question}\n{suffix}"}]
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        if not logits:
            with torch.no_grad():
                logits = model(**prompt).logits[0, -1].tolist()
        # The length comes from generation_config.json.
        output = model.generate(**prompt, do_sample=False)
        answers.append(tokenizer.decode(output[0, prompt["input_ids"].shape[1] :]))
    return {"release": transformers.__version__, "logits": logits, "answers": answers}


def environment(release: str) -> Path:
    """The interpreter of a virtual environment with this release; made where it is missing."""
    folder = ENVIRONMENTS / release
    done = folder / "installed"
    python = folder / "bin" / "python"
    if not done.exists():
        print(f"  installing transformers {release} into {folder} (once, some minutes)")
        venv.create(folder, with_pip=True, clear=True)
        packages = [f"torch=={version('torch').partition('+')[0]}", f"transformers=={release}"]
        packages += ["safetensors", "numpy", "jinja2"]
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        done.touch()
    return python.absolute()


def probe_in(python: Path, folder: Path, problems: Path) -> dict[str, Any]:
    """`probe` under another interpreter, which sees nothing of this project."""
    command = [str(python), "-I", str(Path(__file__).resolve()), "--probe"]
    command += ["--models", str(folder), "--problems", str(problems)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{folder} does not load there:\n{done.stderr[-2000:]}")
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


if __name__ == "__main__":
    main()
