"""What to expect of a detector in service, where no fault was ever recorded: false alarms, from normal clips alone."""

import dataclasses

import numpy as np

from asd_jax.datasets import Machine
from asd_jax.datasets.clips import names_of
from asd_jax.detectors import Detector, thresholds
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.report.table import Table

RULES = ("gamma_0.9", "gamma_0.95", "gamma_0.99", "gamma_0.999")
_A_DAY = 24  # recordings, one an hour


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a rule costs on one machine.

    Attributes:
        machine: the machine.
        rule: of the threshold, such as `gamma_0.9`.
        threshold: fitted on all normal scores; infinite where the rule never alarms.
        n_normal: normal clips behind it.
        n_false: those above a threshold that was fitted without their fold (five folds).
        interval: 95 % (Clopper and Pearson, 1934) of the share of normal clips that alarm.
    """

    machine: Machine
    rule: str
    threshold: float
    n_normal: int
    n_false: int
    interval: tuple[float, float]

    @property
    def rate(self) -> float:
        """Share of normal clips that alarm, cross-validated."""
        return self.n_false / self.n_normal


def expect(machine: Machine, fitted: FittedScorer, rule: str, *, seed: int = 0) -> Expectation:
    """What a rule costs, from the scores that a scorer's thresholds rest on.

    Args:
        machine: whose scorer it is.
        fitted: the scorer.
        rule: of the threshold.
        seed: of the folds.
    """
    from scipy.stats import binomtest

    scores, source = fitted.normal_scores, fitted.threshold.source
    n_false = 0
    fold = thresholds.folds(len(scores), seed=seed)
    for k in range(fold.max() + 1) if len(scores) > 1 else ():
        limit = thresholds.fit(rule, scores[fold != k], source=source).value
        n_false += int(np.sum(thresholds.decide(scores[fold == k], limit)))
    interval = binomtest(n_false, len(scores)).proportion_ci()
    return Expectation(
        machine, rule, fitted.at(rule).value, len(scores), n_false, (float(interval.low), float(interval.high))
    )


def expectation_table(detector: Detector) -> Table:
    """The rule that decides and others, a row each and machine: threshold, and false alarms a day.

    The machine id is left out where there is only one.
    """
    by_machine = detector.fitted[detector.headline_scorer]
    rows, kinds, names = [], [], names_of(by_machine)
    for machine, fitted in by_machine.items():
        for rule in dict.fromkeys((fitted.threshold.name, *RULES)):
            found = expect(machine, fitted, rule)
            name = [names[machine]] if len(by_machine) > 1 else []
            low, high = found.interval
            kinds.append("decides" if rule == fitted.threshold.name else "")
            rows.append(
                [
                    *name,
                    rule,
                    f"{found.threshold:.4g}" if np.isfinite(found.threshold) else "never alarms",
                    f"{found.n_false} of {found.n_normal} ({found.rate:.0%})",
                    f"{found.rate * _A_DAY:.1f}",
                    f"{low * _A_DAY:.1f} to {high * _A_DAY:.1f}",
                ]
            )
    fewest = min(len(fitted.normal_scores) for fitted in by_machine.values())
    name = ["machine id"] if len(by_machine) > 1 else []
    header = [*name, "rule", "threshold", "normal clips above", "false alarms a day", "95 %"]
    return Table(header, rows, kinds, caption="What to expect of normal recordings", notes=_notes(fewest))


def _notes(n_normal: int) -> tuple[str, ...]:
    return (
        "* decides. Normal clips are held against thresholds that were fitted without them; a day has one recording an "
        "hour of one clip: for another rhythm multiply by your recordings a day over 24.",
        f"{n_normal} clips cannot show what happens less often than once in {n_normal}: below {_A_DAY / n_normal:.1f} "
        "false alarms a day the figures follow from the shape of the distribution alone.",
    )
