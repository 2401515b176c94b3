# Stage 1: pages, duplicates, rounds, decontaminated corpus.
import sys

from corpus.archives import sources
from corpus.tables.shards import batches, write_shard_list
from pipeline.errors import UserError

# ---- Extraction: one job a shard ------------------------------------------------------------------------------------
# Shards are named before any job runs, so those of the built-in world go by the names that its files will have.
WORLD_WARC = [f"{RESULTS}/world/warc/mini-{i:05}.warc.gz" for i in range(CONFIG.mini.warc_files)]
try:
    SHARDS = (
        sources.name_shards(WORLD_WARC, CONFIG.sources.files_per_shard)
        if CONFIG.sources.warc == "mini"
        else sources.shards(CONFIG.sources.warc, CONFIG.sources.files_per_shard, CONFIG.sources.crawl_files)
    )
except UserError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


# What one job does of the steps that are spread over machines. In a world of one batch these steps are done by the job
# that needs their results, for a process costs more there than what it does.
BATCHES = batches(SHARDS, CONFIG.sources.shards_per_job)
IS_SPREAD = len(BATCHES) > 1


wildcard_constraints:
    shard="|".join(map(re.escape, SHARDS)),
    batch=r"\d+",


def pages_of_batch(wildcards):
    return [f"{RESULTS}/corpus/pages/{shard}.parquet" for shard in BATCHES[wildcards.batch]]


def each_batch(path):
    """What the jobs of all batches leave; nothing where there are none."""
    return [path.replace("{batch}", batch) for batch in BATCHES] if IS_SPREAD else []


rule common_crawl_files:
    output:
        "results/{preset}/corpus/crawls/{crawl}.txt",
    params:
        files=CONFIG.sources.crawl_files,
        server=CONFIG.sources.crawl_server,
    log:
        "results/{preset}/logs/common_crawl_files.{crawl}.log",
    message:
        "Common Crawl: which WARC files of {wildcards.crawl}"
    shell:
        "python -m corpus.commoncrawl {wildcards.crawl:q} --files {params.files:q} --server {params.server:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


def archives(wildcards):
    """What the extraction of a shard waits for: the built-in world's folder, which is one output; a user's own files;
    of Common Crawl the list of its files, for the job fetches each of them itself."""
    if CONFIG.sources.warc == "mini":
        return f"{RESULTS}/world/warc"
    files = SHARDS[wildcards.shard]
    return sources.on_disk(files) + [f"{RESULTS}/corpus/crawls/{crawl}.txt" for crawl in sources.crawls(files)]


rule extract:
    input:
        config=settings("corpus.extraction"),
        warc=archives,
    output:
        pages="results/{preset}/corpus/pages/{shard}.parquet",
        rejects="results/{preset}/corpus/rejects/{shard}.parquet",
        stats="results/{preset}/corpus/extraction/{shard}.json",
    params:
        code=dag.code_digest("corpus.extract"),
        files=lambda w: SHARDS[w.shard],
        crawls="results/{preset}/corpus/crawls",
        scratch="results/{preset}/resume/extract.{shard}",
    log:
        "results/{preset}/logs/extract.{shard}.log",
    benchmark:
        "results/{preset}/benchmarks/extract.{shard}.tsv"
    message:
        "extract: {wildcards.shard}"
    shell:
        "python -m corpus.extract --config {input.config:q} --shard {wildcards.shard:q} --pages {output.pages:q}"
        " --rejects {output.rejects:q} --stats {output.stats:q} --crawls {params.crawls:q} --scratch {params.scratch:q}"
        " {params.files:q} 2>&1 | tee -i {log:q}"


# ---- Duplicates, rounds, final corpus ---------------------------------------------------------------------------------
def seeds(wildcards):
    return dag.source(CONFIG.sources.seed_positives, f"{RESULTS}/world/seeds.jsonl")


def annotations(wildcards):
    return CONFIG.sources.url_annotations or []


def round_before(wildcards):
    return [] if int(wildcards.n) == 1 else f"{RESULTS}/corpus/round_{int(wildcards.n) - 1}"


def shard_list(wildcards):
    """The file that names this run's shards: the folder of page tables may hold those of earlier runs, too.

    Written while jobs are planned: a command line has no room for the tens of thousands of a whole crawl.
    """
    return write_shard_list(f"{RESULTS}/corpus/shards.txt", SHARDS)


