"""Large presets can be planned whole, and a profile chooses how a training starts without changing what it computes."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.config.load import load_preset
from pipeline.workflow import HALF_OF_CORES, ROOT, half_of_cores

PROFILES = ROOT / "profiles"
# What is of use as a seed, a problem, a solution and a text.
ANY_RECORD = '{"url": "http://a.example/", "text": "a", "question": "1?", "answer": "#### 1"}\n'


def planned(folder, *arguments):
    """Printed commands and rules of a dry run."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
        "-n",
        "-p",
    ]
    done = subprocess.run(
        [*map(str, command), *map(str, arguments)],
        capture_output=True, text=True, cwd=ROOT, timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def files_of(preset):
    """The user's own files that a preset names."""
    sources = preset.sources
    lists = [
        sources.seed_positives,
        sources.solutions,
        sources.problems,
        *sources.benchmarks.values(),
    ]
    lists += list(sources.heldout_text.values())
    paths = [
        path for value in lists if value for path in ([value] if isinstance(value, str) else value)
    ]
    return [path for path in paths if path not in ("mini", "hub") and not path.startswith("hub:")]


@pytest.mark.parametrize("name", ["gpu", "paper"])
def test_a_large_preset_is_planned_to_its_last_target(tmp_path, name):
    preset = load_preset(name)
    for path in files_of(preset):
        file = tmp_path / path if "." in Path(path).name else tmp_path / path / "part.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ANY_RECORD)
    warc = tmp_path / preset.sources.warc
    warc.mkdir(parents=True)
    (warc / "a.warc.gz").write_bytes(b"")
    text = planned(
        tmp_path, "rl_model", "reward_model", "corpus_report", "--config", f"preset={name}"
    )
    for rule in (
        "extract",
        "mine_round",
        "tokenise",
        "train_base",
        "train_sft",
        "train_reward_model",
        "train_rl",
    ):
        assert re.search(rf"^{rule} +\d+$", text, re.M)
    assert re.search(r"^fetch_benchmark +2$", text, re.M)  # "hub": each at its declared revision
    assert "check_coder" in text and "mini_" not in text


def test_solutions_on_the_hub_are_enough_for_reward_models_and_rl(tmp_path):
    sources = {"solutions": ["hub:openai/gsm8k:main"], "problems": None}
    (tmp_path / "hub.yaml").write_text(
        yaml.safe_dump({"extends": "smoke", "name": "hub", "sources": sources})
    )
    text = planned(
        tmp_path, "rl_model", "reward_model", "--config", f"preset={tmp_path / 'hub.yaml'}"
    )
    assert re.search(r"-m sft.data .*--solutions hub:openai/gsm8k:main", text)
    assert len(re.findall(r"-m rl\.\w+ .*--problems results/hub/sft/problems\.jsonl ", text)) == 2


def test_nothing_in_the_paper_preset_differs_from_the_schema_but_sources_and_machine():
    sections = set(yaml.safe_load((ROOT / "config" / "paper.yaml").read_text()))
    assert sections == {"name", "sources", "hardware"}


def test_a_world_of_many_shards_spreads_its_texts_over_jobs(tmp_path):
    sources = {
        "warc": "commoncrawl:CC-MAIN-2024-51",
        "crawl_files": 50,
        "files_per_shard": 2,
        "earlier_crawls": ["old crawl"],
    }
    (tmp_path / "old crawl").mkdir()
    (tmp_path / "old crawl" / "manifest.json").write_text("{}")
    (tmp_path / "many.yaml").write_text(
        yaml.safe_dump({"extends": "smoke", "name": "many", "sources": sources})
    )
    text = planned(tmp_path, "corpus", "--config", f"preset={tmp_path / 'many.yaml'}")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", text, re.M))
    # 25 shards are three batches of at most ten; there are two rounds, each of which reads texts twice.
    assert jobs["extract"] == "25" and jobs["hash_shards"] == jobs["clean_shards"] == "3"
    assert jobs["score_shards"] == "6" and jobs["read_shards"] == "12"
    assert jobs["dedup"] == "1" and jobs["mine_round"] == jobs["select_pages"] == "2"
    assert re.search(r"-m corpus.dedup .* --signatures \S+ --earlier 'old crawl' ", text)


def test_a_job_takes_no_half_of_a_half(monkeypatch):
    monkeypatch.setenv(HALF_OF_CORES, "7")
    assert half_of_cores(64, is_main_process=True) == 32
    # In the job, whose own Snakemake is given the job's cores.
    assert half_of_cores(32, is_main_process=False) == 32
    assert half_of_cores(1, is_main_process=True) == 1


def test_a_profile_starts_torchrun_in_the_place_of_python(tmp_path):
    plain = planned(tmp_path, "sft_model")
    assert "python -m pretrain.train --config" in plain and "python -m sft.train --config" in plain
    launched = planned(
        tmp_path, "sft_model", "--set-resources", "train_base:launch=torchrun --nproc-per-node 2"
    )
    assert "torchrun --nproc-per-node 2 -m pretrain.train --config" in launched
    changed = {line for line in launched.splitlines() if "launch" not in line} ^ set(
        plain.splitlines()
    )
    assert not [line for line in changed if "-m " in line and "pretrain.train" not in line]


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_profiles_name_rules_that_exist_and_start_them_as_the_rules_expect(name, tmp_path):
    profile = yaml.safe_load((PROFILES / name / "profile.yaml").read_text())
    rules = set(
        re.findall(
            r"^ *rule (\w+):", "".join(f.read_text() for f in ROOT.glob("*/rules.smk")), re.M
        )
    )
    assert set(profile["set-resources"]) | set(profile.get("set-threads", {})) <= rules
    for rule in (
        "train_base",
        "train_sft",
        "train_reward_model",
        "train_rl",
    ):
        assert "torchrun" in profile["set-resources"][rule]["launch"]
    assert profile["rerun-triggers"] == ["mtime", "input"]
    # The plugin of the cluster is not installed here: everything but the executor must be understood.
    local = tmp_path / "profile"
    local.mkdir()
    local.joinpath("profile.yaml").write_text(
        yaml.safe_dump(
            {
                key: value
                for key, value in profile.items()
                if key != "executor" and not key.startswith("slurm-")
            }
        )
    )
    text = planned(tmp_path, "rl_model", "reward_model", "--workflow-profile", local)
    for module in (r"pretrain\.train", r"sft\.train", r"rl\.reward_model", r"rl\.train"):
        assert re.search(rf"torchrun(\.sh)?\b.* -m {module}", text)


# What a real Slurm 22.05 said of jobs (scontrol show job --details --oneliner), without what nobody reads.
JOB = "JobId=41 ReqNodeList=(null) NodeList={names} NumNodes={nodes} NumCPUs=4 NumTasks={tasks}"
GPUS = "JOB_GRES=gpu:4   Nodes=node[7,9] CPU_IDs=2-3 Mem=500 GRES=gpu:2(IDX:0-1) MinCPUsNode=2 TresPerNode=gres:gpu:2"
TYPED = "JOB_GRES=gpu:a100:8   Nodes=node7 CPU_IDs=0-6,9 Mem=5 GRES=gpu:a100:8(IDX:0-7),shard:0 TresPerNode=gres:gpu:8"
UNEVEN = """JOB_GRES=gpu:3   Nodes=node7 CPU_IDs=3 Mem=500 GRES=gpu:2(IDX:0-1)
   Nodes=node9 CPU_IDs=3 Mem=500 GRES=gpu:1(IDX:0) TresPerJob=gres:gpu:3"""
NO_GPUS = "JOB_GRES=(null)   Nodes=node[7,9] CPU_IDs=0-1 Mem=500 GRES= MinCPUsNode=1"
HIDDEN = "JOB_GRES=(null)   Nodes=node[7,9] CPU_IDs=0-1 Mem=500 GRES= TresPerNode=gres:gpu:2"


def launched_in_slurm(folder, details, nodes=2, tasks=2, **variables):
    """The launch script in a job of which the executor has left only the number."""
    names = "node[7,9]" if nodes == 2 else "node7"
    job = JOB.format(names=names, nodes=nodes, tasks=tasks) + " " + details.replace("\n", "")
    (folder / "job").write_text(job)
    answers = f"""#!/bin/sh
case "$2" in
  job) cat {folder}/job ;;
  hostnames) echo node7; echo node9 ;;
  node) echo "NodeName=node7 Arch=x86_64 NodeAddr=10.0.0.7 NodeHostName=node7" ;;
esac
"""
    for name, text in (("scontrol", answers), ("srun", '#!/bin/sh\nprintf "%s\\n" "$@"\n')):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)

    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "SLURM_JOB_ID": "41"} | variables
    script = PROFILES / "slurm" / "torchrun.sh"
    return subprocess.run(
        ["bash", str(script), "-m", "pretrain.train", "--out", "a b"],
        capture_output=True, text=True, env=environment, cwd=folder,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("details", "nodes", "tasks", "processes", "cpus"),
    [
        (GPUS, 2, 2, 2, 2),
        (TYPED, 1, 1, 8, 8),
        (NO_GPUS, 2, 4, 2, 2),
    ],
)
def test_the_slurm_script_starts_one_torchrun_a_node_with_a_process_a_gpu_or_a_task(
    tmp_path, details, nodes, tasks, processes, cpus
):
    done = launched_in_slurm(tmp_path, details, nodes, tasks)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert {f"--nodes={nodes}", "--ntasks-per-node=1", f"--nnodes={nodes}"} <= set(words)
    assert {f"--nproc-per-node={processes}", f"--cpus-per-task={cpus}"} <= set(words)
    assert "--rdzv-endpoint=10.0.0.7:20041" in words and "--kill-on-bad-exit=1" in words
    assert words[-4:] == ["-m", "pretrain.train", "--out", "a b"]


