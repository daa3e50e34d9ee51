"""Decision thresholds from the scores of normal clips alone, and the one place where a score is held against one.

The rules, of which a run takes one for its decisions and reports the others beside it:

* `gamma_Q` takes the Q quantile of a gamma distribution, the rule of DCASE Task 2;
* `percentile_Q` takes the empirical percentile, `percentile_90` or `percentile_0.9`;
* `conformal` (0.9) or `conformal_Q` takes the order statistic that bounds the false-alarm rate for any finite number of
  clips.

Rules that look at labels live in `evaluation.oracle_thresholds`.
"""

import dataclasses
import enum
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from asd_jax.errors import InputError
from asd_jax.features.shapes import Float, Int
from asd_jax.files import from_json, to_json

DEFAULT = "gamma_0.9"
REPORTED = ("gamma_0.9", "percentile_90", "conformal")
_TOLERANCE = 0.02


class Method(enum.StrEnum):
    """How a threshold was found in the end; the empirical quantile also where a gamma did not fit."""

    GAMMA = "gamma"
    EMPIRICAL_QUANTILE = "empirical_quantile"
    CONFORMAL = "conformal"
    ORACLE = "oracle"


class Source(enum.StrEnum):
    """Which scores of normal clips, or of whole recordings, a threshold rests on."""

    ALL_NORMAL = "all_normal"
    VALIDATION = "validation"
    OUT_OF_FOLD = "out_of_fold"
    TRAINING_WITHOUT_VALIDATION = "training_without_validation"
    IN_SAMPLE = "in_sample"
    LABELLED_TEST = "labelled_test"

    def words(self, *, n_normal: int, of_recordings: bool) -> str:
        """As a reader is told."""
        what = "recording" if of_recordings else "clip"
        return {
            Source.ALL_NORMAL: f"all normal {what}s, those the network saw shifted to the others",
            Source.VALIDATION: f"validation {what}s",
            Source.OUT_OF_FOLD: f"out-of-fold training {what}s",
            Source.TRAINING_WITHOUT_VALIDATION: f"training {what}s (no validation {what}s)",
            Source.IN_SAMPLE: f"the {n_normal} training {what}(s) it was fitted on",
            Source.LABELLED_TEST: "the labelled test clips",
        }[self]


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A decision threshold: a clip that scores above `value` is called anomalous.

    Attributes:
        name: the rule asked for, such as `gamma_0.9`.
        value: the threshold; infinite where the rule cannot keep its promise and so never raises an alarm.
        method: how it was found.
        n_normal: number of normal clips it was fitted on.
        source: which scores those were.
        of_recordings: whether they were scores of recordings that were cut into clips.
        location: shift of the gamma distribution, subtracted from the scores before its fit.
        n_needed: fewest clips with which an infinite one would be finite.
    """

    name: str
    value: float
    method: Method
    n_normal: int
    source: Source
    of_recordings: bool = False
    location: float = 0.0
    n_needed: int | None = None

    @property
    def fitted_on(self) -> str:
        """The scores that it was fitted on, in words."""
        return self.source.words(n_normal=self.n_normal, of_recordings=self.of_recordings)

    @property
    def never_alarms(self) -> str:
        """Why it never raises an alarm; empty where it does."""
        if math.isfinite(self.value):
            return ""
        return (
            f"{self.name} has {self.n_normal} unseen normal clips ({self.fitted_on}) and needs {self.n_needed} normal "
            "clips: it never alarms; record more, or take `threshold=gamma_0.9`"
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: None for an infinite value."""
        return to_json(self) | {"value": self.value if math.isfinite(self.value) else None}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> "Threshold":
        """Rebuild from `to_dict`."""
        return from_json(cls, {**saved, "value": math.inf if saved["value"] is None else saved["value"]})


def decide(scores: Float[np.ndarray, "*n"], limits: Float[np.ndarray, "*n"] | float) -> np.ma.MaskedArray:
    """Whether each score lies above its threshold, masked where the score is not finite: there is no decision.

    Args:
        scores: of any shape.
        limits: a threshold each, or one for all; an infinite one never alarms.
    """
    return np.ma.masked_array(np.asarray(scores > limits), ~np.isfinite(scores))


def parse(name: str) -> tuple[str, float]:
    """Kind and quantile of a rule's name: `gamma_0.9` is `("gamma", 0.9)`, `percentile_95` `("percentile", 0.95)`.

    Raises:
        InputError: no rule of that name.
    """
    match = re.fullmatch(r"(gamma|conformal|percentile)(?:_(\d+(?:\.\d+)?))?", name)
    if match:
        kind, given = match[1], match[2]
        quantile = float(given) if given else 0.9 if kind == "conformal" else 0.0
        if kind == "percentile" and quantile >= 1:
            quantile /= 100
        if 0 < quantile < 1:
            return kind, quantile
    reason = "looks at labels and makes no decisions" if name.startswith("oracle") else "not known"
    raise InputError(
        f"`threshold={name}`: {reason}; give gamma_Q with a quantile Q such as gamma_0.9, percentile_Q such as "
        "percentile_95, or conformal (conformal_Q)"
    )


