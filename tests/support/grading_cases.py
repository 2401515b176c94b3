"""Labelled pairs (gold, prediction) by kind, and endings of solutions with their gold; read from text files here."""

from pathlib import Path

_HERE = Path(__file__).parent


def _field(text: str) -> str:
    text = text[1:-1] if text.startswith("«") and text.endswith("»") else text
    return text.replace("⏎", "\n")


def _read() -> tuple[dict, dict]:
    right: dict[str, list[tuple[str, str]]] = {}
    wrong: dict[str, list[tuple[str, str]]] = {}
    kind = ""
    for line in (_HERE / "grading_pairs.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line[:2] in ("+ ", "- "):
            gold, answer = line[2:].split(" ‖ ")
            side = right if line[0] == "+" else wrong
            side.setdefault(kind, []).append((_field(gold), _field(answer)))
    return right, wrong


def _read_endings() -> list[tuple[str, str]]:
    lines = (_HERE / "solution_endings.txt").read_text("utf-8").splitlines()
    pairs = (line.rsplit(" | ", 1) for line in lines if line and not line.startswith("# "))
    return [(_field(text), gold) for text, gold in pairs]


RIGHT, WRONG = _read()
ENDINGS = _read_endings()
