"""Models as all stages use them: on disk, in conversation, on several processes and several cores.

load.py         Hugging Face folders in and out, and the device
precision.py    fp32 or bf16: as the settings say, or whichever is faster here
architecture.py what tells architectures apart: windows, rotary positions, changes of the logits
chat.py         problems and solutions to token ids: the one place where prompts are built
distributed.py  one training on several processes: replicated or sharded
threads.py      several micro-batches at a time on the cores of one processor
"""
