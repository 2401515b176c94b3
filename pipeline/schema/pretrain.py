"""Settings of stage 2, continued pretraining. Defaults: DeepSeekMath section 2.3."""

from pipeline.schema.base import SeededSection


class Pretrain(SeededSection):
    pass