# Threads of the jobs below: half of the cores, for the coder is trained beside them.
# What the built-in world knows about its pages; only the report reads it.
TRUTH = f"{RESULTS}/world/truth/pages.jsonl" if CONFIG.sources.warc == "mini" else []
# Benchmarks whose problems must not be in the corpus, and the problems that checkpoints are chosen by.
GUARDED = dag.benchmark_files(CONFIG.sources.benchmarks, RESULTS)
if "mini" in CONFIG.sources.benchmarks.values():
    GUARDED["validation"] = f"{RESULTS}/world/problems/validation.jsonl"


rule hash_shards:
    input:
        config=settings("corpus.dedup"),
        pages=pages_of_batch,
    output:
        "results/{preset}/corpus/signatures/{batch}.json",
    params:
        code=dag.code_digest("corpus.hash_shards"),
        pages="results/{preset}/corpus/pages",
        shards=lambda w: BATCHES[w.batch],
        out="results/{preset}/corpus/signatures",
    threads: HALF
    log:
        "results/{preset}/logs/hash_shards.{batch}.log",
    benchmark:
        "results/{preset}/benchmarks/hash_shards.{batch}.tsv"
    message:
        "signatures: batch {wildcards.batch}"
    shell:
        "python -m corpus.hash_shards --config {input.config:q} --pages {params.pages:q} --shards {params.shards:q}"
        " --out {params.out:q} --done {output:q} --workers {threads} 2>&1 | tee -i {log:q}"


rule dedup:
    input:
        config=settings("corpus.dedup"),
        # The jobs of the batches have waited for them.
        pages=[] if IS_SPREAD else expand("results/{{preset}}/corpus/pages/{shard}.parquet", shard=SHARDS),
        signatures=each_batch("results/{preset}/corpus/signatures/{batch}.json"),
        earlier=[f"{folder}/manifest.json" for folder in CONFIG.sources.earlier_crawls],
    output:
        directory("results/{preset}/corpus/dedup"),
    params:
        code=dag.code_digest("corpus.dedup"),
        pages="results/{preset}/corpus/pages",
        shards=shard_list,
        signatures=[
            "--signatures" if IS_SPREAD else "--resume",
            f"{RESULTS}/corpus/signatures" if IS_SPREAD else f"{RESULTS}/resume/dedup",
        ],
        earlier=["--earlier", *CONFIG.sources.earlier_crawls] if CONFIG.sources.earlier_crawls else [],
    threads: HALF
    log:
        "results/{preset}/logs/dedup.log",
    benchmark:
        "results/{preset}/benchmarks/dedup.tsv"
    message:
        "duplicates: by URL, equal texts, near duplicates"
    shell:
        "python -m corpus.dedup --config {input.config:q} --pages {params.pages:q} --shards {params.shards:q}"
        " {params.signatures:q} {params.earlier:q} --workers {threads} --out {output:q} 2>&1 | tee -i {log:q}"


# The options of every command of a round, and its inputs. What waits for the duplicates has waited for the pages.
ROUND = (
    "python -m corpus.round --number {wildcards.n:q} --classifier {input.classifier:q} --selection {input.selection:q}"
    " --pages {params.pages:q} --dedup {input.dedup:q} --seeds {input.seeds:q} {params.previous:q} {params.annotations:q}"
)
ROUND_INPUT = dict(
    classifier=settings("corpus.classifier"),
    selection=settings("corpus.selection"),
    dedup="results/{preset}/corpus/dedup",
    seeds=seeds,
    annotations=annotations,
    previous=round_before,
)
ROUND_PARAMS = dict(
    code=dag.code_digest("corpus.round"),
    pages="results/{preset}/corpus/pages",
    previous=lambda w, input: ["--previous", input.previous] if input.previous else [],
    annotations=lambda w, input: ["--annotations", input.annotations] if input.annotations else [],
)
PASSES = "results/{preset}/corpus/passes/round_{n}"

