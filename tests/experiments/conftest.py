"""Run a script as its user does, but in this process: importing JAX anew for every case would take minutes."""

import importlib
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
