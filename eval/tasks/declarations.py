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
    """What eval.run, eval.verdicts and eval.sampling.few_shot need to know of a benchmark."""

    name: str
    title: str
    file: str  # in the folder of benchmarks

    # What kind of answer is expected: number, latex, choice, text, code or proof
    answer: str
    source: Hub | Git | None = None
    fields: Fields = Fields()
    language: str | None = None  # None: recognised for each question

    # How it is scored: by its answer (eval.grading.grader), by tests (HumanEval and MBPP: pass@1 by running the tests
    # in the sandbox) or by proof (miniF2F: eval.verdicts.isabelle)
    metric: str = "answer"

    # The set of worked examples in eval/shots, and how many of them base models are shown in CoT and PoT mode
    examples: str = ""
    shots: dict[str, int] = field(default_factory=dict)

    tolerance: float | None = None  # relative, for measured quantities
    # In the published set; another count is named in the log, never refused
    rows: int | None = None

    # How questions and solutions are laid out for base models (eval.sampling.few_shot); the Chinese one has "_zh"
    layout: str = "plain"
    # Only a final box is an answer, as for rewards: no number is picked out of the text
    box_only: bool = False

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that make sense: a function to write is a program, a formal proof is neither."""
        if self.metric == "tests":
            return ("pot",)
        if self.metric == "proof" or self.answer == "text":
            return ("cot",)
        return ("cot", "pot", "tool")


# Worked examples that a set brings along, by task (BIG-Bench Hard): a file beside the set's own
COT_PROMPTS = "cot_prompts.jsonl"

MGSM_LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")


def _deepseek(path: str) -> Git:
    """A file of DeepSeekMath's public evaluation."""
    commit = "b8b0f8ce093d80bf8e9a641e44142f06d092c305"
    return Git("deepseek-ai/DeepSeek-Math", commit, f"evaluation/datasets/{path}")


def _mgsm(language: str) -> Git:
    commit = "452a21ad3dae5668c06ceeac21ff073e1e40f9be"
    return Git("google-research/url-nlp", commit, f"mgsm/mgsm_{language}.tsv")


_QUESTION_ANSWER = Fields(question=("question",), gold=("answer",))
_PROBLEM_SOLUTION = Fields(
    question=("problem",),
    gold=("answer", "solution"),
    id=("unique_id", "path"),
    kind=("subject", "type"),
)
_CODE = Fields(
    question=("prompt", "text"), gold=("test", "test_list"), id=("task_id",), kind=(), level=()
)

_FOUR_SHOTS = {"cot": 4, "pot": 4}
_SIX_SHOTS = {"cot": 6, "pot": 6}

