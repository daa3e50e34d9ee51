"""Run a script as its user does, but in this process: importing JAX anew for every case would take minutes."""

import dataclasses
import importlib
import re
import sys

import array_record.python.array_record_data_source  # noqa: F401 (defines flags, which flagsaver would take away again)
import pytest
from absl import flags
from absl.testing import flagsaver


@pytest.fixture
def run_script(monkeypatch, capsys):
    """Call `run_script("lstm_pred", "--epochs=1", ...)`; gives the exit status, stdout, and stderr."""

    def run(script, *arguments):
        from experiments import launch

        name = f"experiments.{script}"
        module = importlib.import_module(name)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        # A report takes seconds; a test that wants one says --report.
        with flagsaver.flagsaver(report=False, tensorboard=False), pytest.raises(SystemExit) as exit_:
            for flag in flags.FLAGS:
                flags.FLAGS[flag].present = 0
            launch.experiment(module.recipe) if hasattr(module, "recipe") else launch.run(module.main)
        captured = capsys.readouterr()
        status, stderr = exit_.value.code, captured.err
        if isinstance(status, str):  # what the interpreter does with sys.exit("message")
            status, stderr = 1, f"{stderr}{status}\n"
        return status or 0, captured.out, stderr

    return run


@pytest.fixture(scope="session")
def gmm_run(machine_tree, tmp_path_factory):
    """A finished run of a GMM on both ids of the humming machine."""
    from asd_jax.detectors import ScorerSpec
    from asd_jax.runs import DataConfig, run, statistics

    workdir = tmp_path_factory.mktemp("runs") / "run"
    config, beside = statistics("gmm", "gmm"), (ScorerSpec("knn"), ScorerSpec("lof"))
    config = dataclasses.replace(config, scorers=beside, data=DataConfig("fan", str(machine_tree)))
    run(config, workdir, say=lambda line: None)
    return workdir


@pytest.fixture(scope="session")
def detector_file(gmm_run, tmp_path_factory):
    """What `experiments.export` makes of it."""
    pytest.importorskip("jax2onnx")
    pytest.importorskip("onnxruntime")
    from asd_jax.runs import export_run

    said = []
    file = export_run(gmm_run, tmp_path_factory.mktemp("out") / "detector.onnx", say=said.append)
    assert re.search(r"agrees with the detector on 12 clips, \d of them anomalous: scores differ by at most", said[-1])
    assert "gmm of id_00, id_02; clips of 1 s at 16000 Hz" in said[-1]
    return file
