"""Whether a process model is good enough to train a policy with: a weak one is exploited within some sixty steps.

Two figures on held-out problems decide (docs/measurements/rl.md): how well it tells right from wrong solutions of one
problem, as advantages compare them, and whether what it credits follows the number of steps instead.
"""

from pathlib import Path

from pipeline.artifacts.write import MANIFEST, read_json
from pipeline.config.rl import RL
from pipeline.errors import UserError

LEAST_AUC = 0.65
"""`auc_within` of a model that may reward steps."""

MOST_CORRELATION = 0.5
"""Largest `length_correlation`, of either sign."""


def check_process_model(settings: RL, folder: Path | None) -> None:
    """Raise a UserError where the settings reward steps by a weak model and do not say that this is meant.

    Models without these figures, of an older version or from elsewhere, are not judged.
    """
    uses_it = bool(settings.rewards.get("process_model"))
    if not uses_it or settings.allow_weak_process_model or folder is None:
        return
    manifest = folder / MANIFEST
    metrics = read_json(manifest).get("metrics", {}) if manifest.is_file() else {}

    faults = []
    auc = metrics.get("auc_within")
    if auc is not None and auc < LEAST_AUC:
        faults.append(f"auc_within {auc:.3f} is below {LEAST_AUC}")
    correlation = metrics.get("length_correlation")
    if correlation is not None and abs(correlation) > MOST_CORRELATION:
        faults.append(f"length_correlation {correlation:+.3f} is beyond ±{MOST_CORRELATION}")

    if faults:
        raise UserError(
            f"{folder}: this process model is weak ({'; '.join(faults)}), a policy would learn to please it; train a "
            "better one (reward.process_model: implicit), or set rl.allow_weak_process_model: true"
        )
