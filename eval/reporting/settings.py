"""The settings of a run as its jobs received them, and which of them differ from its preset."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.artifacts.write import read_json
from pipeline.config.load import PRESETS, Config, load_preset
from pipeline.report.page import Section

Settings = dict[str, Any]  # "rl.group_size" -> value


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting whose value differs from the preset's."""

    key: str
    value: str
    usual: str


@dataclass(frozen=True, slots=True)
class Differences:
    """The settings that differ from `baseline`: a preset of this project, or the paper."""

    baseline: str
    changed: list[Changed]


@dataclass(frozen=True, slots=True)
class RunSettings:
    differences: Differences
    files: list[tuple[str, str]]  # section, its settings as JSON


def settings_section(results: Path) -> Section | None:
    """The settings of this run: what differs from the preset, then all, section by section."""
    files = []
    for file in _files(results):
        text = json.dumps(read_json(file), indent=1, ensure_ascii=False)
        files.append((file.stem, text))
    if not files:
        return None
    return Section("Settings", "settings.html.jinja", RunSettings(differences(results), files))


def differences(results: Path) -> Differences:
    """What a run's settings change of the preset whose name it has, or else of the paper's."""
    baseline, usual = _baseline(results.name)
    changed = []
    for key, value in read_settings(results).items():
        # A setting that this version does not know is from another version, not a change.
        if key in usual and usual[key] != value:
            changed.append(Changed(key, shown(value), shown(usual[key])))
    return Differences(baseline, changed)


def _baseline(name: str) -> tuple[str, Settings]:
    if (PRESETS / f"{name}.yaml").is_file():
        return f"preset {name}", flat(_plain(load_preset(name)))
    return "the paper's settings", flat(_plain(Config()))


def _plain(config: BaseModel) -> dict[str, Any]:
    return config.model_dump(mode="json")


def read_settings(results: Path) -> Settings:
    """All settings of a run, by key."""
    settings: Settings = {}
    for file in _files(results):
        settings |= flat(read_json(file), file.stem)
    return settings


def _files(results: Path) -> list[Path]:
    return sorted((results / "config").glob("*.json"))


def flat(values: dict[str, Any], prefix: str = "") -> Settings:
    """Nested settings as one mapping, keys joined by dots."""
    settings: Settings = {}
    for name, value in values.items():
        key = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict) and value:
            settings |= flat(value, key)
        else:
            settings[key] = value
    return settings


def shown(value: object) -> str:
    """A value as it stands in a settings file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
