"""What a record of an archive is: the same for WARC and ARC files, whole or damaged."""

from dataclasses import dataclass


@dataclass(slots=True)
class Record:
    """One record, or one stretch of the file that could not be read (`problem` says why).

    `block` is what follows the archive's own header: for a response, HTTP header and body.
    """

    kind: str  # "response", "request", ...; "unknown" where the header is gone
    url: str
    date: str  # ISO 8601 with whole seconds, "" when absent
    block: bytes
    offset: int  # byte in the file where the record, or its gzip member, begins
    length: int  # bytes in the file, -1 when unknown
    mime: str = ""  # declared by the archive: "application/http", or ARC's content type
    truncated: bool = False  # marked by the crawler, a segment, or shorter than its header says
    problem: str = ""  # "", "damaged_record", "truncated_record", "not_a_warc", "too_large"
    detail: str = ""


def lost_stretch(begin: int, end: int, problem: str, detail: str, kind: str = "unknown") -> Record:
    """The bytes `begin` to `end` of a file, of which no record can be read."""
    return Record(
        kind=kind,
        url="",
        date="",
        block=b"",
        offset=begin,
        length=end - begin,
        problem=problem,
        detail=detail,
    )
