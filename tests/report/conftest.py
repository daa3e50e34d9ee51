"""Small evaluations in memory, made by the library's own code, from which reports are written."""

import dataclasses

import jax
import numpy as np
import pytest
from browsing import HOSTILE

from asd_jax.datasets import Clip, Dataset
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.fitted_scorers import fit_scorers
from asd_jax.evaluation.evaluate import Evaluation, evaluate
from asd_jax.evaluation.results import Results
from asd_jax.features import FrontEnd, standardize
from asd_jax.features.extraction import extract_waveforms
from asd_jax.models import LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.report import clips
from asd_jax.representations.frame_mean import FrameMean
from asd_jax.representations.residual import Residual

PICTURES = 2  # of clips in the tests' reports: most of the time goes into them
FRONT_END = FrontEnd(n_mels=16)


@dataclasses.dataclass
class Made:
    """The arguments of `write_report` but the folder."""

    results: Results
    evaluation: Evaluation
    detectors: Detectors
    frames: dict
    dataset: Dataset

    def arguments(self):
        return self.results, self.evaluation, self.detectors, self.frames, self.dataset


def read(clip):
    """0.5 s of noise; the anomaly is a tone, in every second clip so weak that it is missed."""
    number = int(clip.file_name.split("/")[0])
    waveform = 0.05 * np.random.default_rng(number).standard_normal(8_000)
    if clip.is_anomaly:
        waveform += (0.05, 0.004)[number % 2] * np.sin(0.8 * np.arange(8_000))
    return waveform.astype(np.float32)


def make(
    n_clips=12,
    *,
    network=False,
    labels=(False, True),
    machine_ids=("id_00", "id_02"),
    cut=False,
    dataset="made",
    domains=("",),
):
    train = [Clip(f"{10_000 + k}/train.wav", machine_ids[k % len(machine_ids)], "train", False) for k in range(16)]
    names = [HOSTILE, *(f"clip {k}.wav" for k in range(1, n_clips))]
    test = [
        Clip(
            f"{k}/{name}",
            machine_ids[k % len(machine_ids)],
            "test",
            labels[k // 2 % len(labels)],
            domains[k // 4 % len(domains)],
        )
        for k, name in enumerate(names)
    ]
    if cut:  # recordings of three parts each, the second of which holds the anomaly
        test = [
            dataclasses.replace(
                clip, machine_id=machine_ids[0], is_anomaly=k % 3 == 1, recording=f"long {k // 3}.wav",
                start_seconds=0.5 * (k % 3), clip_seconds=0.5,
            )
            for k, clip in enumerate(test)
        ]  # fmt: skip
    train_frames, frames = (extract_waveforms([read(c) for c in part], FRONT_END) for part in (train, test))
    machines = [clip.machine for clip in train]

    def detector(representation, headline):
        values = representation(train_frames, machines)
        return Detector(FRONT_END, representation, fit_scorers(values, machines), headline)

    control = detector(FrameMean(), "mahalanobis")
    system = control
    if network:
        net = Network(LSTMPredictorConfig(hidden_size=4, n_layers=1, context_frames=2), FRONT_END.n_features)
        residual = Residual(net, *net.init(key=jax.random.key(0)), standardize(train_frames.values))
        system = detector(residual, "mse")
    detectors = Detectors(system, {LOG_MEL_MEAN: control})
    evaluation = evaluate(detectors, test, {FRONT_END: frames}, machine="fan", dataset=dataset)
    results = dataclasses.replace(evaluation.results, experiment="demo", dataset="made")
    recordings = Dataset(dataset, "fan", tuple(test), read, "made of noise, not recordings")
    return Made(results, evaluation, detectors, {FRONT_END: frames}, recordings)


@pytest.fixture(scope="session", autouse=True)
def few_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "N_PICTURES", PICTURES)
        yield


@pytest.fixture(scope="session")
def made():
    return make()
