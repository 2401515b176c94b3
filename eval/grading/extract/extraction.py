"""What extraction returns: `Extraction`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extraction:
    """The final answer as written, or None; `method` names the rule that found it or why there is none."""

    answer: str | None
    method: str
