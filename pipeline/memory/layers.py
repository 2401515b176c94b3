"""What a forward and backward pass takes, counted from what the two implementations keep for the backward pass.

    transformers' modules       on a GPU; with sharded weights; layers that are computed again
    pipeline.forward.fused_*    a Llama on a processor

The counts were read off autograd's saved tensors (tests/memory/test_layers.py reads them off again). Korthikanti et al.
(arXiv 2205.05198) count 34 bytes a token and hidden unit for a GPT's layer in 16 bits; norms and residuals in fp32 and
the gated layer make it more here.
"""

from dataclasses import dataclass

from pipeline.memory.shape import Shape

LOGITS_AT_ONCE = 2**24
"""Numbers of logits that exist at a time (pipeline.forward.log_probs); a test holds the two together."""

MASTER = 4
"""Bytes of a weight, a gradient, or one of Adam's two moments."""


@dataclass(frozen=True, slots=True)
class Pass:
    """How one micro-batch is computed."""

    shape: Shape
    tokens: int
    targets: int
    """Tokens whose log-probabilities are computed."""
    bf16: bool
    recomputes: bool
    """Whether each layer is computed again in the backward pass."""
    fused: bool = False
    """By this project's own forward pass for processors, not by transformers' modules."""
    padding: float = 1.0
    """Padded size of attention's blocks over the number of tokens."""

    @property
    def width(self) -> int:
        """Bytes of a number in products."""
        return 2 if self.bf16 else 4

    @property
    def checkpoint(self) -> int:
        """Bytes that are kept of one layer that is computed again: its input."""
        return MASTER * self.shape.hidden * self.tokens

    @property
    def kept_of_layer(self) -> float:
        """Bytes that one layer's forward pass keeps for its backward pass, casts of weights included."""
        if self.fused:
            return self.tokens * self._fused_token() + self._fused_weights()
        return self.tokens * self._token()

    def _token(self) -> float:
        """Transformers' modules, a token: norms and residuals in fp32, inputs of products in their precision."""
        shape, width = self.shape, self.width
        # Under autocast each product casts its input anew: three times before attention, twice in the gated layer.
        casts = 5 * width if self.bf16 else 2 * width
        hidden = (4 * MASTER + casts) * shape.hidden
        attention = self.padding * 2 * width * (shape.queries + shape.keys)
        joined = width * shape.queries if self.padding > 1 else 0
        return hidden + attention + joined + 4 * width * shape.intermediate

    def _fused_token(self) -> float:
        shape, width = self.shape, self.width
        hidden = 2 * width * shape.hidden
        attention = self.padding * 2 * width * (shape.queries + shape.keys)
        joined = width * shape.queries if self.padding > 1 else 0
        return hidden + attention + joined + 3 * width * shape.intermediate

    def _fused_weights(self) -> int:
        """Weights with norm gains multiplied in, made anew for each micro-batch; gate and up also without the gain."""
        shape, width = self.shape, self.width
        gated = 2 * shape.hidden * shape.intermediate
        weights = width * shape.joint + (MASTER + width) * gated
        if self.bf16:
            output = shape.queries * shape.hidden + shape.hidden * shape.intermediate
            weights += width * output
        return weights

    @property
    def working(self) -> float:
        """Bytes of what one layer's backward pass computes on top of what was kept: gradients of the gated layer."""
        shape = self.shape
        return self.tokens * (2 * MASTER * shape.hidden + 3 * self.width * shape.intermediate)

    @property
    def logits(self) -> int:
        """Bytes of the logits of a chunk: product, fp32, log-softmax and their gradients; the head's own gradient."""
        numbers = min(LOGITS_AT_ONCE, self.targets * self.shape.vocabulary)
        if self.fused:
            # In place; in bf16 a copy of them is kept.
            return (2 * MASTER if self.bf16 else MASTER) * numbers
        casts = 2 * self.width if self.bf16 else 0
        return (3 * MASTER + casts) * numbers

    @property
    def head(self) -> int:
        """Bytes of the output layer's gradient while it is computed, and of its weights where they are cast."""
        width = self.width if self.bf16 or self.fused else 0
        return (MASTER + width) * self.shape.embedding

    @property
    def peak(self) -> float:
        """Most bytes that a forward and backward pass takes beside weights and their gradients."""
        shape = self.shape
        states = 2 * MASTER * shape.hidden * self.tokens
        if not self.recomputes:
            kept = shape.layers * self.kept_of_layer
            return kept + states + max(self.logits + self.head, self.working)

        kept = shape.layers * self.checkpoint
        # Autocast keeps every weight that it has cast until the forward pass ends.
        cast = 2 * shape.products if self.bf16 else 0
        forward = cast + self.logits
        backward = max(
            self.logits + self.head, self.kept_of_layer + self.working + 4 * shape.layer / 3
        )
        return kept + states + max(forward, backward)

    @property
    def scoring(self) -> float:
        """Most bytes of a forward pass without a backward pass."""
        shape = self.shape
        of_layer = self.tokens * (
            3 * MASTER * shape.hidden + self.width * (shape.queries + 3 * shape.intermediate)
        )
        cast = 2 * shape.products if self.bf16 and not self.fused else 0
        return cast + max(of_layer, self.logits)
