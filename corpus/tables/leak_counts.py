"""What the removal of benchmark problems took, by benchmark: the report and the dataset card count alike."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

EXACT, WHOLE, EDITED = "A", "B", "C"
"""Rules of `corpus.leaks`: a shared n-gram, a short text as a whole, an edited copy."""


class LeakCount(TypedDict):
    """One benchmark."""

    benchmark: str
    items: int | None  # guarded; None where the run does not say
    found: int  # distinct items on removed pages
    rules: dict[str, int]  # rule -> items found by it; an item counts by its strongest rule
    pages: int  # removed pages that hold one of its items


def leak_counts(
    removed: Iterable[Mapping[str, Any]], guarded: Mapping[str, int]
) -> list[LeakCount]:
    """Counts for each guarded benchmark, also for those of which nothing was found.

    A page counts for every benchmark whose items it holds, not only for the item it shares most with.

    Args:
        removed: rows of the removal log.
        guarded: benchmark -> number of its items.
    """
    pages: dict[str, set[int]] = defaultdict(set)
    rules: dict[str, dict[str, str]] = defaultdict(dict)

    for row in removed:
        found = [(row["benchmark"], str(row["item"]), row["rule"])]
        for other in json.loads(row["also"]):
            found.append((other["benchmark"], str(other["item"]), other.get("rule", EXACT)))

        for benchmark, item, rule in found:
            pages[benchmark].add(row["doc_id"])
            # The rules' letters are in the order of their strength.
            known = rules[benchmark].get(item, rule)
            rules[benchmark][item] = min(known, rule)

    counts: list[LeakCount] = []
    for benchmark in sorted(set(guarded) | set(pages)):
        of_item = list(rules[benchmark].values())
        counts.append(
            {
                "benchmark": benchmark,
                "items": guarded.get(benchmark),
                "found": len(of_item),
                "rules": {rule: of_item.count(rule) for rule in (EXACT, WHOLE, EDITED)},
                "pages": len(pages[benchmark]),
            }
        )
    return counts
