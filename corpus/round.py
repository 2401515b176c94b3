"""One round of mining: train the classifier, score every page, collect the best, find domains and URL prefixes.

Reads  the page tables, the folder of corpus.dedup, the seeds (JSON Lines with `url`), the round before, and, if
       given, a person's annotations.
Writes a folder with classifier.bin, scores/<shard>.parquet (doc_id, score), collected.parquet (doc_id, url, score,
       n_tokens; best first), domains.parquet, url_prefixes.yaml and manifest.json.

    python -m corpus.round --number 2 --classifier results/mini/config/corpus.classifier.json \\
        --selection results/mini/config/corpus.selection.json --pages results/mini/corpus/pages \\
        --dedup results/mini/corpus/dedup --seeds results/mini/world/seeds.jsonl \\
        --previous results/mini/corpus/round_1 --out results/mini/corpus/round_2

DeepSeekMath section 2.1. Positives of the first round are the seeds; of later rounds also the pages under accepted
prefixes. The paper adds those not yet collected; here collected ones under an accepted prefix come along (NS), or the
classifier would unlearn what it found. Negatives are other pages: of mathematical domains only those under a rejected
prefix, so that manuals and shops beside the mathematics are learnt as what they are (NS). Nothing is extracted,
hashed or deduplicated again. Truth about pages is never read.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.mining import (
    calibration,
    domains,
    fasttext_model,
    selection,
    training_set,
    url_prefixes,
)
from corpus.mining.annotations import Annotation, Annotations, decide, read_annotations
from corpus.mining.features import line_of
from corpus.mining.math_evidence import evidence
from corpus.mining.round_tables import open_tables, seed_ids, write_tables, write_yaml
from corpus.mining.score import score_shards
from corpus.tables.shards import kept_batches, shard_files
from pipeline.artifacts.write import atomic_folder, write_manifest
from pipeline.config.corpus import Classifier, Selection
from pipeline.config.load import read_section
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, required=True, help="the round, from 1")
    parser.add_argument("--classifier", required=True, help="JSON of the section corpus.classifier")
    parser.add_argument("--selection", required=True, help="JSON of the section corpus.selection")
    parser.add_argument("--pages", type=Path, required=True, help="folder of page tables")
    parser.add_argument("--dedup", type=Path, required=True, help="folder written by corpus.dedup")
    parser.add_argument("--seeds", type=Path, required=True, help="JSON Lines with `url`")
    parser.add_argument(
        "--previous", type=Path, help="folder of the round before; none for round 1"
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        help="a person's YAML of URL prefixes (see corpus.mining.annotations)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--workers", type=int, default=1, help="processes that score")
    options = parser.parse_args(argv)
    if (options.number == 1) != (options.previous is None):
        raise UserError(
            f"--number {options.number}: --previous is for rounds after the first, and needed there"
        )
    with atomic_folder(options.out) as folder:
        metrics = Round(options, folder).run()
        settings = {"number": options.number} | {
            name: read_section(getattr(options, name), kind).model_dump()
            for name, kind in _SECTIONS.items()
        }
        inputs = [options.dedup / "manifest.json", options.seeds]
        inputs += [path for path in (options.annotations,) if path]
        inputs += [
            options.previous / name
            for name in ("url_prefixes.yaml", "collected.parquet")
            if options.previous
        ]
        counts = metrics.pop("counts")
        write_manifest(
            folder / "manifest.json",
            "corpus.round",
            settings=settings,
            inputs=inputs,
            counts=counts,
            metrics=metrics,
        )
    held = metrics["held_out"]
    print(
        f"round {options.number}: {counts['collected_pages']} pages, {counts['collected_tokens']} tokens collected "
        f"({100 * (metrics['already_collected'] or 0):.1f} % of them before); held-out AUC {held['auc']}, "
        f"precision {held['precision']}, recall {held['recall']}; {counts['flagged_domains']} domains flagged, "
        f"{counts['accepted_prefixes']} prefixes accepted"
    )


_SECTIONS = {"classifier": Classifier, "selection": Selection}


class Round:
    """The steps of one round over one DuckDB connection; tables: kept, positives, scores, collected, explored,
    domains."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder
        self.classifier = read_section(options.classifier, Classifier)
        self.selection = read_section(options.selection, Selection)
        self.shards = [file.stem for file in shard_files(options.pages)]
        self.database = open_tables(options.dedup, folder)
        self.person = (
            read_annotations(options.annotations) if options.annotations else Annotations(version=1)
        )

    def run(self) -> dict:
        """Do the round; return the manifest's metrics and counts."""
        earlier = self._earlier_decisions()
        seeds = seed_ids(self.options.seeds, self.options.pages, self.options.dedup, self.shards)
        chosen = self._draw(seeds, earlier)
        used = self._train(chosen)
        model = self.folder / "classifier.bin"
        score_shards(
            self.options.pages, self.options.dedup, self.shards, model, self.folder / "scores",
            self.classifier.max_tokens, self.options.workers,
        )  # fmt: skip
        held_positive, held_negative, cut = self._select(chosen)
        decisions, accepted = self._annotate(earlier)
        counts = self._counts(seeds, chosen, decisions, accepted)
        write_tables(self.database, self.folder)
        return {
            "counts": counts,
            "cut_score": round(cut, 6),
            "held_out": calibration.held_out_metrics(held_positive, held_negative, cut),
            "fasttext": used,
            "already_collected": self._already_collected(),
            "stop_share": self.selection.stop_share,
        }

    def _earlier_decisions(self) -> dict[str, Annotation]:
        """What holds before this round: the round before's decisions, overruled by the person's."""
        previous = self.options.previous
        earlier = read_annotations(previous / "url_prefixes.yaml").decisions() if previous else {}
        return url_prefixes.merge({}, earlier, self.person.decisions())

    def _draw(
        self, seeds: np.ndarray, decisions: dict[str, Annotation]
    ) -> training_set.TrainingSet:
        """Table `positives`, and the training set drawn from it and from the pages that may be negatives."""
        judged = list(self._judged_pages(decisions))
        named = {
            side: training_set.ids_array(
                doc_id for doc_id, found in judged if found and found.decision == side
            )
            for side in ("accept", "reject")
        }
        positives = np.union1d(seeds, named["accept"])
        self.database.register("positives", pa.table({"doc_id": positives}))
        self.database.register(
            "rejected", pa.table({"doc_id": np.setdiff1d(named["reject"], positives)})
        )
        pool = self.database.execute(
            "SELECT doc_id FROM kept WHERE doc_id NOT IN (FROM positives) AND (doc_id IN (FROM rejected)"
            " OR domain NOT IN (FROM accepted_domains UNION ALL SELECT domain FROM kept LEFT JOIN positives p"
            f" USING (doc_id) GROUP BY domain HAVING count(p.doc_id) > {self.selection.domain_share!r} * count(*)))"
        ).fetchnumpy()["doc_id"]
        if not len(positives):
            raise UserError(f"{self.options.seeds}: none of its URLs is among the extracted pages")
        if not len(pool):
            raise UserError(
                f"{self.options.pages}: every page is a seed or of a seed's domain; no negatives are left"
            )
        return training_set.draw(positives, pool, self.classifier)

    def _judged_pages(
        self, decisions: dict[str, Annotation]
    ) -> Iterator[tuple[int, Annotation | None]]:
        """(doc_id, the decision about it) of every kept page of the domains with an accepted prefix."""
        names = sorted(
            {d.prefix.partition("/")[0] for d in decisions.values() if d.decision == "accept"}
        )
        self.database.register(
            "accepted_domains", pa.table({"domain": pa.array(names, pa.string())})
        )
        rows = self.database.execute(
            "SELECT doc_id, domain || path FROM kept WHERE domain IN (FROM accepted_domains) ORDER BY doc_id"
        )
        while batch := rows.fetchmany(100_000):
            yield from ((doc_id, decide(address, decisions)) for doc_id, address in batch)

    def _train(self, chosen: training_set.TrainingSet) -> dict:
        lines = self._read_pages(
            chosen.all(), lambda text, _: line_of(text, self.classifier.max_tokens)
        )
        parameters = training_set.fasttext_parameters(
            self.classifier, len(chosen.positives) + len(chosen.negatives)
        )
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            path = Path(scratch) / "train.txt"
            written = training_set.write_lines(path, chosen, lines, self.classifier.seed)
            used = fasttext_model.train(path, self.folder / "classifier.bin", parameters)
        return used | {"lines": written}

    def _read_pages(self, doc_ids: np.ndarray, convert: Callable[[str, int], object]) -> dict:
        """`convert(text, formulas)` of these kept pages, by doc_id."""
        wanted, found = pa.array(np.unique(doc_ids)), {}
        columns = ["doc_id", "text", "n_math"]
        for shard in self.shards:
            for batch in kept_batches(self.options.pages, self.options.dedup, shard, columns):
                batch = batch.filter(pc.is_in(batch["doc_id"], value_set=wanted))
                ids, texts, formulas = (batch[name].to_pylist() for name in columns)
                found.update(zip(ids, map(convert, texts, formulas), strict=True))
        return found

    def _select(self, chosen: training_set.TrainingSet) -> tuple[np.ndarray, np.ndarray, float]:
        """Tables `scores`, `collected`, `explored`; returns held-out scores of both classes and the cut."""
        self.database.execute(
            "CREATE TABLE scores AS SELECT doc_id, score FROM read_parquet(?)",
            [[str(self.folder / "scores" / f"{shard}.parquet") for shard in self.shards]],
        )
        held = [self._scores_of(ids) for ids in (chosen.held_positives, chosen.held_negatives)]
        budget = selection.budget_of_round(self.selection, self.options.number)
        cut = None
        if budget is None:
            known = held[0] if len(held[0]) else self._scores_of(chosen.positives)
            everything = self.database.execute("SELECT score FROM scores").fetchnumpy()["score"]
            cut = selection.automatic_cut(known, everything, self.selection.least_recall)
        selection.collect(self.database, budget, cut)
        selection.explore(
            self.database, self.selection.explore_factor, self.selection.explore_share
        )
        lowest = self.database.execute("SELECT min(score) FROM collected").fetchone()[0]
        return (
            held[0],
            held[1],
            cut if cut is not None else float(1.0 if lowest is None else lowest),
        )

    def _scores_of(self, doc_ids: np.ndarray) -> np.ndarray:
        self.database.register("asked", pa.table({"doc_id": doc_ids}))
        return self.database.execute(
            "SELECT score FROM scores WHERE doc_id IN (FROM asked) ORDER BY score"
        ).fetchnumpy()["score"]

    def _annotate(self, earlier: dict[str, Annotation]) -> tuple[dict[str, Annotation], list]:
        """Table `domains` and url_prefixes.yaml; returns all decisions and the uncollected pages they accept."""
        domains.find_domains(self.database, self.selection)
        prefixes = url_prefixes.list_prefixes(self.database, self.selection, self.classifier.seed)
        asked = training_set.ids_array(
            {doc_id for prefix in prefixes.values() for doc_id in prefix.members}
        )
        limit, border = self.classifier.max_tokens, self.selection.page_evidence
        url_prefixes.judge(
            prefixes,
            self._read_pages(
                asked, lambda text, formulas: evidence(text, formulas, limit) >= border
            ),
        )
        automatic = (
            url_prefixes.annotate(prefixes, self.selection)
            if self.person.others == "automatic"
            else {}
        )
        decisions = url_prefixes.merge(automatic, earlier, self.person.decisions())
        write_yaml(
            self.database,
            self.folder / "url_prefixes.yaml",
            decisions,
            prefixes,
            self.selection.prefix_samples,
        )
        accepted = [
            i for i, found in self._judged_pages(decisions) if found and found.decision == "accept"
        ]
        self.database.register("asked", pa.table({"doc_id": pa.array(accepted, pa.uint64())}))
        new = self.database.execute(
            "FROM asked WHERE doc_id NOT IN (SELECT doc_id FROM collected)"
        ).fetchall()
        return decisions, new

    def _counts(
        self,
        seeds: np.ndarray,
        chosen: training_set.TrainingSet,
        decisions: dict[str, Annotation],
        new: list,
    ) -> dict:
        one = lambda query: int(self.database.execute(query).fetchone()[0] or 0)  # noqa: E731
        return {
            "pages": one("SELECT count(*) FROM kept"),
            "tokens": one("SELECT sum(n_tokens) FROM kept"),
            "seeds": len(seeds),
            "positives": len(chosen.positives),
            "negatives": len(chosen.negatives),
            "held_out_positives": len(chosen.held_positives),
            "held_out_negatives": len(chosen.held_negatives),
            "collected_pages": one("SELECT count(*) FROM collected"),
            "collected_tokens": one("SELECT sum(n_tokens) FROM collected"),
            "explored_pages": one("SELECT count(*) FROM explored"),
            "flagged_domains": one("SELECT count(*) FROM domains WHERE flagged"),
            "prefixes": len(decisions),
            "accepted_prefixes": sum(d.decision == "accept" for d in decisions.values()),
            "new_positives": len(new),
        }

    def _already_collected(self) -> float | None:
        """Share of this round's tokens that the round before had collected; None in the first round."""
        if not self.options.previous:
            return None
        before, now = self.database.execute(
            "SELECT sum(n_tokens) FILTER (doc_id IN (SELECT doc_id FROM read_parquet(?))), sum(n_tokens)"
            " FROM collected",
            [str(self.options.previous / "collected.parquet")],
        ).fetchone()
        return round((before or 0) / now, 6) if now else None


if __name__ == "__main__":
    run_main(main)
