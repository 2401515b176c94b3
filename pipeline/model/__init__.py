"""Models as all stages use them: on disk, in conversation, on several processes and several cores.

load.py         Hugging Face folders in and out, the device and the precision
chat.py         problems and solutions to token ids: the one place where prompts are built
model_prompts.py   how a model wants to be asked: prompts.json beside its weights
card.py         the model card: origin, licence, prompts, limits, a snippet
older_releases.py  what older releases of transformers read in a model folder
distributed.py  one training on several processes: replicated or sharded
threads.py      several micro-batches at a time on the cores of one processor
"""
