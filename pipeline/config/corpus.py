"""Settings of stage 1, the corpus. Defaults: DeepSeekMath section 2.1; NS marks what the paper does
not state."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section, SeededSection


class Extraction(Section):
    """WARC records to pages. The paper does not say how it turned HTML into text: every value here
    is NS."""

    max_page_mb: float = Field(5.0, gt=0, le=1000)
    """Largest decoded body of a page, in MB; a larger one is rejected as `too_large`. NS; of real
    pages one in ten thousand is larger."""

    max_depth: int = Field(2000, ge=10, le=20_000)
    """Levels of nested elements that a page may have. NS; deeper pages are attacks or accidents
    (browsers flatten at 512)."""

    page_seconds: float = Field(10.0, gt=0, le=3600)
    """Seconds of processor time; a page that takes longer is rejected as `timeout`, its process
    killed. NS."""

    memory_mb: int = Field(4096, ge=512)
    """Address space of that process in MiB; a page that needs more is rejected as `memory`. NS."""

    strict: bool = False
    """Fail on a truncated or damaged file instead of counting what was lost. NS."""


class Dedup(SeededSection):
    """URL, exact and near duplicates. The paper names "URL-based deduplication and
    near-deduplication" only."""

    shingle_words: int = Field(5, ge=1, le=32)
    """Words in a shingle. NS; a Chinese, Japanese or Korean character counts as a word."""

    bands: int = Field(16, ge=1, le=256)
    """Bands of a signature. NS; two pages that agree in one whole band are candidates."""

    rows: int = Field(8, ge=1, le=64)
    """Hashes in a band. NS; 16 bands of 8 find 99 % of pairs of similarity 0.85 and 6 % of those of
    0.5."""

    similarity: float = Field(0.75, gt=0, le=1)
    """Estimated Jaccard similarity from which a candidate pair is a duplicate. NS; pages made from
    one template, but about different things, stay."""


class Classifier(SeededSection):
    """The fastText classifier of a round."""

    dimension: int = Field(256, ge=1)
    """Components of a word vector. Paper: 256."""

    learning_rate: float = Field(0.1, gt=0, le=5)
    """fastText's learning rate at the start; it falls to 0. Paper: 0.1."""

    word_ngrams: int = Field(3, ge=1, le=10)
    """Words of the longest n-gram that is a feature. Paper: 3."""

    min_count: int = Field(3, ge=1)
    """Occurrences from which a word is a feature. Paper: 3."""

    epochs: int = Field(3, ge=1)
    """Passes over the training examples. Paper: 3."""

    positives: int = Field(500_000, ge=1)
    """Positive examples at most. Paper: 500,000."""

    negatives: int = Field(500_000, ge=1)
    """Negative examples at most. Paper: 500,000."""

    negatives_per_positive: float = Field(1.0, gt=0)
    """Negatives for each positive. Paper: one. A small seed gains from more: see
    config/mini.yaml."""

    least_updates: float = Field(10_000, ge=0)
    """NS: learning rate x examples x epochs must reach this (the paper's own product is 300,000). A
    smaller training set takes the rate `small_learning_rate` and as many epochs as it needs, at
    most 50: with the paper's own numbers on a few thousand examples the classifier learns little
    more than the share of each class."""

    small_learning_rate: float = Field(0.5, gt=0, le=5)
    """Learning rate of training sets too small for the paper's. NS."""

    buckets: int | None = Field(None, ge=1000)
    """Hash buckets of word n-grams; absent: 2,000,000 (the library's default) from 200,000 examples
    on, 100,000 below: equal accuracy there, a twentieth of the memory."""

    max_tokens: int = Field(1000, ge=1)
    """Tokens of a page that are read, from its beginning. NS; equal accuracy, three times the
    speed."""

    held_out: float = Field(0.1, gt=0, lt=0.9)
    """Share of the examples that is kept from training and measures the classifier. NS."""

    training_threads: int = Field(1, ge=1)
    """Threads of fastText. NS; 1 trains bit for bit reproducibly, more are faster and do not
    (lock-free updates)."""


