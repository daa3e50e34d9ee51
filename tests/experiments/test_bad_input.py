"""Every mistake of a user: one line that names the file or flag, exit status 1, and nothing written."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def finished_run(machine_tree, tmp_path_factory):
    """A finished run of the smallest kind, to be copied before it is harmed."""
    from asd_jax.models import LSTMPredictorConfig
    from asd_jax.runs import DataConfig, network, run
    from asd_jax.training import TrainingConfig

    workdir = tmp_path_factory.mktemp("runs") / "run"
    model, training = LSTMPredictorConfig(hidden_size=4, context_frames=3), TrainingConfig(epochs=1, batch_size=32)
    config = dataclasses.replace(network("lstm_pred", model, training), data=DataConfig("fan", str(machine_tree)))
    run(config, workdir, say=lambda line: None)
    return workdir


@pytest.fixture
def tree(machine_tree, tmp_path):
    """A copy of the recordings that a case may harm."""
    return shutil.copytree(machine_tree, tmp_path / "recordings")


FIRST_TRAIN = "fan/train/normal_id_00_00000000.wav"


def harm(tree, name, waveform=None, **write):
    path = tree / name
    if waveform is None:
        path.write_bytes(path.read_bytes()[:5_000])
    else:
        soundfile.write(path, waveform, 16_000, **write)


def silence_training(tree):
    for path in (tree / "fan" / "train").glob("*_id_02_*"):
        soundfile.write(path, np.zeros(16_000), 16_000)


CASES = {
    "missing folder": (lambda tree: shutil.rmtree(tree), [], "--data_dir="),
    "empty folder": (lambda tree: shutil.rmtree(tree / "fan"), [], "no recordings in it"),
    "no clips": (lambda tree: [p.unlink() for p in tree.rglob("*.wav")], [], "no recordings in it"),
    "no training clips": (lambda tree: shutil.rmtree(tree / "fan" / "train"), [], "no training clips"),
    "no such machine": (lambda tree: None, ["--machine=pump"], "--machine=pump: not in .* which has fan"),
    "no such id": (lambda tree: None, ["--machine_id=id_09"], "--machine_id=id_09: .* has id_00, id_02"),
    "truncated file": (lambda tree: harm(tree, FIRST_TRAIN), [], f"{FIRST_TRAIN} is truncated"),
    "not audio": (lambda tree: (tree / FIRST_TRAIN).write_text("no sound" * 99), [], f"{FIRST_TRAIN} cannot be read"),
    "short clip": (lambda tree: harm(tree, FIRST_TRAIN, np.ones(900)), [], f"{FIRST_TRAIN} is too short: 0.06 s"),
    "nan": (
        lambda tree: harm(tree, FIRST_TRAIN, np.full(9_000, np.nan), subtype="FLOAT"),
        [],
        f"{FIRST_TRAIN} holds NaN",
    ),
    "silent training": (silence_training, [], "all training clips of id_02 are silent"),
    "other name": (lambda tree: (tree / FIRST_TRAIN).rename(tree / "fan/train/a.wav"), [], "a.wav is not named"),
    "no epochs": (lambda tree: None, ["--epochs=0"], "--epochs=0: give a number above 0"),
    "no rate": (lambda tree: None, ["--learning_rate=-1"], "--learning_rate=-1"),
    "large batch": (
        lambda tree: None,
        ["--batch_size=9999"],
        "--batch_size=9999 is more than the .* training examples",
    ),
    "fraction": (lambda tree: None, ["--validation_fraction=1"], "--validation_fraction=1"),
    "seed": (lambda tree: None, ["--seed=-1"], "--seed=-1: .* non-negative"),
    "threshold": (lambda tree: None, ["--threshold=median"], "--threshold=median"),
    "scorer": (lambda tree: None, ["--scorer=svm"], "--scorer: no scorer named 'svm'"),
    "channel": (lambda tree: None, ["--channel=1"], "--channel=1: .* has 1 channel"),
    "channel name": (lambda tree: None, ["--channel=left"], "--channel=left"),
    "dataset": (lambda tree: None, ["--dataset=mnist"], "--dataset=mnist: not known"),
    "stray argument": (lambda tree: None, ["slide_rail"], "'slide_rail' is not a flag"),
    "unknown flag": (lambda tree: None, ["--epoch=3"], "'epoch'"),
    "another script's flag": (lambda tree: None, ["--checkpoint=x"], "--checkpoint is not a flag of this script"),
    "not a number": (lambda tree: None, ["--epochs=many"], "--epochs=many"),
    "resume without folder": (lambda tree: None, ["--resume", "--workdir="], "not the folder of a run|--workdir"),
}


@pytest.mark.parametrize("case", CASES)
def test_training(case, tree, tmp_path, run_script):
    prepare, arguments, says = CASES[case]
    prepare(tree)
    workdir = tmp_path / "run"
    status, _, stderr = run_script(
        "lstm_pred", "--machine=fan", f"--data_dir={tree}", f"--workdir={workdir}", "--epochs=1", *arguments
    )
    assert status == 1
    assert_one_line(stderr, says)
    assert not workdir.exists()


def assert_one_line(stderr, says):
    lines = [line for line in stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: "), stderr
    assert re.search(says, lines[0]), lines[0]


def test_a_machine_without_recordings_names_what_is_built_in(run_script, tmp_path):
    status, _, stderr = run_script("lstm_pred", "--machine=fan", f"--workdir={tmp_path / 'run'}")
    assert status == 1
    assert_one_line(stderr, "--machine=fan.*slide_rail")


def test_no_machine(run_script):
    status, _, stderr = run_script("lstm_pred")
    assert status == 1
    assert_one_line(stderr, "--machine is needed")


def test_a_folder_that_holds_another_run(finished_run, machine_tree, run_script):
    before = sorted((p, p.stat().st_mtime_ns) for p in finished_run.rglob("*"))
    arguments = ["--machine=fan", f"--data_dir={machine_tree}", f"--workdir={finished_run}"]
    status, _, stderr = run_script("lstm_pred", *arguments)
    assert status == 1
    assert_one_line(stderr, "is not empty")
    status, _, stderr = run_script("lstm_pred", *arguments, "--resume", "--learning_rate=0.5")
    assert status == 1
    assert_one_line(stderr, r"settings\.\S+ is .* was started with")
    assert before == sorted((p, p.stat().st_mtime_ns) for p in finished_run.rglob("*"))


@pytest.mark.parametrize("script", ["evaluate", "score"])
def test_checkpoints_that_cannot_be_used(script, finished_run, tmp_path, run_script, machine_tree):
    files = [machine_tree / FIRST_TRAIN] if script == "score" else []

    def says(run, pattern):
        status, _, stderr = run_script(script, f"--checkpoint={run}", *files)
        assert status == 1
        assert_one_line(stderr, pattern)

    says(tmp_path / "nowhere", "nowhere")
    copy = shutil.copytree(finished_run, tmp_path / "copy")
    metadata = copy / "checkpoints" / "bundle" / "metadata" / "metadata"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"format": 999}))
    says(copy, r"metadata is not as it was saved; copy the run again")
    (copy / "checkpoints" / "bundle" / "sha256.json").unlink()
    says(copy, "written in checkpoint format 999, this version reads format")
    shutil.rmtree(copy / "checkpoints" / "bundle")
    says(copy, "no checkpoint there")
    status, _, stderr = run_script(script, *files)
    assert status == 1
    assert_one_line(stderr, "--checkpoint is needed")


@pytest.mark.parametrize("script", ["evaluate", "score"])
def test_a_run_is_not_written_over(script, finished_run, tmp_path, run_script, machine_tree):
    files = [machine_tree / FIRST_TRAIN] if script == "score" else []
    other = shutil.copytree(finished_run, tmp_path / "other")
    before = sorted((p, p.stat().st_mtime_ns) for p in other.rglob("*"))
    for folder in (other, finished_run):
        status, _, stderr = run_script(script, f"--checkpoint={finished_run}", f"--workdir={folder}", *files)
        assert status == 1
        assert_one_line(stderr, "is a run, whose files stay as they are")
    assert before == sorted((p, p.stat().st_mtime_ns) for p in other.rglob("*"))


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("ID_02/monday.wav", 0, "id_02"),  # a folder's name will do, in any case, as in training
        ("id_07/id_02.wav", 0, "id_02"),
        ("id_07/monday.wav", 1, "does not say which machine"),  # not one of ours, whatever it is
        ("id_02/id_07.wav", 1, "id_07"),
    ],
)
def test_which_machine_a_new_recording_is_of(name, status, says, finished_run, machine_tree, tmp_path, run_script):
    path = tmp_path / name
    path.parent.mkdir()
    shutil.copy(machine_tree / FIRST_TRAIN, path)
    found, stdout, stderr = run_script("score", f"--checkpoint={finished_run}", f"--workdir={tmp_path / 'out'}", path)
    assert found == status and says in stdout + stderr


@pytest.mark.parametrize(
    ("script", "flag", "says"),
    [
        ("gmm", "--reg_covar=-1", "--reg_covar=-1"),
        ("gmm", "--pca=0", "--pca=0: give a share"),
        ("knn", "--seed=-1", "--seed=-1"),
    ],
)
def test_numbers_that_cannot_be(script, flag, says, machine_tree, tmp_path, run_script):
    arguments = ["--machine=fan", f"--data_dir={machine_tree}", f"--workdir={tmp_path / 'run'}"]
    status, _, stderr = run_script(script, *arguments, flag)
    assert status == 1
    assert_one_line(stderr, says)


def test_evaluate_takes_the_flags_that_its_errors_advise(finished_run, tree, tmp_path, run_script):
    harm(tree, "fan/test/normal_id_02_00000001.wav")
    arguments = [f"--checkpoint={finished_run}", f"--data_dir={tree}", f"--workdir={tmp_path / 'again'}", "--noreport"]
    status, _, stderr = run_script("evaluate", *arguments)
    assert status == 1
    assert_one_line(stderr, "pass --skip_bad_files")
    status, _, stderr = run_script("evaluate", *arguments, "--dataset=mimii")
    assert status == 1
    status, stdout, _ = run_script("evaluate", *arguments, "--skip_bad_files", "--dataset=dcase2020")
    assert status == 0
    assert "1 bad test file(s) left out" in stdout


@pytest.mark.slow
def test_skip_bad_files_carries_on_and_counts(tree, tmp_path, run_script):
    harm(tree, FIRST_TRAIN)
    (tree / "fan/test/normal_id_02_00000001.wav").write_bytes(b"")
    arguments = [
        "--machine=fan",
        f"--data_dir={tree}",
        f"--workdir={tmp_path / 'run'}",
        "--epochs=1",
        "--hidden_size=4",
        "--context_frames=3",
    ]
    status, stdout, _ = run_script("lstm_pred", *arguments, "--skip_bad_files")
    assert status == 0
    assert "1 bad training file(s) left out" in stdout and "1 bad test file(s) left out" in stdout
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert len(metrics["bad_files"]) == 1
    assert metrics["scorers"]["mse"]["machine_ids"]["id_02"]["n_normal"] == 2


@pytest.mark.slow
def test_said_but_no_error(tree, tmp_path, run_script):
    """A silent test clip, a test set of one class, few normal clips."""
    soundfile.write(tree / "fan/test/normal_id_00_00000000.wav", np.zeros(16_000), 16_000)
    for path in (tree / "fan" / "test").glob("anomaly_id_02_*"):
        path.unlink()
    arguments = [
        "--machine=fan",
        f"--data_dir={tree}",
        f"--workdir={tmp_path / 'run'}",
        "--epochs=1",
        "--hidden_size=4",
        "--context_frames=3",
    ]
    status, stdout, _ = run_script("lstm_pred", *arguments)
    assert status == 0
    assert "1 silent test clip(s): fan/test/normal_id_00_00000000.wav" in stdout
    assert "only 12 normal training clips of id_00" in stdout and "unreliable" in stdout
    assert "id_02 has no anomalous test clips" in stdout
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["scorers"]["mse"]["machine_ids"]["id_02"]["auc"] is None
    assert len((tmp_path / "run" / "scores.csv").read_text().splitlines()) == 1 + 9


@pytest.fixture
def afile(tmp_path):
    (tmp_path / "a file").write_text("x")
    return tmp_path / "a file"


def harm_link(tree):
    (tree / FIRST_TRAIN).unlink()
    (tree / FIRST_TRAIN).symlink_to(tree / FIRST_TRAIN)


def harm_pipe(tree):
    (tree / FIRST_TRAIN).unlink()
    os.mkfifo(tree / FIRST_TRAIN)


@pytest.mark.parametrize(
    ("prepare", "arguments", "says"),
    [
        (None, ["--workdir={file}"], "--workdir=.* is a file"),
        (None, ["--workdir={file}/below"], "cannot be written .*choose another folder by --workdir"),
        (harm_link, [], f"{FIRST_TRAIN} cannot be read as audio .Too many levels"),
        (harm_pipe, [], f"{FIRST_TRAIN} cannot be read as audio .no regular file"),
        (lambda tree: (tree / FIRST_TRAIN).rename(tree / "fan/train/a\rb.wav"), [], "a line break in a file's name"),
        (None, ["--seed=1180591620717411303424"], "--seed=1180591620717411303424: give a number from 0"),
        (None, ["--reg_covar=0"], "cannot be inverted; raise --reg_covar"),
        (None, ["--data_dir="], "--data_dir= is empty"),
        (None, ["--features="], "--features= is empty"),
        (None, ["--machine=../x"], "--machine=../x: give a name"),
    ],
)
def test_what_was_a_traceback(prepare, arguments, says, tree, afile, tmp_path, run_script):
    if prepare:
        prepare(tree)
    arguments = [argument.format(file=afile) for argument in arguments]
    status, _, stderr = run_script("gmm", f"--data_dir={tree}", f"--workdir={tmp_path / 'run'}", *arguments)
    assert status == 1
    assert_one_line(stderr, says)
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what TensorStore's threads print
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", b"[]", "no experiment and settings"),
        ("config.json", b'{"experiment": "gmm"}', "no experiment and settings"),
        ("config.json", b'{"experiment": "gmm", "settings": {}}', "lacks `settings.data`"),
        ("checkpoints/bundle/arrays/_METADATA", None, "bundle is damaged, or no checkpoint"),
        ("checkpoints/bundle/arrays/manifest.ocdbt", b"", "bundle is damaged, or no checkpoint"),
        ("checkpoints/bundle/metadata/metadata", b'{"format"', "bundle is damaged, or no checkpoint"),
        ("checkpoints/bundle/metadata/metadata", b'{"format": 2}', "is damaged: it lacks 'detectors'"),
    ],
)
def test_run_folders_that_lack_something(name, content, says, finished_run, tmp_path, run_script):
    copy = shutil.copytree(finished_run, tmp_path / "copy")
    (copy / name).unlink() if content is None else (copy / name).write_bytes(content)
    if name.startswith("checkpoints"):
        status, _, stderr = run_script("evaluate", f"--checkpoint={copy}")
        assert status == 1
        assert_one_line(stderr, f"{name} is not as it was saved")
        (copy / "checkpoints" / "bundle" / "sha256.json").unlink()  # as in bundles of before there were digests
    status, _, stderr = run_script("evaluate", f"--checkpoint={copy}")
    assert status == 1
    assert_one_line(stderr, says)


def test_a_machine_of_another_name_is_evaluated(finished_run, tree, tmp_path, run_script):
    (tree / "fan").rename(tree / "blower")
    arguments = [f"--checkpoint={finished_run}", f"--data_dir={tree}", f"--workdir={tmp_path / 'out'}"]
    status, _, stderr = run_script("evaluate", *arguments)
    assert status == 1
    assert_one_line(stderr, "which has blower")
    status, _, stderr = run_script("evaluate", *arguments, "--machine=blower")
    assert status == 0, stderr


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    from asd_jax import files
    from asd_jax.errors import InputError

    def full(path, content):
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(InputError, match=r"a.csv cannot be written \(No space left on device\); make room"):
        files.write_text(tmp_path / "a.csv", "x")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="a checkpoint cannot be written"), files.checkpoint_written_below(tmp_path):
        (tmp_path / "1.orbax-checkpoint-tmp").mkdir()
        raise ValueError("RESOURCE_EXHAUSTED")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_reading():
    command = f"{sys.executable} -m experiments.compare --help | head -c 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert result.stderr == ""


def test_words_of_files_that_cannot_be_read(tmp_path, monkeypatch):
    from asd_jax.datasets.audio import read_audio
    from asd_jax.errors import InputError

    def says(pattern, **options):
        with pytest.raises(InputError, match=pattern):
            read_audio(tmp_path / "a.wav", **{"sample_rate": 16_000} | options)

    says(r"\(no such file\); check its name")
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 16_000)
    says("sample_rate=0", sample_rate=0)
    monkeypatch.setattr(soundfile, "SoundFile", lambda path: open(path / "x"))  # noqa: SIM115
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    says(r"\(no permission to read it\); change its permissions")
