# The findings ledger. `findings` runs every claim's missing seeds (hours), `finding_<id>` those of one claim, with dashes as
# underscores; both then make the ledger. Evidence is never made anew because code changed: the ledger says which is older.
import shlex

from findings.claims import claims_of
from findings.plan import planned

CLAIMS = claims_of(CONFIG.name)
EVIDENCE = f"{RESULTS}/findings/evidence"
LEFT = {claim.id: [f"{EVIDENCE}/{claim.id}/seed_{seed}.json" for seed in planned(claim, CONFIG.name)] for claim in CLAIMS}
ALL_LEFT = [file for files in LEFT.values() for file in files]


rule finding_seed:
    output:
        "results/{preset}/findings/evidence/{claim}/seed_{seed}.json",
    params:
        # A claim that is declared anew is run anew.
        digest=lambda w: next(claim.digest for claim in CLAIMS if claim.id == w.claim),
        world=str(config.get("preset", "mini")),
    wildcard_constraints:
        claim="|".join(claim.id for claim in CLAIMS) or "none",
        seed=r"\d+",
    # The runs that a study starts use the cores themselves.
    threads: workflow.cores
    log:
        "results/{preset}/logs/finding.{claim}.{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/finding.{claim}.{seed}.tsv"
    message:
        "finding: {wildcards.claim}, seed {wildcards.seed}, of " + str(len(ALL_LEFT)) + " seeds without committed evidence"
    shell:
        "python -m findings.run --claim {wildcards.claim:q} --seed {wildcards.seed:q} --preset {params.world:q}"
        " --cores {threads} --out {output:q} 2>&1 | tee -i {log:q}"


LEDGER = shlex.join(
    ["python", "-m", "findings.report", "--preset", CONFIG.name, "--evidence", EVIDENCE]
    + ["--json", f"{RESULTS}/findings/findings.json", "--page", f"{RESULTS}/reports/findings.html", "--status"]
)


rule findings:
    input:
        ALL_LEFT,
    message:
        "findings: the ledger"
    shell:
        LEDGER


for claim in CLAIMS:

    rule:
        name:
            claim.rule
        input:
            LEFT[claim.id],
        message:
            f"finding: {claim.id}, into the ledger"
        shell:
            LEDGER
