"""Band keys and sketches of a shard's pages: a side file with a row for each row of its page table."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.minhash import NO_SHINGLE, SCHEME, band_keys, signatures, sketches
from pipeline.artifacts.write import atomic_path
from pipeline.config.corpus import Dedup

_ROWS = 2000  # pages in memory at a time


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
        ],
        metadata={"scheme": SCHEME, "settings": made_with},
    )


def write_bands(pages: Path, out: Path, settings: Dedup) -> None:
    """Read `doc_id` and `text` of a page table and write its side file `out`."""
    columns = schema(settings)
    source = pq.ParquetFile(pages)

    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, columns, compression="zstd") as writer,
    ):
        for batch in source.iter_batches(batch_size=_ROWS, columns=["doc_id", "text"]):
            writer.write_table(_bands_of(batch, columns, settings))


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
    return pa.Table.from_arrays([batch["doc_id"], keys, packed], schema=columns)
