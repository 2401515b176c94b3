"""A whole crawl on a cluster: how long the real DAG takes on so many nodes, from rates that were measured.

    python -m benchmarks.crawl --nodes 1 10 100

Asks Snakemake for the graph of a crawl of 90,000 WARC files in 3,000 shards with four rounds, and simulates
its execution. Every job has the duration that follows from the rates below, its CPUs in profiles/slurm, and
Slurm's overhead a job; of the jobs that may start, the one with the longest way to the end starts first, on
the node with most free CPUs. Nothing waits for other people's jobs; disks and network are never full.
"""

import argparse
import heapq
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.workflow import ROOT

PAGES = 2.64e9  # CC-MAIN-2024-51
FILES, FILES_PER_SHARD, ROUNDS = 90_000, 30, 4
CPUS_OF_A_NODE = 64
OVERHEAD = (
    14 + 20
)  # seconds a job: Slurm and two starts of Snakemake, and half of the polling interval

# Pages a second and core of the steps that are spread: docs/scaling.md, docs/measurements/corpus.md.
SPREAD_RATES = {
    "extract": 1 / (1 / 1900 + 1 / 300),
    "hash_shards": 3460,
    "read_shards": 43_000,
    "score_shards": 1150,
    "clean_shards": 31_000,
}
# Pages a second of the steps that see all ids (python -m benchmarks.single_steps), as if one core did them alone. What
# follows the draw or the selection repeats it.
DEDUP, DRAW, SELECT = 80_000, 2_000_000, 700_000
SINGLE_RATES = {
    "dedup": DEDUP,
    "draw_examples": DRAW,
    "train_classifier": DRAW,
    "select_pages": 1 / (1 / DRAW + 1 / SELECT),
    "mine_round": 1 / (1 / DRAW + 1 / SELECT),
}
# Seconds beside that, assumed: the training on a million pages; the collected pages sorted and written.
EXTRA = {"train_classifier": 3600, "finalise_corpus": 1800}


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the graph."""

    rule: str
    cpus: int
    seconds: float
    needs: tuple[int, ...]


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    jobs = crawl_jobs(args.shards_per_job)

    counts = Counter(job.rule for job in jobs)
    print(f"{len(jobs)} jobs: " + ", ".join(f"{n} {rule}" for rule, n in counts.items()))
    core_hours: dict[str, float] = defaultdict(float)
    for job in jobs:
        core_hours[job.rule] += job.cpus * job.seconds / 3600
    print("core-hours given out: " + ", ".join(f"{r} {h:.0f}" for r, h in core_hours.items()))

    for nodes in args.nodes:
        hours = simulate(jobs, nodes) / 3600
        used = sum(core_hours.values()) / (hours * nodes * CPUS_OF_A_NODE)
        print(
            f"{nodes} nodes of {CPUS_OF_A_NODE} CPUs: {hours:.1f} hours, {used:.0%} of the CPUs in use"
        )


def crawl_jobs(shards_per_job: int) -> list[Job]:
    """The jobs of the corpus of one crawl as Snakemake plans them, with their durations."""
    sources = {
        "warc": "commoncrawl:CC-MAIN-2024-51",
        "crawl_files": FILES,
        "files_per_shard": FILES_PER_SHARD,
        "shards_per_job": shards_per_job,
    }
    preset = {"extends": "smoke", "sources": sources, "corpus": {"rounds": ROUNDS}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crawl.yaml"
        file.write_text(yaml.safe_dump(preset), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "corpus", "--dag", "dot", "--cores", "64"]
        command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", folder]
        done = subprocess.run(
            [*command, "--config", f"preset={file}"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    return jobs_of_graph(done.stdout)


def jobs_of_graph(dot: str) -> list[Job]:
    """The jobs of a graph in the language of Graphviz, as Snakemake prints it."""
    rules = {int(number): rule for number, rule in re.findall(r'(\d+)\s*\[\s*label = "(\w+)', dot)}
    needs: dict[int, list[int]] = defaultdict(list)
    for before, after in re.findall(r"(\d+) -> (\d+)", dot):
        needs[int(after)].append(int(before))

    profile = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text(encoding="utf-8"))
    jobs_of_rule = Counter(rules.values())
    place = {number: index for index, number in enumerate(rules)}
    jobs = []
    for number, rule in rules.items():
        cpus = profile["set-threads"].get(rule, 1)
        seconds = OVERHEAD + _seconds(rule, cpus, jobs_of_rule[rule])
        jobs.append(Job(rule, cpus, seconds, tuple(place[other] for other in needs[number])))
    return jobs


def _seconds(rule: str, cpus: int, jobs: int) -> float:
    """The duration of one of the `jobs` jobs of a rule, without the overhead."""
    if rule in SPREAD_RATES:
        # Each round scores all pages; texts are read twice a round.
        passes = {"score_shards": ROUNDS, "read_shards": 2 * ROUNDS}.get(rule, 1)
        return passes * PAGES / jobs / SPREAD_RATES[rule] / cpus

    single = PAGES / SINGLE_RATES[rule] if rule in SINGLE_RATES else 0.0
    return single + EXTRA.get(rule, 0)


def simulate(jobs: list[Job], nodes: int) -> float:
    """Seconds until the last job has ended."""
    after: list[list[int]] = [[] for _ in jobs]
    for number, job in enumerate(jobs):
        for other in job.needs:
            after[other].append(number)
    way = _ways_to_the_end(jobs, after)

    waiting_for = [len(job.needs) for job in jobs]
    ready = [(-way[n], n) for n, count in enumerate(waiting_for) if count == 0]
    heapq.heapify(ready)
    free = [CPUS_OF_A_NODE] * nodes
    running: list[tuple[float, int, int]] = []  # end, job, node
    now = 0.0

    while ready or running:
        now = _start(jobs, ready, free, running, now)
        now, number, node = heapq.heappop(running)
        free[node] += jobs[number].cpus
        for follower in after[number]:
            waiting_for[follower] -= 1
            if waiting_for[follower] == 0:
                heapq.heappush(ready, (-way[follower], follower))
    return now


def _start(
    jobs: list[Job],
    ready: list[tuple[float, int]],
    free: list[int],
    running: list[tuple[float, int, int]],
    now: float,
) -> float:
    """Start the most urgent jobs while nodes have room for them; the time it is."""
    while ready:
        number = ready[0][1]
        node = max(range(len(free)), key=free.__getitem__)
        if free[node] < jobs[number].cpus:
            break
        heapq.heappop(ready)
        free[node] -= jobs[number].cpus
        heapq.heappush(running, (now + jobs[number].seconds, number, node))
    return now


def _ways_to_the_end(jobs: list[Job], after: list[list[int]]) -> list[float]:
    """[jobs] seconds from a job's start to the end of the last that depends on it, without any waiting."""
    way = [0.0] * len(jobs)
    left = [len(followers) for followers in after]
    ends = [number for number, count in enumerate(left) if count == 0]
    while ends:
        number = ends.pop()
        way[number] = jobs[number].seconds + max((way[n] for n in after[number]), default=0.0)
        for other in jobs[number].needs:
            left[other] -= 1
            if left[other] == 0:
                ends.append(other)
    return way


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--shards-per-job", type=int, default=10)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
