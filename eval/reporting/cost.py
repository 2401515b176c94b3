"""Wall time and peak memory of a run's jobs, from Snakemake's benchmark files."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pipeline.report.page import Section

# Beginnings of jobs' names, and the stage that they belong to, in the order of the pipeline.
STAGES = (
    ("mini_", "generated world"),
    ("fetch_", "downloads"),
    ("extract", "corpus"),
    ("dedup", "corpus"),
    ("mine_", "corpus"),
    ("decontaminate", "corpus"),
    ("finalise_", "corpus"),
    ("corpus_", "corpus"),
    ("train_coder", "coder"),
    ("tokenise", "continued pretraining"),
    ("train_base", "continued pretraining"),
    ("sft_", "fine-tuning"),
    ("train_sft", "fine-tuning"),
    ("train_reward", "reward models"),
    ("train_rl", "reinforcement learning"),
    ("evaluate_", "evaluation"),
)
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Job:
    seconds: float
    name: str
    memory_mb: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    stages: list[Job]  # sums of seconds, the most memory; in the order of the pipeline
    jobs: list[Job]  # the longest first


def cost_section(results: Path) -> Section | None:
    """Wall time and peak memory of every stage and job; None where nothing was measured."""
    jobs = read_jobs(results)
    if not jobs:
        return None
    jobs.sort(key=lambda job: (job.seconds, job.name), reverse=True)
    return Section("Time and memory", "cost.html.jinja", Cost(by_stage(jobs), jobs))


def read_jobs(results: Path) -> list[Job]:
    jobs = []
    for file in sorted((results / "benchmarks").glob("**/*.tsv")):
        with open(file, encoding="utf-8") as stream:
            line = next(csv.DictReader(stream, delimiter="\t"), None)
        if line is None:
            continue
        # Snakemake writes "-" for what it could not measure.
        memory = line.get("max_rss", "-")
        memory_mb = None if memory == "-" else float(memory)
        jobs.append(Job(float(line["s"]), file.stem, memory_mb))
    return jobs


def by_stage(jobs: list[Job]) -> list[Job]:
    """Jobs of each stage as one: their seconds added up, the most memory that one of them took."""
    members: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        members[_stage(job.name)].append(job)

    order = dict.fromkeys([*(stage for _, stage in STAGES), OTHER])
    stages = []
    for stage in order:
        if stage not in members:
            continue
        seconds = sum(job.seconds for job in members[stage])
        memory = [job.memory_mb for job in members[stage] if job.memory_mb is not None]
        stages.append(Job(seconds, stage, max(memory, default=None)))
    return stages


def _stage(job: str) -> str:
    return next((stage for beginning, stage in STAGES if job.startswith(beginning)), OTHER)
