"""The dated files of lm-evaluation-harness, and a model card with scores."""

import hashlib
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval import card as eval_card
from eval.reporting.harness_files import sanitised, write_harness_files
from eval.sampling.how_to_ask import HowToAsk
from eval.summary import summarise
from eval.verdicts.graded_samples import SAMPLES
from pipeline.config.eval import Evaluation
from pipeline.config.prompts import Prompts
from pipeline.errors import UserError
from pipeline.model.card import split_front_matter
from tests.support.tiny_model import tiny_tokenizer


def row(number, correct, greedy=True, sample=0):
    return {
        "id": f"p{number}", "kind": "", "level": "1", "language": "en", "question": f"{number}?", "greedy": greedy,
        "sample": sample, "prompt": f"User: {number}?", "output": f"It is {number}.", "printed": None, "program": "",
        "tokens": 3, "finish": "stop", "logprob": -1.0, "seconds": 0.1, "extracted": str(number) if correct else None,
        "gold": str(number), "correct": correct, "status": "ok", "method": "", "compat": True, "program_correct": None,
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    rows = [row(0, True), row(1, False)]
    rows += [row(0, i == 0, False, i) for i in range(2)] + [row(1, False, False, i) for i in (0, 1)]
    table = pa.Table.from_pylist(rows, schema=SAMPLES)
    (tmp_path / "out").mkdir()
    pq.write_table(table, tmp_path / "out" / "own.cot.parquet")
    tiny_tokenizer().save_pretrained(tmp_path / "model")

    asking = HowToAsk("chat", ["cot"], Evaluation(max_new_tokens=9), Prompts(), {}, None)
    scores = {"own.cot": summarise(rows)}
    model = str(tmp_path / "model")
    return write_harness_files(
        tmp_path / "lm", model, tmp_path / "out", scores, {"own.cot": 0}, asking
    )


def test_names_carry_task_and_date_as_the_harness_reads_them(written):
    results, samples = written
    date = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?"
    assert re.fullmatch(rf"results_{date}\.json", results.name)
    assert re.fullmatch(rf"samples_own_cot_{date}\.jsonl", samples.name)
    assert sanitised("owner/model:a") == "owner__model__a" == sanitised("owner//model:a")


def test_results_say_when_and_with_what_they_were_measured(written):
    results = json.loads(written[0].read_text())
    assert results["results"]["own_cot"]["exact_match,strict"] == 0.5
    assert results["results"]["own_cot"]["exact_match,compat"] == 1.0
    assert re.fullmatch("[0-9a-f]{40}", results["git_hash"] or "0" * 40)
    assert results["date"] > 1.7e9 and results["transformers_version"]
    assert {"torch", "numpy"} <= results["versions_of_libraries"].keys()
    assert results["tokenizer_eos_token"] == ["<eos>", "257"]
    assert results["config"]["gen_kwargs"] == {"max_gen_toks": 9}
    assert results["n-samples"]["own_cot"] == {"original": 2, "effective": 2}


def test_a_line_of_samples_holds_problem_prompt_answers_and_verdict(written):
    lines = [json.loads(line) for line in written[1].read_text().splitlines()]
    assert [(line["doc_id"], line["filter"]) for line in lines] == [
        *((0, "strict"), (0, "compat"), (0, "none")),
        *((1, "strict"), (1, "compat"), (1, "none")),
    ]
    first, second, drawn = lines[0], lines[3], lines[2]
    assert (first["exact_match"], second["exact_match"]) == (1.0, 0.0)
    assert first["resps"] == [["It is 0."]] and first["filtered_resps"] == ["0"]
    assert first["arguments"]["gen_args_0"]["arg_0"] == "User: 0?"
    assert first["prompt_hash"] == hashlib.sha256(b"User: 0?").hexdigest()
    assert (drawn["pass@1"], len(drawn["resps"][0])) == (0.5, 2)

    # The harness's digest of a task: those of its lines, one behind the other.
    text = "".join(line["doc_hash"] + line["prompt_hash"] + line["target_hash"] for line in lines)
    results = json.loads(written[0].read_text())
    assert results["task_hashes"]["own_cot"] == hashlib.sha256(text.encode()).hexdigest()


# Model cards with scores.

CARD = "---\nlicense: mit\n---\n\n# A model\n\n## How to ask it\n\nSo.\n"


def test_a_card_with_scores_has_them_in_table_and_front_matter(tmp_path, capsys):
    model = tmp_path / "run" / "models" / "rl"
    model.mkdir(parents=True)
    (model / "README.md").write_text(CARD)
    (tmp_path / "run" / "eval").mkdir()
    scores = summarise([row(0, True), row(1, False)])
    summary = {"rl": {"own.cot": scores, "minif2f.cot": {"n": 2, "not_run": 1}}}
    (tmp_path / "run" / "eval" / "summary.json").write_text(json.dumps(summary))

    eval_card.main([str(model)])
    values, text = split_front_matter(capsys.readouterr().out)
    assert values["license"] == "mit" and "So.\n" in text
    (entry,) = values["model-index"][0]["results"]
    assert entry["metrics"][0]["value"] == 50.0 and entry["dataset"]["name"] == "own"
    low, high = (100 * scores[key] for key in ("greedy_low", "greedy_high"))
    assert f"| own | cot | 2 | 50.0 [{low:.1f}, {high:.1f}] |" in text
    assert text.index("## Scores") < text.index("## How to ask it")
    assert (model / "README.md").read_text() == CARD, "the folder stays as it is"


def test_scores_of_another_model_are_not_taken(tmp_path):
    (tmp_path / "README.md").write_text(CARD)
    (tmp_path / "summary.json").write_text('{"sft": {}}')
    arguments = [str(tmp_path), "--summary", str(tmp_path / "summary.json"), "--name", "rl"]
    with pytest.raises(UserError, match="no scores of rl; there are sft"):
        eval_card.main(arguments)
