"""Band keys and sketches of a shard's pages: a side file, row by row beside the pages it was made from."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates.minhash import SCHEME, band_keys, signatures, sketches
from pipeline.artifacts.write import atomic_path
from pipeline.config.corpus import Dedup


def schema(settings: Dedup) -> pa.Schema:
    """Columns of a side file; scheme and settings stand in its metadata, for keys of other settings mean nothing."""
    about = settings.model_dump_json(exclude={"similarity"})
    return pa.schema(
        [
            pa.field("doc_id", pa.uint64(), nullable=False),
            pa.field("keys", pa.list_(pa.uint64(), settings.bands)),  # null: the text has no words
            pa.field("sketch", pa.binary(settings.bands * settings.rows), nullable=False),
        ],
        metadata={"scheme": SCHEME, "settings": about},
    )


def write_bands(pages: Path, out: Path, settings: Dedup) -> int:
    """Read `doc_id` and `text` of the pages in `pages`, write their side file `out`, return the number of rows."""
    count = 0
    columns = schema(settings)
    with (
        atomic_path(out) as temporary,
        pq.ParquetWriter(temporary, columns, compression="zstd") as writer,
    ):
        for batch in pq.ParquetFile(pages).iter_batches(
            batch_size=2000, columns=["doc_id", "text"]
        ):
            writer.write_table(_bands_of(batch, columns, settings))
            count += len(batch)
    return count


def _bands_of(batch: pa.RecordBatch, columns: pa.Schema, settings: Dedup) -> pa.Table:
    permutations = settings.bands * settings.rows
    signature = signatures(
        batch["text"].to_pylist(), settings.shingle_words, permutations, settings.seed
    )
    keys = band_keys(signature, settings.bands, settings.rows)
    wordless = np.repeat((signature == np.iinfo(np.uint32).max).all(axis=1), settings.bands)
    lists = pa.FixedSizeListArray.from_arrays(
        pa.array(keys.ravel()), settings.bands, mask=pa.array(wordless[:: settings.bands])
    )
    packed = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(permutations), len(batch), [None, pa.py_buffer(sketches(signature).tobytes())]
    )
    return pa.Table.from_arrays([batch["doc_id"], lists, packed], schema=columns)
