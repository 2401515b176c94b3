"""The allocator: what a large tensor held is there for the next one."""

import resource
import subprocess
import sys

import pytest

from pipeline.model.allocator import keep_freed_memory

AGAIN = """
import resource, sys
from pipeline.model.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(20):
    blocks = [bytearray(20_000_000) for _ in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def test_large_blocks_are_handed_over_by_the_kernel_only_once():
    if not keep_freed_memory():
        pytest.skip("the C library offers no mallopt")

    faults = {}
    for how in ("keep", "return"):
        run = subprocess.run(
            [sys.executable, "-c", AGAIN, how], capture_output=True, text=True, check=True
        )
        faults[how] = int(run.stdout)
    block = 4 * 20_000_000 // resource.getpagesize()
    assert faults["return"] > 15 * block > 3 * block > faults["keep"]
