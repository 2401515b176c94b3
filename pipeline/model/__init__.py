"""Models as all stages use them: on disk, in conversation, on several processes and several cores.

load.py         Hugging Face folders in and out, the device and the precision
chat.py         problems and solutions to token ids: the one place where prompts are built
distributed.py  one training on several processes: replicated or sharded
threads.py      several micro-batches at a time on the cores of one processor
"""
