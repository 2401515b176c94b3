"""All checks of the first minute, in the order in which a person would want to hear of them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pipeline.config.learning_rates import RATES, parameters, scaled
from pipeline.config.load import Config
from pipeline.errors import UserError
from pipeline.inference.vllm_process import python_with_vllm
from pipeline.memory.card import named_card, this_machine
from pipeline.preflight import inputs, memory
from pipeline.preflight.checkpoint import Checkpoint, check_tokenizer, read_checkpoint

REAL = 20e6
"""Parameters from which a checkpoint is somebody's work, which preset mini's rates would undo."""


def first_minute(
    config: Config, results: str, *more: Callable[[Config], None], on_this_machine: bool = True
) -> None:
    """Run every check; a mistake is one line on stderr and exit status 2, a doubt one line that
    begins with "warning".

    `more` are checks of other packages, `on_this_machine` says whether the jobs run here.
    """
    try:
        check_files(config)
        if "--touch" not in sys.argv:
            inputs.check_results(results)
        for check in more:
            check(config)
        if on_this_machine:
            check_engines(config)
        for line in check_checkpoint(config, on_this_machine):
            print(line, file=sys.stderr)
    except UserError as error:
        stop(error)


def stop(error: UserError) -> NoReturn:
    print("error: " + " ".join(str(error).split()), file=sys.stderr)
    sys.exit(2)


def check_engines(config: Config) -> None:
    """Whether vLLM can be started where the settings name it: not hours later, when it is needed."""
    for section in (config.rl, config.eval):
        if section.engine == "vllm":
            python_with_vllm(section.vllm)


def check_files(config: Config) -> None:
    """Names, dates and beginnings of the files that the settings name."""
    sources = config.sources
    inputs.check_names("sources.benchmarks", sources.benchmarks)
    inputs.check_names("sources.heldout_text", sources.heldout_text)
    inputs.check_names("pretrain.mixture", config.pretrain.mixture)

    for setting, path in own_files(config):
        inputs.check_path(setting, path)
    if is_file(sources.seed_positives):
        inputs.check_rows(
            "sources.seed_positives",
            sources.seed_positives,
            inputs.lacks("url"),
            'JSON Lines of {"url": ...}',
        )
    for name, path in sources.heldout_text.items():
        if is_file(path):
            inputs.check_rows(
                f"sources.heldout_text.{name}",
                path,
                inputs.lacks("text"),
                'JSON Lines of {"text": ...}',
            )
    for name, source in config.pretrain.mixture.items():
        if source.path != "corpus" and is_file(source.path):
            inputs.check_rows(
                f"pretrain.mixture.{name}",
                source.path,
                inputs.lacks(source.text_field),
                f"records with the field {source.text_field!r} (text_field)",
            )


def is_file(path: str | None) -> bool:
    """Whether a setting names a file or folder of the user's that is there."""
    return path is not None and path not in ("mini", "hub") and Path(path).exists()


def own_files(config: Config) -> list[tuple[str, str]]:
    """(setting, path) of every file or folder of the user's."""
    sources = config.sources
    lists: list[tuple[str, str | list[str] | None]] = [
        ("sources.warc", sources.warc),
        ("sources.seed_positives", sources.seed_positives),
        ("sources.url_annotations", sources.url_annotations),
        ("sources.solutions", sources.solutions),
        ("sources.problems", sources.problems),
        ("sources.coder", sources.coder),
    ]
    lists += [(f"sources.benchmarks.{name}", path) for name, path in sources.benchmarks.items()]
    lists += [(f"sources.heldout_text.{name}", path) for name, path in sources.heldout_text.items()]
    lists += [(f"pretrain.mixture.{name}", s.path) for name, s in config.pretrain.mixture.items()]

    found = []
    for setting, value in lists:
        paths = value if isinstance(value, list) else [value]
        found += [(setting, path) for path in paths if path is not None and is_file(path)]
    return found


def check_checkpoint(config: Config, on_this_machine: bool) -> list[str]:
    """Refuse a checkpoint that would stop a run later on; return lines to print: sizes, rates,
    warnings."""
    coder = config.sources.coder
    # The word of the settings is also the name of a folder in this repository.
    if coder == "mini" or not Path(coder).is_dir():
        return []

    model = read_checkpoint(coder)
    note = check_tokenizer(model)
    check_context(config, model)
    lines = [f"coder   {coder}: {model.model_type}, {model.parameters / 1e6:,.0f}M parameters"]
    lines.append(rates_line(config))
    if note:
        lines.append(f"warning: {coder}: {note}")
    lines += [f"warning: {line}" for line in too_high(config)]

    # Where jobs run elsewhere, the preset may say on what.
    card = this_machine() if on_this_machine else named_card(config)
    if card is not None and model.hidden:
        warnings, error = memory.warnings_of(memory.needs_of(config, model, card), card)
        if error:
            raise UserError(f"{coder}: {error}")
        lines += [f"warning: {line}" for line in warnings]
    return lines


def check_context(config: Config, model: Checkpoint) -> None:
    """No stage may ask for positions that the model was not made for."""
    if model.context is None:
        return
    asked = {
        "pretrain.context": config.pretrain.context,
        "sft.context": config.sft.context,
        "rl.max_new_tokens": config.rl.max_new_tokens,
        "eval.max_new_tokens": config.eval.max_new_tokens,
    }
    for setting, tokens in asked.items():
        if tokens > model.context:
            raise UserError(
                f"{setting} = {tokens}: {model.folder} reads at most {model.context} tokens "
                "(max_position_embeddings)"
            )


def learning_rates(config: Config) -> dict[str, float]:
    """Setting -> its learning rate."""
    found = {}
    for rate in RATES:
        value: object = config
        for name in rate.key.split("."):
            value = getattr(value, name)
        assert isinstance(value, float)
        found[rate.key] = value
    return found


def rates_line(config: Config) -> str:
    names = {key: key.split(".")[0] for key in learning_rates(config)}
    parts = [f"{names[key]} {rate:g}" for key, rate in learning_rates(config).items()]
    return f"rates   {', '.join(parts)}"


def too_high(config: Config) -> list[str]:
    """Rates more than three times what a model of this size bears even with the largest batch: preset
    mini's would undo what a real checkpoint knows."""
    size = parameters(config.sources.coder)
    if size < REAL:
        return []

    lines = []
    given = learning_rates(config)
    for rate in RATES:
        usual = scaled(rate, size, rate.batch)
        if given[rate.key] > 3 * usual:
            lines.append(
                f"{rate.key} = {given[rate.key]:g} is high for {size / 1e6:,.0f}M parameters "
                f"(at most about {usual:g}); `auto` chooses one"
            )
    return lines
