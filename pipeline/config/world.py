"""Where a world's pages, problems, solutions, benchmarks and checkpoint come from, and the built-in
world."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section, SeededSection

Source = Annotated[str, Field(min_length=1)]
SourceList = Annotated[list[Source], Field(min_length=1)]


class Sources(Section):
    """The inputs of the whole run. The word `mini` means: made by the built-in world (`mini/`)."""

    world: Literal["mathematics", "medicine"] = "mathematics"
    """Which built-in world that is: word problems and pages of mathematics, or invented medical cases
    and pages of medicine (mini/medicine)."""

    warc: Source | SourceList = "mini"
    """WARC or ARC files: `mini`, a folder, a glob pattern, an address,
    `commoncrawl:CC-MAIN-2024-10` (Common Crawl itself: any crawl's id), or a list of these."""

    crawl_files: int = Field(1, ge=1)
    """NS: WARC files taken of each crawl, evenly spread over its list; a whole crawl has about
    90,000."""

    crawl_server: str = Field("https://data.commoncrawl.org/", pattern=r"^https?://")
    """Address of Common Crawl, or of a mirror of it."""

    files_per_shard: int = Field(1, ge=1)
    """WARC files that make one shard, the unit of parallel work of the corpus stage. NS."""

    shards_per_job: int = Field(10, ge=1)
    """Shards whose pages one job hashes, scores, or searches for benchmark problems; a world of no
    more shards does these steps in one job each round. Changes no result. NS."""

    earlier_crawls: list[Source] = Field(default_factory=list)
    """Folders `results/<run>/corpus/dedup` of crawls that were mined before. Their pages stay, and a
    page of this crawl that repeats one of them is a duplicate; their texts are not needed. NS; the
    paper deduplicates all of Common Crawl together."""

    seed_positives: Source = "mini"
    """JSON Lines with a `url` per line: pages known to be mathematics. The paper uses OpenWebMath
    (section 2.1)."""

    url_annotations: Source | None = None
    """YAML of accepted and rejected URL prefixes made by a person; without it the automatic
    annotator decides. Paper: annotated by hand (section 2.1)."""

    solutions: Source | SourceList = "mini"
    """JSON Lines, Parquet, folders or `hub:…` of worked solutions for fine-tuning (format
    recognised by its fields; see sft/converters.py). Paper, section 3.1: 776K examples, not
    public."""

    problems: Source | SourceList | None = None
    """JSON Lines of training problems for reward models and RL; none takes the questions of the
    checked `solutions`. Paper: step-by-step questions related to GSM8K and MATH only (section
    4.2)."""

    benchmarks: dict[str, Source] = Field(default_factory=lambda: {"minimath": "mini"})
    """Name -> JSON Lines file of held-out problems, or the word `hub` for a declared benchmark
    (`python -m eval.benchmarks` lists them), which is fetched from its source at the declared
    revision, or taken from data/benchmarks where it lies already. They are evaluated, and removed
    from the corpus as leaks. Paper: tables 2 to 7."""

    heldout_text: dict[str, Source] = Field(
        default_factory=lambda: dict.fromkeys(("math", "code", "prose", "chinese"), "mini")
    )
    """Name -> JSON Lines of {"text"} on which bits per byte are measured during continued
    pretraining: what it gains and what it forgets. NS."""

    ratings: Source | SourceList | None = None
    """JSON Lines of answers with the scores that people gave them (rl/ratings/records.py), for
    `reward.labels: ratings`. NS: the article's doctors score from 1 to 10."""

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
