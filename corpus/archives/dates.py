"""Dates of archive records: every legal form to ISO 8601 in UTC with whole seconds.

WARC/1.1 allows any precision from the year on (W3C note on date and time formats); some writers add
an offset, or put ARC's digits without separators.
"""

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[Tt ]"
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r" ?(?:[Zz]|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?)?)?)?"
)
# Fractions of a second may follow.
_DIGITS = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?\d{0,4}"
)


def iso_date(value: str) -> str:
    """The date in UTC as `YYYY-MM-DDThh:mm:ssZ`; "" for what is no date.

    What a date of lower precision leaves open is its beginning: "2024-05" is midnight of May 1st.
    """
    text = value.strip()
    match = _DIGITS.fullmatch(text) or _ISO.fullmatch(text)
    if not match:
        return ""

    part = match.groupdict()
    second = int(part["second"] or 0)
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"] or 1),
            int(part["day"] or 1),
            int(part["hour"] or 0),
            int(part["minute"] or 0),
            59 if second == 60 else second,  # a leap second
            tzinfo=UTC,
        )
        if part.get("sign"):
            offset = timedelta(hours=int(part["hours"]), minutes=int(part["minutes"]))
            moment = moment - offset if part["sign"] == "+" else moment + offset
    except (ValueError, OverflowError):
        return ""
    return moment.replace(tzinfo=None).isoformat() + "Z"
