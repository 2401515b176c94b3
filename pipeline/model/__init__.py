"""Models as all stages use them: on disk, in conversation, on several processes and several cores.

load.py         Hugging Face folders in and out, and the device
precision.py    fp32 or bf16: as the settings say, or whichever is faster here
architecture.py what tells architectures apart: windows, rotary positions, changes of the logits
chat.py         problems and solutions to token ids: the one place where prompts are built
model_prompts.py   how a model wants to be asked: prompts.json beside its weights
card.py         the model card: origin, licence, prompts, limits, a snippet
older_releases.py  what older releases of transformers read in a model folder
adapters.py     low-rank adapters (LoRA): put in, read with the weights, merged
distributed.py  one training on several processes: replicated or sharded
free_memory.py  what an accelerator still has for this process
threads.py      several micro-batches at a time on the cores of one processor
allocator.py    the C library keeps what large tensors held
"""
