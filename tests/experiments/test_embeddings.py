"""Vectors that were computed elsewhere, as a user brings them."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from asd_jax import scorers
from asd_jax.datasets import DataConfig, open_dataset
from asd_jax.runs import run as run_config
from asd_jax.runs import vectors

N = {("train", 0): 20, ("test", 0): 8, ("test", 1): 8}


def columns(dim=5, shift=3.0, ids=("id_00", "id_02")):
    """Two machines' Gaussian vectors; anomalies lie `shift` away."""
    rng, rows = np.random.default_rng(0), []
    for machine_id in ids:
        for (split, label), count in N.items():
            for n in range(count):
                vector = rng.standard_normal(dim) + 10 + shift * label * (np.arange(dim) == 0)
                rows.append((vector, f"{split}/{machine_id}_{label}_{n}.wav", split, machine_id, label))
    named = zip(("embedding", "file_name", "split", "machine_id", "is_anomaly"), zip(*rows, strict=True), strict=True)
    return {name: np.asarray(of) for name, of in named}


@pytest.fixture
def file(tmp_path):
    """Writes columns to a file, some of them changed."""

    def write(name="pump.npz", without=(), **changed):
        given = {key: of for key, of in (columns() | changed).items() if key not in without}
        np.savez(tmp_path / name, **given)
        return tmp_path / name

    return write


def test_vectors_are_scored_compared_and_evaluated_again(file, run_script, tmp_path):
    path, run = file(), tmp_path / "run"
    given = [f"--embeddings={path}", f"--workdir={run}"]
    status, stdout, stderr = run_script("embeddings", *given, "--scorer=mahalanobis", "--report")
    assert status == 0, stderr
    assert "embeddings on pump: vectors of 5 values" in stdout and "so no control" in stdout
    assert "saved before" not in stdout
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["headline_scorer"] == "mahalanobis" and metrics["controls"] == {}
    assert metrics["scorers"]["mahalanobis"]["mean"]["auc"] > 0.8 and "knn" in metrics["scorers"]
    assert (run / "report.html").exists() and not list((run / "plots").glob("worst_*"))

    # As scikit-learn has the score, refitted here on the vectors themselves.
    known = columns()
    own = known["machine_id"] == "id_02"
    fitted = scorers.fit("mahalanobis", known["embedding"][own & (known["split"] == "train")].astype(np.float32))
    with (run / "scores.csv").open() as opened:
        rows = {row["file_name"]: float(row["mahalanobis"]) for row in csv.DictReader(opened)}
    test = own & (known["split"] == "test")
    expected = fitted.score(known["embedding"][test].astype(np.float32))
    np.testing.assert_allclose([rows[name] for name in known["file_name"][test]], expected, rtol=1e-5)

    other = tmp_path / "knn"
    assert run_script("embeddings", f"--embeddings={path}", f"--workdir={other}")[0] == 0
    status, stdout, _ = run_script("compare", run, other, f"--workdir={tmp_path / 'compared'}")
    assert status == 0 and "embeddings" in stdout
    new = columns(shift=30.0)
    new["embedding"] = new["embedding"] + (new["split"] == "test")[:, None] * 1e-3  # others than those it knows
    new["split"] = np.full(len(new["split"]), "test")
    status, stdout, stderr = run_script("evaluate", f"--checkpoint={run}", f"--embeddings={file('new.npz', **new)}")
    assert status == 0 and "40 test recording(s) left out, since the run was trained on them" in stdout, stderr
    status, _, stderr = run_script("score", f"--checkpoint={run}", path)
    assert status == 1 and "hears no recordings" in stderr
    status, _, stderr = run_script("export", f"--checkpoint={run}", f"--out={tmp_path / 'a.onnx'}")
    assert status == 1 and "hears no recordings" in stderr


