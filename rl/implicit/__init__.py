"""The implicit process reward model: a language model whose log-ratio to the fine-tuned model is the reward of a step.

A step's reward is beta times the sum over its tokens of log(model / reference). Trained on the rule's verdicts of whole
solutions alone, the sum over a solution becomes the log-odds that it is right, and its parts say where that was won or
lost (arXiv 2412.01981, Eq. 3; updated while the policy learns: PRIME, arXiv 2502.01456). It needs no rollouts from
steps.

scores.py    log-ratios of solutions, rewards of their steps, what each solution adds to the gradient
reward.py    the model in use, frozen or learning from each step of RL
training.py  the training from labelled solutions
gate.py      whether a process model is good enough to train a policy with
"""
