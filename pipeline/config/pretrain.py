"""Settings of stage 2, continued pretraining. Defaults: DeepSeekMath section 2.3."""

from pydantic import Field, model_validator

from pipeline.config.base import Incidental, Section
from pipeline.config.training import Optimisation, Training

PROOF_PILE = "hub:EleutherAI/proof-pile-2"
TOLERANCE = 0.005
"""How far the tokens of a step, which are whole contexts, may be from those that were asked for."""


class TextSource(Section):
    """One part of the pretraining mixture."""

    path: str = Field(min_length=1)
    """`corpus` (the mined corpus), `mini` (the built-in world's text of this name), a Parquet or
    JSON Lines file, a folder of them, or `hub:…`, which is streamed (forms:
    pipeline/artifacts/datasets.py). The paper's data sets are NS."""

    weight: float = Field(gt=0, le=1)
    """Share of all training tokens, above 0 and up to 1. The paper's: `paper_mixture`."""

    text_field: str = "text"
    """Name of the column or JSON field that holds a document's text; "text" in most public data
    sets."""


def paper_mixture() -> dict[str, TextSource]:
    """Paper: 56 % mined corpus, 4 % AlgebraicStack, 10 % arXiv, 20 % code, 10 % natural language.
    Sets are NS."""
    return {
        "corpus": TextSource(path="corpus", weight=0.56),
        "algebraic_stack": TextSource(
            path="hub:EleutherAI/proof-pile-2/algebraic-stack/train/*.jsonl.zst", weight=0.04
        ),
        "arxiv": TextSource(
            path="hub:EleutherAI/proof-pile-2/arxiv/train/*.jsonl.zst", weight=0.10
        ),
        "code": TextSource(path="hub:bigcode/the-stack-dedup", weight=0.20, text_field="content"),
        "natural_language": TextSource(path="hub:HuggingFaceFW/fineweb:sample-100BT", weight=0.10),
    }


class Pretrain(Training):
    """Continued pretraining of the coder checkpoint."""

    mixture: dict[str, TextSource] = Field(default_factory=paper_mixture)
    """What is trained on, by name; the weights add up to 1. Paper, section 2.3: see
    `paper_mixture`."""

    tokens: int = Field(500_000_000_000, ge=1)
    """Training tokens in all. Paper: 500B."""

    batch_tokens: int = Field(10_000_000, ge=16)
    """Tokens of an optimiser step. Paper: 10M, hence 50,000 steps."""

    context: int = Field(4096, ge=16)
    """Tokens of a sequence. Paper: 4K."""

    attend_across_documents: bool = True
    """Whether a token sees the documents packed before its own in the same context. NS; plain
    packing assumed."""

    source_tokens: int | None = Field(None, ge=1)
    """Tokens read from a streamed source at most; None reads what its share needs once. NS."""

    optimisation: Optimisation = Optimisation()
    evaluate_every: Incidental[int] = Field(1000, ge=0)
    """Optimiser steps between measurements of bits per byte on the held-out texts; 0: only before
    and after. NS."""

    heldout_bytes: int = Field(5_000_000, ge=100)
    """Bytes of each held-out text that are measured, from its beginning, in whole documents. NS."""

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return max(1, round(self.tokens / self.batch_tokens))

    @property
    def contexts(self) -> int:
        """Contexts of an optimiser step."""
        return round(self.batch_tokens / self.context)

    @model_validator(mode="after")
    def _check(self) -> "Pretrain":
        """Refuse a mixture that is not whole, and steps that are not made of whole contexts."""
        total = sum(source.weight for source in self.mixture.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(
                f"pretrain.mixture: the weights add up to {total:g}, they must add up to 1"
            )
        if self.batch_tokens < self.context:
            raise ValueError(
                f"pretrain.batch_tokens = {self.batch_tokens}: must hold a context ({self.context})"
            )
        if abs(self.contexts * self.context / self.batch_tokens - 1) > TOLERANCE:
            raise ValueError(
                f"pretrain.batch_tokens = {self.batch_tokens}: {self.contexts} contexts of {self.context} are "
                f"{self.contexts * self.context} tokens; choose a multiple of the context"
            )
        return self
