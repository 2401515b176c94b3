"""The mark of resumable work: what must be equal for its state to be taken up again."""

import hashlib
import json


def fingerprint(*parts: object) -> str:
    """A digest (16 hex characters) of settings, input digests and code digests."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
