"""Keys, band keys and sketches of a shard's pages: a side file with a row for each row of its page table.

A side file is all that deduplication reads: a later crawl is compared with it when the texts are gone.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.minhash import NO_SHINGLE, SCHEME, band_keys, signatures, sketches
from pipeline.artifacts.write import atomic_path, file_digest
from pipeline.config.corpus import Dedup
from pipeline.errors import UserError

_ROWS = 2000  # pages in memory at a time

# Columns of the page table by which pages are compared, or the better one of two is chosen.
_COPIED = ("doc_id", "url_key", "text_key", "crawl_date", "n_chars")
MADE_FROM = b"pages"
"""Name of the entry in a side file's metadata that holds the digest of its page table."""


def schema(settings: Dedup) -> pa.Schema:
    """Columns of a side file.

    Scheme and settings are in its metadata, for keys made with other settings mean nothing.
    """
    made_with = settings.model_dump_json(exclude={"similarity"})
    permutations = settings.bands * settings.rows
    return pa.schema(
        [
            pa.field("doc_id", pa.uint64(), nullable=False),
            pa.field("keys", pa.list_(pa.uint64(), settings.bands)),  # null: the text has no words
            pa.field("sketch", pa.binary(permutations), nullable=False),
            pa.field("url_key", pa.uint64(), nullable=False),
            pa.field("text_key", pa.uint64(), nullable=False),
            pa.field("crawl_date", pa.string(), nullable=False),
            pa.field("n_chars", pa.int64(), nullable=False),
        ],
        metadata={"scheme": SCHEME, "settings": made_with},
    )


def write_bands(pages: Path, out: Path, settings: Dedup) -> int:
    """Write the side file `out` of a page table, unless it is there already; the number of pages."""
    digest = file_digest(pages)
    columns = schema(settings)
    columns = columns.with_metadata({**columns.metadata, MADE_FROM: digest.encode()})

    source = pq.ParquetFile(pages)
    count: int = source.metadata.num_rows
    if out.is_file() and _metadata(out) == columns.metadata:
        return count

    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, columns, compression="zstd") as writer,
    ):
        for batch in source.iter_batches(batch_size=_ROWS, columns=[*_COPIED, "text"]):
            writer.write_table(_bands_of(batch, columns, settings))
    return count


def page_table_digest(bands: Path) -> str:
    """The digest of the page table that a side file was made from."""
    return _metadata(bands)[MADE_FROM].decode()


def check_bands(file: Path, settings: Dedup) -> None:
    """Raise a UserError for a side file that is missing, or cannot be compared with those of `settings`."""
    if not file.is_file():
        raise UserError(f"{file}: no such file of signatures; run corpus.hash_shards first")

    found = _metadata(file)
    if MADE_FROM not in found:
        raise UserError(f"{file}: no signatures of this version; make them again")

    for name, value in schema(settings).metadata.items():
        if found.get(name) != value:
            raise UserError(
                f"{file}: signatures with other settings cannot be compared: {name.decode()} is "
                f"{found.get(name, b'missing').decode()}, here {value.decode()}"
            )


def _metadata(file: Path) -> dict[bytes, bytes]:
    """The metadata of a Parquet file's schema, without Arrow's own entry."""
    try:
        entries = pq.read_schema(file).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(f"{file}: not a readable Parquet file ({error})") from None
    return {name: value for name, value in entries.items() if name != b"ARROW:schema"}


def _bands_of(batch: pa.RecordBatch, columns: pa.Schema, settings: Dedup) -> pa.Table:
    texts = batch["text"].to_pylist()
    permutations = settings.bands * settings.rows
    signature = signatures(texts, settings.shingle_words, permutations, settings.seed)

    # All texts without words have one signature, and would be duplicates of each other.
    wordless = (signature == NO_SHINGLE).all(axis=1)
    keys = pa.FixedSizeListArray.from_arrays(
        pa.array(band_keys(signature, settings.bands, settings.rows).ravel()),
        settings.bands,
        mask=pa.array(wordless),
    )

    # Straight from numpy's memory: a Python bytes object for each row would cost more than the hashing.
    sketch_bytes = pa.py_buffer(sketches(signature).tobytes())
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(permutations), len(batch), [None, sketch_bytes]
    )

    made = {"keys": keys, "sketch": packed}
    arrays = [made[name] if name in made else batch[name] for name in columns.names]
    return pa.Table.from_arrays(arrays, schema=columns)
