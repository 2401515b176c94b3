"""Log-probabilities to work objectives out by hand at, and their gradients, checked by differences in float64."""

import numpy as np
import torch

from rl.advantages import token_weights


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


POLICY, REFERENCE = tensor(-0.7, -1.2, -0.1, -2.0, -0.4), tensor(-0.9, -1.0, -0.3, -1.5, -0.4)
LENGTHS = [2, 3]
WEIGHT = torch.from_numpy(np.repeat(token_weights(LENGTHS, "sequence", 9), LENGTHS))


def gradient_of(loss, columns: dict) -> torch.Tensor:
    def value(logprobs):
        return loss(logprobs, columns)[0].sum()

    logprobs = POLICY.clone().requires_grad_()
    value(logprobs).backward()
    assert torch.allclose(logprobs.grad, numeric_gradient(value, POLICY), atol=1e-8)
    return logprobs.grad


def numeric_gradient(function, at: torch.Tensor) -> torch.Tensor:
    """Central differences in float64."""
    gradient = torch.zeros_like(at)
    for i in range(at.numel()):
        shift = torch.zeros_like(at)
        shift.view(-1)[i] = 1e-6
        gradient.view(-1)[i] = (function(at + shift) - function(at - shift)) / 2e-6
    return gradient
