"""Settings of stage 4, reward models and reinforcement learning. Defaults: DeepSeekMath section 4."""

from pipeline.schema.base import SeededSection


class Reward(SeededSection):
    pass


class RL(SeededSection):
    pass
