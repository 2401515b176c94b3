"""Log-probabilities and their gradients for rows of tokens: micro-batches in, one number a target token out.

batches.py      rows with a loss mask and per-token columns, contexts of a token stream, micro-batches
layout.py       which of the forward passes below computes a model's rows; log-probabilities without gradient
log_probs.py    a micro-batch by transformers' own modules, few logits at a time
row_attention.py  packed rows in transformers' attention: no mask, no leak
shared_prefix.py  a question's prompt computed once for all its answers
ragged.py       rows of different lengths end to end and as a padded block
fused_llama.py  a small Llama on a CPU in fewer and larger operations
fused_packed.py   its attention of packed rows: fine-tuning, pretraining, score models
fused_shared_prefix.py  its attention of answers that share their prompts: GRPO
fused_ops.py    its pieces with hand-written backward passes
"""
