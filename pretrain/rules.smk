# Stage 2: the coder checkpoint, the tokens of the mixture, the base model.

MIXTURE = {
    name: (
        f"{RESULTS}/corpus/final"
        if source.path == "corpus"
        else dag.source(source.path, f"{RESULTS}/world/{name}/train.jsonl")
    )
    for name, source in CONFIG.pretrain.mixture.items()
}
HELD_OUT = {
    name: dag.source(path, f"{RESULTS}/world/heldout/{name}.jsonl")
    for name, path in CONFIG.sources.heldout_text.items()
}


if CONFIG.sources.coder == "mini":

    rule train_coder:
        input:
            config=settings("coder"),
            prompts=settings("prompts"),
            evaluation=ASKED,
            code="results/{preset}/world/code/train.jsonl",
            prose="results/{preset}/world/prose/train.jsonl",
            solutions="results/{preset}/world/solutions.jsonl",
        output:
            model=directory("results/{preset}/models/coder"),
        params:
            code=dag.code_digest("mini.coder"),
            world="results/{preset}/world",
            resume="results/{preset}/resume/coder",
        # The other half of the cores works on the corpus, which is ready long before.
        threads: SHARE
        resources:
            launch=LAUNCH,
        log:
            "results/{preset}/logs/train_coder.log",
        benchmark:
            "results/{preset}/benchmarks/train_coder.tsv"
        message:
            "coder: a small Llama from scratch on Python source"
        shell:
            "{resources.launch} -m mini.coder --config {input.config:q} --prompts {input.prompts:q} --world {params.world:q}"
            " --evaluation {input.evaluation:q} --resume {params.resume:q} --out {output.model:q} 2>&1 | tee -i {log:q}"

else:

    rule check_coder:
        input:
            prompts=ancient(dag.settings_file(CONFIG, "prompts", reruns=False)),
            evaluation=ASKED,
        output:
            model=directory("results/{preset}/models/coder"),
        params:
            code=dag.code_digest("pretrain.coder"),
            source=CONFIG.sources.coder,
        log:
            "results/{preset}/logs/check_coder.log",
        benchmark:
            "results/{preset}/benchmarks/check_coder.tsv"
        message:
            "coder: an existing checkpoint, checked"
        shell:
            "python -m pretrain.coder --source {params.source:q} --prompts {input.prompts:q}"
            " --evaluation {input.evaluation:q} --out {output.model:q} 2>&1 | tee -i {log:q}"


rule tokenise:
    input:
        config=settings("pretrain"),
        coder="results/{preset}/models/coder",
        texts=[path for path in MIXTURE.values() if not path.startswith("hub:")],
    output:
        "results/{preset}/pretrain/tokens/manifest.json",
    params:
        code=dag.code_digest("pretrain.tokens"),
        sources=dag.options("--source", MIXTURE),
        folder="results/{preset}/pretrain/tokens",
    threads: workflow.cores
    log:
        "results/{preset}/logs/tokenise.log",
    benchmark:
        "results/{preset}/benchmarks/tokenise.tsv"
    message:
        "base: the mixture as tokens"
    shell:
        "python -m pretrain.tokens --config {input.config:q} --tokenizer {input.coder:q} {params.sources:q}"
        " --jobs {threads} --out {params.folder:q} 2>&1 | tee -i {log:q}"


rule train_base:
    input:
        config=settings("pretrain"),
        coder="results/{preset}/models/coder",
        tokens="results/{preset}/pretrain/tokens/manifest.json",
        evaluation=ASKED,
        heldout=list(HELD_OUT.values()),
    output:
        model=directory("results/{preset}/models/base"),
    params:
        code=dag.code_digest("pretrain.train"),
        heldout=dag.options("--heldout", HELD_OUT),
        resume="results/{preset}/resume/base",
    threads: SHARE
    priority: 1
    resources:
        # A profile may start several processes instead: "torchrun --nproc-per-node 8" (profiles/slurm).
        launch=LAUNCH,
    log:
        "results/{preset}/logs/train_base.log",
    benchmark:
        "results/{preset}/benchmarks/train_base.tsv"
    message:
        "base: continued pretraining of the coder checkpoint"
    shell:
        "{resources.launch} -m pretrain.train --config {input.config:q} --coder {input.coder:q} --tokens {input.tokens:q}"
        " {params.heldout:q} --evaluation {input.evaluation:q} --resume {params.resume:q} --out {output.model:q} 2>&1 | tee -i {log:q}"


rule coder_model:
    input:
        f"{RESULTS}/models/coder",


rule base_model:
    input:
        f"{RESULTS}/models/base",
