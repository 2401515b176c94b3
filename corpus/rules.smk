# Stage 1: pages, duplicates, rounds, decontaminated corpus.
import sys

from corpus import sources
from pipeline.errors import UserError

# ---- Extraction: one job a shard ------------------------------------------------------------------------------------
WORLD_WARC = [f"{RESULTS}/world/warc/mini-{i:05}.warc.gz" for i in range(CONFIG.mini.warc_files)]
try:
    SHARDS = (
        sources.name_shards(WORLD_WARC, CONFIG.sources.files_per_shard)
        if CONFIG.sources.warc == "mini"
        else sources.shards(CONFIG.sources.warc, CONFIG.sources.files_per_shard)
    )
except UserError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


wildcard_constraints:
    shard="|".join(map(re.escape, SHARDS)),


rule extract:
    input:
        config="results/{preset}/config/corpus.extraction.json",
        # The built-in world writes its folder as one output; a user's files are inputs one by one.
        warc=lambda w: f"{RESULTS}/world/warc" if CONFIG.sources.warc == "mini" else SHARDS[w.shard],
    output:
        pages="results/{preset}/corpus/pages/{shard}.parquet",
        rejects="results/{preset}/corpus/rejects/{shard}.parquet",
        stats="results/{preset}/corpus/extraction/{shard}.json",
    params:
        code=dag.code_digest("corpus.extract"),
        files=lambda w: SHARDS[w.shard],
    log:
        "results/{preset}/logs/extract.{shard}.log",
    benchmark:
        "results/{preset}/benchmarks/extract.{shard}.tsv"
    message:
        "extract: {wildcards.shard}"
    shell:
        "python -m corpus.extract --config {input.config} --shard {wildcards.shard} --pages {output.pages}"
        " --rejects {output.rejects} --stats {output.stats} {params.files:q} 2>&1 | tee {log}"


# ---- Duplicates, rounds, final corpus ---------------------------------------------------------------------------------