class Selection(Section):
    """Which pages a round collects, which domains and URL prefixes become new seeds."""

    budget_tokens: Literal["auto"] | tuple[int, ...] = (
        40_000_000_000,
        80_000_000_000,
        120_000_000_000,
    )
    """Tokens collected in rounds 1, 2, ...; the last number holds for all later rounds. Paper: 40B
    in round 1; NS after it: 80B and 120B are the paper's next trial volumes, and 120B is its final
    size. `auto`: no size is known beforehand, the round stops at the score where recall x precision
    is highest, by held-out positives and unlabelled pages (Lee and Liu 2003)."""

    least_recall: float = Field(0.8, ge=0, le=1)
    """NS: `auto` keeps at least this share of held-out positives. Seeds are easier to recognise
    than the rest of mathematics; without a floor an early round would collect little more than
    their like. Of the pages under accepted prefixes, the positives of later rounds, some are none:
    a higher floor costs precision."""

    explore_factor: float = Field(2.0, ge=0)
    """NS: domains are looked for among the best pages of every language, so many times the share
    that was collected of all pages. What is looked at goes to the annotator, not into the corpus: a
    cut that is right for the corpus is too narrow to discover by. Positives of one language say
    little about another's pages beside its own, but enough to order those among themselves."""

    explore_share: float = Field(0.001, ge=0, lt=1)
    """NS: at least this share of every language's pages is looked at. 0.1 % is about what the paper
    keeps."""

    domain_share: float = Field(0.10, ge=0, lt=1)
    """Paper: a domain with more than 10 % of its pages collected is mathematical. NS: a domain is a
    host name without `www.`; the share is taken after deduplication."""

    domain_pages: int = Field(10, ge=1)
    """Pages from which a domain is judged. NS."""

    prefix_pages: int = Field(10, ge=1)
    """Pages from which a URL prefix is listed. NS."""

    prefix_samples: int = Field(3, ge=1, le=20)
    """Sample pages of each prefix that are shown to the person who annotates. NS."""

    judged_pages: int = Field(50, ge=1)
    """Pages of a prefix that the automatic annotator reads. NS."""

    vocabulary: Literal["mathematics"] | None = "mathematics"
    """NS: what the automatic annotator knows about the subject beforehand. `mathematics`: words in
    many languages, TeX commands and signs (corpus/mining/glossary.yaml). null: nothing, for any
    other subject; it then goes by the classifier's scores and by what other domains teach."""

    page_evidence: float = Field(0.03, gt=0, lt=1)
    """NS: mathematical words and signs per token from which a page that names three concepts is
    plainly mathematical. Two thirds pass the annotator's first view; less than half, whatever it
    names, is no sign of mathematics."""

    prefix_evidence: float = Field(0.25, gt=0, le=1)
    """NS: share of pages of the subject, the geometric mean of two views, from which the automatic
    annotator accepts a prefix: a manual of mathematics has many pages of plain words. Below half of
    it a prefix is rejected, between them it is undecided."""

    stop_share: float = Field(0.98, gt=0, le=1)
    """Paper: mining stopped when nearly 98 % of a round had been collected before. Reported, never
    acted on: the number of rounds is fixed."""

    @model_validator(mode="after")
    def _budgets_fit(self) -> "Selection":
        if self.budget_tokens != "auto" and (not self.budget_tokens or min(self.budget_tokens) < 1):
            raise ValueError(
                f"budget_tokens = {self.budget_tokens}: 'auto' or a list of positive numbers of tokens"
            )
        return self


class Decontamination(Section):
    """Removal of benchmark problems from the corpus. NS: a gram is a run of letters, a run of
    digits or one Chinese character, after markup, TeX, Unicode form and case are normalised; the
    page that holds a leak is dropped whole (the paper says both "segment" and "page")."""

    ngram: int = Field(10, ge=2, le=64)
    """Grams in a row whose occurrence in a benchmark text removes a page. Paper: 10."""

    shortest: int = Field(3, ge=1)
    """Paper: benchmark texts of 3 to 9 grams are matched whole; shorter ones are not used."""

    ngram_words: int = Field(4, ge=0)
    """NS: a 10-gram counts only with this many words (two letters or more, or a Chinese character)
    in it: runs of digits and bare formulas such as 1 2 3 4 5 6 7 8 9 10 occur on countless pages
    without a leak. A benchmark text left without any 10-gram by this is matched whole."""

    text_words: int = Field(3, ge=0)
    """NS: a text that is matched whole needs this many words, for the same reason."""

    stock_items: int = Field(10, ge=1)
    """NS: a 10-gram in more items of one benchmark than this is a stock phrase of its authors
    ("express your answer as a decimal to the nearest tenth") and no sign of a leak."""

    stock_texts: int = Field(1, ge=1)
    """NS: the same for short texts: "none of the above" is the answer to more than one question."""

    solution_grams: int = Field(20, ge=1)
    """NS: an answer counts as evidence when it is a full solution, of at least so many grams; the
    words of a short answer stand on many pages that have never seen the benchmark."""

    edited_words: int = Field(12, ge=4)
    """NS: questions of at least so many words are also looked for as edited copies: words replaced,
    names and numbers changed. The paper looks for exact n-grams only."""

    edited_anchors: float = Field(0.25, ge=0, le=1)
    """NS: share of a question's 4-grams that a page must hold before the two are compared."""

    edited_share: float = Field(0.6, gt=0, le=1)
    """NS: a page holds an edited copy when this share of the question stands on it in the same order,
    each gram weighted by its rarity. 1 finds only copies without a change."""

    @model_validator(mode="after")
    def _lengths_fit(self) -> "Decontamination":
        if self.shortest > self.ngram:
            raise ValueError(f"shortest ({self.shortest}) must not exceed ngram ({self.ngram})")
        if max(self.ngram_words, self.text_words) > self.ngram:
            raise ValueError(f"ngram_words and text_words must not exceed ngram ({self.ngram})")
        return self


class Corpus(Section):
    rounds: int = Field(4, ge=1, le=99)
    """Rounds of mining. Paper: 4."""

    extraction: Extraction = Extraction()
    dedup: Dedup = Dedup()
    classifier: Classifier = Classifier()
    selection: Selection = Selection()
    decontamination: Decontamination = Decontamination()
