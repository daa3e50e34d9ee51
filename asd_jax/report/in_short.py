"""What a run found, in one sentence for someone who reads no table."""

from asd_jax.evaluation.results import Results
from asd_jax.report.numbers import number


def in_short(results: Results) -> str:
    """How many anomalous clips the threshold finds at how many false alarms, and the AUC; empty without labels."""
    by_rule = results.thresholds.get(results.headline_scorer, {})
    by_id = next(iter(by_rule.values()), {})
    counts = [at.confusion for at in by_id.values() if at.confusion is not None]
    if not counts:
        return ""
    normal, anomalous = (sum(sum(of[truth]) for of in counts) for truth in (0, 1))
    false, found = (sum(of[truth][1] for of in counts) for truth in (0, 1))
    parts = []
    if anomalous:
        parts.append(f"{found} of {anomalous} anomalous clips are found")
    if normal:
        parts.append(f"{false} of {normal} normal clips are false alarms")
    auc = results.headline.mean.auc
    chance = f"; AUC {number(auc)} (1 is perfect, 0.5 chance)" if auc is not None else ""
    return f"in short: {' and '.join(parts)}{chance}" if parts else ""
