# Stage 3: worked solutions to examples, examples to the instruct model.


def solution_files():
    found = dag.source(CONFIG.sources.solutions, f"{RESULTS}/world/solutions.jsonl")
    return [found] if isinstance(found, str) else list(found)


rule sft_examples:
    input:
        config=settings("sft"),
        prompts=settings("prompts"),
        tokenizer="results/{preset}/models/coder",
        solutions=[path for path in solution_files() if not path.startswith("hub:")],
    output:
        examples="results/{preset}/sft/examples.parquet",
        problems="results/{preset}/sft/problems.jsonl",
    params:
        code=dag.code_digest("sft.data"),
        solutions=solution_files(),
    log:
        "results/{preset}/logs/sft_examples.log",
    benchmark:
        "results/{preset}/benchmarks/sft_examples.tsv"
    message:
        "sft: solutions gathered, checked, encoded"
    shell:
        "python -m sft.data --config {input.config:q} --prompts {input.prompts:q} --tokenizer {input.tokenizer:q}"
        " --solutions {params.solutions:q} --out {output.examples:q} 2>&1 | tee -i {log:q}"


rule train_sft:
    input:
        config=settings("sft"),
        base="results/{preset}/models/base",
        examples="results/{preset}/sft/examples.parquet",
        evaluation=ASKED,
    output:
        model=directory("results/{preset}/models/sft"),
    params:
        code=dag.code_digest("sft.train"),
        resume="results/{preset}/resume/sft",
    threads: SHARE
    priority: 1
    resources:
        # A profile may start several processes instead: "torchrun --nproc-per-node 8" (profiles/slurm).
        launch=LAUNCH,
    log:
        "results/{preset}/logs/train_sft.log",
    benchmark:
        "results/{preset}/benchmarks/train_sft.tsv"
    message:
        "sft: fine-tuning on worked solutions"
    shell:
        "{resources.launch} -m sft.train --config {input.config:q} --base {input.base:q} --examples {input.examples:q}"
        " --evaluation {input.evaluation:q} --resume {params.resume:q} --out {output.model:q} 2>&1 | tee -i {log:q}"


rule sft_model:
    input:
        f"{RESULTS}/models/sft",
