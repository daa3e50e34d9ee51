"""Sweeps: which runs a grid comes down to, what is refused, and one tidy table of them all, whatever happens."""

import contextlib
import csv
import dataclasses
import subprocess
import sys

import pytest
import swept
from absl import flags

from asd_jax.errors import InputError
from asd_jax.runs import resources
from experiments import flags as shared  # noqa: F401 (defines the flags)
from experiments.sweeps import grid
from experiments.sweeps.engines import Local, do_all
from experiments.sweeps.run import Run


@pytest.fixture(autouse=True)
def parsed():
    flags.FLAGS.mark_as_parsed()


def test_points_are_all_combinations_of_what_a_system_takes():
    axes = grid.axes("hidden_size=64,128; features=log_mel,mfcc", ["0", "1", "0"])
    assert axes == {"hidden_size": ["64", "128"], "features": ["log_mel", "mfcc"], "seed": ["0", "1"]}
    points = grid.points(axes, {"features", "seed", "nu"})
    assert len(points) == 4 and {"features": "mfcc", "seed": "1"} in points
    assert grid.points(axes, ()) == [{}] and grid.points({}, {"seed"}) == [{}]
    names = [grid.folder_name(point) for point in points]
    assert len(set(names)) == 4 and "features=mfcc,seed=1" in names and grid.folder_name({}) == ""


@pytest.mark.parametrize(
    ("given", "seeds", "message"),
    [
        ("hidden_size", [], "give flags and their values"),
        ("hidden_size=64,", [], "give flags and their values"),
        ("hidden_sise=64", [], "hidden_sise is no setting"),
        ("machine=fan", [], "machine is no setting"),
        ("nu=0.1;nu=0.2", [], "nu is no setting to go through once"),
        ("hidden_size=0", [], "--hidden_size=0 cannot be"),
        (None, ["first"], "--seed=first cannot be"),
    ],
)
def test_what_cannot_be_gone_through(given, seeds, message):
    with pytest.raises(InputError, match=message):
        grid.axes(given, seeds)


def test_a_flag_that_no_system_takes(run_script, tmp_path):
    status, _, stderr = run_script("benchmark", "--experiments=gmm", "--grid=nu=0.1,0.2", f"--workdir={tmp_path / 'x'}")
    assert status == 1 and "none of gmm takes --nu" in stderr and not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ray_address=auto"], "--ray_address is of --engine=ray"),
        (["--engine=ray", "--workers=2"], "--workers is of --engine=local"),
        (["--resume"], "--resume needs --workdir"),
        (["--cpus_per_run=0"], "cpus_per_run=0"),
    ],
)
def test_an_engine_that_cannot_be(arguments, message, run_script):
    status, _, stderr = run_script("benchmark", "--experiments=gmm", *arguments)
    assert status == 1 and stderr.count("\n") == 1 and message in stderr, stderr


def test_what_cannot_be_is_said_before_anything_is_begun(machine_tree, run_script, tmp_path):
    arguments = [f"--data_dir={machine_tree}", "--machine=fan", "--experiments=gmm", f"--workdir={tmp_path / 'x'}"]
    status, _, stderr = run_script("benchmark", *arguments, "--grid=reg_covar=1e-3,-1")
    assert status == 1 and "--reg_covar=-1 cannot be" in stderr and not (tmp_path / "x").exists()


