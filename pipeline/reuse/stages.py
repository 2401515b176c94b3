"""The stages of a run in their order: what each leaves in the run's folder, and which settings decide it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.write import MANIFEST, read_json
from pipeline.config.base import Section
from pipeline.config.load import RECORD, Config

Settings = dict[str, Any]
UNKNOWN = object()
"""The value of a setting that nothing tells."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, and all that later stages and the reports read of it. Paths are relative to the run's folder."""

    name: str

    needed: tuple[str, ...]
    """Folders and files without which the stage is not finished."""

    further: tuple[str, ...] = ()
    """Glob patterns of what is taken besides, where it is there."""

    sections: tuple[str, ...] = ()
    """Sections of the configuration that decide it ("corpus.classifier")."""

    sources: tuple[str, ...] = ()
    """Settings below `sources` that decide it."""

    made_from: tuple[str, ...] = ()
    """Which of the artifacts before it its manifest names as inputs."""

    @property
    def model(self) -> str:
        """The artifact whose manifest holds the stage's own settings."""
        return self.needed[0]


STAGES = (
    Stage(
        "world",
        needed=("world/problems/manifest.json",),
        further=("world/*.json*", "world/*/*.json*", "world/warc"),
        sections=("mini", "medicine"),
        sources=("world",),
    ),
    Stage(
        "coder",
        needed=("models/coder",),
        sections=("coder", "prompts"),
        sources=("coder",),
    ),
    Stage(
        "corpus",
        needed=("corpus/final", "corpus/decontaminated.parquet"),
        further=("reports/corpus.html", "reports/corpus.json", "fetched/*.jsonl"),
        sections=(
            "corpus.decontamination",
            "corpus.extraction",
            "corpus.dedup",
            "corpus.classifier",
            "corpus.selection",
        ),
        sources=("warc", "crawl_files", "earlier_crawls", "seed_positives", "url_annotations"),
    ),
    Stage(
        "base",
        needed=("models/base",),
        sections=("pretrain",),
        sources=("heldout_text",),
        made_from=("models/coder",),
    ),
    Stage(
        "sft",
        needed=("models/sft", "sft/examples.parquet", "sft/problems.jsonl"),
        sections=("sft", "prompts"),
        sources=("solutions",),
        made_from=("models/base", "sft/examples.parquet"),
    ),
    Stage(
        "rl",
        needed=("models/rl", "rl/rollouts.jsonl"),
        sections=("rl",),
        sources=("problems",),
        made_from=("models/sft",),
    ),
)
"""In this order: whoever takes a stage takes those before it."""

REWARD_MODELS = tuple(
    Stage(
        name,
        needed=(f"models/{name}",),
        sections=("reward",),
        sources=("problems",),
        made_from=("models/base", "models/sft"),
    )
    for name in ("reward", "process_reward")
)
"""Taken with `sft` where they are there and their settings are the same; else they are trained anew when needed."""


def artifacts_of(stage: Stage, run: Path) -> list[str]:
    """What of a finished stage lies in a run's folder, relative to it, in order."""
    found = list(stage.needed)
    for pattern in stage.further:
        paths = sorted(run.glob(pattern))
        found += [str(path.relative_to(run)) for path in paths]
    return list(dict.fromkeys(found))


def missing(stage: Stage, run: Path) -> str | None:
    """The first of the stage's artifacts that is not in the run's folder; a model or data set without manifest is not
    there."""
    for path in stage.needed:
        place = run / path
        if not place.exists() or (place.is_dir() and not (place / MANIFEST).is_file()):
            return path
    return None


def recorded(stage: Stage, run: Path) -> "Recorded":
    """What is known of the settings that a stage of a run was made with."""
    manifest = run / stage.model / MANIFEST
    own = read_json(manifest).get("settings", {}) if manifest.is_file() else {}
    whole = read_json(run / RECORD) if (run / RECORD).is_file() else {}
    return Recorded(run, own_section=stage.sections[0], own=own, whole=whole)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The settings of a finished stage, from the surest place that knows them.

    The artifact's own manifest is written with it; the settings beside it may be those of a run that was changed and
    has not come so far.
    """

    run: Path
    own_section: str
    own: Settings
    whole: Settings

    def value(self, section: str, name: str) -> object:
        """The value of setting `name` of a section; UNKNOWN where nothing tells it."""
        if section == self.own_section:
            found = _value_at(self.own, name)
            if found is not UNKNOWN:
                return found

        file = self.run / "config" / f"{section}.json"
        if file.is_file():
            return _value_at(read_json(file), name)
        return _value_at(self.whole, f"{section}.{name}")


def _value_at(settings: Settings, name: str) -> object:
    value: Any = settings
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return UNKNOWN
        value = value[part]
    return value


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that has another value in the other run."""

    name: str
    here: object
    there: object


def differences(stage: Stage, config: Config, recorded: Recorded) -> Iterator[Difference]:
    """The settings that decide a stage and differ from those that it was made with, in order.

    Compared is what is known of both: a setting that one version of the project has and the other has not cannot tell
    two runs apart. Settings of speed and memory do not count.
    """
    for section, name, here in _deciding(stage, config):
        there = recorded.value(section, name)
        if there is not UNKNOWN and there != here:
            yield Difference(f"{section}.{name}", here, there)


def _deciding(stage: Stage, config: Config) -> Iterator[tuple[str, str, object]]:
    """Section, dotted name inside it, and value of every setting that decides a stage."""
    for section in stage.sections:
        value: Any = config
        for part in section.split("."):
            value = getattr(value, part)
        for name, here in _flat(value):
            yield section, name, here

    sources = json.loads(config.sources.model_dump_json())
    for name in stage.sources:
        yield "sources", name, sources[name]
    if stage.name == "corpus":
        yield "corpus", "rounds", config.corpus.rounds


def _flat(section: Section) -> Iterator[tuple[str, object]]:
    """The settings of a section that decide results, those of its inner sections by dotted names."""
    # As JSON, which is what they are compared with: lists for tuples, strings for keys.
    values = json.loads(json.dumps(section.result_settings()))
    for name, value in values.items():
        inner = getattr(section, name)
        if isinstance(inner, Section):
            for deeper, leaf in _flat(inner):
                yield f"{name}.{deeper}", leaf
        else:
            yield name, value
