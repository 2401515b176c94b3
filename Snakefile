# The whole of DeepSeekMath as one DAG. Each stage's rules are in its folder's rules.smk.
#
#   snakemake --cores all rl_model                       the mini world, offline, minutes
#   snakemake --cores all rl_model --config preset=gpu   another world: config/gpu.yaml, or a YAML path
#
# results/<preset>/
#   config/   each stage's own settings         world/    the built-in world's pages, problems, code
#   corpus/   pages, rounds, final corpus       models/   coder, base, sft, reward, process_reward, rl
#   eval/     samples and summary.json          reports/  corpus.html, results.html
#   logs/     one log a job                     benchmarks/  time and memory of each job
#   resume/   state of unfinished trainings, deleted when they end
import atexit
import os
import re
import time

from snakemake.logging import logger
from snakemake.utils import min_version

from eval.first_rows import check_benchmarks
from eval.table import print_outcome
from eval.tasks.declarations import TABLE as BENCHMARK_TABLE
from pipeline import workflow as dag  # "workflow" is a name of Snakemake's own
from pipeline.preflight import run_lock
from pipeline.preflight.check import first_minute
from rl.ratings.first_rows import check_ratings
from sft.first_rows import check_solutions

min_version("9.20")

CONFIG = dag.load_config(config, workflow.configfiles, known_benchmarks=BENCHMARK_TABLE)
RESULTS = f"results/{CONFIG.name}"
TAKEN = dag.taken_stages(CONFIG, RESULTS)
if workflow.is_main_process:
    dag.print_beginning(config, CONFIG, TAKEN)
    run_lock.hold()
    first_minute(
        CONFIG,
        RESULTS,
        check_solutions,
        check_benchmarks,
        check_ratings,
        on_this_machine=workflow.local_exec,
    )

shell.prefix(dag.shell_prefix(CONFIG))
# Snakemake prints these two lines before every job; they tell a reader nothing.
logger.addFilter(lambda record: not str(record.msg).startswith(("Select jobs to execute", "Execute ")))


wildcard_constraints:
    preset=re.escape(CONFIG.name),
    n=r"[1-9]\d*",


localrules:
    all,


# Scores are of whole answers: a reward model of steps learns from the rule only.
STEP_MODEL = [] if CONFIG.reward.labels in ("experts", "ratings") else f"{RESULTS}/models/process_reward"


# Everything that the project makes; `snakemake --cores all rl_model` needs only a part of it.
rule all:
    input:
        f"{RESULTS}/models/rl",
        f"{RESULTS}/models/reward",
        STEP_MODEL,
        f"{RESULTS}/reports/results.html",
        f"{RESULTS}/reports/corpus.html",
    default_target: True


# Inputs that are made while this file is read, so that they cost no job.
def settings(section):
    """A stage's settings as an input: other values make another file, and with it a rerun; its time says nothing."""
    return ancient(dag.settings_file(CONFIG, section))


# Two jobs share the cores where models are small: one alone leaves cores idle while it loads or reads. Large models need
# all of the memory and the accelerator. Half of the cores are what a job reserves; it computes with as many threads as
# there are cores, whatever runs beside it, since the last bits of a sampled log-probability depend on their number.
HALF = dag.half_of_cores(workflow.cores, workflow.is_main_process)
SHARE, LAUNCH = workflow.cores, "python"
if CONFIG.sources.coder == "mini":
    SHARE = HALF
    LAUNCH = f"{dag.thread_settings(workflow.cores)} python"


if TAKEN:

    include: "pipeline/rules.smk"


# How the models will be asked, which their folders carry (prompts.json). It trains nothing, so a change reruns nothing.
ASKED = ancient(dag.settings_file(CONFIG, "eval", reruns=False))


include: "mini/rules.smk"
include: "corpus/rules.smk"
include: "pretrain/rules.smk"
include: "sft/rules.smk"
include: "rl/rules.smk"
include: "eval/rules.smk"
include: "findings/rules.smk"


# On demand: every byte that the run has made, against its manifests.
rule verify:
    localrule: True
    params:
        folder=RESULTS,
    shell:
        "python -m pipeline.verify {params.folder:q}"


STARTED = time.time()
# By the end Snakemake has gone back to the folder that it was started in.
FOLDER = os.path.abspath(RESULTS)


# At the end, for Snakemake calls nothing of ours when there is nothing to be done.
@atexit.register
def say_what_was_not_seen():
    if workflow.is_main_process and workflow.dag is not None:
        wanted = {job.rule.name for job in workflow.dag.jobs}
        dag.print_unseen_changes(CONFIG, FOLDER, wanted, workflow.rerun_triggers)


# A later run that starts from this one compares its settings with these.
onstart:
    dag.record_settings(CONFIG, RESULTS)
    dag.write_settings(CONFIG, RESULTS)


onsuccess:
    print_outcome(RESULTS, since=STARTED)


onerror:
    dag.print_failure(log, RESULTS)
