"""Let a model attempt problems, in any mode, and keep what it wrote.

how_to_ask.py           settings and prompts: the command line's, else the model's own
attempts.py             prompts, samples and programs of one benchmark in one mode
few_shot.py             prompts for models that were never taught to chat
tool_loop.py            text and programs in turns; shared with RL
work_units.py           an evaluation in parts, each decoded once
sample_log.py           finished samples of a part in progress, for a run that is killed
transformers_engine.py  which engine decodes a model folder
server_engine.py        models behind an OpenAI-compatible API
server_client.py        how they are asked: retries, keys, failures in one line
byte_text.py            text in the place of tokens, for servers whose tokenizer is not here
"""
