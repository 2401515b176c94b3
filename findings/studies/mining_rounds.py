"""Recall and precision of the mined corpus by round, against what the generated web knows about its pages.

Settings: `last`, the round that is compared with the first one and with the one before it; smaller worlds that have
fewer rounds are measured at their own last one.
"""

import numpy as np

from corpus.measure_truth import ALL, measure
from findings.evidence import problems_digest
from findings.statistics import Sample
from findings.studies.task import Outcome, Task

PROGRAMS = ("mini.web", "corpus.extract", "corpus.dedup", "corpus.round", "corpus.measure_truth")
MEASURES = ("recall", "precision", "recall_of_all")


def run(task: Task) -> Outcome:
    run = task.start("corpus/final", "world/truth/pages.jsonl")
    rounds = measure(run / "corpus", run / "world" / "truth" / "pages.jsonl")

    # One value a web: its pages are not drawn independently of one another.
    web = problems_digest([task.name, task.seed])
    of_round = {}
    for line in rounds:
        found = line["languages"][ALL]
        of_round[line["round"]] = {
            name: Sample(web, np.array([found[name]])) for name in MEASURES if name in found
        }

    last = min(task.settings["last"], max(of_round))
    arms = {"first": of_round[1], "before_last": of_round[last - 1], "last": of_round[last]}
    curve = {name: [line["languages"][ALL][name] for line in rounds] for name in MEASURES[:2]}
    return Outcome(arms, notes={"by round": curve, "last": last})
