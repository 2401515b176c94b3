"""What all trainings share around their own data, loss and settings: start, resumption, loop, model
folder.

    job = TrainingJob("sft.train", settings, inputs={"base": args.base}, out=args.out, resume=args.resume)
    ... load data and model ...
    history = job.fit(model, rows_of_step, weighted_nll, name="sft", steps=100, optimisation=settings.optimisation)
    job.save(model, tokenizer, card=..., metrics=history.results, lines=history.lines)

RL has a loop of its own: it hands `job.checkpoints` to it in the place of `fit`.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.write import check_replaceable, content_digest, write_jsonl
from pipeline.config.base import SeededSection
from pipeline.config.training import Optimisation
from pipeline.forward.batches import Row
from pipeline.forward.layout import Layout
from pipeline.model import distributed
from pipeline.model.load import save_model
from pipeline.model.model_prompts import ModelPrompts
from pipeline.training.checkpoint import Checkpoints, seed_everything
from pipeline.training.loop import Evaluate, History, plan_of, train
from pipeline.training.step import Loss, adamw
from pipeline.training.tracking import MetricsTracker


class TrainingJob:
    """One training, from its command line to its model folder.

    stage     the program's dotted name, e.g. "sft.train"; the manifest and the digest of the code go by it
    inputs    files and folders that the model is made from, by what they are to it ("base", "examples")
    compared  further values that decide the result, by name (prompts, say)
    modules   modules of the user's own that run inside the stage; their code counts as the stage's
    keep      newest checkpoints that are kept

    Making one refuses an `out` that holds anything but an artifact (UserError) and seeds all random
    generators, so it comes before whatever draws random numbers.
    """

    def __init__(
        self,
        stage: str,
        settings: SeededSection,
        *,
        inputs: Mapping[str, str | Path],
        out: Path,
        resume: Path | None = None,
        fresh: bool = False,
        compared: Mapping[str, object] | None = None,
        modules: Sequence[str] = (),
        keep: int = 2,
    ):
        self.stage, self.settings = stage, settings
        self.inputs, self.out = inputs, out
        self.resume, self.fresh, self.keep = resume, fresh, keep
        self.compared, self.modules = compared or {}, modules

        check_replaceable(out)
        seed_everything(settings.seed)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """The folder of checkpoints, opened at the first use: state of another run is moved aside
        then."""
        # The first process alone compares; the others need not read all inputs for it.
        digests: dict[str, str] = {}
        if distributed.is_main():
            digests = {name: content_digest(path) for name, path in self.inputs.items()}
        run = {
            "settings": self.settings.result_settings(),
            "inputs": digests,
            **self.compared,
        }
        code = code_digest(self.stage, *self.modules)
        return Checkpoints(self.resume, run, self.keep, code=code, fresh=self.fresh)

    @cached_property
    def tracker(self) -> MetricsTracker:
        """Where the metrics are shown meanwhile; opened at the first use, as the checkpoints are."""
        # The run is called by its place: results/mini/models/rl is "mini-rl".
        folder = self.out.resolve()
        owner = f"{folder.parents[1].name}-" if folder.parent.name == "models" else ""
        settings = self.settings.model_dump(mode="json")
        return MetricsTracker(owner + folder.name, settings, self.checkpoints.folder)

    def fit(
        self,
        model: PreTrainedModel,
        rows_of_step: Callable[[int], Sequence[Row]],
        loss: Loss,
        *,
        name: str,
        steps: int,
        optimisation: Optimisation,
        layout: Layout | None = None,
        evaluate: Evaluate | None = None,
        evaluate_every: int = 0,
    ) -> History:
        """Train `model` in place for `steps` steps, going on from the newest checkpoint; see
        pipeline.training.loop.

        `name` is shown beside the progress. Returns all that was measured.
        """
        optimiser = adamw(model, betas=optimisation.betas, weight_decay=optimisation.weight_decay)
        plan = plan_of(name, steps, optimisation, evaluate_every)
        plan.layout = layout
        return train(
            model, optimiser, rows_of_step, loss, plan, self.checkpoints, evaluate, self.tracker
        )

    def save(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        card: str,
        asking: ModelPrompts | None = None,
        settings: dict[str, Any] | None = None,
        counts: dict[str, Any] | None = None,
        metrics: dict[str, Any] | None = None,
        lines: Sequence[dict[str, Any]] = (),
        more_files: tuple[Path, ...] = (),
    ) -> None:
        """Write the model folder and delete the checkpoints: the training is done.

        `asking` is how the model wants to be asked; `lines` become metrics.jsonl;
        `settings` takes the place of the job's own in the manifest.
        """
        with tempfile.TemporaryDirectory() as scratch:
            metrics_file = Path(scratch) / "metrics.jsonl"
            write_jsonl(metrics_file, lines)
            save_model(
                self.out,
                model,
                tokenizer,
                card=card,
                asking=asking,
                stage=self.stage,
                settings=settings or self.settings.model_dump(mode="json"),
                inputs=tuple(self.inputs.values()),
                counts=counts,
                metrics=metrics,
                metrics_file=metrics_file,
                more_files=more_files,
            )
        self.tracker.finish(lines)
        self.checkpoints.delete()
