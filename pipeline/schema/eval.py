"""Settings of stage 5, evaluation. Defaults: DeepSeekMath section 5 and its public code."""

from pipeline.schema.base import SeededSection


class Evaluation(SeededSection):
    pass
