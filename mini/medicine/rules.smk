# The built-in world of medicine (sources.world: medicine). Invented cases, not medical advice.


rule medical_problems:
    input:
        config=settings("mini"),
        medicine=settings("medicine"),
    output:
        train="results/{preset}/world/problems/train.jsonl",
        validation="results/{preset}/world/problems/validation.jsonl",
        test="results/{preset}/world/problems/test.jsonl",
        solutions="results/{preset}/world/solutions.jsonl",
        heldout="results/{preset}/world/heldout/medicine.jsonl",
        manifest="results/{preset}/world/problems/manifest.json",
    params:
        code=dag.code_digest("mini.medicine.problems"),
        world="results/{preset}/world",
    log:
        "results/{preset}/logs/medical_problems.log",
    benchmark:
        "results/{preset}/benchmarks/medical_problems.tsv"
    message:
        "mini: invented medical cases with worked answers"
    shell:
        "python -m mini.medicine.problems --config {input.config:q} --medicine {input.medicine:q} --out {params.world:q}"
        " 2>&1 | tee -i {log:q}"


rule medical_web:
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
        code=dag.code_digest("mini.medicine.web"),
        world="results/{preset}/world",
    log:
        "results/{preset}/logs/medical_web.log",
    benchmark:
        "results/{preset}/benchmarks/medical_web.tsv"
    message:
        "mini: the web with medicine on it, as WARC files"
    shell:
        "python -m mini.medicine.web --config {input.config:q} --problems {params.world:q}/problems --out {params.world:q}"
        " 2>&1 | tee -i {log:q}"
