"""One round of mining: train the classifier, score every page, collect the best, find domains and URL prefixes.

Reads  the page tables, the folder of corpus.dedup, the seeds (JSON Lines with `url`), the round before, and, if
       given, a person's annotations.
Writes a folder with classifier.bin, scores/<shard>.parquet (doc_id, score), collected.parquet (doc_id, url, score,
       n_tokens; best first), domains.parquet, judged.parquet (the annotator's calls of sample pages), url_prefixes.yaml
       and manifest.json.

    python -m corpus.round --number 2 --classifier results/mini/config/corpus.classifier.json \\
        --selection results/mini/config/corpus.selection.json --pages results/mini/corpus/pages \\
        --dedup results/mini/corpus/dedup --seeds results/mini/world/seeds.jsonl \\
        --previous results/mini/corpus/round_1 --out results/mini/corpus/round_2

DeepSeekMath section 2.1. Positives of the first round are the seeds; of later rounds also the pages
under accepted prefixes. The paper adds those not yet collected; here collected ones under an accepted
prefix come along (NS), or the classifier would unlearn what it found. Negatives are other pages: of
mathematical domains only those under a rejected prefix, so that manuals and shops beside the
mathematics are learnt as what they are (NS). Under an undecided prefix, pages that the annotator read teach
one by one, if its two views agree (NS). Nothing is extracted, hashed or deduplicated again. Truth
about pages is never read.
"""

import argparse
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.mining import fasttext_model, selection, training_set, url_prefixes
from corpus.mining.annotations import Annotations, Decisions, read_annotations
from corpus.mining.annotator import Annotator, domains_of_the_subject
from corpus.mining.calibration import HeldOut, held_out_metrics
from corpus.mining.calls import Call, read_calls, write_calls
from corpus.mining.features import line_of
from corpus.mining.given import Given, parse_args
from corpus.mining.passes import LEARN, MODEL, Passes, Pause
from corpus.mining.round_tables import (
    annotated_pages,
    open_tables,
    register_ids,
    seed_ids,
    write_tables,
    write_yaml,
)
from corpus.mining.training_set import TrainingSet
from corpus.tables.database import one_row
from corpus.tables.finished import link
from pipeline.artifacts.check import check_artifact, check_inputs
from pipeline.artifacts.resume import claim_folder, fingerprint
from pipeline.artifacts.write import atomic_folder, file_digest, payload, write_manifest
from pipeline.errors import UserError, run_main

# Where the passes leave their files when nobody names a folder: inside the round's own, without the point of it.
TEMPORARY = ".passes"


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv, __doc__)
    check_artifact(args.dedup)
    check_inputs(args.dedup, args.pages)
    given = Given.read(args)

    try:
        result = _run(given, args)
    except Pause:
        print(f"round {given.number}: what the pass {given.until} needs is in {given.passes}")
        return

    counts, held = result.counts, result.metrics["held_out"]
    before = 100 * (result.metrics["already_collected"] or 0)
    print(
        f"round {given.number}: {counts['collected_pages']} pages, "
        f"{counts['collected_tokens']} tokens collected ({before:.1f} % of them before); "
        f"held-out AUC {held['auc']}, precision {held['precision']}, recall {held['recall']}; "
        f"{counts['flagged_domains']} domains flagged, "
        f"{counts['accepted_prefixes']} prefixes accepted"
    )


def _run(given: Given, args: argparse.Namespace) -> "Result":
    """The round into `--out`; with `--until` only as far as that, which leaves nothing there."""
    if given.until and given.passes:
        given.passes.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=given.passes) as scratch:
            return run_round(given, Path(scratch))

    if args.resume:
        claim_folder(args.resume, f"corpus.round {given.number}")
    with atomic_folder(args.out) as folder:
        result = run_round(given, folder)
    if args.resume:
        shutil.rmtree(args.resume, ignore_errors=True)
    return result


@dataclass(frozen=True, slots=True)
class Result:
    """What a round's manifest says."""

    counts: dict
    metrics: dict


