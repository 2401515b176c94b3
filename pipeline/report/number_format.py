"""Numbers as readers of a report see them. What is missing (None) is shown as a dash."""

MISSING = "–"


def number(value: float | None, digits: int = 0) -> str:
    """12345.678 as "12,346", or with as many decimals as `digits` says."""
    if value is None:
        return MISSING
    return f"{value:,.{digits}f}"


def count(value: float | None) -> str:
    """Like `number`, but a million and more as "1.2M", a billion and more as "1.2B"."""
    if value is None:
        return MISSING

    for limit, unit in ((1e9, "B"), (1e6, "M")):
        if abs(value) >= limit:
            return f"{value / limit:,.1f}{unit}"
    return f"{value:,.0f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share in 0..1 as a percentage: 0.1234 as "12.3 %"."""
    if share is None:
        return MISSING
    return f"{100 * share:.{digits}f} %"


def points(share: float) -> str:
    """A change of a share as percentage points with their sign: "+1.2", "−0.3"; none on zero."""
    text = f"{100 * share:+.1f}"
    if float(text) == 0:
        return "0.0"
    return text.replace("-", "−")
