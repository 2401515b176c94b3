"""Answers that share their prompts through the fused forward (pipeline.forward.fused_llama): GRPO on a CPU.

Micro-batches are those of pipeline.forward.shared_prefix; prompts and, behind them, answers lie end to end without
padding. Attention is two plain products (`attend_plainly`): prompts attend to themselves, answers to their prompt and
themselves.

Shapes: Q prompts of padded length P, R answers of padded length A, T tokens of both end to end, n heads, k key-value
heads, D head size, N target tokens.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from transformers import PreTrainedModel

from pipeline.forward import fused_llama
from pipeline.forward.fused_ops import attend_plainly, rotate
from pipeline.forward.ragged import RaggedRows, ragged_rows
from pipeline.forward.shared_prefix import SharedPrefixBatch


def token_log_probs(
    model: PreTrainedModel, batch: SharedPrefixBatch, temperature: float = 1.0
) -> Tensor:
    """The same as `pipeline.forward.shared_prefix.token_log_probs`."""
    dtype = fused_llama.compute_dtype()
    with torch.autocast("cpu", enabled=False):
        plan = plan_of(batch, dtype)
        prompt_ids = batch.prompts.flatten()[plan.prompts.place_of]
        answer_ids = batch.answers.flatten()[plan.answers.place_of]
        input_ids = torch.cat([prompt_ids, answer_ids])

        # All tokens are computed behind the last attention too: nearly every one is wanted, and a product of bf16 is
        # prepared anew (time, memory) for each number of rows.
        attend = partial(attend_shared, plan)
        hidden = fused_llama.final_hidden(model, input_ids, plan.positions, attend, None, dtype)

        predicting = hidden[_flat_index(batch, plan)]
        return fused_llama.target_log_probs(model, predicting, batch.targets, temperature, dtype)


@dataclass(slots=True)
class Plan:
    """Where the tokens of a batch stand, and who sees whom."""

    prompts: RaggedRows  # Q rows
    answers: RaggedRows  # R rows; their tokens are numbered behind those of all prompts
    owners: Tensor  # int64 [R]: which prompt an answer continues
    positions: Tensor  # int64 [T]: an answer's go on from its prompt's
    prompt_mask: Tensor  # [1, 1, P, P] additive
    answer_mask: Tensor  # [R, 1, A, P + A] additive


def plan_of(batch: SharedPrefixBatch, dtype: torch.dtype) -> Plan:
    """Lay out a batch's prompts and, behind them, its answers; masks have type `dtype`."""
    owners = batch.owners
    prompts = ragged_rows(batch.prompt_lengths)
    answers = ragged_rows(batch.answer_lengths, first=int(batch.prompt_lengths.sum()))
    width, answer_width = prompts.token_at.shape[1], answers.token_at.shape[1]

    starts = prompts.lengths[owners]
    answer_positions = answers.positions + starts.repeat_interleave(answers.lengths)

    prompt_mask = torch.full((1, 1, width, width), float("-inf"), dtype=dtype).triu(1)

    # An answer sees its own prompt without the padding, and of itself what is not later.
    answer_mask = torch.zeros(len(owners), 1, answer_width, width + answer_width, dtype=dtype)
    padding = torch.arange(width) >= starts[:, None]
    answer_mask[..., :width].masked_fill_(padding[:, None, None], float("-inf"))
    steps = torch.arange(answer_width)
    answer_mask[..., width:].masked_fill_(steps > steps[:, None], float("-inf"))

    positions = torch.cat([prompts.positions, answer_positions])
    return Plan(prompts, answers, owners, positions, prompt_mask, answer_mask)


def _flat_index(batch: SharedPrefixBatch, plan: Plan) -> Tensor:
    """The batch's `predictors` [N], which count padded answers, as indices of real tokens end to end."""
    questions, in_prompts = len(batch.prompt_lengths), len(plan.prompts.place_of)
    in_answers = len(plan.answers.place_of)

    token_of = torch.zeros(questions + batch.answers.numel(), dtype=torch.long)
    token_of[:questions] = batch.prompt_lengths.cumsum(0) - 1
    token_of[questions + plan.answers.place_of] = torch.arange(in_prompts, in_prompts + in_answers)
    return token_of[batch.predictors]


def attend_shared(
    plan: Plan, joint: Tensor, cos: Tensor, sin: Tensor, heads: int, kv_heads: int
) -> Tensor:
    """`fused_llama.Attend` of a plan's prompts and answers."""
    parts = _ByRows.apply(joint, cos, sin, plan, heads, kv_heads)
    prompt_query, prompt_key, prompt_value, answer_query, answer_key, answer_value = parts

    on_prompts = attend_plainly(prompt_query, prompt_key, prompt_value, plan.prompt_mask)
    on_answers = attend_plainly(answer_query, answer_key, answer_value, plan.answer_mask)
    return _EndToEnd.apply(on_prompts, on_answers, plan).flatten(1)


