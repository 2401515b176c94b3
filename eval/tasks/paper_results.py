"""DeepSeekMath's own numbers, percent, to be shown beside ours (tables 1 to 5 of the paper)."""

from dataclasses import dataclass

# The paper's model in the place of each of ours
COLUMNS = {"coder": "Coder 7B", "base": "Base 7B", "sft": "Instruct 7B", "rl": "RL 7B"}

# Percent by task (benchmark and mode), then by model. Table 2: few-shot chain of thought; table 3: few-shot programs,
# and proofs; table 4: general benchmarks, with the Coder before its last decay, from which the paper continues;
# table 5: zero-shot.
PAPER: dict[str, dict[str, float]] = {
    "gsm8k.cot": {"base": 64.2, "sft": 82.9, "rl": 88.2},
    "math.cot": {"base": 36.2, "sft": 46.8, "rl": 51.7},
    "ocw.cot": {"base": 15.4},
    "sat.cot": {"base": 84.4},
    "mmlu_stem.cot": {"base": 56.5},
    "cmath.cot": {"base": 71.7, "sft": 84.6, "rl": 88.8},
    "gaokao_mathcloze.cot": {"base": 20.3},
    "gaokao_mathqa.cot": {"base": 35.3},
    "mgsm_zh.cot": {"sft": 73.2, "rl": 79.6},
    "gsm8k.pot": {"base": 66.9},
    "math.pot": {"base": 31.4},
    "gsm8k.tool": {"sft": 83.7, "rl": 86.7},
    "math.tool": {"sft": 57.4, "rl": 58.8},
    "mgsm_zh.tool": {"sft": 72.0, "rl": 78.4},
    "cmath.tool": {"sft": 84.3, "rl": 87.6},
    "minif2f.cot": {"base": 24.6},
    "minif2f_valid.cot": {"base": 25.8},
    "mmlu.cot": {"coder": 42.9, "base": 54.9},
    "bbh.cot": {"coder": 42.9, "base": 59.5},
    "humaneval.pot": {"coder": 40.2, "base": 40.9},
    "mbpp.pot": {"coder": 52.6, "base": 52.6},
}

# Self-consistency of DeepSeekMath 7B, from the abstract; the model's temperature for it is not stated.
MAJORITY = {"math.cot": ("maj@64", 60.9)}


@dataclass(frozen=True, slots=True)
class Table:
    """One of the paper's tables: its caption, our models that stand in it, and its tasks."""

    title: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]


_FEW_SHOT = "gsm8k math ocw sat mmlu_stem cmath gaokao_mathcloze gaokao_mathqa".split()
_CHAT = "gsm8k math mgsm_zh cmath".split()
TABLES = (
    Table(
        "Table 2: base models, worked examples, chain of thought",
        models=("base",),
        tasks=tuple(f"{name}.cot" for name in _FEW_SHOT),
    ),
    Table(
        "Table 3: base models, programs and proofs",
        models=("base",),
        tasks=("gsm8k.pot", "math.pot", "minif2f_valid.cot", "minif2f.cot"),
    ),
    Table(
        "Table 4: general benchmarks",
        models=("coder", "base"),
        tasks=("mmlu.cot", "bbh.cot", "humaneval.pot", "mbpp.pot"),
    ),
    Table(
        "Table 5: chain of thought",
        models=("sft", "rl"),
        tasks=tuple(f"{name}.cot" for name in _CHAT),
    ),
    Table(
        "Table 5: text and programs",
        models=("sft", "rl"),
        tasks=tuple(f"{name}.tool" for name in _CHAT),
    ),
)

# Table 1: DeepSeek-LLM 1.3B after 150 billion tokens of each corpus; a model of ours by this name stands beside it.
CORPUS_COLUMNS = {
    "coder": "no math training",
    "mathpile": "MathPile",
    "openwebmath": "OpenWebMath",
    "proof_pile_2": "Proof-Pile-2",
    "base": "DeepSeekMath Corpus",
}
CORPUS_TASKS = tuple(f"{name}.cot" for name in _FEW_SHOT)
CORPUS_SCORES: dict[str, tuple[float, ...]] = {
    "coder": (2.9, 3.0, 2.9, 15.6, 19.5, 12.3, 0.8, 17.9),
    "mathpile": (2.7, 3.3, 2.2, 12.5, 15.7, 1.2, 0.0, 2.8),
    "openwebmath": (11.5, 8.9, 3.7, 31.3, 29.6, 16.8, 0.0, 14.2),
    "proof_pile_2": (14.3, 11.2, 3.7, 43.8, 29.2, 19.9, 5.1, 11.7),
    "base": (23.8, 13.6, 4.8, 56.3, 33.1, 41.5, 5.9, 23.6),
}

# How much of everything the paper used (sections 2.1, 2.3, 3.1, 3.2, 4.2)
SCALE = {
    "parameters": "6.9 billion",
    "pages of the corpus": "35.5 million",
    "tokens of the corpus": "120 billion",
    "tokens of continued pretraining": "500 billion",
    "tokens of a batch": "10 million",
    "worked solutions": "776,000",
    "steps of fine-tuning": "500",
    "questions of RL": "144,000",
    "outputs a question": "64",
    "outputs a step": "1,024",
}