_ENTRIES = (
    # Quantitative reasoning in English (the paper's tables 2 and 3)
    Benchmark(
        name="gsm8k", title="GSM8K", rows=1319,
        file="gsm8k/test.jsonl",
        source=Hub("openai/gsm8k", config="main", revision="e53f048856ff4f594e959d75785d2c2d37b678ee"),
        fields=_QUESTION_ANSWER,
        answer="number", language="en",
        examples="school_en", shots={"cot": 8, "pot": 8},
    ),
    Benchmark(
        name="math", title="MATH", rows=5000,
        file="math/test.jsonl", source=Hub("EleutherAI/hendrycks_math", config="*"),
        fields=_PROBLEM_SOLUTION,
        answer="latex", language="en",
        examples="competition_en", shots={"cot": 4, "pot": 5},
    ),
    Benchmark(
        name="math500", title="MATH-500", rows=500,
        file="math500/test.jsonl",
        source=Hub("HuggingFaceH4/MATH-500", revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be"),
        fields=_PROBLEM_SOLUTION,
        answer="latex", language="en",
        examples="competition_en", shots={"cot": 4, "pot": 5},
    ),
    Benchmark(
        name="sat", title="SAT", rows=32,
        file="sat/test.jsonl", source=_deepseek("sat/test.jsonl"),
        fields=Fields(question=("question",), gold=("Answer",)),
        answer="choice", language="en",
        examples="choice_en", shots={"cot": 4, "pot": 4},
    ),
    Benchmark(
        name="ocw", title="OCW Courses", rows=272,
        file="ocw/test.jsonl", source=_deepseek("ocw/test.jsonl"),
        fields=Fields(question=("problem",), gold=("answer",)),
        answer="latex", tolerance=0.01, language="en",
        examples="course_en", shots={"cot": 4, "pot": 4},
    ),
    Benchmark(
        name="mmlu_stem", title="MMLU-STEM", rows=3018,
        file="mmlu_stem/test.jsonl", source=_deepseek("mmlu_stem/test.jsonl"),
        fields=Fields(question=("question",), gold=("answer",), kind=("topic",)),
        answer="choice", language="en",
        examples="choice_en", shots={"cot": 4, "pot": 4},
    ),
    # Several languages
    Benchmark(
        name="mgsm_zh", title="MGSM-zh", rows=250,
        file="mgsm_zh_deepseek/test.jsonl", source=_deepseek("mgsm_zh/mgsm_zh.jsonl"),
        fields=Fields(question=("messages",), gold=("answer",)),
        answer="number", language="zh",
        examples="school_zh", shots={"cot": 6, "pot": 6},
    ),
    *(
        Benchmark(
            # The Chinese questions as published; DeepSeekMath's own file of them is mgsm_zh.
            name="mgsm_zh_original" if code == "zh" else f"mgsm_{code}", title=f"MGSM ({code})", rows=250,
            file=f"mgsm/test_{code}.jsonl", source=_mgsm(code),
            fields=_QUESTION_ANSWER,
            answer="number", language=code,
            examples=f"school_{code}", shots=_SIX_SHOTS if code in ("en", "zh") else _FOUR_SHOTS,
        )
        for code in MGSM_LANGUAGES
    ),
    # Chinese (tables 2 and 5)
    Benchmark(
        name="cmath", title="CMATH", rows=1098,
        file="cmath/test.jsonl", source=_deepseek("cmath/test.jsonl"),
        fields=Fields(question=("question",), gold=("golden", "answer"), level=("grade",)),
        answer="number", language="zh",
        examples="school_zh", shots={"cot": 6, "pot": 6},
    ),
    Benchmark(
        name="gaokao_mathcloze", title="Gaokao MathCloze", rows=118,
        file="gaokao_mathcloze/test.jsonl", source=_deepseek("agieval/gaokao-mathcloze.jsonl"),
        fields=_QUESTION_ANSWER,
        answer="latex", language="zh",
        examples="cloze_zh", shots={"cot": 5, "pot": 5},
    ),
    Benchmark(
        name="gaokao_mathqa", title="Gaokao MathQA", rows=351,
        file="gaokao_mathqa/test.jsonl", source=_deepseek("agieval/gaokao-mathqa.jsonl"),
        fields=Fields(question=("question",), gold=("label",)),
        answer="choice", language="zh",
        examples="choice_zh", shots={"cot": 5, "pot": 5},
    ),
    # Programs and general knowledge (table 4)
    Benchmark(
        name="humaneval", title="HumanEval", rows=164,
        file="humaneval/test.jsonl",
        source=Hub("openai/openai_humaneval", revision="7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544"),
        fields=_CODE,
        answer="code", metric="tests", language="en",
        shots={"pot": 0},
    ),
    Benchmark(
        name="mbpp", title="MBPP", rows=500,
        file="mbpp/test.jsonl",
        source=Hub("google-research-datasets/mbpp", config="full", revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c"),
        fields=_CODE,
        answer="code", metric="tests", language="en",
        examples="functions_en", shots={"pot": 3},
    ),
    Benchmark(
        name="mmlu", title="MMLU", rows=14042,
        file="mmlu/test.jsonl",
        source=Hub("cais/mmlu", config="all", revision="c30699e8356da336a370243923dbaf21066bb9fe"),
        fields=Fields(question=("question",), gold=("answer",), kind=("subject",)),
        answer="choice", language="en",
        examples="choice_en", shots={"cot": 4, "pot": 4},
    ),
    Benchmark(
        name="bbh", title="BIG-Bench Hard", rows=6511,
        file="bbh/test.jsonl",
        source=Git("suzgunmirac/BIG-Bench-Hard", "9ee07bd481feebf959a6b59d61ea57bdcf30964d", "bbh/{}.json"),
        fields=Fields(question=("input",), gold=("target",), id=(), kind=("task",)),
        answer="text", language="en",
        examples="cot_prompts", shots={"cot": 3},
    ),
    # Formal proofs (table 3)
    Benchmark(
        name="minif2f", title="miniF2F (Isabelle), test", rows=244,
        file="minif2f/test.jsonl", source=_deepseek("minif2f/test.jsonl"),
        fields=Fields(id=("problem_name",)),
        answer="proof", metric="proof", language="en",
        examples="proofs", shots={"cot": 3},
    ),
    Benchmark(
        name="minif2f_valid", title="miniF2F (Isabelle), validation", rows=244,
        file="minif2f/validation.jsonl", source=_deepseek("minif2f/validation.jsonl"),
        fields=Fields(id=("problem_name",)),
        answer="proof", metric="proof", language="en",
        examples="proofs", shots={"cot": 3},
    ),
    # The built-in world's own problems: made by `mini/`, given as minimath=FILE. Base models see them as its pages
    # show worked examples; a coder that writes nothing but zeros must not score where the answer is 0.
    Benchmark(
        name="minimath", title="MiniMath",
        file="minimath/test.jsonl",
        answer="latex", layout="textbook", box_only=True,
    ),
    # The built-in medical world's cases, given as medicine=FILE: the gold is a case (eval/cases/gold.py), right is the
    # diagnosis, and eval.summary adds expert score, safety and consistency. Invented cases, not medical advice.
    Benchmark(
        name="medicine", title="Invented medical cases",
        file="medicine/test.jsonl",
        answer="text", layout="textbook",
    ),
    # Beyond the paper's tables
    Benchmark(
        name="gsm_hard", title="GSM-Hard", rows=1319,
        file="gsm_hard/test.jsonl", source=Hub("reasoning-machines/gsm-hard", split="train"),
        answer="number", language="en",
        examples="school_en", shots={"cot": 8, "pot": 8},
    ),
    Benchmark(
        name="aqua", title="AQuA-RAT", rows=254,
        file="aqua/test.jsonl", source=Hub("deepmind/aqua_rat", config="raw"),
        answer="choice", language="en",
        examples="choice_en", shots={"cot": 4, "pot": 4},
    ),
    Benchmark(
        name="mathqa", title="MathQA", rows=1000,
        file="mathqa/test.jsonl",
        answer="choice", language="en",
        examples="choice_en", shots={"cot": 4, "pot": 4},
    ),
    Benchmark(
        name="aime24", title="AIME 2024", rows=30,
        file="aime24/test.jsonl", source=Hub("HuggingFaceH4/aime_2024", split="train"),
        answer="number", language="en",
        examples="competition_en", shots={"cot": 4, "pot": 5},
    ),
    Benchmark(
        name="gaokao2023en", title="Gaokao 2023 (en)", rows=385,
        file="gaokao2023en/test.jsonl",
        answer="latex", language="en",
        examples="competition_en", shots={"cot": 4, "pot": 5},
    ),
    Benchmark(
        name="cn_middle_school", title="Chinese middle school", rows=101,
        file="cn_middle_school/test.jsonl",
        answer="latex", language="zh",
        examples="cloze_zh", shots={"cot": 5, "pot": 5},
    ),
    Benchmark(
        name="theoremqa", title="TheoremQA", rows=800,
        file="theoremqa/test.jsonl", source=Hub("TIGER-Lab/TheoremQA"),
        answer="latex", tolerance=0.01, language="en",
        examples="course_en", shots={"cot": 4, "pot": 4},
    ),
)  # fmt: skip
TABLE: dict[str, Benchmark] = {entry.name: entry for entry in _ENTRIES}
