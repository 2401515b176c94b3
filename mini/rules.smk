# The built-in world: everything under results/<preset>/world/ is generated offline from mini.seed.


rule mini_code:
    input:
        config=settings("mini"),
    output:
        code="results/{preset}/world/code/train.jsonl",
        heldout_code="results/{preset}/world/heldout/code.jsonl",
        code_manifest="results/{preset}/world/code/manifest.json",
        prose="results/{preset}/world/prose/train.jsonl",
        heldout_math="results/{preset}/world/heldout/math.jsonl",
        heldout_prose="results/{preset}/world/heldout/prose.jsonl",
        heldout_chinese="results/{preset}/world/heldout/chinese.jsonl",
        prose_manifest="results/{preset}/world/prose/manifest.json",
    params:
        code=dag.code_digest("mini.code", "mini.prose"),
        world="results/{preset}/world",
    log:
        "results/{preset}/logs/mini_code.log",
    benchmark:
        "results/{preset}/benchmarks/mini_code.tsv"
    message:
        "mini: Python source, prose and held-out texts"
    shell:
        "( python -m mini.code --config {input.config:q} --out {params.world:q}"
        " && python -m mini.prose --config {input.config:q} --out {params.world:q} ) 2>&1 | tee -i {log:q}"


if CONFIG.sources.world == "medicine":

    include: "medicine/rules.smk"

else:

    rule mini_problems:
        input:
            config=settings("mini"),
        output:
            train="results/{preset}/world/problems/train.jsonl",
            validation="results/{preset}/world/problems/validation.jsonl",
            test="results/{preset}/world/problems/test.jsonl",
            solutions="results/{preset}/world/solutions.jsonl",
            manifest="results/{preset}/world/problems/manifest.json",
        params:
            code=dag.code_digest("mini.problems"),
            world="results/{preset}/world",
        log:
            "results/{preset}/logs/mini_problems.log",
        benchmark:
            "results/{preset}/benchmarks/mini_problems.tsv"
        message:
            "mini: word problems with worked solutions"
        shell:
            "python -m mini.problems --config {input.config:q} --out {params.world:q} 2>&1 | tee -i {log:q}"

    rule mini_web:
        input:
            config=settings("mini"),
            validation="results/{preset}/world/problems/validation.jsonl",
            test="results/{preset}/world/problems/test.jsonl",
        output:
            warc=directory("results/{preset}/world/warc"),
            seeds="results/{preset}/world/seeds.jsonl",
            truth="results/{preset}/world/truth/pages.jsonl",
            manifest="results/{preset}/world/web_manifest.json",
        params:
            code=dag.code_digest("mini.web"),
            world="results/{preset}/world",
        log:
            "results/{preset}/logs/mini_web.log",
        benchmark:
            "results/{preset}/benchmarks/mini_web.tsv"
        message:
            "mini: the web, as WARC files"
        shell:
            "python -m mini.web --config {input.config:q} --problems {params.world:q}/problems --out {params.world:q}"
            " 2>&1 | tee -i {log:q}"
