"""The additions of docs/extending.md, applied to a copy of the code and run as their reader would run them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ADDED_TESTS = ["tests/features/test_centroid.py", "tests/models/test_registry.py"]
CHEAP = (
    "librosa or every_model or (parameter_count and linear_predictor)"  # the others train the model, as is done below
)


def run(command, folder, **environment):
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the checkout with every diff of the page applied."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    folder = tmp_path_factory.mktemp("extended") / "checkout"
    folder.mkdir()
    for name in ("asd_jax", "experiments", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    diffs = re.findall(r"^```diff\n(.*?)^```$", (ROOT / "docs" / "extending.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(diffs) == 5
    for number, diff in enumerate(diffs):
        (folder / f"{number}.diff").write_text(diff)
        # The ceiling keeps git from taking a repository around the folder for the one to change.
        run(["git", "apply", f"{number}.diff"], folder, GIT_CEILING_DIRECTORIES=str(folder.parent))
    return folder


def test_all_additions_together_train_and_score(extended, tmp_path):
    """The new model hears the new feature in the new layout, learns by the new objective, and the new scorer judges."""
    rng, time = np.random.default_rng(0), np.arange(12_000) / 16_000
    (tmp_path / "pump" / "unit_3").mkdir(parents=True)
    for number in range(16):
        faulty = number >= 12
        waveform = 0.1 * np.sin(2 * np.pi * 200 * time) + 0.02 * rng.standard_normal(len(time))
        waveform += faulty * 0.2 * np.sin(2 * np.pi * 3_000 * time)
        name = f"{'faulty' if faulty else 'ok'}_202605{number + 10}.wav"
        soundfile.write(tmp_path / "pump" / "unit_3" / name, waveform, 16_000)
    command = [sys.executable, "-m", "experiments.linear_pred", "--features=log_mel,spectral_centroid"]
    command += [
        "--scorer=median",
        "--scorers=mse",
        "--objective=absolute_error",
        "--epochs=2",
        "--batch_size=16",
        f"--data_dir={tmp_path}",
    ]
    command += ["--dataset=workshop", f"--workdir={tmp_path / 'run'}", "--noreport", "--notensorboard"]
    run(command, extended, PYTHONPATH=str(extended))
    results = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert results["dataset"] == "workshop" and results["machine"] == "pump"
    assert results["headline_scorer"] == "median" and results["scorers"]["mse"]["role"] == "exploratory"
    assert results["scorers"]["median"]["machine_ids"]["unit_3"]["auc"] > 0.9  # a loud second tone
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    recipe = config["settings"]["recipe"]
    assert recipe["model"]["name"] == "linear_predictor" and recipe["objective"]["name"] == "absolute_error"
    assert config["settings"]["front_end"]["features"] == ["log_mel", "spectral_centroid"]


def test_the_tests_that_come_with_them_pass(extended):
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *ADDED_TESTS]
    said = run([*command, "-k", CHEAP], extended, PYTHONPATH=str(extended))
    assert int(re.search(r"(\d+) passed", said)[1]) == 3
