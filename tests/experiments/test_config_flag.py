"""`--config` runs a config again with other flags laid over it; a tilde in a path is the home folder."""

import json
from pathlib import Path


def test_config_runs_the_same_again_with_flags_laid_over(machine_tree, run_script, tmp_path):
    data = [f"--data_dir={machine_tree}", "--machine=fan", "--noprepare"]
    first, second = tmp_path / "first", tmp_path / "second"
    status, _, stderr = run_script("gmm", *data, "--summary=mean,std", "--reg_covar=0.5", f"--workdir={first}")
    assert status == 0, stderr
    arguments = [f"--config={first / 'config.json'}", "--threshold=percentile_80", f"--workdir={second}", "--noprepare"]
    status, _, stderr = run_script("gmm", *arguments)
    assert status == 0, stderr
    before, after = (json.loads((of / "config.json").read_text()) for of in (first, second))
    assert after["settings"] == before["settings"] | {"threshold": "percentile_80"}
    assert after["settings"]["scorer"]["settings"] == {"reg_covar": 0.5}
    status, _, stderr = run_script("knn", f"--config={first / 'config.json'}", f"--workdir={tmp_path / 'third'}")
    assert status == 1 and "is of a run of gmm; use python -m experiments.gmm" in stderr
    scores = [Path(of / "scores.csv").read_text().splitlines()[1].split(",")[4] for of in (first, second)]
    assert scores[0] == scores[1]


def test_a_tilde_is_the_home_folder(machine_tree, run_script, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "recordings").symlink_to(machine_tree)
    status, _, stderr = run_script("knn", "--machine=fan", "--data_dir=~/recordings", "--workdir=~/run", "--noprepare")
    assert status == 0, stderr
    status, _, stderr = run_script("evaluate", "--checkpoint=~/run", "--data_dir=~/recordings", "--workdir=~/again")
    assert status == 0, stderr
    assert (tmp_path / "again" / "metrics.json").exists() and not list(Path.cwd().glob("~*"))


def test_the_config_of_an_earlier_version_is_told_so(run_script, tmp_path):
    old = Path(__file__).parents[1] / "detectors" / "format_1" / "classical" / "config.json"
    status, _, stderr = run_script("gmm", f"--config={old}", f"--workdir={tmp_path / 'run'}")
    assert status == 1 and "an earlier version made" in stderr and str(old) in stderr
