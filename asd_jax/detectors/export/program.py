"""A detector as one pure function of waveforms, made of the pieces that it scores with itself."""

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from asd_jax.datasets.clips import Machine
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.errors import InputError
from asd_jax.representations.representation import ClipArrays
from asd_jax.scorers import REGISTRY

Outputs = tuple[Float[Array, " batch"], Float[Array, " batch"], Bool[Array, " batch"]]
INPUTS = ("waveform", "threshold", "machine")
OUTPUTS = ("score", "share_of_normal_above", "is_anomaly")


@dataclasses.dataclass(frozen=True)
class Program:
    """What an exported file computes. Everything that was fitted is a constant of it.

    Attributes:
        detector: what is exported.
        scorer: the one that scores.
        n_samples: length of a clip.
        machines: those that it knows, in the order of their index.
    """

    detector: Detector
    scorer: str
    n_samples: int
    machines: tuple[Machine, ...]

    @classmethod
    def of(cls, detector: Detector, *, machines: Sequence[Machine], scorer: str | None = None) -> "Program":
        """The program of a detector.

        Raises:
            InputError: it cannot be exported; the message says why and what can.
        """
        scorer = scorer or detector.headline_scorer
        if scorer not in detector.fitted:
            raise InputError(f"scorer {scorer!r} is not in this detector, which has {', '.join(detector.fitted)}")
        if detector.clip_seconds is None:
            raise InputError(
                "this detector was saved before detectors knew how long their clips are, and an exported file takes "
                "clips of one length; train it again"
            )
        program = cls(detector, scorer, round(detector.clip_seconds * detector.front_end.sample_rate), tuple(machines))
        for machine in machines:
            _check_exportable(program.fitted(machine))
        return program

    def fitted(self, machine: Machine) -> FittedScorer:
        """Of a machine."""
        return self.detector.fitted[self.scorer][machine]

    @property
    def thresholds(self) -> Float[np.ndarray, " n_machines"]:
        """The fitted threshold of each machine."""
        return np.asarray([self.fitted(machine).threshold.value for machine in self.machines], np.float32)

    def __call__(
        self,
        waveform: Float[Array, "batch n_samples"],
        threshold: Float[Array, " n_machines"],
        machine: Int[Array, ""],
    ) -> Outputs:
        """Scores of clips, the share of normal clips that score higher, whether they are above the threshold.

        Args:
            waveform: mono samples in [-1, 1] at the detector's rate. One that is not finite scores NaN, which is
                above nothing.
            threshold: of each machine; those fitted are `thresholds`.
            machine: index of the one machine that all the clips are of.
        """
        scores = self._scores(waveform, machine)
        # One sum costs less than a look at every sample, and is finite where all of them are.
        scores = jnp.where(jnp.abs(jnp.sum(waveform, axis=1)) < jnp.inf, scores, jnp.nan)
        normal, count = self._normal()
        above = jnp.sum(jnp.where(normal[machine][None, :] > scores[:, None], 1.0, 0.0), axis=1) / count[machine]
        share = jnp.where(jnp.isnan(scores), jnp.nan, above)
        return scores, share, scores > threshold[machine]

    def _scores(self, waveform: Float[Array, "batch n_samples"], machine: Int[Array, ""]) -> Float[Array, " batch"]:
        seen: dict[Machine | None, ClipArrays] = {}
        representation = self.detector.representation
        each = hasattr(representation, "parts")  # a network of its own for each machine
        frames = self.detector.front_end.batched(waveform)

        def score(of: Machine) -> Float[Array, " batch"]:
            key = of if each else None
            if key not in seen:
                seen[key] = representation.of_frames(frames, of)
            return self.fitted(of).formula(seen[key], jnp)

        if len(self.machines) == 1:
            return score(self.machines[0])
        # All of them, and the one asked for: branches would spare time where machines are many, and a converter fewer.
        return jnp.stack([score(of) for of in self.machines])[machine]

    def _normal(self) -> tuple[Float[Array, "n_machines most"], Float[Array, " n_machines"]]:
        """Scores of normal clips, a row a machine, filled up with what lies above nothing; how many there are."""
        scores = [self.fitted(machine).normal_scores for machine in self.machines]
        rows = np.full((len(scores), max(map(len, scores))), -np.inf, np.float32)
        for row, of in zip(rows, scores, strict=True):
            row[: len(of)] = of
        return jnp.asarray(rows), jnp.asarray([len(of) for of in scores], jnp.float32)


def exportable() -> list[str]:
    """Names of the scorers that have an exported form."""
    return [name for name, scorer in REGISTRY.items() if hasattr(scorer, "formula")]


def _check_exportable(fitted: FittedScorer) -> None:
    for part in getattr(fitted.scorer, "parts", ()):  # of a fusion
        _check_exportable(part)
    scorer = getattr(fitted.scorer, "inner", fitted.scorer)
    if not hasattr(scorer, "formula"):
        raise InputError(
            f"scorer {fitted.scorer.name} cannot be exported: it is trees or neighbourhoods and no formula; those that "
            f"can are {', '.join(exportable())}, and pca+NAME of those that read vectors. Take one by `scorer`"
        )
