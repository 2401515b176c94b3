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
