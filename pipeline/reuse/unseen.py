"""Finished stages whose settings have changed since, where Snakemake was told to look at times alone.

A change of settings is a changed input of a rule. With `--rerun-triggers mtime`, on the command line or in a
profile, Snakemake passes over it without a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.artifacts.write import MANIFEST, read_json
from pipeline.config.base import Section
from pipeline.config.load import Config

# Artifact -> the section of the configuration that its manifest holds, and the rule that makes it. A round's
# manifest holds two sections under their names.
_MADE = {
    "corpus/dedup": ("corpus.dedup", "dedup"),
    "corpus/round_1": ("corpus", "mine_round"),
    "corpus/final": ("corpus.decontamination", "finalise_corpus"),
    "models/coder": ("coder", "train_coder"),
    "models/base": ("pretrain", "train_base"),
    "models/sft": ("sft", "train_sft"),
    "models/reward": ("reward", "train_reward_model"),
    "models/rl": ("rl", "train_rl"),
}
_OF_A_ROUND = ("classifier", "selection")


@dataclass(frozen=True, slots=True)
class UnseenChange:
    """An artifact that was made with other settings than those of now."""

    artifact: Path
    rule: str
    settings: list[str]

    def line(self) -> str:
        return (
            f"note: {self.artifact} stays as it is, made with other settings ({', '.join(self.settings)}): "
            f"--rerun-triggers leaves settings out, --forcerun {self.rule} makes it anew"
        )


def unseen_changes(config: Config, results: Path) -> Iterator[UnseenChange]:
    """The artifacts that were made with other settings; settings of speed and memory do not count."""
    for artifact, (section, rule) in _MADE.items():
        manifest = results / artifact / MANIFEST
        if not manifest.is_file():
            continue
        names = list(_differences(config, section, read_json(manifest).get("settings", {})))
        if names:
            yield UnseenChange(results / artifact, rule, names)


def _differences(config: Config, section: str, made_with: dict) -> Iterator[str]:
    """The settings that differ, with the section's name. One that only one of both has tells nothing."""
    here: Section = config
    for part in section.split("."):
        here = getattr(here, part)

    for name, value in here.result_settings().items():
        if section == "corpus" and name not in _OF_A_ROUND:
            continue
        inner = getattr(here, name)
        if name in made_with and isinstance(inner, Section) and isinstance(made_with[name], dict):
            yield from _differences(config, f"{section}.{name}", made_with[name])
        elif name in made_with and made_with[name] != value:
            yield f"{section}.{name}"
