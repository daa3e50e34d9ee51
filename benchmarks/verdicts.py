"""False verdicts on normal recordings of any length: `python -m benchmarks.verdicts RUN [--data_dir=DIR]`.

RUN is a finished run on the synthetic slide rail, whose normal clips are made anew, as many as are asked for; or on the
recordings in DIR, whose normal test clips are drawn. Recordings are clips drawn without repetition, as far as they
reach. For every scorer and id of the detector and its control it prints the alarms in 30 normal recordings of each
length, and for comparison those by the rule that any clip above the threshold of clips alarms.
"""

import argparse

import numpy as np

from asd_jax.datasets import open_dataset, synthetic
from asd_jax.datasets.clips import Clip
from asd_jax.datasets.extraction import extract
from asd_jax.detectors import Detector, Detectors
from asd_jax.detectors.recordings import limit, statistic

LENGTHS = (1, 10, 100, 360)
N_RECORDINGS = 30


def normal_clips(data_dir: str | None, machine_id: str, n_clips: int):
    """Unseen normal clips of a machine, and how to read one."""
    if data_dir is None:
        config = synthetic.SlideRailConfig(n_test_normal=n_clips)
        dataset, clips = None, synthetic.clip_names(config)
    else:
        dataset = open_dataset(data_dir=data_dir)
        clips = dataset.clips
    unseen = [c for c in clips if c.split == "test" and c.is_anomaly is False and c.machine_id == machine_id]

    def read(clip: Clip) -> np.ndarray:
        return synthetic.synthesize(config, clip.file_name) if dataset is None else dataset.read(clip)

    return unseen, read


def alarms(detector: Detector, scorer: str, machine: tuple, scores: np.ndarray, length: int, rng) -> tuple[int, int]:
    """Alarms in 30 recordings of `length` clips: by the rule for recordings, by any clip above the threshold."""
    fitted = detector.fitted[scorer][machine]
    held_against = limit(fitted.threshold, fitted.normal_scores, length)
    found = [rng.choice(scores, length, replace=False) for _ in range(N_RECORDINGS)]
    by_rule = sum(statistic(of, consecutive=detector.consecutive)[0] > held_against for of in found)
    return int(by_rule), sum(bool((of > fitted.threshold.value).any()) for of in found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--data_dir")
    parser.add_argument("--machine_id", default="id_00")
    parser.add_argument("--n_clips", type=int, default=1800, help="synthetic clips to make")
    arguments = parser.parse_args()
    detectors, rng = Detectors.load(arguments.run), np.random.default_rng(0)
    clips, read = normal_clips(arguments.data_dir, arguments.machine_id, arguments.n_clips)
    lengths = [length for length in LENGTHS if length <= len(clips)]
    if lengths[-1] < LENGTHS[-1] and len(clips) not in lengths:
        lengths.append(len(clips) * 9 // 10)
    print(f"{len(clips)} unseen normal clips of {arguments.machine_id}; alarms in {N_RECORDINGS} recordings")
    print(f"{'scorer':<28} {'n_normal':>8}  " + "  ".join(f"{n:>4} clips (any)" for n in lengths))
    for name, detector in {"": detectors.system, **detectors.controls}.items():
        heard = extract(clips, read, detector.front_end)
        machines = [clip.machine for clip in heard.clips]
        for scorer, scores in detector.score_frames(heard.frames, machines).items():
            found = [alarms(detector, scorer, machines[0], scores, n, rng) for n in lengths]
            n_normal = len(detector.fitted[scorer][machines[0]].normal_scores)
            row = "  ".join(f"{rule:>4} {f'({worst})':>11}" for rule, worst in found)
            print(f"{f'{name} {scorer}'.strip():<28} {n_normal:>8}  {row}")


if __name__ == "__main__":
    main()
