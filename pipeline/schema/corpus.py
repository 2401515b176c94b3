"""Settings of stage 1, the corpus. Defaults: DeepSeekMath section 2.1; NS marks what the paper does not state."""

from pydantic import Field

from pipeline.schema.base import Section, SeededSection


class Extraction(Section):
    """WARC records to pages."""


class Dedup(SeededSection):
    """URL, exact and near duplicates."""


class Classifier(SeededSection):
    """The fastText classifier of a round."""

    dimension: int = Field(256, ge=1)
    """Paper: 256."""


class Selection(Section):
    """Which pages a round collects, which domains and URL prefixes become new seeds."""


class Decontamination(Section):
    """Removal of benchmark problems from the corpus."""


class Corpus(Section):
    rounds: int = Field(4, ge=1, le=99)
    """Paper: 4 iterations."""
    extraction: Extraction = Extraction()
    dedup: Dedup = Dedup()
    classifier: Classifier = Classifier()
    selection: Selection = Selection()
    decontamination: Decontamination = Decontamination()
