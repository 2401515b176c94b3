"""The configuration: one typed tree whose defaults are the paper's numbers.

A preset (`config/<name>.yaml`, or any YAML path) lists what differs from the defaults; `extends:
<preset>` starts from another preset, `from: <run>` from a run's finished stages (pipeline/reuse).
Overlays given to Snakemake by `--configfile` are merged on top. Unknown keys, wrong types and
impossible values are refused with one line that names the key, the value and what is allowed.
"""

import re
from pathlib import Path

from pydantic import BaseModel, Field, model_validator

from pipeline.artifacts.write import read_json
from pipeline.config.base import Section, SeededSection
from pipeline.config.coder import Coder
from pipeline.config.corpus import Corpus
from pipeline.config.eval import Evaluation
from pipeline.config.hardware import Hardware
from pipeline.config.learning_rates import with_learning_rates
from pipeline.config.medicine import Medicine
from pipeline.config.preset_file import read_yaml
from pipeline.config.pretrain import Pretrain
from pipeline.config.prompts import Prompts
from pipeline.config.read import checked
from pipeline.config.rl import RL, Reward
from pipeline.config.sft import SFT
from pipeline.config.tracking import Tracking
from pipeline.config.world import MiniWorld, Sources
from pipeline.errors import UserError

RECORD = "run.json"
"""The whole configuration of a run, in its folder; written when Snakemake starts its first job."""
LONGEST_NAME = 100
LISTS = ("benchmarks", "heldout_text", "mixture", "drops")
"""Mappings that are lists of named things: an overlay replaces such a list whole."""
PRESETS = Path(__file__).resolve().parents[2] / "config"


class Config(Section):
    """The whole run."""

    name: str = Field("paper", max_length=LONGEST_NAME, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Name of the world: everything is written under results/<name>/."""

    from_run: str | None = Field(None, alias="from", min_length=1)
    """Another run whose finished stages are taken as they are, so that only what follows them runs:
    `results/mini` takes everything up to fine-tuning, and a changed group size or reward is RL and
    evaluation only; `results/mini/models/base` takes everything up to that model. Settings of a
    taken stage must be those of the other run. Without `extends` all other settings are the other
    run's too (pipeline/reuse)."""

    notice: str = Field("", max_length=500)
    """What a reader must know before anything else, such as that all of it is invented: it stands on
    every report and model card of the run."""

    seed: int = Field(0, ge=0)
    """Every random draw of every stage derives from this number."""

    sources: Sources = Sources()
    mini: MiniWorld = MiniWorld()
    medicine: Medicine = Medicine()
    coder: Coder = Coder()
    prompts: Prompts = Prompts()
    corpus: Corpus = Corpus()
    pretrain: Pretrain = Pretrain()
    sft: SFT = SFT()
    reward: Reward = Reward()
    rl: RL = RL()
    eval: Evaluation = Evaluation()
    tracking: Tracking = Tracking()
    hardware: Hardware = Hardware()

    @model_validator(mode="before")
    @classmethod
    def _spread_seed(cls, values: dict) -> dict:
        """Give every section that draws random numbers the run's seed, unless it sets its own."""
        if isinstance(values, dict) and isinstance(values.get("seed", 0), int):
            values = _with_seed(cls, dict(values), values.get("seed", 0))
        return values


def _with_seed(model: type[BaseModel], values: dict, seed: int) -> dict:
    """`values` with `seed` in every seeded section of `model` that does not set its own."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            continue
        inner = values.get(name, {})
        if not isinstance(inner, dict):
            continue  # pydantic reports the wrong type

        inner = _with_seed(section, dict(inner), seed)
        if issubclass(section, SeededSection):
            inner.setdefault("seed", seed)
        # A section without settings of its own keeps its default.
        if inner:
            values[name] = inner
    return values


def load_preset(preset: str | Path, overlay: dict | None = None) -> Config:
    """Read a preset (a name in config/ or a YAML path), merge `overlay` into it, and check it.

    Raises UserError with one line for each problem found.
    """
    values = _read_preset(str(preset), seen=())
    # Snakemake hands over the preset's name among the settings.
    changes = {key: value for key, value in (overlay or {}).items() if key != "preset"}
    values = with_learning_rates(merged(values, changes))
    config = checked(Config, values, f"preset {preset}")
    _check_contexts(config)
    return config


def _check_contexts(config: Config) -> None:
    """Raise a UserError where a training reads longer sequences than the model that is made here."""
    if config.sources.coder != "mini":
        return
    longest = config.coder.model.context
    for name in ("coder", "pretrain", "sft"):
        context = getattr(config, name).context
        if context > longest:
            raise UserError(
                f"{name}.context = {context}: the model is made for {longest} tokens (coder.model.context)"
            )


def _read_preset(preset: str, seen: tuple[str, ...]) -> dict:
    """A preset's settings, merged into those of the preset that it extends. `seen` are those that
    extend it."""
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else PRESETS / f"{preset}.yaml"
    if preset in seen:
        raise UserError(f"preset {preset} extends itself ({' -> '.join((*seen, preset))})")
    # A name that is too long for a file raises an error of its own.
    if len(path.name) > 255 or not path.is_file():
        names = sorted(p.stem for p in PRESETS.glob("*.yaml"))
        shown = preset if len(preset) <= 100 else f"{preset[:60]}…"
        raise UserError(
            f"preset {shown!r}: no file {path.name[:60]}; there are {', '.join(names)}, or give a YAML path"
        )

    values = read_yaml(path)
    parent = values.pop("extends", None)
    values.setdefault("name", name_of_file(path))
    if not parent and "from" in values:
        return merged(_settings_of_run(str(values["from"])), values)
    if not parent:
        return values
    return merged(_read_preset(str(parent), (*seen, preset)), values)


def name_of_file(path: Path) -> str:
    """The name of a run whose settings give none: that of its file, without what a name may not hold."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).strip("-._")
    return name[:LONGEST_NAME] or "run"


def _settings_of_run(start: str) -> dict:
    """The settings that a run recorded, of which the folder of a model may be named too."""
    for folder in (Path(start), *Path(start).parents[:2]):
        if (folder / RECORD).is_file():
            values = read_json(folder / RECORD)
            return _with_spread_seed_only(values, values.get("seed"))
    raise UserError(
        f"from = {start!r}: no settings are recorded there ({RECORD}); name the preset of that run, `extends: mini`"
    )


def _with_spread_seed_only(values: dict, seed: object) -> dict:
    """Recorded settings without the seeds that sections have of the run's, so that another run's seed reaches them."""
    kept: dict = {}
    for name, value in values.items():
        if isinstance(value, dict):
            inner = {key: v for key, v in value.items() if not (key == "seed" and v == seed)}
            kept[name] = _with_spread_seed_only(inner, seed)
        else:
            kept[name] = value
    return kept


def merged(base: dict, over: dict) -> dict:
    """`over` wins; mappings are merged key by key, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and key not in LISTS:
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result
