"""Tokenise the sources of the pretraining mixture once, into memory-mapped shards.

Reads   the section `pretrain` of the configuration (JSON), a tokenizer (a model folder with
        tokenizer.json) and a path for each source of the mixture: files, folders of them, or
        `hub:…` (forms: pipeline.artifacts.datasets).
Writes  OUT/<source>-<shard>.bin (token ids, little-endian uint16 or uint32),
        OUT/<source>-<shard>.offsets.npy (where each document begins) and, last, OUT/manifest.json,
        whose counts index the shards.

    python -m pretrain.tokens --config results/mini/config/pretrain.json --tokenizer results/mini/models/coder \\
        --source corpus=results/mini/corpus/final --source code=results/mini/world/code/train.jsonl \\
        --source prose=results/mini/world/prose/train.jsonl --out results/mini/pretrain/tokens

Every document is BOS, its text, EOS; one shard an input file (of a Hub set: one of its files,
streamed). Shards are made in parallel and do not depend on how many at a time; those that an
interrupted run finished are taken over when tokenizer, settings and input file are the same.
Documents without text are counted, not written; half a character (a lone surrogate of JSON) becomes U+FFFD, counted as
`repaired`. No torch.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from pipeline.artifacts.check import check_artifact
from pipeline.artifacts.datasets import HUB, input_files, read_documents
from pipeline.artifacts.records import whole_characters
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import atomic_path, file_digest, read_json, write_json, write_manifest
from pipeline.config.pretrain import Pretrain, TextSource
from pipeline.config.read import read_section
from pipeline.errors import UserError, run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import Progress

BATCH = 256
"""Documents that are encoded at a time."""
BATCH_CHARACTERS = 4_000_000
"""Characters of them, at most: an encoding takes some hundred bytes a character."""
PIECE = 1_000_000
"""Characters of a document that are encoded at once."""


@dataclass(frozen=True, slots=True)
class Work:
    """One input file and the shard that it becomes."""

    file: str
    source: TextSource
    stem: Path
    """Path of the shard's files without their suffixes."""
    room: int | None
    """Tokens after which reading ends; None reads the whole file."""