def fit(name: str, scores: Float[np.ndarray, " n_clips"], *, source: Source, of_recordings: bool = False) -> Threshold:
    """Fit a threshold on scores of normal clips that the scorer was not fitted on.

    `gamma_Q` is the Q quantile of a gamma distribution with a fixed location (the rule of DCASE Task 2, whose free
    location makes the fit degenerate): 0 for positive scores, else one standard deviation below the smallest. The
    fit is accepted when the quantile is finite and the share of the scores above it is within two points of 1 - Q, or
    within one clip where a clip is more than that: of six validation clips either none or one lies above, and the
    empirical quantile of six would let twice the nominal share of false alarms through. Otherwise the empirical
    quantile takes its place and `method` says so.

    `conformal_Q` is the k-th smallest of n scores, k = ceil((n + 1) Q): split conformal prediction (Vovk et al. 2005).
    A new normal clip whose score is exchangeable with them lies above with a probability of at most 1 - Q, whatever
    n and the distribution. So it does where the scorer saw none of the clips (validation clips); with out-of-fold
    scores, whose scorers saw slightly fewer clips than the final one, the bound holds approximately. Below
    Q / (1 - Q) clips no score keeps the promise, and the threshold is infinite.

    Raises:
        InputError: unknown rule, or no finite score to fit on.
    """
    kind, quantile = parse(name)
    scores = np.asarray(scores, np.float64)
    n_bad = int((~np.isfinite(scores)).sum())
    if len(scores) == 0 or n_bad:
        found = f"{n_bad} of {len(scores)} are not finite" if n_bad else "there are none"
        given = source.words(n_normal=len(scores), of_recordings=of_recordings)
        raise InputError(
            f"a threshold needs finite scores of normal clips, and {found} ({given}); a network that diverged "
            "wants a lower `learning_rate`"
        )
    method, location, n_needed = Method.EMPIRICAL_QUANTILE, 0.0, None
    if kind == "conformal":
        method, value = Method.CONFORMAL, _conformal(scores, quantile)
        n_needed = None if math.isfinite(value) else math.ceil(quantile / (1 - quantile) - 1e-9)
    elif kind == "gamma":
        value, location = _gamma(scores, quantile)
        off = abs(np.mean(scores > value) - (1 - quantile))
        if np.isfinite(value) and off <= max(min(_TOLERANCE, 1 - quantile), 1 / len(scores)):
            method = Method.GAMMA
    if method is Method.EMPIRICAL_QUANTILE:
        value = float(np.quantile(scores, quantile))
    return Threshold(name, value, method, len(scores), source, of_recordings, location, n_needed)


def _gamma(scores: Float[np.ndarray, " n_clips"], quantile: float) -> tuple[float, float]:
    """The quantile of a gamma distribution, NaN where all scores are equal, and its location."""
    location = 0.0 if scores.min() > 0 else float(scores.min() - scores.std() - 1e-12)
    if np.ptp(scores) <= 1e-9 * np.abs(scores).max():
        return math.nan, location
    from scipy.stats import gamma

    shape, _, scale = gamma.fit(scores - location, floc=0)
    return location + float(gamma.ppf(quantile, shape, scale=scale)), location


def _conformal(scores: Float[np.ndarray, " n_clips"], quantile: float) -> float:
    rank = math.ceil((len(scores) + 1) * quantile - 1e-9)  # so that 10 * 0.9 is not 9.000000001
    return math.inf if rank > len(scores) else float(np.sort(scores)[rank - 1])


def folds(n_clips: int, *, seed: int, n_folds: int = 5) -> Int[np.ndarray, " n_clips"]:
    """The fold that each clip is in, from 0: a seeded shuffle into equal parts, at most a part a clip."""
    return np.random.default_rng(seed).permutation(n_clips) % min(n_folds, n_clips)


def out_of_fold_scores(
    score_unseen: Callable[[np.ndarray, np.ndarray], np.ndarray], fold: Int[np.ndarray, " n_clips"]
) -> Float[np.ndarray, "n_clips ..."]:
    """Score of each clip, or of its windows, by a scorer refitted on the other folds; in-sample ones would be too low.

    Args:
        score_unseen: fits a scorer on the clips of a first mask and gives its scores of those of a second one, a row a
            clip; rows of windows may differ in length from fold to fold.
        fold: of each clip, from 0.

    Returns:
        the scores, NaN where a clip has no such window.
    """
    parts = [(fold == k, score_unseen(fold != k, fold == k)) for k in range(fold.max() + 1)]
    scores = np.full((len(fold), *np.max([part.shape[1:] for _, part in parts], axis=0).astype(int)), np.nan)
    for own, part in parts:
        scores[(own, *(slice(width) for width in part.shape[1:]))] = part
    return scores
