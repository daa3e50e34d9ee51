"""A detector by scikit-learn's protocol of outlier detectors: `ClipDetector().fit(waveforms).score_samples(new)`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from asd_jax.datasets import Clip
from asd_jax.datasets.in_memory import from_waveforms
from asd_jax.detectors import Detector
from asd_jax.detectors.fitted_scorers import ScorerSpec
from asd_jax.errors import InputError
from asd_jax.features import FrontEnd
from asd_jax.representations import ClipSummary, Hooks
from asd_jax.runs.config import RunConfig
from asd_jax.runs.fitting import fit_on_normal
from asd_jax.runs.training_clips import read_training_clips

Waveforms = Sequence[np.ndarray] | Float[np.ndarray, "n_clips n_samples"]


class ClipDetector(OutlierMixin, BaseEstimator):
    """Clips of one machine in, scores out; `clone`, `get_params`, `Pipeline` and `cross_val_score` know it.

    As scikit-learn has it, the signs are turned: `score_samples` is minus the anomaly score, lower is more anomalous,
    `predict` gives 1 for normal and -1 for anomalous. Fit it on normal clips alone; `y` is never looked at.

    Args:
        recipe: what is looked at, such as `ClipSummary(("mean",))` or `Trained(model, training)`; None for the mean
            frame.
        scorer: name of the scorer, such as `knn`, `gmm`, `mahalanobis`; for the error of networks `mse`.
        scorer_settings: of the scorer, such as `{"n_components": 2}`.
        front_end: what hears the clips; None for log-mels at `sample_rate`.
        sample_rate: of the waveforms, in Hz.
        threshold: rule of the threshold.
        random_state: of everything that draws.

    Attributes:
        detector_: the `Detector`, once it is fitted.
        offset_: minus the threshold: `decision_function` is `score_samples` minus this.
    """

    def __init__(
        self,
        *,
        recipe: Any = None,
        scorer: str = "knn",
        scorer_settings: dict[str, Any] | None = None,
        front_end: Any = None,
        sample_rate: int = 16_000,
        threshold: str = "gamma_0.9",
        random_state: int = 0,
    ) -> None:
        self.recipe = recipe
        self.scorer = scorer
        self.scorer_settings = scorer_settings
        self.front_end = front_end
        self.sample_rate = sample_rate
        self.threshold = threshold
        self.random_state = random_state

    def fit(self, X: Waveforms, y: Any = None) -> "ClipDetector":
        """Fit on normal clips.

        Args:
            X: waveforms, `(n_samples,)` each, of any lengths, or `(n_clips, n_samples)`.
            y: not looked at.

        Raises:
            InputError: a setting or a waveform that cannot be.
        """
        config = RunConfig(
            "clip_detector",
            ClipSummary(("mean",)) if self.recipe is None else self.recipe,
            ScorerSpec(self.scorer, settings=dict(self.scorer_settings or {})),
            front_end=FrontEnd(sample_rate=self.sample_rate) if self.front_end is None else self.front_end,
            threshold=self.threshold,
            seed=self.random_state,
        )
        config.check()
        if config.front_end.sample_rate != self.sample_rate:
            raise InputError(
                f"`sample_rate`={self.sample_rate}: the front end hears {config.front_end.sample_rate} Hz; resample "
                "the waveforms"
            )
        clips = [Clip(f"{number:06d}", "id_00", "train", False) for number in range(len(X))]
        dataset = from_waveforms(clips, list(X), sample_rate=self.sample_rate)
        train = read_training_clips(config, dataset, _nothing)
        with tempfile.TemporaryDirectory() as folder:  # of a network's states while it is trained
            hooks = Hooks(lambda: Path(folder), say=_nothing, note=_nothing)
            self.detector_: Detector = fit_on_normal(config, dataset, train, hooks, {}).detectors.system
        (fitted,) = self.detector_.fitted[self.detector_.headline_scorer].values()
        self.offset_ = -float(fitted.threshold.value)
        return self

    def score_samples(self, X: Waveforms) -> Float[np.ndarray, " n_clips"]:
        """Minus the anomaly score of each clip."""
        check_is_fitted(self)
        return -np.asarray(self.detector_.score(list(X), sample_rate=self.sample_rate))

    def decision_function(self, X: Waveforms) -> Float[np.ndarray, " n_clips"]:
        """`score_samples` less `offset_`: below 0 for clips that are called anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Waveforms) -> Int[np.ndarray, " n_clips"]:
        """1 for normal, -1 for anomalous."""
        return np.where(self.decision_function(X) < 0, -1, 1)


def _nothing(line: str) -> None:
    """What a run would say; results alone are wanted here."""