class Encoder:
    """A tokenizer file with its BOS and EOS; text that spells a special token stays text."""

    def __init__(self, folder: str | Path):
        self.folder = folder
        path = Path(folder) / "tokenizer.json"
        if not path.is_file():
            raise UserError(f"{folder}: no tokenizer.json in this folder")
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more precise
            raise UserError(f"{path}: not a tokenizer ({error})") from None

        # Else a page that writes "<|EOT|>" would end its document there.
        self.tokenizer.encode_special_tokens = True
        self.digest = file_digest(path)
        names = read_json(Path(folder) / "tokenizer_config.json")
        end = self._special(names, "eos_token")
        # Without a BOS an EOS begins each document and so ends the one before, as GPT-2 was trained.
        has_bos = bool(names.get("bos_token"))
        self.before = [self._special(names, "bos_token") if has_bos else end]
        self.behind = [end] if has_bos else []
        self.dtype = np.dtype("<u2" if self.tokenizer.get_vocab_size() <= 2**16 else "<u4")

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Ids of each text, with BOS before and EOS behind."""
        if any(len(text) > PIECE for text in texts):
            return [self._encode_in_pieces(text) for text in texts]
        encoded = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [self._document(e.ids) for e in encoded]

    def _encode_in_pieces(self, text: str) -> np.ndarray:
        """A long text cut before white space: 50 MB at once would take many gigabytes."""
        found = []
        for piece in pieces(text):
            encoding = self.tokenizer.encode_batch_fast([piece], add_special_tokens=False)[0]
            found.append(np.array(encoding.ids, dtype=self.dtype))
        return self._document(np.concatenate(found))

    def _document(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        return np.array([*self.before, *ids, *self.behind], dtype=self.dtype)

    def _special(self, names: dict, key: str) -> int:
        # Some tokenizers write the token's text, others an object with the text as "content".
        token = names.get(key)
        text = token.get("content") if isinstance(token, dict) else token
        identity = self.tokenizer.token_to_id(text) if text else None
        if identity is None:
            raise UserError(f"{self.folder}: the tokenizer has no {key}")
        return identity


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    settings = read_section(args.config, Pretrain)
    encoder = Encoder(args.tokenizer)
    paths = source_paths(args.source, settings)

    sources = {}
    for name, path in paths.items():
        sources[name] = tokenise_source(name, path, settings, encoder, args.out, args.jobs)

    write_manifest(
        args.out / "manifest.json",
        "pretrain.tokens",
        settings=settings.model_dump(mode="json", include={"mixture", "source_tokens"}),
        inputs=[args.tokenizer / "tokenizer.json"],
        counts={"dtype": encoder.dtype.str, "tokenizer": encoder.digest, "sources": sources},
    )


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="JSON of the section `pretrain`")
    parser.add_argument(
        "--tokenizer", type=Path, required=True, help="model folder with tokenizer.json"
    )
    parser.add_argument(
        "--source", action="append", required=True, metavar="NAME=PATH", help="once for each source"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the token files")
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="shards made at a time"
    )
    return parser.parse_args(argv)


def source_paths(pairs: list[str], settings: Pretrain) -> dict[str, str]:
    """`NAME=PATH` arguments as a mapping; the names must be those of the mixture."""
    paths: dict[str, str] = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        paths[name] = path
    if set(paths) != set(settings.mixture) or not all(paths.values()):
        raise UserError(
            f"--source: give NAME=PATH once for each of {', '.join(settings.mixture)}; got {pairs}"
        )
    return {name: paths[name] for name in settings.mixture}


def tokenise_source(
    name: str, path: str, settings: Pretrain, encoder: Encoder, out: Path, jobs: int = 1
) -> dict:
    """Tokenise the files of a source, as many as its budget needs; return the shards in use and
    their counts."""
    source = settings.mixture[name]
    room = settings.source_tokens
    if path.startswith(HUB) and not room:
        # A streamed set may have no end: what the source's share needs once is enough.
        room = share(source, settings)

    check_artifact(path)
    files = input_files(path, split=True)
    work = [
        Work(file, source, out / f"{name}-{number:05d}", room) for number, file in enumerate(files)
    ]
    shards: list[dict] = []
    with Progress(f"tokens {name}", len(work), unit="files") as progress:
        for shard in _made(work, encoder, jobs):
            shards.append(shard)
            tokens = sum(shard["tokens"] for shard in shards)
            progress.add(1, tokens=f"{tokens:,}")
            if room is not None and tokens >= room:
                break

    counted = ("tokens", "documents", "bytes", "empty")
    totals = {key: sum(shard[key] for shard in shards) for key in counted}
    if not totals["tokens"]:
        raise UserError(f"{path}: source {name!r} holds no text in field {source.text_field!r}")
    return {"shards": shards, **totals}


def _made(work: list[Work], encoder: Encoder, jobs: int) -> Iterator[dict]:
    """The shards' entries in order. Several files go to processes; of one file all cores share each
    batch."""
    processes = min(jobs, len(work))
    if processes <= 1:
        os.environ["TOKENIZERS_PARALLELISM"] = "true"
        for item in work:
            yield tokenise_file(item, encoder)
        return

    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    # Only a few files ahead: the caller may have enough after any of them.
    one_each = [(item,) for item in work]
    yield from run_jobs(_tokenise_here, one_each, jobs, shared=(encoder.folder,), ahead=jobs)


@cache
def _encoder(folder: str | Path) -> Encoder:
    """The encoder of a process of the pool, opened once in it: tokenizers cannot be sent to
    processes."""
    return Encoder(folder)


def _tokenise_here(work: Work, folder: str | Path) -> dict:
    return tokenise_file(work, _encoder(folder))


def share(source: TextSource, settings: Pretrain) -> int:
    """Tokens of a source that the whole training takes."""
    return int(source.weight * settings.tokens) + 1


def tokenise_file(work: Work, encoder: Encoder) -> dict:
    """Write one shard, or take over the one that an earlier run finished. Returns its entry of the
    index.

    Reading ends when there are `room` tokens: a file never gives more than its source needs.
    """
    file, stem = work.file, work.stem
    entry_file = stem.with_name(stem.name + ".json")
    content = file if file.startswith(HUB) else file_digest(file)
    mark = fingerprint(content, encoder.digest, work.source.text_field, work.room)
    shard_file = stem.with_name(stem.name + ".bin")
    earlier = _finished(entry_file)
    if earlier is not None and earlier.get("fingerprint") == mark and is_whole(shard_file, earlier):
        return earlier

    counts: Counter = Counter()
    lengths: list[int] = []
    tokens = 0
    stem.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(shard_file) as temporary, open(temporary, "wb") as out:
        documents = read_documents(file, work.source.text_field)
        for texts in batches(documents, counts):
            for ids in encoder.encode(texts):
                out.write(ids.tobytes())
                lengths.append(len(ids))
                tokens += len(ids)
            if work.room is not None and tokens >= work.room:
                break

    # Where each document begins; the last sum is where one more would.
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    offsets_file = stem.with_name(stem.name + ".offsets.npy")
    with atomic_path(offsets_file) as temporary, open(temporary, "wb") as out:
        np.save(out, offsets[:-1])

    entry = {
        "name": stem.name,
        "fingerprint": mark,
        "digest": file_digest(shard_file),
        "tokens": int(offsets[-1]),
        "documents": len(lengths),
        "bytes": counts["bytes"],
        "empty": counts["empty"],
    }
    if counts["repaired"]:
        entry["repaired"] = counts["repaired"]
    # Last: its presence means that the shard is whole.
    write_json(entry_file, entry)
    return entry


def _finished(entry_file: Path) -> dict | None:
    """The entry of a shard that an earlier run finished; None where there is none that can be read."""
    try:
        return read_json(entry_file)
    except UserError:
        return None


def is_whole(shard_file: Path, entry: dict) -> bool:
    """Whether a shard's file is the one that its entry describes; entries of older versions name no digest."""
    return shard_file.is_file() and file_digest(shard_file) == entry.get("digest")


def pieces(text: str) -> Iterator[str]:
    """The text in pieces of PIECE characters at most, each but the first beginning with white space
    where there is any."""
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        blank = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
        cut = blank if blank > start else end
        yield text[start:cut]
        start = cut
    yield text[start:]


def batches(documents: Iterator[str | None], counts: Counter) -> Iterator[list[str]]:
    """Lists of up to BATCH texts and about BATCH_CHARACTERS; counts their bytes, the documents
    without text, and those that held half a character."""
    texts: list[str] = []
    characters = 0
    for document in documents:
        if document is None:
            counts["empty"] += 1
            continue

        text = whole_characters(document)
        counts["repaired"] += text != document
        counts["bytes"] += len(text.encode())
        texts.append(text)
        characters += len(text)
        if len(texts) == BATCH or characters >= BATCH_CHARACTERS:
            yield texts
            texts, characters = [], 0
    if texts:
        yield texts


if __name__ == "__main__":
    run_main(main)
