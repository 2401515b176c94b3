"""DeepSeekMath's own numbers, percent, to be shown beside ours (tables 2 to 5 of the paper)."""

COLUMNS = {"coder": "Coder 7B", "base": "Base 7B", "sft": "Instruct 7B", "rl": "RL 7B"}
"""The paper's model that stands where ours does."""

# Table 2 (few-shot chain of thought), table 3 (few-shot programs; proofs), table 4 (the Coder before its last decay,
# from which the paper goes on), table 5 (zero-shot).
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

MAJORITY = {"math.cot": ("maj@64", 60.9)}
"""Self-consistency of DeepSeekMath 7B, from the abstract; the model's temperature for it is not stated."""

_FEW_SHOT = (
    "gsm8k",
    "math",
    "ocw",
    "sat",
    "mmlu_stem",
    "cmath",
    "gaokao_mathcloze",
    "gaokao_mathqa",
)
_CHAT = ("gsm8k", "math", "mgsm_zh", "cmath")
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Table 2: base models, worked examples, chain of thought": (
        ("base",),
        tuple(f"{name}.cot" for name in _FEW_SHOT),
    ),
    "Table 3: base models, programs and proofs": (
        ("base",),
        ("gsm8k.pot", "math.pot", "minif2f_valid.cot", "minif2f.cot"),
    ),
    "Table 4: general benchmarks": (
        ("coder", "base"),
        ("mmlu.cot", "bbh.cot", "humaneval.pot", "mbpp.pot"),
    ),
    "Table 5: chain of thought": (("sft", "rl"), tuple(f"{name}.cot" for name in _CHAT)),
    "Table 5: text and programs": (("sft", "rl"), tuple(f"{name}.tool" for name in _CHAT)),
}
"""The paper's tables: (our models, tasks)."""

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
"""How much of everything the paper used (sections 2.1, 2.3, 3.1, 3.2, 4.2)."""