# In a world of several batches a round stops before each of its passes over all texts, which are jobs a batch.
if IS_SPREAD:

    rule draw_examples:
        input:
            **ROUND_INPUT,
        output:
            f"{PASSES}/learn/asked.parquet",
        params:
            **ROUND_PARAMS,
            passes=PASSES,
            out="results/{preset}/corpus/round_{n}",
        threads: HALF
        log:
            "results/{preset}/logs/draw_examples.{n}.log",
        benchmark:
            "results/{preset}/benchmarks/draw_examples.{n}.tsv"
        message:
            "round {wildcards.n}: draw the training examples"
        shell:
            f"{ROUND} --passes {{params.passes:q}} --until learn --out {{params.out:q}} 2>&1 | tee -i {{log:q}}"

    rule train_classifier:
        input:
            **ROUND_INPUT,
            texts=each_batch(f"{PASSES}/learn/{{batch}}.json"),
        output:
            f"{PASSES}/classifier.bin",
            f"{PASSES}/classifier.json",
        params:
            **ROUND_PARAMS,
            passes=PASSES,
            out="results/{preset}/corpus/round_{n}",
        threads: HALF
        log:
            "results/{preset}/logs/train_classifier.{n}.log",
        benchmark:
            "results/{preset}/benchmarks/train_classifier.{n}.tsv"
        message:
            "round {wildcards.n}: train the classifier"
        shell:
            f"{ROUND} --passes {{params.passes:q}} --until score --out {{params.out:q}} 2>&1 | tee -i {{log:q}}"

    rule score_shards:
        input:
            config=settings("corpus.classifier"),
            model=f"{PASSES}/classifier.bin",
                dedup="results/{preset}/corpus/dedup",
        output:
            f"{PASSES}/scores/{{batch}}.json",
        params:
            code=dag.code_digest("corpus.score_shards"),
            pages="results/{preset}/corpus/pages",
            shards=lambda w: BATCHES[w.batch],
            out=f"{PASSES}/scores",
        threads: HALF
        log:
            "results/{preset}/logs/score_shards.{n}.{batch}.log",
        benchmark:
            "results/{preset}/benchmarks/score_shards.{n}.{batch}.tsv"
        message:
            "round {wildcards.n}: score the pages of batch {wildcards.batch}"
        shell:
            "python -m corpus.score_shards --config {input.config:q} --model {input.model:q} --pages {params.pages:q}"
            " --dedup {input.dedup:q} --shards {params.shards:q} --out {params.out:q} --done {output:q}"
            " --workers {threads} 2>&1 | tee -i {log:q}"

    rule select_pages:
        input:
            **ROUND_INPUT,
            scores=each_batch(f"{PASSES}/scores/{{batch}}.json"),
        output:
            f"{PASSES}/judge/asked.parquet",
        params:
            **ROUND_PARAMS,
            passes=PASSES,
            out="results/{preset}/corpus/round_{n}",
        threads: HALF
        log:
            "results/{preset}/logs/select_pages.{n}.log",
        benchmark:
            "results/{preset}/benchmarks/select_pages.{n}.tsv"
        message:
            "round {wildcards.n}: collect pages, find domains, choose the pages to be judged"
        shell:
            f"{ROUND} --passes {{params.passes:q}} --until judge --out {{params.out:q}} 2>&1 | tee -i {{log:q}}"

    rule read_shards:
        input:
            asked=f"{PASSES}/{{reading}}/asked.parquet",
                dedup="results/{preset}/corpus/dedup",
        output:
            f"{PASSES}/{{reading}}/{{batch}}.json",
        params:
            code=dag.code_digest("corpus.read_shards"),
            pages="results/{preset}/corpus/pages",
            shards=lambda w: BATCHES[w.batch],
            out=f"{PASSES}/{{reading}}",
        wildcard_constraints:
            reading="learn|judge",
        threads: HALF
        log:
            "results/{preset}/logs/read_shards.{reading}.{n}.{batch}.log",
        benchmark:
            "results/{preset}/benchmarks/read_shards.{reading}.{n}.{batch}.tsv"
        message:
            "round {wildcards.n}: texts to {wildcards.reading}, batch {wildcards.batch}"
        shell:
            "python -m corpus.read_shards --asked {input.asked:q} --pages {params.pages:q} --dedup {input.dedup:q}"
            " --shards {params.shards:q} --out {params.out:q} --done {output:q} --workers {threads} 2>&1 | tee -i {log:q}"


rule mine_round:
    input:
        **ROUND_INPUT,
        judged=each_batch(f"{PASSES}/judge/{{batch}}.json"),
    output:
        directory("results/{preset}/corpus/round_{n}"),
    params:
        **ROUND_PARAMS,
        passes=["--passes", PASSES] if IS_SPREAD else ["--resume", "results/{preset}/resume/round_{n}"],
    threads: HALF
    log:
        "results/{preset}/logs/mine_round.{n}.log",
    benchmark:
        "results/{preset}/benchmarks/mine_round.{n}.tsv"
    message:
        "round {wildcards.n}: train the classifier, score, collect, find domains and URL prefixes"
    shell:
        f"{ROUND} {{params.passes:q}} --workers {{threads}} --out {{output:q}} 2>&1 | tee -i {{log:q}}"


