"""Where a world's pages, problems, solutions, benchmarks and checkpoint come from."""

from pydantic import Field, model_validator

from pipeline.config.base import Incidental, Section, SeededSection
from pipeline.config.schedule import Schedule
from pipeline.config.training import Optimisation


class Sources(Section):
    """The inputs of the whole run. The word `mini` means: made by the built-in world (`mini/`)."""

    warc: str | list[str] = "mini"
    """WARC or ARC files: `mini`, a folder, a glob pattern, an address,
    `commoncrawl:CC-MAIN-2024-10` (Common Crawl itself: any crawl's id), or a list of these."""

    crawl_files: int = Field(1, ge=1)
    """NS: WARC files taken of each crawl, evenly spread over its list; a whole crawl has about
    90,000."""

    crawl_server: str = Field("https://data.commoncrawl.org/", pattern=r"^https?://")
    """Address of Common Crawl, or of a mirror of it."""

    files_per_shard: int = Field(1, ge=1)
    """WARC files that make one shard, the unit of parallel work of the corpus stage. NS."""

    seed_positives: str = "mini"
    """JSON Lines with a `url` per line: pages known to be mathematics. The paper uses OpenWebMath
    (section 2.1)."""

    url_annotations: str | None = None
    """YAML of accepted and rejected URL prefixes made by a person; without it the automatic
    annotator decides. Paper: annotated by hand (section 2.1)."""

    solutions: str | list[str] = "mini"
    """JSON Lines, Parquet, folders or `hub:…` of worked solutions for fine-tuning (format
    recognised by its fields; see sft/converters.py). Paper, section 3.1: 776K examples, not
    public."""

    problems: str | list[str] | None = None
    """JSON Lines of training problems for reward models and RL; none takes the questions of the
    checked `solutions`. Paper: step-by-step questions related to GSM8K and MATH only (section
    4.2)."""

    benchmarks: dict[str, str] = Field(default_factory=lambda: {"minimath": "mini"})
    """Name -> JSON Lines file of held-out problems, or the word `hub` for a declared benchmark
    (`python -m eval.benchmarks` lists them), which is fetched from its source at the declared
    revision, or taken from data/benchmarks where it lies already. They are evaluated, and removed
    from the corpus as leaks. Paper: tables 2 to 7."""

    heldout_text: dict[str, str] = Field(
        default_factory=lambda: dict.fromkeys(("math", "code", "prose", "chinese"), "mini")
    )
    """Name -> JSON Lines of {"text"} on which bits per byte are measured during continued
    pretraining: what it gains and what it forgets. NS."""

    coder: str = Field("mini", min_length=1)
    """Checkpoint to start from: `mini` (trained here on Python's standard library), a folder, or a
    Hub id. The paper starts from DeepSeek-Coder-Base-v1.5 7B before its learning-rate decay, which
    is not public."""


class MiniWorld(SeededSection):
    """Size of the built-in world. Everything in it is generated from `seed`, offline."""

    train_problems: int = Field(30_000, ge=100)
    """Word problems with worked solutions, for the tokenizer, fine-tuning, reward models and RL."""

    validation_problems: int = Field(300, ge=20)
    """Held-out problems for the curves during RL."""

    test_problems: int = Field(600, ge=20)
    """Held-out problems: their numbers and structure occur in no training problem, whatever the
    wording."""

    chinese_share: float = Field(0.2, ge=0, le=1)
    """Share of the problems that are asked in Chinese."""

    level_shares: tuple[float, float, float, float] = (0.45, 0.4, 0.1, 0.05)
    """Share of problems with one, two, three and four steps; the shares must add up to 1."""

    pot_share: float = Field(0.15, ge=0, le=1)
    """Share of training problems that also come with a program (PoT); every one comes with a CoT
    solution."""

    tool_share: float = Field(0.15, ge=0, le=1)
    """Share of training problems that also come with a tool-integrated solution."""

    pages: int = Field(4_000, ge=100)
    """Web pages in the generated crawl, near-duplicates and mirrors included."""

    warc_files: int = Field(4, ge=1)
    """WARC files that the crawl is written into."""

    seed_pages: int = Field(150, ge=10)
    """Mathematical pages that are given as seed positives."""

    code_bytes: int = Field(3_000_000, ge=20_000)
    """Python source taken from the standard library, at most: in characters, held-out files
    apart."""

    prose_bytes: int = Field(400_000, ge=5_000)
    """Generated prose without mathematics for the pretraining mixture, in characters."""

    heldout_documents: int = Field(120, ge=5)
    """At most so many documents in each held-out text (code, mathematics) on which bits per byte
    are measured."""

    @model_validator(mode="after")
    def _shares_add_up(self) -> "MiniWorld":
        if min(self.level_shares) < 0 or abs(sum(self.level_shares) - 1) > 1e-6:
            raise ValueError(
                f"mini.level_shares = {list(self.level_shares)}: shares must be >= 0 and add up to 1"
            )
        return self


