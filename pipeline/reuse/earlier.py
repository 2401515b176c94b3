"""Which stages of another run are taken as they are, and why they may be.

`from: results/mini` takes everything up to fine-tuning; `from: results/mini/models/base` (or the folder of another
stage's artifact) everything up to that stage. A stage is taken only where it is finished and was made with this run's
settings. Changed code reruns nothing of what is taken.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.write import MANIFEST, file_digest, read_json
from pipeline.config.load import RECORD, Config
from pipeline.errors import UserError
from pipeline.reuse.stages import (
    REWARD_MODELS,
    STAGES,
    Difference,
    Stage,
    artifacts_of,
    differences,
    missing,
    recorded,
)

USUAL_END = "sft"
"""The last stage that is taken where only the run is named."""

OF_EVALUATION = (
    "modes",
    "shots",
    "max_new_tokens",
    "samples",
    "sample_modes",
    "temperature",
    "tool_rounds",
    "limit",
    "seed",
)
"""Settings of evaluation that decide a model's scores."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run takes of another one."""

    run: Path
    stages: list[Stage]
    artifacts: list[str]
    """Folders and files, relative to the folder of either run."""

    notes: list[str] = field(default_factory=list)
    """What a person should know, a line each."""

    @property
    def folders(self) -> list[str]:
        return [path for path in self.artifacts if (self.run / path).is_dir()]

    @property
    def files(self) -> list[str]:
        return [path for path in self.artifacts if not (self.run / path).is_dir()]

    @property
    def digest(self) -> str:
        """Changes when what would be taken changes: of folders their manifests count, of files the size."""
        found = []
        for path in self.artifacts:
            place = self.run / path
            manifest = place / MANIFEST
            found.append(
                [path, file_digest(manifest) if manifest.is_file() else place.stat().st_size]
            )
        return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]

    def lines(self) -> list[str]:
        """What is taken, for the terminal."""
        text = [
            f"taken from {self.run} as they are, with the settings in {self.run}/config "
            "(changed code reruns none of them):"
        ]
        for stage in self.stages:
            place = Path(stage.model).parents[1] if stage.name == "world" else Path(stage.model)
            text.append(f"  {stage.name:15} {self.run / place}")
        return text + [f"  {note}" for note in self.notes]


def taken_of(config: Config, results: Path, benchmarks: Mapping[str, str]) -> Taken | None:
    """What `config.from_run` takes for the run whose folder is `results`; None where it names nothing.

    Raises UserError with one line where the other run is not there, has not come so far, or was made with other
    settings.
    """
    if config.from_run is None:
        return None
    run, last = _run_and_stage(config.from_run)
    if run.resolve() == results.resolve():
        raise UserError(
            f"from = {config.from_run!r}: is the folder of this run itself; give the overlay a name of its own"
        )

    stages = _finished(config, run, last)
    notes: list[str] = []
    if any(stage.name == "sft" for stage in stages):
        models = {stage: _difference(stage, config, run) for stage in REWARD_MODELS}
        for stage, difference in models.items():
            if missing(stage, run):
                continue
            if difference is None:
                stages.append(stage)
            else:
                there = json.dumps(difference.there)
                notes.append(f"{stage.name}: not taken, {difference.name} is {there} in {run}")

    artifacts = [path for stage in stages for path in artifacts_of(stage, run)]
    evaluated = [model for model in config.eval.models if f"models/{model}" in artifacts]
    for model in evaluated:
        if _is_same_evaluation(model, config, run, results, benchmarks):
            artifacts.append(f"eval/{model}")

    notes += _notes(config, run)
    return Taken(run, stages, list(dict.fromkeys(artifacts)), notes)


def _run_and_stage(given: str) -> tuple[Path, str]:
    """The run's folder and the last stage to take, of what `from` names."""
    path = Path(given)
    if not path.exists():
        raise UserError(f"from = {given!r}: no such folder; {_ALLOWED}")

    for stage in STAGES:
        parts = Path(stage.model).parts
        if path.parts[-len(parts) :] == parts:
            return Path(*path.parts[: -len(parts)]), stage.name
    if not (path / "config").is_dir():
        raise UserError(f"from = {given!r}: is no run (it has no folder config); {_ALLOWED}")
    return path, USUAL_END


_ALLOWED = (
    "allowed: the folder of a run (results/mini), or of a model in it (results/mini/models/base)"
)


def _finished(config: Config, run: Path, last: str) -> list[Stage]:
    """The stages up to `last`, each checked."""
    stages: list[Stage] = []
    for stage in STAGES:
        lacking = missing(stage, run)
        # Without a world of its own the run had pages and problems of the user's.
        if stage.name == "world" and lacking:
            continue
        less = f"take less (from: {run / stages[-1].model})" if stages else "leave out `from`"
        if lacking:
            raise UserError(
                f"from: stage {stage.name} of {run} is not finished, {lacking} is missing; finish it, or {less}"
            )

        difference = _difference(stage, config, run)
        if difference is not None:
            raise UserError(
                f"{difference.name} = {json.dumps(difference.here)}: is {json.dumps(difference.there)} in {run}, whose "
                f"stage {stage.name} is taken as it is; leave the setting as it is there, or {less}"
            )
        stages.append(stage)
        if stage.name == last:
            break
    return stages


def _difference(stage: Stage, config: Config, run: Path) -> Difference | None:
    """The first setting of a stage that has another value in the other run."""
    if missing(stage, run):
        return None
    return next(differences(stage, config, recorded(stage, run)), None)


def _is_same_evaluation(
    model: str, config: Config, run: Path, results: Path, benchmarks: Mapping[str, str]
) -> bool:
    """Whether the scores of a model in the other run are those that this run would find.

    Scores stand beside those of new models, so they must come from the same code, settings, prompts and problems; else
    the model is evaluated again.
    """
    file = run / "eval" / model / MANIFEST
    if not file.is_file():
        return False
    manifest = read_json(file)

    wanted = json.loads(config.eval.model_dump_json())
    made_with = manifest.get("settings", {})
    same_settings = all(made_with.get(name) == wanted[name] for name in OF_EVALUATION)
    prompts = run / "config" / "prompts.json"
    same_prompts = prompts.is_file() and read_json(prompts) == json.loads(
        config.prompts.model_dump_json()
    )

    digests: dict[str, str] = {}
    for path in benchmarks.values():
        # What lies in this run's folder lies, or will lie, in the other's at the same place.
        inside = Path(path).is_relative_to(results)
        place = run / Path(path).relative_to(results) if inside else Path(path)
        if not place.exists():
            return False
        digests[place.name] = file_digest(place)

    same_problems = manifest.get("inputs") == digests
    same_code = manifest.get("code") == code_digest("eval.run")
    return same_settings and same_prompts and same_problems and same_code


def _notes(config: Config, run: Path) -> list[str]:
    """What cannot be checked, or deserves a look."""
    file = run / RECORD
    if not file.is_file():
        return [
            f"{run} is of a version that recorded no `sources`: whether they are the same is not checked"
        ]

    cleaned_of = read_json(file).get("sources", {}).get("benchmarks", {})
    return [
        f"benchmark {name}: the corpus of {run} was not cleaned of its problems"
        for name in config.sources.benchmarks
        if name not in cleaned_of
    ]
