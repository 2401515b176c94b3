"""Finished stages whose settings have changed, for profiles that look at times alone."""

from enum import Enum

from pipeline.artifacts.write import write_json
from pipeline.config.load import load_preset
from pipeline.reuse.unseen import unseen_changes
from pipeline.workflow import print_unseen_changes

Trigger = Enum("Trigger", ["MTIME", "INPUT"])


def test_a_stage_made_with_other_settings_is_named_once_with_what_differs(tmp_path, capsys):
    before = load_preset("smoke")
    write_json(
        tmp_path / "models/base/manifest.json",
        {"settings": before.pretrain.model_dump(mode="json")},
    )
    write_json(
        tmp_path / "corpus/round_1/manifest.json",
        {
            "settings": {
                "number": 1,
                "classifier": before.corpus.classifier.model_dump(mode="json"),
                "selection": before.corpus.selection.model_dump(mode="json"),
            }
        },
    )
    assert list(unseen_changes(before, tmp_path)) == []

    changes = {
        "pretrain": {"tokens": 70_000, "optimisation": {"schedule": {"warmup_steps": 7}}},
        "corpus": {"classifier": {"epochs": 5}, "dedup": {"bands": 8}},
        "sft": {"steps": 3},
    }
    changed = load_preset("smoke", changes)
    rounds, base = unseen_changes(changed, tmp_path)
    assert (rounds.rule, rounds.settings) == ("mine_round", ["corpus.classifier.epochs"])
    schedule = "pretrain.optimisation.schedule.warmup_steps"
    assert (base.rule, base.settings) == ("train_base", [schedule, "pretrain.tokens"])

    def printed(triggers: list[Trigger], *rules: str) -> list[str]:
        print_unseen_changes(changed, str(tmp_path), rules, triggers)
        return capsys.readouterr().err.splitlines()

    assert printed([Trigger.MTIME], "mine_round", "train_base") == [rounds.line(), base.line()]
    assert printed([Trigger.MTIME], "train_base", "train_sft") == [base.line()]
    assert printed([Trigger.MTIME, Trigger.INPUT], "mine_round", "train_base") == []
