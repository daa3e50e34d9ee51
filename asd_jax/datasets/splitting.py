"""Train and test where the recordings come without a split, as in MIMII and in most folders of one's own."""

import dataclasses
import hashlib
from collections.abc import Sequence

from asd_jax.datasets.clips import Clip


def split_by_seed(clips: Sequence[Clip], *, seed: int = 0) -> list[Clip]:
    """Give the clips whose split is empty one; the others stay as they are.

    All anomalous clips of a machine id are for the test, and as many of its normal ones, but never more than half of
    these (MIMII's usual protocol, where there are normal clips enough). With no anomalous clip all normal ones train.
    Unlabelled clips are for the test.

    Which normal clips are tested is decided by a hash of the seed and the innermost three parts of the path below
    `data_dir`: it does not depend on the platform or on where that folder lies, is the same for MIMII at every
    signal-to-noise ratio, and a recording added later moves few of the others. It moves some, and so does another
    `data_dir`: `trained_on` keeps what a run has heard out of its later tests.
    """

    def rank(clip: Clip) -> tuple[str, str]:
        parts = "/".join(clip.file_name.split("/")[-3:])
        return hashlib.sha256(f"{seed} {parts}".encode()).hexdigest(), clip.file_name

    open_clips = [clip for clip in clips if not clip.split]
    tested = {clip.file_name for clip in open_clips if clip.is_anomaly is not False}
    for machine_id in {clip.machine_id for clip in open_clips}:
        normal = sorted((c for c in open_clips if c.machine_id == machine_id and c.is_anomaly is False), key=rank)
        n_anomaly = sum(clip.machine_id == machine_id and clip.is_anomaly is True for clip in open_clips)
        tested |= {clip.file_name for clip in normal[: min(n_anomaly, len(normal) // 2)]}
    return [
        clip if clip.split else dataclasses.replace(clip, split="test" if clip.file_name in tested else "train")
        for clip in clips
    ]