class _ByRows(Function):
    """Rotate query and key, and give attention its rows: query, key, value of prompts, and of answers.

    joint [T, n + 2 k, D] -> [Q, n, P, D], twice [Q, k, P, D], [R, n, A, D], twice [R, k, P + A, D]: an answer's keys
    and values are those of its prompt followed by its own.
    """

    @staticmethod
    def forward(
        ctx: Any, joint: Tensor, cos: Tensor, sin: Tensor, plan: Plan, heads: int, kv_heads: int
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(cos, sin)
        ctx.plan, ctx.shape = plan, (heads, kv_heads, joint.shape[-1])

        turned = rotate(joint[:, : heads + kv_heads], cos, sin)
        query, key = turned.split((heads, kv_heads), 1)
        value = joint[:, heads + kv_heads :]

        prompt, answer = plan.prompts.token_at, plan.answers.token_at
        prompt_and_answer = torch.cat([prompt[plan.owners], answer], 1)
        return (
            _to_block(query, prompt),
            _to_block(key, prompt),
            _to_block(value, prompt),
            _to_block(query, answer),
            _to_block(key, prompt_and_answer),
            _to_block(value, prompt_and_answer),
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        plan, (heads, kv_heads, size) = ctx.plan, ctx.shape
        questions, width = plan.prompts.token_at.shape
        answer_width = plan.answers.token_at.shape[1]
        in_prompts = len(plan.prompts.place_of)

        # [Q, R]: a product with it adds up what the answers of each prompt say.
        belongs = (torch.arange(questions)[:, None] == plan.owners).to(cos.dtype)
        result = cos.new_empty(len(plan.positions), heads + 2 * kv_heads, size)

        start = 0
        for on_prompt, on_answer in zip(grads[:3], grads[3:], strict=True):
            here = slice(start, start + on_prompt.shape[1])
            start = here.stop
            # Keys and values of answers begin with their prompt's (queries do not).
            if on_answer.shape[2] > answer_width:
                of_prompt = on_answer[:, :, :width].reshape(len(plan.owners), -1)
                on_prompt = on_prompt + (belongs @ of_prompt).view(on_prompt.shape)
                on_answer = on_answer[:, :, width:]
            result[:in_prompts, here] = _to_tokens(on_prompt, plan.prompts.place_of)
            result[in_prompts:, here] = _to_tokens(on_answer, plan.answers.place_of)

        turned = result[:, : heads + kv_heads]
        turned.copy_(rotate(turned, cos, sin, -1))
        return result, None, None, None, None, None


class _EndToEnd(Function):
    """Attention's results back end to end: [Q, n, P, D] and [R, n, A, D] -> [T, n, D]."""

    @staticmethod
    def forward(ctx: Any, on_prompts: Tensor, on_answers: Tensor, plan: Plan) -> Tensor:
        ctx.plan, ctx.shapes = plan, (on_prompts.shape, on_answers.shape)
        of_prompts = _to_tokens(on_prompts, plan.prompts.place_of)
        of_answers = _to_tokens(on_answers, plan.answers.place_of)
        return torch.cat([of_prompts, of_answers])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        prompts, answers = ctx.plan.prompts, ctx.plan.answers
        of_prompts, of_answers = grad.split([len(prompts.place_of), len(answers.place_of)])

        on_prompts = _to_padded(of_prompts, prompts.place_of, ctx.shapes[0])
        on_answers = _to_padded(of_answers, answers.place_of, ctx.shapes[1])
        return on_prompts, on_answers, None


def _to_block(flat: Tensor, token_at: Tensor) -> Tensor:
    """[T, h, D] -> [B, h, L, D]; at padding stands some token."""
    return flat[token_at].transpose(1, 2).contiguous()


def _to_tokens(block: Tensor, place_of: Tensor) -> Tensor:
    """[B, h, L, D] -> [tokens, h, D]."""
    return block.transpose(1, 2).flatten(0, 1)[place_of]


def _to_padded(tokens: Tensor, place_of: Tensor, shape: torch.Size) -> Tensor:
    """[tokens, h, D] -> [B, h, L, D] of this shape, zero at padding."""
    rows, heads, length, size = shape
    padded = tokens.new_zeros(rows * length, heads, size)
    padded[place_of] = tokens
    return padded.view(rows, length, heads, size).transpose(1, 2).contiguous()
