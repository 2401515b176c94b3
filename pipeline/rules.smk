# Stages that are taken from another run (`from` in the settings). The rule names its files without wildcards, so that
# Snakemake prefers it to the rules that would make them.


rule take_stages:
    output:
        folders=[directory(f"{RESULTS}/{path}") for path in TAKEN.folders],
        files=[f"{RESULTS}/{path}" for path in TAKEN.files],
        record=f"{RESULTS}/taken.json",
    params:
        run=str(TAKEN.run),
        out=RESULTS,
        paths=TAKEN.artifacts,
        # What lies there now: made anew there, it is taken anew here.
        found=TAKEN.digest,
    log:
        f"{RESULTS}/logs/take_stages.log",
    message:
        f"taken from {TAKEN.run}: " + ", ".join(stage.name for stage in TAKEN.stages)
    shell:
        "python -m pipeline.reuse.take --from {params.run:q} --out {params.out:q} {params.paths:q} > {log:q} 2>&1"