@pytest.mark.parametrize(
    ("details", "tasks", "reason"),
    [
        (UNEVEN, 2, "nodes with 1 and with 2 GPUs"),
        (NO_GPUS, 3, "unknown how many processes a node"),
        (HIDDEN, 2, "does not tell how many a node"),
        ("", 2, "does not tell the nodes and CPUs"),
    ],
)
def test_an_unknown_number_of_processes_is_refused(tmp_path, details, tasks, reason):
    done = launched_in_slurm(tmp_path, details, tasks=tasks)
    assert done.returncode == 2 and reason in done.stderr and not done.stdout


def test_the_number_of_processes_can_be_given_and_outside_a_job_nothing_starts(tmp_path):
    done = launched_in_slurm(tmp_path, UNEVEN, PROCESSES_PER_NODE="1")
    assert "--nproc-per-node=1" in done.stdout.splitlines()

    outside = launched_in_slurm(tmp_path, GPUS, SLURM_JOB_ID="")
    assert outside.returncode != 0 and "runs inside a Slurm job" in outside.stderr


def test_an_evicted_pod_tells_its_trainings_and_waits_no_longer_than_it_lives():
    job = yaml.safe_load((PROFILES / "kubernetes" / "job.yaml").read_text())
    pod = job["spec"]["template"]["spec"]
    program = (PROFILES / "kubernetes" / "stop_trainings.py").read_text()
    seconds = int(re.findall(r"^SECONDS = (\d+)", program, re.M)[0])
    assert seconds < pod["terminationGracePeriodSeconds"]

    stopped = set(re.findall(r'b"([\w.]+\.\w+)"', program))
    profile = yaml.safe_load((PROFILES / "kubernetes" / "profile.yaml").read_text())
    launched = [rule for rule, given in profile["set-resources"].items() if "launch" in given]
    rules = "".join(file.read_text() for file in ROOT.glob("*/rules.smk"))
    for rule in launched:
        body = rules.split(f"rule {rule}:")[1].split("\nrule ")[0]
        assert set(re.findall(r"resources.launch\} -m (\S+)", body)) <= stopped

    claims = [volume.get("persistentVolumeClaim") for volume in pod["volumes"]]
    claim = yaml.safe_load((PROFILES / "kubernetes" / "volume.yaml").read_text())
    assert {"claimName": claim["metadata"]["name"]} in claims
