"""The declared claims can be run: their studies exist, their conditions name what is measured, their settings load."""

from importlib import import_module
from pathlib import Path

import pytest

from findings.claims import Claim, claim_named, read_claims, read_reasons
from findings.plan import planned
from findings.studies.corpora import CORPORA
from findings.studies.leak_removal import EDITS
from findings.studies.runs import TAKEN_AFTER, arm_settings, merged, nested
from findings.studies.task import Task
from pipeline.config.load import load_preset
from pipeline.errors import UserError

CLAIMS = read_claims()
OF_RUNS = [claim for claim in CLAIMS if claim.study == "runs"]
ISSUE = """mining-rounds decontamination corpus-quality multilingual code-first arxiv-useless sft-formats online-rft
grpo-over-online-rft process-over-outcome iterative majority-not-pass ppo-memory ppo-equal variants
reward-hacking""".split()


def test_all_claims_that_were_asked_for_are_declared():
    assert set(ISSUE) <= {claim.id for claim in CLAIMS}
    assert set(read_reasons()) <= {claim.id for claim in CLAIMS}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_names_a_study_and_arms_that_are_there(claim):
    study = import_module(f"findings.studies.{claim.study}")
    assert callable(study.run) and study.PROGRAMS

    arms = {
        "runs": set(claim.settings.get("arms", {})),
        "corpora": set(claim.settings.get("corpora", ())),
        "leak_doses": {f"dose_{dose}" for dose in claim.settings.get("doses", ())},
        "leak_removal": {*EDITS, "innocent"},
        "mining_rounds": {"first", "before_last", "last"},
        "ppo_memory": {"predicted", "measured"},
    }[claim.study]
    for condition in claim.tests:
        assert {condition.of, condition.against or condition.of} <= arms, condition.name
    assert set(claim.settings.get("corpora", ())) <= set(CORPORA)


def every_arm():
    for claim in OF_RUNS:
        for arm in claim.settings["arms"]:
            yield pytest.param(claim, arm, id=f"{claim.id}-{arm}")


@pytest.mark.parametrize(("claim", "arm"), list(every_arm()))
def test_the_settings_of_an_arm_are_settings_of_the_workflow(claim, arm, tmp_path, monkeypatch):
    """With every value that is tried; a mistake here would be found hours after the start."""
    monkeypatch.chdir(tmp_path)
    own = dict(claim.settings["arms"][arm])
    own.pop("model", None)
    own.pop("formats", None)
    task = Task(claim, 3, "mini", "mini", 1)
    overlay = arm_settings(task, Path("results/start"), arm, own)
    assert overlay.pop("from").endswith(TAKEN_AFTER[claim.settings["after"]])

    tried = [overlay]
    for setting, values in claim.settings.get("tune", {}).items():
        chosen = [merged(overlay, nested(setting, value)) for value in values]
        tried += chosen + [merged(c, claim.settings.get("tune_with", {})) for c in chosen]
    for values in tried:
        config = load_preset("mini", {**values, "seed": 3})
        assert config.rl.seed == 3
        assert set(config.eval.sample_modes) <= set(config.eval.modes)


def test_rewards_of_an_arm_are_those_that_it_names():
    """A preset's rewards are merged, so that what an arm does without must be set to 0."""
    claim = claim_named("iterative")
    config = load_preset("mini", claim.settings["arms"]["once"])
    assert {name for name, weight in config.rl.rewards.items() if weight} == {"outcome_model"}


def test_the_digest_covers_what_is_tested_and_not_how_often():
    values = claim_named("online-rft").model_dump(exclude_none=True)
    before = Claim(**values).digest
    assert Claim(**(values | {"presets": {"mini": 9}})).digest == before

    stricter = [dict(values["tests"][0], more_than=0.03)]
    assert Claim(**(values | {"tests": stricter})).digest != before
    assert Claim(**(values | {"settings": {}})).digest != before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("claims: [{id: a}]", "claim 0"),
        ("claims: 3", "claim"),
        ("nothing: []", "claim"),
    ],
)
def test_a_mistake_in_the_claims_is_one_line(tmp_path, text, expected):
    file = tmp_path / "claims.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=expected) as caught:
        read_claims(file)
    assert "\n" not in str(caught.value)


def test_an_unknown_claim_is_told_the_known_ones():
    with pytest.raises(UserError, match="not declared; there are mining-rounds"):
        claim_named("grpo")


def test_a_seed_is_left_until_evidence_of_the_claim_as_it_stands_is_committed(tmp_path):
    claim = claim_named("mining-rounds")
    assert planned(claim, "mini", tmp_path) == [0, 1, 2, 3, 4]

    folder = tmp_path / "mini" / claim.id
    folder.mkdir(parents=True)
    (folder / "seed_1.json").write_text(f'{{"claim_digest": "{claim.digest}"}}')
    (folder / "seed_2.json").write_text('{"claim_digest": "of an earlier declaration"}')
    assert planned(claim, "mini", tmp_path) == [0, 2, 3, 4]