class Round:
    """One turn of the paper's loop (figure 2); every step makes tables that the later ones read.

    Tables: kept, positives, scores, collected, explored, domains; see `corpus.mining.round_tables`.
    """

    def __init__(self, given: Given, folder: Path):
        self.given = given
        self.folder = folder
        self.crawl = given.crawl
        self.database = open_tables(given.crawl, folder)
        self.calls: dict[int, Call] = {}  # the annotator's, of the round before
        if given.previous:
            self.calls = read_calls(given.previous / "judged.parquet")
        self.passes = Passes(
            given.crawl,
            given.passes or folder / TEMPORARY,
            given.workers,
            given.by_jobs,
            given.until,
        )
        self.person = Annotations(version=1)
        if given.annotations:
            self.person = read_annotations(given.annotations)

    def run(self) -> Result:
        """Do the round and write its files but for the manifest."""
        earlier = self.earlier_decisions()
        # Of a page that repeats one of an earlier crawl, the page that stays is not of this one.
        seeds = self.kept_of(seed_ids(self.given.seeds, self.crawl))

        # 1. Train the classifier on the seeds and on what earlier rounds have added to them.
        examples = self.draw_examples(seeds, earlier)
        training = self.train_classifier(examples)

        # 2. Recall mathematical pages from the crawl: score all of them, collect the best.
        self.score_pages()
        held_out = HeldOut(
            positive=self.scores_of(examples.held_positives),
            negative=self.scores_of(examples.held_negatives),
        )
        cut = self.collect_pages(examples, held_out)

        # 3. Find the domains that hold many of them.
        self.find_domains()

        # 4. Annotate URL prefixes inside these domains. Pages under accepted ones are the next seeds.
        decisions = self.annotate_prefixes(seeds, earlier, cut)
        new_positives = self.count_new_positives(decisions)

        self.passes.end()
        write_tables(self.database, self.folder)
        link(self.passes.folder / MODEL, self.folder / MODEL)

        counts = self.count_pages() | {
            "seeds": len(seeds),
            "positives": len(examples.positives),
            "negatives": len(examples.negatives),
            "held_out_positives": len(examples.held_positives),
            "held_out_negatives": len(examples.held_negatives),
            "prefixes": len(decisions),
            "accepted_prefixes": sum(d.decision == "accept" for d in decisions.values()),
            "new_positives": new_positives,
        }
        metrics = {
            "cut_score": round(cut, 6),
            "held_out": held_out_metrics(held_out, cut),
            "fasttext": training,
            "already_collected": self.already_collected(),
            "stop_share": self.given.selection.stop_share,
        }
        return Result(counts, metrics)

    def kept_of(self, doc_ids: np.ndarray) -> np.ndarray:
        """Those of the pages that survived deduplication, ascending."""
        register_ids(self.database, "asked", doc_ids)
        return self.database.execute(
            "SELECT doc_id FROM kept WHERE doc_id IN (FROM asked) ORDER BY doc_id"
        ).fetchnumpy()["doc_id"]

    def earlier_decisions(self) -> Decisions:
        """What holds before this round: the round before's decisions, overruled by the person's."""
        earlier: Decisions = {}
        if self.given.previous:
            earlier = read_annotations(self.given.previous / "url_prefixes.yaml").decisions()
        return url_prefixes.merge({}, earlier, self.person.decisions())

    # ---- 1. Train the classifier

    def draw_examples(self, seeds: np.ndarray, decisions: Decisions) -> TrainingSet:
        """Make the table `positives`; draw the training set from it and from possible negatives."""
        accepted, rejected = self.pages_by_decision(decisions)
        positives = np.union1d(seeds, accepted)
        register_ids(self.database, "positives", positives)
        register_ids(self.database, "rejected", np.setdiff1d(rejected, positives))

        # A page of a mathematical domain is no safe negative: there mathematics lies next to the rest.
        # Such a domain has a prefix that is not rejected, or positives make up more than the paper's
        # tenth of it. Nor is a page that the annotator took for one of the subject, wherever it lies.
        agreed = [doc_id for doc_id, call in self.calls.items() if call.agreed]
        register_ids(self.database, "agreed", agreed)
        pool = self.database.execute(f"""
            SELECT doc_id
            FROM kept
            WHERE doc_id NOT IN (FROM positives)
              AND (doc_id IN (FROM rejected) OR doc_id NOT IN (FROM agreed))
              AND (doc_id IN (FROM rejected)
                   OR domain NOT IN (
                       FROM mixed_domains
                       UNION ALL
                       SELECT domain
                       FROM kept LEFT JOIN positives p USING (doc_id)
                       GROUP BY domain
                       HAVING count(p.doc_id) > {self.given.selection.domain_share!r} * count(*)
                   ))
        """).fetchnumpy()["doc_id"]

        if not len(positives):
            raise UserError(f"{self.given.seeds}: none of its URLs is among the extracted pages")
        if not len(pool):
            raise UserError(
                f"{self.crawl.pages}: every page is a seed or of a seed's domain; no negatives are left"
            )
        return training_set.draw(positives, pool, self.given.classifier)

    def pages_by_decision(self, decisions: Decisions) -> tuple[np.ndarray, np.ndarray]:
        """doc_ids of pages that the decisions make positives, and of those they make negatives.

        Positives lie under accepted prefixes, negatives under rejected ones beside them; under an
        undecided prefix they are the pages that the round before read and whose calls agree.
        Makes the table `mixed_domains`: those with an accepted or undecided prefix. Others are not
        looked at.
        """
        domains = set()
        for judged in decisions.values():
            if judged.decision != "reject":
                domains.add(judged.prefix.partition("/")[0])
        names = pa.array(sorted(domains), pa.string())
        self.database.register("mixed_domains", pa.table({"domain": names}))

        positive, negative = [], []
        for doc_id, annotation in annotated_pages(self.database, decisions):
            if annotation is None:
                continue
            call = self.calls.get(doc_id) if annotation.decision == "undecided" else None
            if annotation.decision == "accept" or (call is not None and call.agreed):
                positive.append(doc_id)
            elif annotation.decision == "reject" or (call is not None and call.denied):
                negative.append(doc_id)

        return training_set.ids_array(positive), training_set.ids_array(negative)

    def train_classifier(self, examples: TrainingSet) -> dict:
        """Write classifier.bin; return fastText's parameters and the number of training lines."""
        settings = self.given.classifier
        count = len(examples.positives) + len(examples.negatives)
        parameters = training_set.fasttext_parameters(settings, count)
        lines = self.passes.read(
            LEARN, examples.all(), lambda text, _: line_of(text, settings.max_tokens)
        )

        def train(model: Path) -> dict:
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                path = Path(scratch) / "train.txt"
                written = training_set.write_lines(path, examples, lines, settings.seed)
                used = fasttext_model.train(path, model, parameters)
            return used | {"lines": written}

        made_from = fingerprint(
            settings.model_dump(),
            file_digest(self.crawl.dedup / "manifest.json"),
            hashlib.sha256(examples.positives.tobytes()).hexdigest(),
            hashlib.sha256(examples.negatives.tobytes()).hexdigest(),
        )
        return self.passes.train(made_from, train)

    # ---- 2. Recall mathematical pages

    def score_pages(self) -> None:
        """Write scores/<shard>.parquet and make the table `scores`."""
        files = self.passes.score(self.given.classifier.max_tokens)
        for file in files:
            link(file, self.folder / "scores" / file.name)
        self.database.execute(
            "CREATE TABLE scores AS SELECT doc_id, score FROM read_parquet(?)",
            [[str(file) for file in files]],
        )

    def scores_of(self, doc_ids: np.ndarray) -> np.ndarray:
        """The scores of some pages, ascending."""
        register_ids(self.database, "asked", doc_ids)
        return self.database.execute(
            "SELECT score FROM scores WHERE doc_id IN (FROM asked) ORDER BY score"
        ).fetchnumpy()["score"]

    def collect_pages(self, examples: TrainingSet, held_out: HeldOut) -> float:
        """Make the table `collected`; return the score down to which pages were taken."""
        settings = self.given.selection
        budget = selection.budget_of_round(settings, self.given.number)

        if budget is None:
            known = held_out.positive
            if not len(known):  # a handful of seeds may leave none aside
                known = self.scores_of(examples.positives)
            everything = self.database.execute("SELECT score FROM scores").fetchnumpy()["score"]
            cut = selection.automatic_cut(known, everything, settings.least_recall)
            selection.collect(self.database, None, cut)
            return cut

        selection.collect(self.database, budget, None)
        (lowest,) = one_row(self.database, "SELECT min(score) FROM collected")
        return 1.0 if lowest is None else float(lowest)

    # ---- 3. Find mathematical domains

    def find_domains(self) -> None:
        """Make the tables `explored` and `domains`."""
        settings = self.given.selection
        selection.explore(self.database, settings.explore_factor, settings.explore_share)
        selection.find_domains(self.database, settings)

    # ---- 4. Annotate URL prefixes

    def annotate_prefixes(self, seeds: np.ndarray, earlier: Decisions, cut: float) -> Decisions:
        """Write url_prefixes.yaml and judged.parquet; return all decisions that hold from now on."""
        settings = self.given.selection
        seed = self.given.classifier.seed

        # What the classifier flags is read; what that reading teaches may flag further domains.
        prefixes = url_prefixes.list_prefixes(self.database, settings, seed)
        calls = self.call_pages(prefixes, seeds, earlier, cut)
        domains_of_the_subject(self.database, calls, settings)
        prefixes = url_prefixes.list_prefixes(self.database, settings, seed)
        url_prefixes.judge(prefixes, calls)

        automatic: Decisions = {}
        if self.person.others == "automatic":
            automatic = url_prefixes.annotate(prefixes, settings, earlier)
        decisions = url_prefixes.merge(automatic, earlier, self.person.decisions())

        write_calls(self.folder / "judged.parquet", calls)
        write_yaml(
            self.database,
            self.folder / "url_prefixes.yaml",
            decisions,
            prefixes,
            settings.prefix_samples,
        )
        return decisions

    def call_pages(
        self,
        prefixes: dict[str, url_prefixes.Prefix],
        seeds: np.ndarray,
        earlier: Decisions,
        cut: float,
    ) -> dict[int, Call]:
        """The annotator's calls of sample pages of all domains and of these prefixes."""
        classifier = self.given.classifier
        accepted, _ = self.pages_by_decision(earlier)
        annotator = Annotator(self.passes, self.database, self.given.selection)
        return annotator.call(
            members={doc_id for prefix in prefixes.values() for doc_id in prefix.members},
            positives=np.union1d(seeds, accepted),
            seed=classifier.seed,
            limit=classifier.max_tokens,
            cut=cut,
        )

    def count_new_positives(self, decisions: Decisions) -> int:
        """Pages under accepted prefixes that no classifier has collected: what the paper adds to the seed."""
        accepted, _ = self.pages_by_decision(decisions)
        register_ids(self.database, "asked", accepted)
        return self._number(
            "SELECT count(*) FROM asked WHERE doc_id NOT IN (SELECT doc_id FROM collected)"
        )

    # ---- The manifest

    def count_pages(self) -> dict:
        return {
            "pages": self._number("SELECT count(*) FROM kept"),
            "tokens": self._number("SELECT sum(n_tokens) FROM kept"),
            "collected_pages": self._number("SELECT count(*) FROM collected"),
            "collected_tokens": self._number("SELECT sum(n_tokens) FROM collected"),
            "explored_pages": self._number("SELECT count(*) FROM explored"),
            "flagged_domains": self._number("SELECT count(*) FROM domains WHERE flagged"),
        }

    def already_collected(self) -> float | None:
        """Share of this round's tokens that the round before had collected; None in the first round.

        The paper stopped when it was nearly 98 %.
        """
        if not self.given.previous:
            return None

        before, now = one_row(
            self.database,
            """
            SELECT sum(n_tokens) FILTER (doc_id IN (SELECT doc_id FROM read_parquet(?))),
                   sum(n_tokens)
            FROM collected
            """,
            [str(self.given.previous / "collected.parquet")],
        )
        return round((before or 0) / now, 6) if now else None

    def _number(self, query: str) -> int:
        """The single value of a query; a sum over no rows is 0."""
        (value,) = one_row(self.database, query)
        return int(value or 0)


def run_round(given: Given, folder: Path) -> Result:
    """Do a round in `folder`, an existing one, its manifest last."""
    result = Round(given, folder).run()
    shutil.rmtree(folder / TEMPORARY, ignore_errors=True)
    write_manifest(
        folder / "manifest.json",
        "corpus.round",
        settings=given.settings(),
        inputs=given.input_files(),
        counts=result.counts,
        metrics=result.metrics,
        files=payload(folder),
    )
    return result


if __name__ == "__main__":
    run_main(main)
