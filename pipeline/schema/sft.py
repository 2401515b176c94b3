"""Settings of stage 3, supervised fine-tuning. Defaults: DeepSeekMath section 3."""

from pipeline.schema.base import SeededSection


class SFT(SeededSection):
    pass
