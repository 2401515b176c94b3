# Stage 5: every model on every benchmark and mode in one job a model (starting torch costs seconds), then the report.

EVALUATED = CONFIG.eval.models
BENCHMARKS = dag.benchmark_files(CONFIG.sources.benchmarks, RESULTS)


rule fetch_benchmark:
    output:
        "results/{preset}/fetched/{name}.jsonl",
    log:
        "results/{preset}/logs/fetch_benchmark.{name}.log",
    message:
        "{wildcards.name}: fetching the benchmark from its declared source"
    shell:
        "python -m eval.benchmarks --fetch {wildcards.name:q} --to {output:q} 2>&1 | tee -i {log:q}"


rule evaluate_model:
    input:
        config=settings("eval"),
        prompts=settings("prompts"),
        model="results/{preset}/models/{model}",
        shots="results/{preset}/sft/examples.parquet",
        benchmarks=list(BENCHMARKS.values()),
    output:
        directory("results/{preset}/eval/{model}"),
    wildcard_constraints:
        model="|".join(EVALUATED),
    params:
        code=dag.code_digest("eval.run"),
        resume="results/{preset}/resume/eval_{model}",
        benchmarks=[f"{name}={path}" for name, path in BENCHMARKS.items()],
        style=lambda w: "chat" if w.model in ("sft", "rl") else "few-shot",
    threads: SHARE
    resources:
        launch=LAUNCH,
    log:
        "results/{preset}/logs/evaluate_{model}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_{model}.tsv"
    message:
        "{wildcards.model}: evaluation on " + ", ".join(BENCHMARKS)
    shell:
        "{resources.launch} -m eval.run --model {input.model:q} --benchmark {params.benchmarks:q} --style {params.style:q}"
        " --shots {input.shots:q} --config {input.config:q} --prompts {input.prompts:q} --resume {params.resume:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule summarise:
    input:
        expand("results/{{preset}}/eval/{model}", model=EVALUATED),
    output:
        summary="results/{preset}/eval/summary.json",
        comparisons="results/{preset}/eval/comparisons.json",
    params:
        code=dag.code_digest("eval.summary"),
    log:
        "results/{preset}/logs/summarise.log",
    shell:
        "python -m eval.summary {input:q} --out {output.summary:q} --comparisons {output.comparisons:q} 2>&1 | tee -i {log:q}"


# Not part of a manifest, which is equal for equal runs: it stands beside the times. Only new evaluations renew it.
rule record_environment:
    input:
        expand("results/{{preset}}/eval/{model}", model=EVALUATED),
    output:
        "results/{preset}/benchmarks/environment.json",
    log:
        "results/{preset}/logs/record_environment.log",
    message:
        "commit, versions and hardware"
    shell:
        "python -m eval.reporting.provenance --out {output:q} 2>&1 | tee -i {log:q}"


rule results_report_page:
    input:
        summary="results/{preset}/eval/summary.json",
        comparisons="results/{preset}/eval/comparisons.json",
        samples=expand("results/{{preset}}/eval/{model}", model=EVALUATED),
        models=expand("results/{{preset}}/models/{model}", model=EVALUATED),
        corpus="results/{preset}/reports/corpus.json",
        environment="results/{preset}/benchmarks/environment.json",
    output:
        page=report(
            "results/{preset}/reports/results.html",
            caption="../docs/captions/results.rst",
            category="Reports",
            labels={"page": "results"},
        ),
        notes="results/{preset}/reports/results.md",
    params:
        code=dag.code_digest("eval.report"),
        results="results/{preset}",
    log:
        "results/{preset}/logs/results_report.log",
    message:
        "results report"
    shell:
        "python -m eval.report --results {params.results:q} --out {output.page:q} 2>&1 | tee -i {log:q}"


rule paper_tables_file:
    input:
        summary="results/{preset}/eval/summary.json",
        corpus="results/{preset}/corpus/final",
        models=expand("results/{{preset}}/models/{model}", model=EVALUATED),
    output:
        "results/{preset}/reports/paper_tables.md",
    params:
        code=dag.code_digest("eval.paper_tables"),
        results="results/{preset}",
    log:
        "results/{preset}/logs/paper_tables.log",
    message:
        "the paper's tables beside this run"
    shell:
        "python -m eval.paper_tables --results {params.results:q} --out {output:q} > {log:q} 2>&1"


rule evaluation:
    input:
        f"{RESULTS}/eval/summary.json",


rule results_report:
    input:
        f"{RESULTS}/reports/results.html",


rule paper_tables:
    input:
        f"{RESULTS}/reports/paper_tables.md",


# The front door: the trained model, its scores and the page about them.
rule rl_model:
    input:
        f"{RESULTS}/models/rl",
        f"{RESULTS}/eval/summary.json",
        f"{RESULTS}/reports/results.html",
        f"{RESULTS}/reports/corpus.html",
