"""The command that fetches releases, and the flags of prepared recordings."""

import io
import zipfile

import pytest
from zenodo import Zenodo


@pytest.fixture
def zenodo(machine_tree):
    """A record of DCASE 2020 that holds the small tree of recordings as its fan."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for path in sorted(machine_tree.rglob("*.wav")):
            file.write(path, path.relative_to(machine_tree))
    return Zenodo({"dev_data_fan.zip": content.getvalue()})


def test_fetch_then_train(zenodo, run_script, tmp_path):
    data, runs = tmp_path / "data", tmp_path / "runs"
    with zenodo.serve() as base_url:
        arguments = ["--dataset=dcase2020", "--machine=fan", f"--data_dir={data}", f"--base_url={base_url}"]
        status, stdout, stderr = run_script("prepare_data", *arguments)
    assert (status, stderr) == (0, "")
    assert "record 3678171: A record, licence cc-by-nc-sa-4.0" in stdout
    assert "warning: dcase2020 fan: 24 training and 12 test clips, but 3675 training and 1875 test" in stdout
    (command,) = (line for line in stdout.splitlines() if line.startswith("next: python -m experiments.gmm "))
    options, cache = command.split()[4:], f"--cache_dir={tmp_path / 'cache'}"
    status, stdout, stderr = run_script("gmm", *options, f"--workdir={runs / 'prepared'}", cache)
    assert (status, stderr) == (0, "") and "prepared 36 clips once" in stdout
    assert run_script("gmm", *options, f"--workdir={runs / 'plain'}", "--noprepare")[0] == 0
    scores = [(runs / name / "scores.csv").read_text() for name in ("prepared", "plain")]
    assert scores[0] == scores[1]
    assert "cache" not in (runs / "prepared" / "config.json").read_text(), "where clips are kept is no setting"
    # The machine was prepared as a whole, and one of its ids is read from there.
    arguments = [f"--checkpoint={runs / 'prepared'}", cache, "--machine_id=id_02"]
    status, stdout, _ = run_script("evaluate", *arguments)
    assert status == 0 and "prepared" not in stdout.replace(str(runs), "")


def test_a_cache_that_cannot_be_written(machine_tree, run_script, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = ["--machine=fan", f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script("gmm", *arguments, f"--cache_dir={tmp_path / 'file'}")
    assert status == 1 and len(stderr.splitlines()) == 1
    assert stderr.startswith(f"error: {tmp_path / 'file'}") and "--noprepare" in stderr
    assert not (tmp_path / "run").exists()


def test_lists(zenodo, run_script):
    status, stdout, _ = run_script("prepare_data", "--list")
    assert status == 0 and "dcase2020  DCASE 2020 challenge, task 2" in stdout and "licence CC BY-NC-SA 4.0" in stdout
    with zenodo.serve() as base_url:
        status, stdout, _ = run_script("prepare_data", "--list", "--dataset=toyadmos", f"--base_url={base_url}")
        assert status == 1  # the server has no such record
        zenodo.number = 3351307
        status, stdout, _ = run_script("prepare_data", "--list", "--dataset=toyadmos", f"--base_url={base_url}")
    assert status == 0 and "dev_data_fan.zip" in stdout and "MB" in stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--dataset is needed"),
        (["--dataset=dcase2019"], "--dataset=dcase2019: not a release"),
        (["--dataset=dcase2020"], "--machine is needed: fan, pump, slide_rail"),
        (["--dataset=dcase2020", "--machine=fan,saw"], "--machine=saw: not in dcase2020"),
        (["--dataset=mimii", "--machine=fan", "--snr_db=3"], "--snr_db=3"),
    ],
)
def test_mistakes(arguments, says, run_script):
    status, _, stderr = run_script("prepare_data", *arguments)
    assert status == 1 and stderr.startswith("error: ") and says in stderr and len(stderr.splitlines()) == 1
