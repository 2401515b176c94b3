"""Memory that an accelerator still has for this process."""

import torch


def free_memory(device: torch.device) -> int | None:
    """Bytes that this process may still allocate on `device`; None for a processor, whose memory is not counted.

    What torch has reserved and nothing uses any more is free too.
    """
    if device.type != "cuda":
        return None

    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free + unused
