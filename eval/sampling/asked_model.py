"""The model that an evaluation asks: a folder, a Hub id, or a name on a server."""

import argparse
import sys
from pathlib import Path

from eval.sampling.how_to_ask import HowToAsk
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import MANIFEST, NOT_COUNTED, file_digest
from pipeline.errors import UserError
from pipeline.inference.engine import Engine
from pipeline.model.card import NAME as CARD
from pipeline.model.chat import CHAT_TEMPLATE
from pipeline.model.model_prompts import FILE as PROMPTS


def model_is_there(args: argparse.Namespace) -> None:
    """A UserError for a path that is no model folder; a Hub id and a server's model are looked up later."""
    path = Path(args.model)
    if not args.server and path.exists() and not (path / "config.json").is_file():
        raise UserError(f"--model {args.model}: not a model folder (it has no config.json)")


def open_model(args: argparse.Namespace, how: HowToAsk) -> Engine:
    """What samples from the model: a server, or an engine here. Says so where it is asked in a way that it may not
    have been taught."""
    settings = how.settings
    if args.server:
        from eval.sampling.server_engine import open_server

        engine: Engine = open_server(
            args.server, args.model, args.tokenizer, how.style, settings.batch
        )
    else:
        # Loads torch, which a server and a run from the cache do not need.
        from eval.sampling.transformers_engine import open_engine

        engine = open_engine(args.model, settings)

    if how.carried is None and how.style == "chat":
        print(_note_of_a_foreign_model(args.model, engine.tokenizer.chat_template), file=sys.stderr)
    return engine


def _note_of_a_foreign_model(model: str, template: str) -> str:
    """What is said where a model brings no prompts.json: its prompts may not be those that it was taught."""
    if template == CHAT_TEMPLATE:
        return (
            f"note: {model} has no chat template and is asked in DeepSeekMath's format; one that was never taught to "
            "chat is evaluated with --style few-shot"
        )
    return f"note: {model} is asked by its own chat template, with the paper's suffixes unless --prompts gives others"


def note_of_kept_answers(args: argparse.Namespace, parts: int) -> None:
    """Say where a server's answers are an earlier run's: its model may be another by now, under the same name."""
    if args.server and parts:
        print(
            f"note: {parts} part(s) are an earlier run's answers of {args.model} at this address; if another model has "
            "that name now, give another --cache",
            file=sys.stderr,
        )


def identity(args: argparse.Namespace) -> str:
    """What tells the model from others."""
    if not args.server:
        return model_digest(args.model)

    # Address and name are all that is known of a served model.
    prompts_made_by = model_digest(args.tokenizer) if args.tokenizer else None
    return fingerprint([args.server, args.model, prompts_made_by])


def model_digest(source: str) -> str:
    """What tells this model from others: a digest of a folder's files; of a Hub id the commit that it now names.

    Its card, its manifest and its prompts.json are left out: what they change counts by itself.
    """
    path = Path(source)
    if path.exists():
        files = sorted(file for file in path.iterdir() if _counts(file))
        return fingerprint([(file.name, file_digest(file)) for file in files])

    from transformers import AutoConfig

    try:
        commit = AutoConfig.from_pretrained(source)._commit_hash
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(
            f"--model {source}: no such folder, and no such model on the Hub ({reason})"
        ) from None
    return f"{source}@{commit}"


def _counts(file: Path) -> bool:
    """Whether a file of a model folder decides what the model writes."""
    said_elsewhere = file.name in (MANIFEST, CARD, PROMPTS)
    return file.is_file() and not said_elsewhere and not file.name.startswith(NOT_COUNTED)