@pytest.mark.service
def test_a_sweep_whose_driver_is_killed_gives_the_same_table(machine_tree, run_script, tmp_path):
    arguments = swept.arguments(machine_tree)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    status, stdout, stderr = run_script("benchmark", *arguments, "--workers=2", f"--workdir={whole}")
    assert status == 0 and "[3/3]" in stdout and "3 of 3 runs" in stdout, stderr

    command = [sys.executable, "-m", "experiments.benchmark", *arguments, "--workers=2", f"--workdir={killed}"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    swept.wait_until(lambda: swept.is_in_the_middle(killed / swept.NETWORK))
    driver.kill()
    driver.wait()
    if sys.platform == "linux":  # a run ends with its driver
        swept.wait_until(lambda: not swept.is_at_work(killed), seconds=5)
        assert not (killed / swept.NETWORK / "metrics.json").exists()
    status, stdout, stderr = run_script("benchmark", "--resume", "--workers=2", f"--workdir={killed}")
    assert status == 0 and "3 of 3 runs" in stdout, stderr
    swept.assert_same(killed, whole)
    begun, resumed = swept.commands(killed / f"{swept.NETWORK}.log")
    assert resumed == [*begun, "--resume"]
    _check_table(whole / "results.csv")

    status, _, stderr = run_script("benchmark", "--resume", f"--workdir={killed}", "--seeds=0,1")
    assert status == 1 and "settings.seeds" in stderr


def _check_table(path):
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["seed"] for row in rows} == {"0"}
    means = [row for row in rows if (row["machine_id"], row["role"], row["measure"]) == ("mean", "headline", "auc")]
    assert [(row["system"], row["reg_covar"], row["context_frames"]) for row in means] == [
        ("gmm", "1e-3", ""), ("gmm", "1e-2", ""), ("lstm_pred", "", "3")
    ]  # fmt: skip
    assert [row["run"] for row in means] == list(swept.RUNS)
    assert all(0 <= float(row["low"]) <= float(row["value"]) for row in means)


def test_one_run_that_fails_loses_no_other(tmp_path, capsys):
    names = ("compare", "nothing")
    runs = [Run("fan", name, {}, tmp_path, tmp_path / "fan" / name, ("--sead=0",)) for name in names]
    with contextlib.closing(Local(2)) as engine:
        failed = do_all(runs, engine)
        elsewhere = engine.submit(dataclasses.replace(runs[0], base=tmp_path / "elsewhere")).result()
    assert "Unknown command line flag 'sead'" in failed["compare on fan"]
    assert "No module named experiments.nothing (exit status 1, see" in failed["nothing on fan"]
    assert capsys.readouterr().err.count("error: ") == 2
    assert "--workdir has to be a folder that all nodes share" in elsewhere


def test_what_is_at_work_ends_with_its_engine(tmp_path, monkeypatch):
    command = [sys.executable, "-c", "import time; time.sleep(100)"]
    monkeypatch.setattr("experiments.sweeps.run._command", lambda run: command)
    first, second = (Run("fan", name, {}, tmp_path, tmp_path / "fan" / name, ()) for name in ("a", "b"))
    engine = Local(1)
    at_work, waiting = engine.submit(first), engine.submit(second)
    swept.wait_until(lambda: first.log.exists() and swept.commands(first.log))
    engine.close()
    assert "ended by SIGKILL; is there memory for it?" in at_work.result() and waiting.cancelled()


def test_shares_of_a_machine():
    assert resources.share(cpus=2, gpus=0.0) == {
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), "2"),
        "JAX_PLATFORMS": "cpu",
    }
    assert "multi_thread_eigen=false" in resources.share(cpus=1, gpus=0.5)["XLA_FLAGS"]
    assert resources.share(cpus=None, gpus=None) == {}  # as a script is run by hand
    assert "JAX_PLATFORMS" not in resources.share(cpus=1, gpus=0.5)

    def seen(gpus, n_slots, around):
        return [resources.gpus_of(slot, gpus, around).get("CUDA_VISIBLE_DEVICES") for slot in range(n_slots)]

    assert seen(1.0, 3, {}) == ["0", "1", "2"] and seen(0.0, 2, {}) == [None, None]
    assert seen(0.5, 4, {"CUDA_VISIBLE_DEVICES": "4,7"}) == ["4", "4", "7", "7"] and seen(2.0, 2, {}) == ["0,1", "2,3"]
    with pytest.raises(InputError, match="need more GPUs than CUDA_VISIBLE_DEVICES=4,7 has"):
        seen(1.0, 3, {"CUDA_VISIBLE_DEVICES": "4,7"})