rule clean_shards:
    input:
        config=settings("corpus.decontamination"),
        dedup="results/{preset}/corpus/dedup",
        rounds=expand("results/{{preset}}/corpus/round_{n}", n=range(1, CONFIG.corpus.rounds + 1)),
        benchmarks=list(GUARDED.values()),
    output:
        "results/{preset}/corpus/cleaned/{batch}.json",
    params:
        code=dag.code_digest("corpus.clean_shards"),
        pages="results/{preset}/corpus/pages",
        collected=lambda w, input: [f"{folder}/collected.parquet" for folder in input.rounds],
        benchmarks=[f"{name}={path}" for name, path in GUARDED.items()],
        shards=lambda w: BATCHES[w.batch],
        out="results/{preset}/corpus/cleaned",
    threads: HALF
    log:
        "results/{preset}/logs/clean_shards.{batch}.log",
    benchmark:
        "results/{preset}/benchmarks/clean_shards.{batch}.tsv"
    message:
        "corpus: leaked benchmark problems removed from batch {wildcards.batch}"
    shell:
        "python -m corpus.clean_shards --config {input.config:q} --pages {params.pages:q} --dedup {input.dedup:q}"
        " --rounds {params.collected:q} --benchmarks {params.benchmarks:q} --shards {params.shards:q}"
        " --out {params.out:q} --done {output:q} --workers {threads} 2>&1 | tee -i {log:q}"


rule finalise_corpus:
    input:
        config=settings("corpus.decontamination"),
        dedup="results/{preset}/corpus/dedup",
        rounds=expand("results/{{preset}}/corpus/round_{n}", n=range(1, CONFIG.corpus.rounds + 1)),
        benchmarks=list(GUARDED.values()),
        cleaned=each_batch("results/{preset}/corpus/cleaned/{batch}.json"),
    output:
        final=directory("results/{preset}/corpus/final"),
        removed="results/{preset}/corpus/decontaminated.parquet",
        candidates="results/{preset}/corpus/leak_candidates.jsonl",
    params:
        code=dag.code_digest("corpus.final"),
        pages="results/{preset}/corpus/pages",
        collected=lambda w, input: [f"{folder}/collected.parquet" for folder in input.rounds],
        benchmarks=[f"{name}={path}" for name, path in GUARDED.items()],
        world=["--built-in-world"] if CONFIG.sources.warc == "mini" else [],
        shards=["--cleaned", f"{RESULTS}/corpus/cleaned"] if IS_SPREAD else ["--resume", f"{RESULTS}/resume/final"],
    threads: HALF
    log:
        "results/{preset}/logs/finalise_corpus.log",
    benchmark:
        "results/{preset}/benchmarks/finalise_corpus.tsv"
    message:
        "corpus: leaked benchmark problems removed, Parquet and dataset card"
    shell:
        "python -m corpus.final --config {input.config:q} --pages {params.pages:q} --dedup {input.dedup:q}"
        " --rounds {params.collected:q} --benchmarks {params.benchmarks:q} --removed {output.removed:q}"
        " --candidates {output.candidates:q} {params.world:q} --workers {threads} {params.shards:q}"
        " --out {output.final:q}"
        " 2>&1 | tee -i {log:q}"


rule corpus:
    input:
        f"{RESULTS}/corpus/final",


# ---- Statistics report ------------------------------------------------------------------------------------------------
rule corpus_report_page:
    input:
        final="results/{preset}/corpus/final",
        removed="results/{preset}/corpus/decontaminated.parquet",
        truth=TRUTH,
    output:
        page=report(
            "results/{preset}/reports/corpus.html",
            caption="../docs/captions/corpus.rst",
            category="Reports",
            labels={"page": "corpus"},
        ),
        numbers="results/{preset}/reports/corpus.json",
    params:
        code=dag.code_digest("corpus.report"),
        results="results/{preset}",
        truth=["--truth", TRUTH] if TRUTH else [],
    log:
        "results/{preset}/logs/corpus_report.log",
    benchmark:
        "results/{preset}/benchmarks/corpus_report.tsv"
    message:
        "report: what was mined, from records to tokens"
    shell:
        "python -m corpus.report --results {params.results:q} {params.truth:q} --out {output.page:q}"
        " --json {output.numbers:q} 2>&1 | tee -i {log:q}"


rule corpus_report:
    input:
        f"{RESULTS}/reports/corpus.html",