class Model(Section):
    """Shape of a Llama that is trained from scratch (`sources.coder: mini`)."""

    vocabulary: int = Field(1024, ge=300)
    """Tokens of the byte-level BPE tokenizer that is trained with it. The paper's model has
    102,400."""

    hidden: int = Field(128, ge=16)
    """Width of the residual stream. The paper's 7B: 4096."""

    intermediate: int = Field(352, ge=16)
    """Width inside the feed-forward blocks. 7B: 11008."""

    layers: int = Field(3, ge=1)
    """Transformer blocks. 7B: 30."""

    heads: int = Field(4, ge=1)
    """Attention heads of a block. 7B: 32."""

    context: int = Field(512, ge=64)
    """Tokens of the longest sequence that the model is made for. The paper's 7B: 4096."""

    initializer_range: float = Field(0.08, gt=0)
    """Spread of the first weights: about 1/sqrt(hidden). The usual 0.02 starts a model this narrow
    too slowly."""

    rope_theta: float = Field(100.0, gt=1)
    """Base of the rotary positions: short contexts need short wavelengths."""


class CoderSchedule(Schedule):
    """The base model's schedule, for a training of a few hundred steps."""

    peak: float = Field(1e-3, gt=0)
    """Highest learning rate; small models bear more than the 4.2e-4 of 7B."""

    warmup_steps: int = Field(20, ge=0)
    """Steps over which the rate rises from 0. The paper's 2,000 are more than this training has."""


class CoderOptimisation(Optimisation):
    """The base model's optimiser, on a small machine."""

    schedule: CoderSchedule = CoderSchedule()
    micro_batch_tokens: Incidental[int] = Field(2048, ge=16)
    """Tokens that one forward pass computes, padding included; sets memory and speed, never
    results."""

    checkpoint_every: Incidental[int] = Field(25, ge=1)
    """Optimiser steps between checkpoints."""


class Coder(SeededSection):
    """Training of the coder checkpoint from scratch; unused where `sources.coder` names an existing
    one."""

    model: Model = Model()
    tokens: int = Field(450_000, ge=1)
    """Training tokens of Python source."""

    batch_tokens: int = Field(1024, ge=16)
    """Small batches: at this size the number of optimiser steps is what counts."""

    context: int = Field(256, ge=16)
    """Tokens of a training sequence."""

    optimisation: CoderOptimisation = CoderOptimisation()


class Suffixes(Section):
    """What is added after the question, on a line of its own, in each language."""

    en: str
    """For questions in English and every language that is not named here."""

    zh: str
    """For questions in Chinese."""

    other: dict[str, str] = Field(default_factory=dict)
    """Language code -> text. The paper asks in English and Chinese only; the other languages of
    MGSM are ours."""


class Prompts(Section):
    """Texts shared by fine-tuning, RL and evaluation. Defaults: the public evaluation code's (PAPER
    section 5.2)."""

    cot: Suffixes = Suffixes(
        en="Please reason step by step, and put your final answer within \\boxed{}.",
        zh="请通过逐步推理来解答问题，并把最终答案放置于\\boxed{}中。",
        other={
            "bn": "অনুগ্রহ করে ধাপে ধাপে যুক্তি দিন এবং চূড়ান্ত উত্তরটি \\boxed{} এর মধ্যে লিখুন।",
            "de": "Bitte denke Schritt für Schritt und schreibe die endgültige Antwort in \\boxed{}.",
            "es": "Razona paso a paso y escribe la respuesta final dentro de \\boxed{}.",
            "fr": "Raisonne étape par étape et écris la réponse finale dans \\boxed{}.",
            "ja": "段階的に考え、最終的な答えを\\boxed{}の中に書いてください。",
            "ru": "Рассуждай шаг за шагом и запиши окончательный ответ в \\boxed{}.",
            "sw": "Tafadhali fikiri hatua kwa hatua, na uandike jibu la mwisho ndani ya \\boxed{}.",
            "te": "దయచేసి దశలవారీగా ఆలోచించి, తుది సమాధానాన్ని \\boxed{} లో రాయండి.",
            "th": "โปรดคิดทีละขั้นตอน และใส่คำตอบสุดท้ายไว้ใน \\boxed{}",
        },
    )
    pot: Suffixes = Suffixes(
        en="Please write a Python program that prints the final answer.",
        zh="请编写一个Python程序，打印出最终答案。",
    )
    """NS for chat models: the paper prompts programs by few-shot examples only."""

    tool: Suffixes = Suffixes(
        en="Please integrate natural language reasoning with programs to solve the problem above, "
        "and put your final answer within \\boxed{}.",
        zh="请结合自然语言和Python程序语言来解答问题，并把最终答案放置于\\boxed{}中。",
    )
