"""Gather worked solutions of any known schema, check them, and write the examples of fine-tuning.

Reads   the sections `sft` and `prompts` of the configuration (JSON), solutions (JSON Lines,
        Parquet, folders, `hub:<id>[:<config>]`; schemas are recognised by fields, see
        sft.converters), a model folder's tokenizer.
Writes  OUT (Parquet): id, problem_id, source, format, language, question, answer, ids, scored,
        split, beside it rejects.jsonl (id, source, reason, of unreadable
        records file and record), problems.jsonl (each question of the
        examples once, with its answer: what reward models and RL ask where no other problems are
        given) and, last, manifest.json with counts by source, format and reason.

    python -m sft.data --config results/mini/config/sft.json --prompts results/mini/config/prompts.json \\
        --solutions results/mini/world/solutions.jsonl --tokenizer results/mini/models/coder \\
        --out results/mini/sft/examples.parquet

Every record ends as an example or as a reject with its reason. Not done here: any training.
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from sft.examples import make_examples

    make_examples(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `sft`")
    parser.add_argument("--prompts", type=Path, required=True, help="JSON of the section `prompts`")
    parser.add_argument(
        "--solutions", nargs="+", required=True, help="files, folders or hub:… of solutions"
    )
    parser.add_argument("--tokenizer", type=Path, required=True, help="model folder")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
