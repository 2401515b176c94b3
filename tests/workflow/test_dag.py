"""The whole DAG on the smoke preset: it runs, a second run does nothing, and a change reruns what depends on it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = (
    "coder_model corpus corpus_report base_model sft_model reward_model process_reward_model rl_model evaluation "
    "results_report all"
).split()
EVALUATION = {
    "evaluate_model",
    "summarise",
    "record_environment",
    "results_report_page",
    "all",
}


def snakemake(*arguments, cwd, expect=0, repository=ROOT):
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        repository / "Snakefile",
        "--directory",
        cwd,
    ]
    done = subprocess.run(
        [*map(str, command), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=repository,
        timeout=900,
    )
    assert done.returncode == expect, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def planned(*arguments, cwd, repository=ROOT) -> dict[str, int]:
    """Rules that a dry run would run, and how often."""
    text = snakemake(*arguments, "--dry-run", cwd=cwd, repository=repository)
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", text, re.M | re.S)
    return (
        {line.split()[0]: int(line.split()[1]) for line in table[1].splitlines()} if table else {}
    )


def overlay(folder, values) -> Path:
    path = Path(folder) / "overlay.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned_on_an_empty_folder(target, tmp_path):
    assert planned(target, cwd=tmp_path)


def test_a_typo_in_the_configuration_is_one_line_without_traceback(tmp_path):
    mine = overlay(tmp_path, {"rl": {"lerning_rate": 1e-4}})
    text = snakemake("rl_model", "-n", "--configfile", mine, cwd=tmp_path, expect=2)
    assert "error: preset mini: rl.lerning_rate: unknown key; did you mean 'learning_rate'?" in text
    assert "Traceback" not in text


def test_a_key_that_stands_twice_in_an_overlay_is_one_line(tmp_path):
    mine = tmp_path / "twice.yaml"
    mine.write_text("rl: {steps: 5}\nrl: {group_size: 8}\n")
    text = snakemake("rl_model", "-n", "--configfile", mine, cwd=tmp_path, expect=2)
    assert f"error: {mine}, line 2: rl stands twice, in line 1 already" in text


def test_a_missing_file_of_the_user_is_one_line_before_any_job(tmp_path):
    mine = overlay(tmp_path, {"sources": {"solutions": ["nowhere.jsonl"]}})
    text = snakemake("rl_model", "-n", "--configfile", mine, cwd=tmp_path, expect=2)
    assert (
        "error: sources.solutions = 'nowhere.jsonl': no such file or folder" in text
        and "Traceback" not in text
    )


def test_an_unknown_preset_is_one_line(tmp_path):
    text = snakemake("rl_model", "-n", "--config", "preset=mimi", cwd=tmp_path, expect=2)
    assert "preset 'mimi'" in text and "Traceback" not in text


SMOKE = ("--config", "preset=smoke")


@pytest.mark.slow
class TestSmoke:
    def test_all_stable_names_are_there(self, smoke):
        results = smoke / "results" / "smoke"
        for name in ("coder", "base", "sft", "reward", "process_reward", "rl"):
            for file in (
                "config.json",
                "model.safetensors",
                "tokenizer.json",
                "README.md",
                "manifest.json",
                "metrics.jsonl",
            ):
                assert (results / "models" / name / file).is_file(), (name, file)
        for path in ("corpus/decontaminated.parquet", "corpus/final/README.md", "corpus/final/manifest.json",
                     "corpus/round_2/classifier.bin", "corpus/round_2/collected.parquet",
                     "corpus/round_2/domains.parquet",
                     "corpus/round_2/url_prefixes.yaml", "reports/corpus.html", "reports/corpus.json",
                     "reports/results.html"):  # fmt: skip
            assert (results / path).is_file(), path
        assert not list((results / "resume").glob("*")), "resumable state is gone after success"

    def test_models_load_in_plain_transformers(self, smoke):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        for name in ("coder", "base", "sft", "rl"):
            folder = smoke / "results" / "smoke" / "models" / name
            tokenizer = AutoTokenizer.from_pretrained(folder)
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": "1+1?"}], tokenize=False, add_generation_prompt=True
            )
            assert text.endswith("User: 1+1?\n\nAssistant:")
            AutoModelForCausalLM.from_pretrained(folder)

    def test_the_summary_agrees_with_the_samples(self, smoke):
        results = smoke / "results" / "smoke"
        summary = json.loads((results / "eval" / "summary.json").read_text())
        assert set(summary) == {"coder", "base", "sft", "rl"}
        rows = pq.read_table(results / "eval" / "rl" / "minimath.cot.parquet").to_pylist()
        greedy = [row["correct"] for row in rows if row["greedy"]]
        scores = summary["rl"]["minimath.cot"]
        assert scores["n"] == len(greedy) == 40
        assert scores["greedy"] == pytest.approx(sum(greedy) / 40, abs=1e-4)
        assert {"maj@2", "pass@2", "greedy_low", "greedy_high"} <= set(scores)

    def test_no_planted_duplicate_and_no_leaked_problem_is_left(self, smoke):
        truth = json.loads((smoke / "results" / "smoke" / "reports" / "corpus.json").read_text())[
            "truth"
        ]
        assert truth["duplicates"] > 0 and truth["duplicates_left"] == 0
        assert truth["leaks"] > 0 and truth["leaks_left"] == 0

    def test_a_second_run_does_nothing(self, smoke):
        assert planned("all", *SMOKE, cwd=smoke) == {}

    def test_changing_the_rl_section_reruns_rl_and_evaluation_only(self, smoke, tmp_path):
        mine = overlay(tmp_path, {"rl": {"learning_rate": 1.23e-5}})
        jobs = planned("all", "--configfile", mine, *SMOKE, cwd=smoke)
        assert jobs.get("train_rl") == 1 and jobs.get("evaluate_model") == 1
        assert set(jobs) <= EVALUATION | {"train_rl"}

    def test_changing_the_classifier_reruns_from_the_rounds_on_and_not_extraction(
        self, smoke, tmp_path
    ):
        mine = overlay(tmp_path, {"corpus": {"classifier": {"dimension": 17}}})
        jobs = planned("all", "--configfile", mine, *SMOKE, cwd=smoke)
        assert {"mine_round", "train_base", "train_sft", "train_rl"} <= set(jobs)
        assert not {"extract", "dedup", "mini_web", "mini_problems", "train_coder"} & set(jobs)

    def test_one_round_more_adds_one_round(self, smoke, tmp_path):
        mine = overlay(tmp_path, {"corpus": {"rounds": 3}})
        assert planned("corpus", "--configfile", mine, *SMOKE, cwd=smoke).get("mine_round") == 1

    def test_changing_a_stage_s_code_reruns_that_stage(self, smoke, repository_copy):
        with open(repository_copy / "rl" / "train.py", "a") as stream:
            stream.write("\n\ndef added() -> None:\n    pass\n")
        with open(repository_copy / "sft" / "train.py", "a") as stream:
            stream.write("# a comment changes nothing\n")
        rerun = planned("all", *SMOKE, cwd=smoke, repository=repository_copy)
        assert "train_rl" in rerun and set(rerun) <= EVALUATION | {"train_rl"}

    def test_changing_the_glossary_reruns_mining_and_what_follows(self, smoke, repository_copy):
        with open(repository_copy / "corpus" / "mining" / "glossary.yaml", "a") as stream:
            stream.write("# one more concept\n")
        rerun = planned("all", *SMOKE, cwd=smoke, repository=repository_copy)
        assert {"mine_round", "finalise_corpus", "train_base"} <= set(rerun)
        assert not {"extract", "dedup", "mini_web", "train_coder"} & set(rerun)


@pytest.fixture
def repository_copy(tmp_path) -> Path:
    """A copy of the tracked files, to be changed by a test."""
    copy = tmp_path / "copy"
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in tracked.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    return copy


def test_a_module_that_was_renamed_and_not_in_its_rule_is_an_error(repository_copy, tmp_path):
    rules = repository_copy / "corpus" / "rules.smk"
    rules.write_text(
        rules.read_text().replace('code_digest("corpus.round")', 'code_digest("corpus.rounds")')
    )
    text = snakemake("corpus", "-n", cwd=tmp_path, expect=1, repository=repository_copy)
    assert "no module 'corpus.rounds'" in text


def test_a_reward_whose_module_is_nowhere_is_one_line_before_any_job(tmp_path):
    mine = overlay(tmp_path, {"rl": {"rewards": {"my_rewards:politeness": 1.0}}})
    text = snakemake("rl_model", "-n", "--configfile", mine, cwd=tmp_path, expect=2)
    assert "error: rl.rewards: no module 'my_rewards'" in text and "Traceback" not in text


def test_code_of_ones_own_that_gives_nan_is_one_line_before_any_job(tmp_path):
    (tmp_path / "my_credit.py").write_text(
        "def f(rewards, pool):\n    return rewards * float('nan')\n"
    )
    mine = overlay(tmp_path, {"rl": {"normalisation": "my_credit:f"}})
    text = snakemake("rl_model", "-n", "--configfile", mine, cwd=tmp_path, expect=2)
    assert "error: rl.normalisation: my_credit:f: gave nan at place 0" in text
    assert "Traceback" not in text
