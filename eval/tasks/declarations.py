"""The benchmarks: one declaration each, read by eval.benchmarks, eval.sampling.few_shot and eval.verdicts.judge.

A declaration says where the rows come from, which fields hold what, how base models are shown the task, what kind of
answer is expected and how it is scored. To add a benchmark, add an entry to TABLE; a JSON Lines file with a question
and an answer works without one. Counts, shots and formats: DeepSeekMath section 5 and its public evaluation code.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hub:
    """A data set on the Hugging Face Hub. Without a `revision` the newest is taken (none is known to us for sure)."""

    id: str
    split: str = "test"
    config: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Git:
    """JSON Lines files at a commit of a public repository; `{}` in the path is filled by the benchmark's variant."""

    repository: str
    commit: str
    path: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields of a row; of several names the first that a row has counts."""

    question: tuple[str, ...] = ("question", "problem", "Question", "input")
    gold: tuple[str, ...] = ("answer", "Answer", "target", "golden", "correct", "label")
    options: tuple[str, ...] = ("options", "choices")
    id: tuple[str, ...] = ("id", "unique_id", "task_id", "idx")
    kind: tuple[str, ...] = ("kind", "type", "subject", "topic", "subfield", "task")
    level: tuple[str, ...] = ("level", "grade", "reasoning_step")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`answer`: number, latex, choice, text, code or proof. `metric`: answer (eval.grading.grader), tests (HumanEval,
    MBPP:
    pass@1 by running the tests in the sandbox) or proof (miniF2F: eval.verdicts.isabelle). `shots`: worked examples
    shown to base
    models in CoT and PoT mode; `examples` names their set in eval/shots. `tolerance`: relative, for measured numbers.
    `rows`: how many the published set holds; a file with another count is named in the log, never refused."""

    name: str
    title: str
    file: str  # in the folder of benchmarks
    answer: str
    source: Hub | Git | None = None
    fields: Fields = Fields()
    language: str | None = None  # None: recognised for each question
    metric: str = "answer"
    examples: str = ""
    shots: dict[str, int] = field(default_factory=dict)
    tolerance: float | None = None
    rows: int | None = None
    layout: str = "plain"  # of questions and solutions shown to base models (eval.sampling.few_shot), the Chinese one with "_zh"
    box_only: bool = (
        False  # only a final box is an answer, as for rewards: no number is picked out of babble
    )

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that make sense: a function to write is a program, a formal proof is neither."""
        if self.metric == "tests":
            return ("pot",)
        return (
            ("cot",) if self.metric == "proof" or self.answer == "text" else ("cot", "pot", "tool")
        )


COT_PROMPTS = "cot_prompts.jsonl"  # beside a set that brings its own worked examples, by task (BIG-Bench Hard)
_DEEPSEEK = "deepseek-ai/DeepSeek-Math", "b8b0f8ce093d80bf8e9a641e44142f06d092c305"
_MGSM = "google-research/url-nlp", "452a21ad3dae5668c06ceeac21ff073e1e40f9be", "mgsm/mgsm_{}.tsv"
MGSM_LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


def _deepseek(path: str) -> Git:
    return Git(*_DEEPSEEK, f"evaluation/datasets/{path}")


_QUESTION_ANSWER = Fields(question=("question",), gold=("answer",))
_PROBLEM_SOLUTION = Fields(
    question=("problem",),
    gold=("answer", "solution"),
    kind=("subject", "type"),
    id=("unique_id", "path"),
)
_CODE = Fields(
    question=("prompt", "text"), gold=("test", "test_list"), id=("task_id",), kind=(), level=()
)

_ENTRIES = (
    Benchmark(
        "gsm8k", "GSM8K", "gsm8k/test.jsonl", "number",
        Hub("openai/gsm8k", config="main", revision="e53f048856ff4f594e959d75785d2c2d37b678ee"),
        _QUESTION_ANSWER, "en", examples="school_en", shots={"cot": 8, "pot": 8}, rows=1319,
    ),
    Benchmark(
        "math", "MATH", "math/test.jsonl", "latex", Hub("EleutherAI/hendrycks_math", config="*"),
        _PROBLEM_SOLUTION, "en", examples="competition_en", shots={"cot": 4, "pot": 5}, rows=5000,
    ),
    Benchmark(
        "math500", "MATH-500", "math500/test.jsonl", "latex",
        Hub("HuggingFaceH4/MATH-500", revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be"),
        _PROBLEM_SOLUTION, "en", examples="competition_en", shots={"cot": 4, "pot": 5}, rows=500,
    ),
    Benchmark(
        "sat", "SAT", "sat/test.jsonl", "choice", _deepseek("sat/test.jsonl"),
        Fields(question=("question",), gold=("Answer",)), "en", examples="choice_en", shots={"cot": 4, "pot": 4},
        rows=32,
    ),
    Benchmark(
        "ocw", "OCW Courses", "ocw/test.jsonl", "latex", _deepseek("ocw/test.jsonl"),
        Fields(question=("problem",), gold=("answer",)), "en", examples="course_en", shots={"cot": 4, "pot": 4},
        tolerance=0.01, rows=272,
    ),
    Benchmark(
        "mmlu_stem", "MMLU-STEM", "mmlu_stem/test.jsonl", "choice", _deepseek("mmlu_stem/test.jsonl"),
        Fields(question=("question",), gold=("answer",), kind=("topic",)), "en", examples="choice_en",
        shots={"cot": 4, "pot": 4}, rows=3018,
    ),
    Benchmark(
        "mgsm_zh", "MGSM-zh", "mgsm_zh_deepseek/test.jsonl", "number", _deepseek("mgsm_zh/mgsm_zh.jsonl"),
        Fields(question=("messages",), gold=("answer",)), "zh", examples="school_zh", shots={"cot": 6, "pot": 6},
        rows=250,
    ),
    *(
        Benchmark(
            f"mgsm_{code}" if code != "zh" else "mgsm_zh_original", f"MGSM ({code})", f"mgsm/test_{code}.jsonl",
            "number", Git(*_MGSM[:2], _MGSM[2].format(code)), _QUESTION_ANSWER, code, examples=f"school_{code}",
            shots={"cot": 6, "pot": 6} if code in ("en", "zh") else {"cot": 4, "pot": 4}, rows=250,
        )
        for code in MGSM_LANGUAGES
    ),
    Benchmark(
        "cmath", "CMATH", "cmath/test.jsonl", "number", _deepseek("cmath/test.jsonl"),
        Fields(question=("question",), gold=("golden", "answer"), level=("grade",)), "zh", examples="school_zh",
        shots={"cot": 6, "pot": 6}, rows=1098,
    ),
    Benchmark(
        "gaokao_mathcloze", "Gaokao MathCloze", "gaokao_mathcloze/test.jsonl", "latex",
        _deepseek("agieval/gaokao-mathcloze.jsonl"), Fields(question=("question",), gold=("answer",)), "zh",
        examples="cloze_zh", shots={"cot": 5, "pot": 5}, rows=118,
    ),
    Benchmark(
        "gaokao_mathqa", "Gaokao MathQA", "gaokao_mathqa/test.jsonl", "choice",
        _deepseek("agieval/gaokao-mathqa.jsonl"), Fields(question=("question",), gold=("label",)), "zh",
        examples="choice_zh", shots={"cot": 5, "pot": 5}, rows=351,
    ),
    Benchmark(
        "humaneval", "HumanEval", "humaneval/test.jsonl", "code",
        Hub("openai/openai_humaneval", revision="7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544"),
        _CODE, "en", "tests", shots={"pot": 0}, rows=164,
    ),
    Benchmark(
        "mbpp", "MBPP", "mbpp/test.jsonl", "code",
        Hub("google-research-datasets/mbpp", config="full", revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c"),
        _CODE, "en", "tests", examples="functions_en", shots={"pot": 3}, rows=500,
    ),
    Benchmark(
        "mmlu", "MMLU", "mmlu/test.jsonl", "choice",
        Hub("cais/mmlu", config="all", revision="c30699e8356da336a370243923dbaf21066bb9fe"),
        Fields(question=("question",), gold=("answer",), kind=("subject",)), "en", examples="choice_en",
        shots={"cot": 4, "pot": 4}, rows=14042,
    ),
    Benchmark(
        "bbh", "BIG-Bench Hard", "bbh/test.jsonl", "text",
        Git("suzgunmirac/BIG-Bench-Hard", "9ee07bd481feebf959a6b59d61ea57bdcf30964d", "bbh/{}.json"),
        Fields(question=("input",), gold=("target",), kind=("task",), id=()), "en", examples="cot_prompts",
        shots={"cot": 3}, rows=6511,
    ),
    Benchmark(
        "minif2f", "miniF2F (Isabelle), test", "minif2f/test.jsonl", "proof", _deepseek("minif2f/test.jsonl"),
        Fields(id=("problem_name",)), "en", "proof", examples="proofs", shots={"cot": 3}, rows=244,
    ),
    Benchmark(
        "minif2f_valid", "miniF2F (Isabelle), validation", "minif2f/validation.jsonl", "proof",
        _deepseek("minif2f/validation.jsonl"), Fields(id=("problem_name",)), "en", "proof", examples="proofs",
        shots={"cot": 3}, rows=244,
    ),
    # The built-in world's own problems: made by `mini/`, given as minimath=FILE. Base models see them as its pages
    # show worked examples; a coder that writes nothing but zeros must not score where the answer is 0.
    Benchmark("minimath", "MiniMath", "minimath/test.jsonl", "latex", layout="textbook", box_only=True),
    # Beyond the paper's table.
    Benchmark("gsm_hard", "GSM-Hard", "gsm_hard/test.jsonl", "number",
              Hub("reasoning-machines/gsm-hard", split="train"),
              language="en", examples="school_en", shots={"cot": 8, "pot": 8}, rows=1319),
    Benchmark("aqua", "AQuA-RAT", "aqua/test.jsonl", "choice", Hub("deepmind/aqua_rat", config="raw"),
              language="en", examples="choice_en", shots={"cot": 4, "pot": 4}, rows=254),
    Benchmark("mathqa", "MathQA", "mathqa/test.jsonl", "choice", language="en", examples="choice_en",
              shots={"cot": 4, "pot": 4}, rows=1000),
    Benchmark("aime24", "AIME 2024", "aime24/test.jsonl", "number", Hub("HuggingFaceH4/aime_2024", split="train"),
              language="en", examples="competition_en", shots={"cot": 4, "pot": 5}, rows=30),
    Benchmark("gaokao2023en", "Gaokao 2023 (en)", "gaokao2023en/test.jsonl", "latex", language="en",
              examples="competition_en", shots={"cot": 4, "pot": 5}, rows=385),
    Benchmark("cn_middle_school", "Chinese middle school", "cn_middle_school/test.jsonl", "latex", language="zh",
              examples="cloze_zh", shots={"cot": 5, "pot": 5}, rows=101),
    Benchmark("theoremqa", "TheoremQA", "theoremqa/test.jsonl", "latex", Hub("TIGER-Lab/TheoremQA"),
              language="en", examples="course_en", shots={"cot": 4, "pot": 4}, tolerance=0.01, rows=800),
)  # fmt: skip
TABLE: dict[str, Benchmark] = {entry.name: entry for entry in _ENTRIES}