def test_with_recordings_there_is_the_control_and_names_say_the_rest(machine_tree, run_script, tmp_path, file):
    dataset = open_dataset(data_dir=machine_tree, machine="fan")
    names = np.asarray([clip.file_name for clip in dataset.clips])
    known = np.random.default_rng(0).standard_normal((len(names), 3))
    np.savez(tmp_path / "own.npz", embedding=known, file_name=names)
    given = [f"--embeddings={tmp_path / 'own.npz'}", f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("embeddings", *given, "--scorers=")
    assert status == 0, stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["machine"] == "fan" and metrics["dataset"] == "dcase2020"
    assert metrics["controls"]["log_mel_mean"]["mahalanobis"]["mean"]["auc"] == 1.0
    given[0] = f"--embeddings={file()}"
    given[-1] = f"--workdir={tmp_path / 'other'}"
    status, _, stderr = run_script("embeddings", *given)
    assert status == 1 and "train/id_00_0_0.wav is no recording of fan" in stderr


def test_several_machine_types_and_the_same_from_python(file, run_script, tmp_path):
    types = np.asarray(["fan", "ToyCar"] * 36)
    path = file(machine_type=types, domain=np.asarray(["source", "source", "target", "target"] * 18))
    status, _, stderr = run_script("embeddings", f"--embeddings={path}", f"--workdir={tmp_path / 'a'}")
    assert status == 1 and "--machine is needed" in stderr and "fan, toy_car" in stderr
    status, _, stderr = run_script(
        "embeddings", f"--embeddings={path}", "--machine=all", "--scorers=", f"--workdir={tmp_path / 'all'}"
    )
    assert status == 0 and (tmp_path / "all" / "toy_car" / "metrics.json").exists(), stderr
    config = dataclasses.replace(vectors("embeddings", "knn"), scorers=())
    data = DataConfig("fan", embeddings=str(path), machine_ids=("id_00",))
    results = run_config(dataclasses.replace(config, data=data), tmp_path / "python", say=lambda line: None)
    assert list(results.headline.machine_ids) == ["id_00"] and set(results.headline.domains) == {"source", "target"}


def _ragged():
    of = np.empty(72, object)
    of[:] = [np.zeros(3 + n % 2) for n in range(72)]
    return of


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"embedding": np.where(np.arange(72)[:, None] == 3, np.nan, np.ones((72, 5)))}, "NaN or infinity, the first"),
        ({"embedding": _ragged()}, "vectors of two widths"),
        ({"embedding": np.ones((72, 2, 5))}, "has shape (72, 2, 5)"),
        ({"embedding": np.ones((71, 5))}, "has shape (72,), for 71 vectors"),
        ({"file_name": np.asarray(["a.wav"] * 72)}, "a.wav comes 72 times"),
        ({"file_name": np.arange(72)}, "file_name holds int64, not text"),
        ({"split": np.asarray(["dev"] * 72)}, "is 'dev'; give train or test"),
        ({"is_anomaly": np.ones(72)}, "is anomalous and to train"),
        ({"domain": np.asarray(["here"] * 72)}, "is 'here'; give source or target"),
        ({"without": ("machine_id",)}, "lacks the array machine_id; add it, or give the recordings by --data_dir"),
        ({"without": ("file_name",)}, "lacks the array file_name"),
    ],
)
def test_what_cannot_be_is_one_line(file, run_script, tmp_path, changed, line):
    given = [f"--embeddings={file(**changed)}", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("embeddings", *given)
    assert status == 1 and line in stderr.splitlines()[-1], stderr
    assert len(stderr.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_other_widths_and_missing_files(file, run_script, tmp_path):
    run = tmp_path / "run"
    status, _, stderr = run_script("embeddings", f"--workdir={run}")
    assert status == 1 and "--embeddings is needed" in stderr
    status, _, stderr = run_script("embeddings", "--embeddings=none.npz", f"--workdir={run}")
    assert status == 1 and "none.npz: no such file" in stderr
    assert run_script("embeddings", f"--embeddings={file()}", "--scorers=", f"--workdir={run}")[0] == 0
    wider = file("wider.npz", **columns(dim=6))
    status, _, stderr = run_script("evaluate", f"--checkpoint={run}", f"--embeddings={wider}")
    assert status == 1 and "was fitted on vectors of 5 values, got 6" in stderr
