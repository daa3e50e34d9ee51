import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.splitting import split_by_seed


def recordings(n_normal, n_anomaly, machine_id="id_00", above=""):
    normal = [Clip(f"{above}{machine_id}/normal/{i:08d}.wav", machine_id, "", False) for i in range(n_normal)]
    return normal + [Clip(f"{above}{machine_id}/abnormal/{i:08d}.wav", machine_id, "", True) for i in range(n_anomaly)]


def names(clips, split, is_anomaly):
    return {clip.file_name for clip in clips if clip.split == split and clip.is_anomaly is is_anomaly}


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))
def test_all_anomalous_and_as_many_normal_clips_are_tested(n_normal, n_anomaly, seed):
    clips = recordings(n_normal, n_anomaly)
    split = split_by_seed(clips, seed=seed)
    assert [dataclasses.replace(clip, split="") for clip in split] == clips
    assert len(names(split, "test", True)) == n_anomaly and not names(split, "train", True)
    n_tested = min(n_anomaly, n_normal // 2)
    assert len(names(split, "test", False)) == n_tested and len(names(split, "train", False)) == n_normal - n_tested
    assert split_by_seed(list(reversed(clips)), seed=seed) == list(reversed(split))  # whatever the order


def test_the_seed_chooses_and_the_folder_does_not():
    chosen = [names(split_by_seed(recordings(100, 20), seed=seed), "test", False) for seed in (0, 1)]
    assert chosen[0] != chosen[1]
    louder = names(split_by_seed(recordings(100, 20, above="6_dB_fan/fan/"), seed=0), "test", False)
    assert {name.removeprefix("6_dB_fan/fan/") for name in louder} == chosen[0]


def test_each_machine_id_by_itself_and_given_splits_stay():
    given_test = Clip("test/normal_1.wav", "id_00", "test", False)
    unlabelled = Clip("other/1.wav", "id_00", "", None)
    split = split_by_seed([*recordings(10, 4), *recordings(10, 0, "id_02"), given_test, unlabelled])
    assert given_test in split and split[-1].split == "test"
    assert sum(clip.machine_id == "id_02" and clip.split == "train" for clip in split) == 10
