"""Supplemental clips of DCASE 2025: what they teach a network, and what they are kept from."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from asd_jax import load_detector
from asd_jax.datasets import open_dataset
from asd_jax.datasets.supplemental import noisy, wanted

QUICK = ("--branches=spectrum", "--epochs=1", "--batch_size=8", "--noprepare", "--scorers=")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A machine of DCASE 2025's layout with 4 clean clips and 2 of noise."""
    root, rng = tmp_path_factory.mktemp("supplemental"), np.random.default_rng(0)
    time = np.arange(16_000) / 16_000
    names = [f"train/section_00_source_train_normal_{n:04d}_noAttribute.wav" for n in range(12)]
    names += [
        f"test/section_00_source_test_{label}_{n:04d}_noAttribute.wav"
        for label in ("normal", "anomaly")
        for n in (0, 1)
    ]
    names += [f"supplemental/section_00_machine_source_{n:04d}_noAttribute.wav" for n in range(4)]
    names += [f"supplemental/section_00_noise_{n:04d}.wav" for n in range(2)]
    for name in names:
        tone, noise = 0.1 * np.sin(2 * np.pi * 200 * time), 0.02 * rng.standard_normal(16_000)
        samples = {"section_00_machine": tone, "section_00_noise_0": noise}.get(name[13:31], tone + noise)
        samples = samples + ("anomaly" in name) * 0.1 * np.sin(2 * np.pi * 3_000 * time)
        (root / "ToyPet" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / "ToyPet" / name, samples, 16_000)
    return root


def test_clean_clips_are_a_class_of_their_own_and_teach_the_network_alone(tree, run_script, tmp_path):
    assert "6 supplemental clips left out" in open_dataset(data_dir=tree).description
    data = [f"--data_dir={tree}", f"--workdir={tmp_path / 'train'}", "--supplemental=train"]
    status, stdout, stderr = run_script("multi_branch", *data, *QUICK)
    assert status == 0, stderr
    assert "2 classes of 4 to 12 training clips" in stdout and "left out" not in stdout
    assert "note: 4 clips more train the network (--supplemental=train)" in stdout
    fitted = next(iter(load_detector(tmp_path / "train").fitted["knn"].values()))
    assert len(fitted.normal_scores) == 12 and len(fitted.scorer.vectors) == 12  # not the clean ones
    settings = json.loads((tmp_path / "train" / "config.json").read_text())["settings"]
    assert settings["data"]["supplemental"] == "train"
    status, _, stderr = run_script("evaluate", f"--checkpoint={tmp_path / 'train'}")
    assert status == 0, stderr


def test_noise_is_mixed_into_copies_of_training_clips(tree, run_script, tmp_path):
    dataset = open_dataset(data_dir=tree, supplemental="mix")
    clips, noises = dataset.split("train"), wanted(dataset, "mix")
    assert [len(of) for of in (clips, noises, dataset.split("test"), wanted(dataset, "train"))] == [12, 2, 4, 4]
    mixed, again, other = (noisy(clips, noises, dataset.read, seed=seed) for seed in (0, 0, 1))
    added = mixed(clips[0]) - dataset.read(clips[0])
    np.testing.assert_array_equal(mixed(clips[0]), again(clips[0]))
    assert not np.array_equal(mixed(clips[0]), other(clips[0]))
    # What was added is one of the noises from somewhere on, 6 dB louder at most.
    spectra = [np.fft.rfft(dataset.read(noise)) for noise in noises]
    likeness = [np.abs(np.fft.irfft(np.fft.rfft(added) * of.conj())).max() for of in spectra]
    best = dataset.read(noises[int(np.argmax(likeness))])
    assert max(likeness) == pytest.approx(np.linalg.norm(added) * np.linalg.norm(best), rel=1e-3)
    assert 0.5 <= np.linalg.norm(added) / np.linalg.norm(best) <= 2.0
    run = tmp_path / "run"
    given = [f"--data_dir={tree}", f"--workdir={run}", "--supplemental=mix", "--epochs=1", "--scorers=", "--noprepare"]
    status, stdout, stderr = run_script("dense_ae", *given)
    assert status == 0 and "12 clips more train the network (--supplemental=mix)" in stdout, stderr
    assert len(next(iter(load_detector(run).fitted["mse"].values())).normal_scores) == 12


def test_what_cannot_be_is_one_line(tree, machine_tree, run_script, tmp_path):
    given = ["--machine=fan", f"--workdir={tmp_path / 'run'}", "--noprepare"]
    status, _, stderr = run_script("dense_ae", f"--data_dir={machine_tree}", *given, "--supplemental=train")
    assert status == 1 and "needs clips of the machine without noise in supplemental/ of fan" in stderr
    status, _, stderr = run_script("gmm", f"--data_dir={machine_tree}", *given, "--supplemental=train")
    assert status == 1 and "--supplemental is not a flag of this script" in stderr
    shutil.copytree(tree, tmp_path / "odd")
    shutil.rmtree(tmp_path / "odd" / "ToyPet" / "supplemental")
    given[0] = "--machine=toy_pet"
    status, _, stderr = run_script("dense_ae", f"--data_dir={tmp_path / 'odd'}", *given, "--supplemental=mix")
    assert status == 1 and "needs clips of noise alone in supplemental/ of toy_pet" in stderr
    assert not (tmp_path / "run").exists()
