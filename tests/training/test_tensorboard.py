"""Events are read back with TensorBoard's own record format: lengths, checksums and protobufs."""

import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from asd_jax.datasets import Clip
from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.evaluation.results import Measures, Results, Summary
from asd_jax.report.tensorboard import write_scores
from asd_jax.training.progress import Progress
from asd_jax.training.tensorboard import TensorBoardMonitor


def read_events(folder: Path) -> list[Event]:
    events = []
    for path in sorted(folder.rglob("events.*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)  # then 4 bytes of checksum, the record, 4 more
            events.append(Event.FromString(content[place + 12 : place + 12 + length]))
            place += 16 + length
    return events


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in read_events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def history(*losses):
    epochs = tuple({"train_loss": a, "validation_loss": b, "learning_rate": 0.5} for a, b in losses)
    return Progress(epoch=len(epochs), history=epochs)


def test_losses(tmp_path):
    monitor = TensorBoardMonitor(tmp_path)
    monitor.steps(0, np.arange(12.0))
    monitor.steps(12, np.arange(12.0, 24.0))
    monitor.epoch(history((11.5, 7.0)), 24)
    monitor.epoch(history((11.5, 7.0), (3.0, float("nan"))), 48)
    monitor.close()
    found = scalars(tmp_path)
    assert found["loss/of_ten_steps"] == [(10, 4.5), (20, 14.5)]
    assert found["loss/train"] == [(24, 11.5), (48, 3.0)]
    assert found["loss/validation"] == [(24, 7.0)]  # no validation clips, no value
    assert found["learning_rate"] == [(24, 0.5), (48, 0.5)]


def test_a_resumed_run_hides_what_it_repeats(tmp_path):
    monitor = TensorBoardMonitor(tmp_path)
    monitor.steps(30, np.ones(10))
    monitor.close()
    starts = [e.step for e in read_events(tmp_path) if e.HasField("session_log") and e.session_log.status == 1]
    assert starts == [30]


def test_a_run_without_steps_writes_nothing(tmp_path):
    monitor = TensorBoardMonitor(tmp_path / "none")
    monitor.epoch(history((1.0, 1.0)), 1)
    monitor.close()
    assert not (tmp_path / "none").exists()


def test_scores(tmp_path):
    clips = [Clip(f"{k}.wav", "id_00", "test", label) for k, label in enumerate([True, False, False, None])]
    scores = {"mse": np.array([4.0, 1.0, 2.0, 3.0]), "max": np.array([np.nan, 1.0, 1.0, 1.0])}
    mean = Measures(auc=1.0, pauc=None, average_precision=0.5)
    summary = Summary(machine_ids={}, pooled=mean, mean=mean, harmonic_mean=mean)
    results = Results(headline_scorer="mse", scorers=dict.fromkeys(scores, summary))
    decisions = np.ma.masked_array(np.zeros(4, bool))
    write_scores(tmp_path, results, Evaluation(tuple(clips), scores, decisions, results))
    found = scalars(tmp_path)
    assert found["test_auc/mse"] == [(0, 1.0)] and "test_pauc/mse" not in found
    histograms = {v.tag: v.histo for e in read_events(tmp_path) for v in e.summary.value if v.HasField("histo")}
    assert histograms["scores_mse/normal"].num == 2 and histograms["scores_mse/normal"].sum == pytest.approx(3.0)
    assert histograms["scores_mse/unlabelled"].num == 1 and "scores_max/anomalous" not in histograms
