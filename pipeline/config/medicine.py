"""Settings of the built-in world of medicine (`sources.world: medicine`); its sizes are those of `mini`."""

from pydantic import Field

from pipeline.config.base import SeededSection


class Medicine(SeededSection):
    """Invented cases, and how careful those are whose worked answers are learnt from. NS throughout."""

    wordings: int = Field(2, ge=1, le=3)
    """Wordings in which every held-out case is asked, to measure consistency."""

    careful_share: float = Field(0.5, ge=0, le=1)
    """Share of the worked answers whose author looks at the history before choosing treatments."""

    omission_share: float = Field(0.15, ge=0, le=1)
    """Share that leave the last treatment out."""

    tonic_share: float = Field(0.15, ge=0, le=1)
    """Share that add a tonic that is in no plan."""

    sloppy_share: float = Field(0.15, ge=0, le=1)
    """Share that cite a finding that leads astray, where there is one."""
