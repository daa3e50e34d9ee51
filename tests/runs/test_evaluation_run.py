"""What a run says of numbers that are not to be believed."""

import re

import numpy as np
import pytest

from asd_jax.datasets.clips import Clip, Machine
from asd_jax.detectors.bundle import Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.thresholds import Source, fit
from asd_jax.evaluation.evaluate import evaluate
from asd_jax.features import FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.runs import evaluation as evaluation_run


class Given:
    """A scorer that scores a clip by its first value."""

    name, reads = "given", "vector"

    def score(self, vectors):
        return vectors[:, 0].astype(np.float64)


CASES = {
    "equal": (
        [2.0, 2.0, 2.0],
        [0, 1, 1],
        "gamma_0.9",
        r"warning: id_00: all scores are equal, so AUC is that of chance",
    ),
    "not finite": (
        [2.0, np.nan, 1.0],
        [0, 1, 1],
        "gamma_0.9",
        r"warning: 1 recording\(s\) get no decision: a score of given that is not finite",
    ),
    "one class": ([2.0, 1.0, 1.5], [1, 1, 1], "gamma_0.9", r"note: id_00 has no normal test clips"),
    "a single clip": ([2.0], [0], "gamma_0.9", r"note: id_00 has no anomalous test clips"),
    "out of fold": ([2.0, 3.0], [0, 1], "conformal", r"bound of conformal on false alarms holds approximately"),
}


@pytest.mark.parametrize("case", CASES)
def test_remarks(case):
    scores, labels, rule, says = CASES[case]
    normal = np.arange(12.0)
    fitted = FittedScorer(Given(), normal, fit(rule, normal, source=Source.OUT_OF_FOLD))
    detector = Detector(FrontEnd(), FrameMean(), {"given": {Machine("", "id_00"): fitted}}, "given")
    clips = [Clip(f"{index}.wav", "id_00", "test", bool(label)) for index, label in enumerate(labels)]
    frames = StoredClips.from_clips([np.full((2, 1), score, np.float32) for score in scores])
    result = evaluate(Detectors(detector), clips, {FrontEnd(): frames})
    lines = [*detector.remarks(), *evaluation_run._remarks(detector, result.results, result)]
    assert any(re.search(says, line) for line in lines)
