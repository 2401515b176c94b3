"""Where tests find real pages and benchmarks: the folder named by SHARED_DATA, or shared/data beside the checkout.

Tests that use it skip with a reason where it is absent; nothing outside tests may import this.
"""

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """The folder or file `name` of the real data, or a skip with a clear reason."""
    root = os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(root) / name
    if not path.exists():
        pytest.skip(f"real data not here: {name} (set SHARED_DATA to the folder that holds it)")
    return path
