"""The C library's allocator, set for large tensors that come and go."""

import ctypes
from functools import cache

# Constants of <malloc.h>, and the largest values that they take here.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_TRIM, LARGEST_KEPT = 2**31 - 1, 2**25


@cache
def keep_freed_memory() -> bool:
    """Have freed memory stay with this process, as far as the C library offers that (glibc); whether it does.

    By default glibc returns what a large tensor held to the kernel, and the next tensor of that size is handed over
    page by page, each cleared again: 7 % of the time of a training step of 135 million parameters.

    Larger tensors still go back at once. Kept as well they would save 7 % more, but parts of them would lie scattered
    between others: the peak of a large vocabulary's logits trebled.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False

    kept = mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
    return bool(mallopt(M_TRIM_THRESHOLD, LARGEST_TRIM) and kept)
