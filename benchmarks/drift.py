"""Drift in simulated weeks: `python -m benchmarks.drift [RUN] [--cache=FOLDER] [--weeks=100] [--seed=0]`.

RUN is a finished run on the synthetic slide rail; without one a `gmm` is trained. Ten-minute pieces of each machine are
made, cut into windows of 10 s and scored at several gains, with a resonance raised, and with a fault; the cache keeps
the scores. A week is 168 hours of six pieces each, drawn anew; its level follows a day-and-night swing, an hour-to-hour
wander and the change that is looked for, scores between two gains being interpolated. The first two days are normal in
every week. One whole day, normal and with the change, is sound made for it alone and scored window by window.

Counted are weeks with a report among normal ones, and among those with faults of minutes; the share and the delay of
changes that are reported, from the hour that they begin. The rule was chosen on weeks from seed 10000 on.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import scipy.signal

from asd_jax.datasets import DataConfig, synthetic
from asd_jax.detectors import Detector, Detectors
from asd_jax.detectors.stream.drift import Drift, DriftRule, normal_spread
from asd_jax.runs import run, statistics

WINDOW_SECONDS, PIECE_SECONDS = 10.0, 600.0
N_PIECES, N_FAULTY, FAULTY_SECONDS = 18, 40, 60.0
LEVELS = np.arange(-5.0, 7.0)  # dB, of everything
RAISED = np.array([0.0, 1.5, 3.0])  # dB, of a resonance
NEAR = np.arange(-2.0, 3.0)  # dB, of everything where the resonance is raised
RESONANCE_HZ, QUALITY = 980.0, 3.0
HOURS, NORMAL_HOURS, RAMP_HOURS = 168, 48, 12
SOUND_SEED = 101
CHANGES = ("none", "3 dB", "-3 dB", "resonance")


@dataclasses.dataclass(frozen=True)
class Weather:
    """How normal weeks differ from the hours that they are drawn from.

    Attributes:
        swing_db: of the level, from its mean to noon.
        wander_db: standard deviation of the hours' levels, which remember each other for some six hours.
    """

    swing_db: float
    wander_db: float


WEATHERS = {
    "steady": Weather(0.0, 0.0),
    "swing": Weather(0.5, 0.0),
    "both": Weather(0.5, 0.25),
    "rough": Weather(1.0, 0.5),
}


@dataclasses.dataclass(frozen=True)
class Pool:
    """Scores of one machine's windows, in the order of the sound.

    Attributes:
        level: at every gain, `(n_pieces, n_windows, n_levels)`.
        raised: with the resonance raised, `(n_pieces, n_windows, n_raised, n_near)`.
        faulty: with a fault, `(n_faulty, n_faulty_windows)`, which a longer fault repeats.
        spread: of normal scores.
    """

    level: np.ndarray
    raised: np.ndarray
    faulty: np.ndarray
    spread: float


def made(
    seed: int, machine_id: str, index: int, *, label: str = "normal", seconds: float = PIECE_SECONDS
) -> np.ndarray:
    """Windows of a piece, `(n_windows, n_samples)`."""
    config = synthetic.SlideRailConfig(seed=seed, clip_seconds=seconds)
    waveform = synthetic.synthesize(config, f"slide_rail/test/{label}_{machine_id}_{index:08d}.wav")
    return waveform.reshape(round(seconds / WINDOW_SECONDS), -1)


def louder(waveforms: np.ndarray, db: float) -> np.ndarray:
    """With a gain, in float: no recorder is in the way."""
    return waveforms * np.float32(10.0 ** (db / 20.0))


def resonance(waveforms: np.ndarray, db: float) -> np.ndarray:
    """With a resonance raised: a peaking filter (R. Bristow-Johnson's cookbook), begun anew in every window."""
    if db == 0.0:
        return waveforms
    amplitude, angle = 10.0 ** (db / 40.0), 2.0 * np.pi * RESONANCE_HZ / 16_000
    alpha = np.sin(angle) / (2.0 * QUALITY)
    b = np.array([1.0 + alpha * amplitude, -2.0 * np.cos(angle), 1.0 - alpha * amplitude])
    a = np.array([1.0 + alpha / amplitude, -2.0 * np.cos(angle), 1.0 - alpha / amplitude])
    return scipy.signal.lfilter(b / a[0], a / a[0], waveforms, axis=-1).astype(np.float32)


def score_pool(detector: Detector, machine_id: str, seed: int) -> Pool:
    """All scores of one machine that weeks are made of."""

    def score(waveforms: np.ndarray) -> np.ndarray:
        return detector.score(waveforms, sample_rate=16_000, machine_id=machine_id)

    level, raised = [], []
    for index in range(N_PIECES):
        windows = made(seed, machine_id, index)
        level.append(np.stack([score(louder(windows, db)) for db in LEVELS], axis=-1))
        peaks = [resonance(windows, db) for db in RAISED]
        raised.append([[score(louder(peak, db)) for db in NEAR] for peak in peaks])
    faulty = [
        score(made(seed, machine_id, index, label="anomaly", seconds=FAULTY_SECONDS)) for index in range(N_FAULTY)
    ]
    machine = next(machine for machine in detector.machines if machine.machine_id == machine_id)
    spread = normal_spread(detector.fitted[detector.headline_scorer][machine].normal_scores)
    return Pool(np.asarray(level), np.moveaxis(np.asarray(raised), 3, 1), np.asarray(faulty), spread)


def score_day(detector: Detector, machine_id: str, seed: int) -> np.ndarray:
    """One whole day from sound: `(2, n_windows)` scores, normal and with 3 dB more over its first 12 hours."""
    days: tuple[list, list] = ([], [])
    n_pieces = round(86_400 / PIECE_SECONDS)
    for index in range(n_pieces):
        windows = made(seed, machine_id, index)
        hours = (index + np.arange(len(windows)) / len(windows)) * PIECE_SECONDS / 3_600
        gains = (10.0 ** (3.0 * np.minimum(1.0, hours / RAMP_HOURS) / 20.0)).astype(np.float32)
        for day, waveforms in zip(days, (windows, windows * gains[:, None]), strict=True):
            day.append(detector.score(waveforms, sample_rate=16_000, machine_id=machine_id))
    return np.asarray([np.concatenate(day) for day in days])


def scores_of(run_folder: str | None, cache: Path) -> tuple[dict[str, Pool], np.ndarray]:
    """The pool of each machine and the day from sound, computed where the cache does not have them."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(run_folder or cache / "gmm")
    if not (folder / "checkpoints" / "bundle").exists():
        run(dataclasses.replace(statistics("gmm", "gmm"), data=DataConfig("slide_rail")), folder)
    detector = Detectors.load(folder).system
    pools = {}
    for machine_id in synthetic.MACHINE_IDS:
        file = cache / f"{machine_id}.npz"
        if not file.exists():
            np.savez(file, **dataclasses.asdict(score_pool(detector, machine_id, SOUND_SEED)))
        with np.load(file) as arrays:
            pools[machine_id] = Pool(**{name: arrays[name] for name in arrays.files})
    file = cache / "day.npy"
    if not file.exists():
        np.save(file, score_day(detector, synthetic.MACHINE_IDS[0], SOUND_SEED + 1))
    return pools, np.load(file)


def week(pool: Pool, weather: Weather, change: str, seed: int, *, fault_minutes: float = 0.0) -> np.ndarray:
    """Scores of a week, `(168, n_windows)` by the hour.

    Args:
        pool: what its hours are drawn from.
        weather: of every hour.
        change: `none`, `3 dB` or `-3 dB` of everything, `resonance`, over 12 hours after the first 48, and staying.
        seed: of all that is drawn.
        fault_minutes: longest of the faults, four a day on average after the first 48 hours.
    """
    rng = np.random.default_rng([7, seed])
    n_windows = pool.level.shape[1] * round(3_600 / PIECE_SECONDS)
    phase, wander, remembers = rng.uniform(0.0, 24.0), rng.normal(), np.exp(-1.0 / 6.0)
    changed = np.clip((np.arange(HOURS * n_windows) / n_windows - NORMAL_HOURS) / RAMP_HOURS, 0.0, 1.0)
    scores = []
    for hour, share in enumerate(changed.reshape(HOURS, n_windows)):
        wander = remembers * wander + np.sqrt(1.0 - remembers**2) * rng.normal()
        db = weather.swing_db * np.sin(2.0 * np.pi * (hour - phase) / 24.0) + weather.wander_db * wander
        pieces = rng.integers(len(pool.level), size=round(3_600 / PIECE_SECONDS))
        if change == "resonance":
            near = pool.raised[pieces].reshape(n_windows, len(RAISED), len(NEAR))
            of_level = between(np.moveaxis(near, 2, 0), NEAR, np.full(n_windows, db))
            scores.append(between(np.moveaxis(of_level, 1, 0), RAISED, RAISED[-1] * share))
        else:
            gain = {"none": 0.0, "3 dB": 3.0, "-3 dB": -3.0}[change] * share
            levels = pool.level[pieces].reshape(n_windows, len(LEVELS))
            scores.append(between(levels.T, LEVELS, db + gain))
    result = np.asarray(scores)
    if fault_minutes:
        _add_faults(result[NORMAL_HOURS:], pool.faulty, fault_minutes, rng)
    return result


def between(values: np.ndarray, grid: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Linear interpolation: values `(n_grid, n, ...)` of each of `n` at its own point, held at the grid's ends."""
    place = np.clip((at - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.0)
    below = np.minimum(place.astype(int), len(grid) - 2)
    share = (place - below).reshape(-1, *[1] * (values.ndim - 2))
    rows = np.arange(len(at))
    return (1.0 - share) * values[below, rows] + share * values[below + 1, rows]


def _add_faults(hours: np.ndarray, faulty: np.ndarray, most_minutes: float, rng: np.random.Generator) -> None:
    """Put windows of faulty pieces in the place of normal ones, some minutes at a time."""
    flat, per_minute = hours.reshape(-1), hours.shape[1] / 60
    for _ in range(round(4 * len(hours) / 24)):
        length = max(1, int(rng.uniform(1.0, most_minutes) * per_minute))
        start = rng.integers(len(flat) - length)
        flat[start : start + length] = np.resize(faulty[rng.integers(len(faulty))], length)


def reports(rule: DriftRule, spread: float, hours: np.ndarray) -> list[tuple[float, str]]:
    """Hour and direction of every report in a week's scores.

    A minute's median is given in place of its scores, whose median `Drift` would take first: the reports are the same.
    """
    drift = Drift(rule, spread=spread)
    minutes = np.median(hours.reshape(len(hours) * 60, -1), axis=1)
    found = ((minute * 60.0, drift.update(minute * 60.0, score)) for minute, score in enumerate(minutes.tolist()))
    return [(seconds / 3_600, report.direction) for seconds, report in found if report]


def count(rule: DriftRule, pools: dict[str, Pool], n_weeks: int, seed: int) -> None:
    """Print the table of simulated weeks, the machines in turn."""
    print(
        f"{'weather':<8} {'change':<10} {'faults':>8} {'reported':>9} {'in a day':>9} {'median h':>9} {'latest h':>9}"
    )
    runs = [(weather, change, 0.0) for weather in WEATHERS for change in CHANGES]
    for weather, change, faults in [*runs, *(("both", "none", minutes) for minutes in (10.0, 30.0))]:
        delays = []
        for number in range(n_weeks):
            pool = pools[synthetic.MACHINE_IDS[number % len(pools)]]
            hours = week(pool, WEATHERS[weather], change, seed + number, fault_minutes=faults)
            if found := reports(rule, float(pool.spread), hours):
                delays.append(found[0][0] - NORMAL_HOURS)
        in_a_day = f"{sum(delay <= 24.0 for delay in delays):>9}" if change != "none" else f"{'':>9}"
        said = f"{np.median(delays):>9.0f} {max(delays):>9.0f}" if delays else f"{'':>9} {'':>9}"
        print(f"{weather:<8} {change:<10} {f'{faults:g} min':>8} {len(delays):>9} {in_a_day} {said}", flush=True)


def from_sound(rule: DriftRule, pool: Pool, day: np.ndarray) -> None:
    """Print what is said of the day from sound, normal and with the change, after two drawn days of its machine."""
    before = week(pool, WEATHERS["steady"], "none", 0)[:NORMAL_HOURS]
    for name, scores in zip(("normal", "3 dB over 12 h"), day, strict=True):
        hours = scores.reshape(24, -1)
        found = reports(rule, float(pool.spread), np.concatenate([before, hours, hours[:1]]))
        spread = np.median(hours, axis=1).std(ddof=1) / pool.spread
        said = f"reported {found[0][1]} after {found[0][0] - NORMAL_HOURS:.0f} h" if found else "nothing reported"
        print(f"a day from sound, {name}: {said}; its hours' medians have {spread:.2f} spreads of normal scores")


def main() -> None:
    """Score what is not scored yet, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "asd_jax_drift")
    parser.add_argument("--weeks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pools, day = scores_of(given.run, given.cache)
    for machine_id, pool in pools.items():
        shift = np.median(pool.level, axis=(0, 1)) - np.median(pool.level[:, :, LEVELS == 0.0])
        hours = [np.median(week(pool, weather, "none", 0), axis=1).std() for weather in WEATHERS.values()]
        said = ", ".join(f"{name} {of / pool.spread:.2f}" for name, of in zip(WEATHERS, hours, strict=True))
        moved = shift[LEVELS == 3.0][0] / pool.spread
        print(f"{machine_id}: 3 dB move the median by {moved:.1f} spreads of normal scores,")
        print(f"       hours of a normal week have a spread of {said}")
    rule = DriftRule()
    print(f"{rule}, {given.weeks} weeks each from seed {given.seed}")
    from_sound(rule, pools[synthetic.MACHINE_IDS[0]], day)
    count(rule, pools, given.weeks, given.seed)


if __name__ == "__main__":
    main()
