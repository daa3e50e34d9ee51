"""Sweeps: which runs a grid comes down to, what is refused, and one tidy table of them all."""

import csv
import shutil

import pytest
from absl import flags

from asd_jax.errors import InputError
from experiments import flags as shared  # noqa: F401 (defines the flags)
from experiments.sweeps import grid as sweep


@pytest.fixture(autouse=True)
def parsed():
    flags.FLAGS.mark_as_parsed()


def test_points_are_all_combinations_of_what_a_system_takes():
    axes = sweep.axes("hidden_size=64,128; features=log_mel,mfcc", ["0", "1", "0"])
    assert axes == {"hidden_size": ["64", "128"], "features": ["log_mel", "mfcc"], "seed": ["0", "1"]}
    points = sweep.points(axes, {"features", "seed", "nu"})
    assert len(points) == 4 and {"features": "mfcc", "seed": "1"} in points
    assert sweep.points(axes, ()) == [{}] and sweep.points({}, {"seed"}) == [{}]
    names = [sweep.folder_name(point) for point in points]
    assert len(set(names)) == 4 and "features=mfcc,seed=1" in names and sweep.folder_name({}) == ""


@pytest.mark.parametrize(
    ("grid", "seeds", "message"),
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
def test_what_cannot_be_gone_through(grid, seeds, message):
    with pytest.raises(InputError, match=message):
        sweep.axes(grid, seeds)


def test_a_flag_that_no_system_takes(run_script, tmp_path):
    status, _, stderr = run_script("benchmark", "--experiments=gmm", "--grid=nu=0.1,0.2", f"--workdir={tmp_path / 'x'}")
    assert status == 1 and "none of gmm takes --nu" in stderr and not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_sweep_that_was_half_finished_gives_the_same_table(machine_tree, run_script, tmp_path):
    base = tmp_path / "sweep"
    arguments = [f"--data_dir={machine_tree}", "--machine=fan", "--experiments=gmm", f"--workdir={base}"]
    arguments += ["--grid=reg_covar=1e-3,-1,1e-2", "--seeds=0"]
    status, _, stderr = run_script("benchmark", *arguments)
    assert status == 1 and "--reg_covar=-1 cannot be" in stderr
    arguments[-2] = "--grid=reg_covar=1e-3,1e-2"
    status, stdout, stderr = run_script("benchmark", *arguments)
    assert status == 0 and "2 of 2 runs" in stdout, stderr
    whole = (base / "results.csv").read_text()
    rows = list(csv.DictReader(whole.splitlines()))
    assert {row["reg_covar"] for row in rows} == {"1e-3", "1e-2"} and {row["seed"] for row in rows} == {"0"}
    means = [row for row in rows if (row["machine_id"], row["role"], row["measure"]) == ("mean", "headline", "auc")]
    assert len(means) == 2 and all(0 <= float(row["low"]) <= float(row["value"]) for row in means)
    assert {row["run"] for row in means} == {"fan/gmm/reg_covar=1e-3,seed=0", "fan/gmm/reg_covar=1e-2,seed=0"}
    shutil.rmtree(base / "fan" / "gmm" / "reg_covar=1e-2,seed=0")
    (base / "results.csv").unlink()
    status, _, stderr = run_script("benchmark", "--resume", f"--workdir={base}", "--experiments=gmm")
    assert status == 0, stderr
    again = list(csv.DictReader((base / "results.csv").read_text().splitlines()))
    times = ("fit_seconds", "score_seconds")
    assert [row for row in again if row["measure"] not in times] == [row for row in rows if row["measure"] not in times]
