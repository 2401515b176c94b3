"""What one process of a launch says of itself; with "fail" the last one ends badly and the others wait."""

import os
import sys
import time

rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
local = f"{os.environ['LOCAL_RANK']} of {os.environ['LOCAL_WORLD_SIZE']}"
# One write, so that lines of several processes do not mix.
sys.stdout.write(f"process {rank} of {world}, {local} on {os.environ['SLURMD_NODENAME']}\n")
sys.stdout.flush()

if sys.argv[1:] == ["fail"]:
    if rank == world - 1:
        sys.exit(3)
    time.sleep(600)
