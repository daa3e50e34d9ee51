"""Recordings scored end to end, from 16-bit WAV files of 10 s to scores: `python -m benchmarks.scoring`.

Ours is what `experiments.score` does between loading the detector and writing the table: decoding, measuring each
recording, log-mels, the network, the score. Beside it librosa and PyTorch do the same a file at a time, as is usual,
with the same weights, and the detector's own exported file in onnxruntime. PyTorch's threads wait by spinning, and slow
the NumPy below librosa many times over; who knows that gives it one thread, so that it stands here with its default and
with one. The networks are those of `lstm_pred` and `dense_ae` with their default sizes, before training, which takes as
long as after.
"""

import argparse
import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import librosa
import numpy as np
import soundfile
import torch
from absl import flags

from asd_jax.datasets.clips import Machine
from asd_jax.detectors import exported
from asd_jax.detectors.detector import Detector
from asd_jax.detectors.export import Program, contents
from asd_jax.detectors.fitted_scorers import ScorerSpec, fit_scorers
from asd_jax.detectors.judging import Judge
from asd_jax.evaluation.heard_files import HeardFiles, Listening
from asd_jax.features import FrontEnd
from asd_jax.features.extraction import extract_waveforms
from asd_jax.features.scaling import standardize
from asd_jax.models import DenseAutoencoderConfig, LSTMPredictorConfig
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual
from benchmarks import harness
from benchmarks.features import SAMPLE_RATE, SECONDS, librosa_log_mel, waveforms
from benchmarks.harness import Measured
from benchmarks.torch_networks import TorchAutoencoder, TorchPredictor

N_CLIPS, MACHINE = 128, Machine("slider", "id_00")
CONFIGS = (LSTMPredictorConfig(), DenseAutoencoderConfig())
THREADS = torch.get_num_threads()  # PyTorch's default


def untrained(config, n_seconds: float) -> Detector:
    """A detector by the mean squared error of a network before training."""
    front_end = FrontEnd()
    frames = extract_waveforms(waveforms(24)[:, : int(n_seconds * SAMPLE_RATE)], front_end)
    network = Network(config, front_end.n_features)
    residual = Residual(network, *network.init(key=jax.random.key(0)), standardize(frames.values))
    machines = [MACHINE] * len(frames)
    fitted = fit_scorers(residual(frames, machines), machines, specs=[ScorerSpec("mse")])
    return Detector(front_end, residual, fitted, "mse", config.window_span, clip_seconds=n_seconds)


def judged(judge: Judge, names: Sequence[str]) -> np.ndarray:
    """Scores of files."""
    return HeardFiles(names, judge, Listening(machine_id=MACHINE.machine_id)).judged().scores


def with_torch(detector: Detector, names: Sequence[str], *, n_threads: int) -> Callable[[], np.ndarray]:
    """Scores of files by librosa and PyTorch, a file at a time, PyTorch with so many threads."""
    residual = detector.representation
    config, params = residual.network.config, residual.params
    offset, scale = (np.asarray(of) for of in (residual.scaling.offset, residual.scaling.scale))
    is_predictor = config.name == LSTMPredictorConfig.name
    model = (_predictor if is_predictor else _autoencoder)(config, jax.tree.map(np.asarray, params)).eval()
    span = config.context_frames if is_predictor else config.window_frames

    def of_file(name: str) -> float:
        waveform, _ = librosa.load(name, sr=SAMPLE_RATE)
        frames = torch.from_numpy((librosa_log_mel(waveform).T - offset) * scale).float()
        windows = frames.unfold(0, span, 1).transpose(1, 2)
        if is_predictor:
            return float(torch.nn.functional.mse_loss(model(windows[:-1]), frames[span:]))
        vectors = windows.reshape(len(windows), -1)
        return float(torch.nn.functional.mse_loss(model(vectors), vectors))

    def scores() -> np.ndarray:
        torch.set_num_threads(n_threads)
        with torch.inference_mode():
            return np.asarray([of_file(name) for name in names])

    return scores


def _predictor(config, params) -> torch.nn.Module:
    model = TorchPredictor(params["output"]["bias"].size, config.hidden_size)
    with torch.no_grad():
        for number, layer in params["layers"].items():
            for name, value in (("weight_ih", "input_kernel"), ("weight_hh", "recurrent_kernel"), ("bias_ih", "bias")):
                getattr(model.lstm, f"{name}_l{number}").copy_(torch.tensor(layer[value].T))
            getattr(model.lstm, f"bias_hh_l{number}").zero_()
        _copy_linear(model.output, params["output"])
    return model


def _autoencoder(config, params) -> torch.nn.Module:
    layers = params["layers"]
    model = TorchAutoencoder(layers["output"]["bias"].size)
    linear = [module for module in model if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for module, block in zip(linear, layers["blocks"].values(), strict=False):
            _copy_linear(module, block["linear"])
        _copy_linear(linear[-1], layers["output"])
    return model


def _copy_linear(module: torch.nn.Linear, params) -> None:
    module.weight.copy_(torch.tensor(params["kernel"].T))
    if module.bias is not None:
        module.bias.copy_(torch.tensor(params["bias"]))


def compare(repeats: int = 9, *, n_clips: int = N_CLIPS, n_seconds: float = SECONDS) -> list[Measured]:
    """Clips a second of every network."""
    flags.FLAGS(["scoring"])
    found = []
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / f"{number}.wav") for number in range(n_clips)]
        for name, clip in zip(names, waveforms(n_clips), strict=True):
            soundfile.write(name, clip[: int(n_seconds * SAMPLE_RATE)], SAMPLE_RATE, subtype="PCM_16")
        for config in CONFIGS:
            detector = untrained(config, n_seconds)
            file = Path(folder) / f"{config.name}.onnx"
            file.write_bytes(contents(Program.of(detector, machines=[MACHINE]), "onnx", about={"channel": "mix"}))
            candidates = {
                "asd_jax": functools.partial(judged, detector, names),
                "librosa and torch": with_torch(detector, names, n_threads=THREADS),
                "the same, one thread": with_torch(detector, names, n_threads=1),
                "onnxruntime": functools.partial(judged, exported.load(file), names),
            }
            scores = [run() for run in candidates.values()]
            np.testing.assert_allclose(scores[1:], [scores[0]] * (len(scores) - 1), rtol=1e-3)  # the same work
            taken = harness.times(candidates, repeats=repeats)
            found.append(Measured(f"scoring by the {config.name.replace('_', ' ')}", "clips", n_clips, taken).show())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    harness.describe_machine("librosa", "torch", "onnxruntime", force=arguments.force)
    compare(arguments.repeats)


if __name__ == "__main__":
    main()
