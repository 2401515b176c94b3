"""Sampling from a model: many samples for many prompts, with the log-probability of every sampled token.

engine.py          the interface: a request, its settings, a sample, and what an engine must offer
sampler.py         our engine for Llamas and their relatives: which sequences run side by side, and when one ends
decoder.py         its model: fused weights, caches, one token a step
forward_sampler.py our engine for all others, through the model's own forward pass; which to use
sample_token.py    a token from logits and a random number; each sample's own random numbers
vllm_engine.py     vLLM as an engine: what it is asked, and the weights that it is handed
vllm_process.py    its process: started, spoken to, ended
vllm_worker.py     the program in that process, run by vLLM's own Python
"""
