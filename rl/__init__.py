"""Stage 4: reward models, and reinforcement learning with GRPO and its siblings (DeepSeekMath, section 4).

train.py            the command: from the fine-tuned model to the RL model (its work: policy_training.py)
trainer.py          the loop; `Trainer.step` is where a rollout becomes a gradient
exploration.py      a step's questions, their outputs and rewards
rollouts.py         groups of outputs, and how they are sampled
rewards.py          the rule, the format, reward models, a class of your own
advantages.py       from rewards to a number for every token
methods.py          the table of methods: data source, rows, loss
objectives.py       what each token adds to the loss
policy_update.py    the optimiser step of the policy, and PPO's value model (value_model.py)
iterative.py        several iterations, between which reward models learn (Algorithm 1)
tool_sampler.py     outputs that run programs while they are written

reward_model.py     the command that trains a reward model (its work: reward_model_training.py)
step_labels.py      its labels: the rule's verdict, and rollouts from each step (solution_steps.py)
score_model.py      a reward model in use
questions.py        problems to prompts
reward_model_metrics.py   how good a reward model is on held-out problems

implicit/           a process reward model from outcome labels, and the gate that process models pass
own_code/           rewards, normalisations, aggregations, KL estimates of the user's own, and their trial
ratings/            reward models that learn from experts' scores
monitoring/         metrics of a step, evaluation, reward hacking, stopwatch
"""
