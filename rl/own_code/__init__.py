"""Code of your own inside RL, named in the settings as `module:name`: rewards, and the three places where variants of
GRPO differ.

    rl:
      rewards: {"my_code:Brevity": 1.0}     a class with a method score(groups), see rl/rewards.py
      normalisation: my_code:leave_one_out  (rewards [n], pool [m]) -> advantages [n]
      aggregation: my_code:by_square_root   (lengths, max_new_tokens) -> a weight for each output
      kl: my_code:absolute                  (log_probs [N], ref_log_probs [N]) -> the term of each token [N]

`examples/own_grpo.py` holds one of each. The module is looked up in the working folder, then among the packages; its
code counts as the stage's, so that a change in it trains the policy again.

load.py    from a name to the object, and the checks of what it returns
check.py   the program that tries each of them on worked examples before any job runs (its work: trials.py)
"""
