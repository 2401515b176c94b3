"""Reward models in use: one number for a token position, a probability that what stands before it is right.

A reward model is a `LlamaForTokenClassification` with one label: the outcome model is read at an output's last token,
the process model at the last token of every step. Both load with plain transformers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from pipeline.artifacts.check import check_artifact
from pipeline.errors import UserError
from pipeline.forward.batches import Row
from pipeline.forward.layout import row_log_probs
from pipeline.forward.row_attention import use_row_attention
from pipeline.inference.engine import Sample
from pipeline.model import distributed
from pipeline.model.allocator import keep_freed_memory
from pipeline.model.load import (
    LOADING_ERRORS,
    cannot_load,
    check_loaded,
    device,
    load_tokenizer,
    train_every_embedding,
)
from rl.ratings.scale import scale_of
from rl.rollouts import Group
from rl.solution_steps import step_ends


def load_score_model(source: str | Path, distribution: str = "replicate") -> PreTrainedModel:
    """A model with one score for each token: a trained one, or any causal model's body under a new head.

    Where `distribution` shards it, as pipeline.model.load.load_model does.
    """
    keep_freed_memory()
    if not distributed.is_shared_out(distribution):
        model = _load_whole(source)
        # In place; its declared signature confuses type checkers.
        cast(torch.nn.Module, model).to(device())
        return model.eval()

    loaded = distributed.on_main(lambda: _load_whole(source))
    if loaded is None:
        config = _score_config(source)
        with torch.device("meta"):
            loaded = score_class(config).from_config(config, dtype=torch.float32)
        _make_ready(loaded)
    return loaded.eval()


def _score_config(source: str | Path) -> PretrainedConfig:
    """The configuration of the source with one score a token."""
    config = AutoConfig.from_pretrained(str(source), num_labels=1)
    config.classifier_dropout = 0.0  # training must compute what scoring computes
    return config


def _load_whole(source: str | Path) -> PreTrainedModel:
    """The model in main memory, its folder checked."""
    config = _score_config(source)
    # It would warn that the head of another task is left out, which is what we want.
    transformers_logging.set_verbosity_error()
    try:
        # With its report the declared type is wrong.
        loaded: Any = score_class(config).from_pretrained(
            str(source), config=config, dtype=torch.float32, output_loading_info=True
        )
    except LOADING_ERRORS as error:
        raise cannot_load(source, error) from None
    model: PreTrainedModel = loaded[0]
    check_loaded(source, model, loaded[1], new_head=_new_head(config))
    check_artifact(source)
    _make_ready(model)
    return model


def _make_ready(model: PreTrainedModel) -> None:
    train_every_embedding(model)
    use_row_attention(model)


def _new_head(config: PretrainedConfig) -> str | None:
    """The head that a checkpoint of another task lacks; one that was trained to score must bring its own."""
    tasks = ("ForTokenClassification", "ForSequenceClassification")
    scores = any(name.endswith(tasks) for name in config.architectures or [])
    return None if scores else "score"


def score_class(config: PretrainedConfig) -> type[Any]:
    """The class that puts one linear layer `score` on the body; it is applied to every token, whichever class it is.

    Raises UserError where transformers has none for the architecture.
    """
    for auto in (AutoModelForTokenClassification, AutoModelForSequenceClassification):
        if type(config) not in auto._model_mapping:
            continue
        with torch.device("meta"):  # costs no memory
            model = auto.from_config(config)
        if isinstance(getattr(model, "score", None), torch.nn.Linear):
            return auto

    raise UserError(
        f"model type {config.model_type}: transformers has no scoring head for it; "
        "reward models and PPO need one, the reward `rule` does not"
    )


def scored_row(
    prompt: Sequence[int], ids: Sequence[int], ends: Sequence[int], **columns: Sequence[float]
) -> Row:
    """A row that is read behind the output's tokens `ends`; `columns` hold one number for each of them.

    Rows mark the token that is predicted, one behind the position that is read. So that the last token can be read
    too, one token is appended that nothing reads.
    """
    input_ids = np.array([*prompt, *ids, 0], dtype=np.int32)
    predicted = len(prompt) + np.asarray(ends, dtype=np.int64) + 1
    loss_mask = np.zeros(len(input_ids), dtype=bool)
    loss_mask[predicted] = True

    aligned = {}
    for name, values in columns.items():
        aligned[name] = np.zeros(len(input_ids), dtype=np.float32)
        aligned[name][predicted] = values
    return Row(input_ids, loss_mask, aligned)


def row_scores(
    model: PreTrainedModel, rows: Sequence[Row], max_tokens: int, precision: str
) -> list[np.ndarray]:
    """For each row [K_i] the logits at the positions at which it is read; several processes share the rows."""
    mine = row_log_probs(model, distributed.shard_for_rank(rows), max_tokens, precision=precision)
    return [
        values[row.loss_mask] for row, values in zip(rows, distributed.gather(mine), strict=True)
    ]


class ModelReward:
    """A trained reward model as a reward: the outcome's value, or the least of the steps' values.

    A value is a probability, or where the model learnt from ratings, points of the raters' scale.
    """

    def __init__(
        self,
        folder: Path,
        process: bool,
        tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        precision: str,
        distribution: str = "replicate",
    ):
        # Rewards are read at token positions of the policy's own ids.
        if load_tokenizer(folder).get_vocab() != tokenizer.get_vocab():
            raise UserError(f"{folder}: this reward model's tokenizer is not the policy's")

        self.model = load_score_model(folder, distribution)
        self.scale = scale_of(self.model)
        self.process = process
        """Whether every step is read, or only the last token."""
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.precision = precision

    def score(self, groups: Sequence[Group]) -> list[np.ndarray]:
        """One array [G] for each group. Outputs without tokens get the lowest value.

        A process model also sets the groups' `step_rewards` and `step_ends`.
        """
        ends_of_group = [[self._ends(sample) for sample in group.samples] for group in groups]

        rows = []
        for group, ends in zip(groups, ends_of_group, strict=True):
            for sample, of_sample in zip(group.samples, ends, strict=True):
                rows.append(scored_row(group.question.prompt, sample.ids, of_sample))
        # One pass over all rows, so that micro-batches are full; then the values go back to their groups.
        logits = iter(row_scores(self.model, rows, self.max_tokens, self.precision))

        scores = []
        for group, ends in zip(groups, ends_of_group, strict=True):
            steps = [self.scale.points(self.scale.share(next(logits))) for _ in group.samples]
            if self.process:
                group.step_rewards = steps
                group.step_ends = [np.array(of_sample, dtype=np.int64) for of_sample in ends]
            lowest = self.scale.lowest
            scores.append(np.array([step.min() if len(step) else lowest for step in steps]))
        return scores

    def _ends(self, sample: Sample) -> list[int]:
        """The tokens behind which the sample is read."""
        if self.process:
            return step_ends(self.tokenizer, sample.ids, sample.written)
        # An output without tokens is read nowhere.
        return [len(sample.ids) - 1] if sample.ids else []
