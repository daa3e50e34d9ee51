"""Prepared recordings beside decoding them from their files: `python -m benchmarks.datasets`.

Noise of 10 s, as a machine's clips come: 16-bit at 16 kHz, 16-bit at 44.1 kHz, FLAC of two channels. For each, the
cost of a clip to decode, to prepare beyond that, and to read when prepared. `--start` measures instead how long a run
on 2400 clips at 16 kHz takes until it trains, the first time and the second.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from asd_jax.datasets import open_dataset
from asd_jax.datasets.prepared import prepared
from asd_jax.datasets.read_ahead import read_ahead
from benchmarks import harness

SECONDS, RATE = 10, 16_000
KINDS = {
    "16-bit, 16 kHz, WAV": ("wav", 16_000, 1),
    "16-bit, 44.1 kHz, WAV": ("wav", 44_100, 1),
    "stereo, 16 kHz, FLAC": ("flac", 16_000, 2),
}


def write_clips(folder: Path, n_train: int, n_test: int, *, kind: str = "wav", rate: int = RATE, channels: int = 1):
    """Coloured noise at a recording's level, named as in DCASE 2020."""
    rng = np.random.default_rng(0)
    long = np.cumsum(rng.standard_normal((SECONDS * rate + 100_000, channels)), axis=0)
    long = 0.05 * np.diff(long, axis=0) + 0.02 * rng.standard_normal((len(long) - 1, channels))
    names = [f"train/normal_id_00_{i:08d}.wav" for i in range(n_train)]
    names += [f"test/{('normal', 'anomaly')[i % 2]}_id_00_{i // 2:08d}.wav" for i in range(n_test)]
    for index, name in enumerate(names):
        path = folder / "slide_rail" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        start = 37 * index % 100_000
        soundfile.write(path, long[start : start + SECONDS * rate], rate, format=kind.upper(), subtype="PCM_16")


def cost(action) -> tuple[np.ndarray, object]:
    """Seconds on the clock and of all cores, and what the action gives."""
    start = np.asarray([time.perf_counter(), time.process_time()])
    result = action()
    return np.asarray([time.perf_counter(), time.process_time()]) - start, result


def once_over(dataset) -> None:
    """Read every clip as a run does, a thread a core."""
    for _ in read_ahead(dataset.clips, dataset.read):
        pass


def compare(n_clips: int) -> None:
    print(f"\nms a clip of {SECONDS} s, on the clock / of all {os.cpu_count()} cores; medians of five")
    print(f"{'':28} {'decode':>13} {'prepare':>13} {'beyond it':>13} {'read prepared':>13} {'beyond + read':>13}")
    for name, (kind, rate, channels) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            write_clips(folder / "data", n_clips, 0, kind=kind, rate=rate, channels=channels)
            plain = open_dataset(machine="slide_rail", data_dir=folder / "data")
            once_over(plain)  # into the page cache
            rows = []
            for _ in range(5):
                decode, _ = cost(lambda plain=plain: once_over(plain))
                with tempfile.TemporaryDirectory() as cache:  # gone each time, so that memory for files is not new
                    options = {"data_dir": folder / "data", "cache_dir": cache, "sample_rate": RATE}
                    prepare, cached = cost(lambda o=options, p=plain: prepared(p, say=lambda _: None, **o))
                    read, _ = cost(lambda cached=cached: once_over(cached))
                rows.append((decode, prepare, prepare - decode, read, prepare - decode + read))
            figures = 1e3 * np.median(rows, axis=0) / n_clips
            print(f"{name:28} " + " ".join(f"{wall:5.2f} / {cpu:5.2f}" for wall, cpu in figures))


def processor_seconds(pid: int) -> float:
    """What a process has used of all cores so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def time_to_training(n_train: int, n_test: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_clips(folder / "data", n_train, n_test)
        for run in ("first", "second"):
            arguments = [f"--data_dir={folder / 'data'}", f"--workdir={folder / run}", "--epochs=1"]
            command = [sys.executable, "-u", "-m", "experiments.dense_ae", "--machine=slide_rail", *arguments]
            environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
            start = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            # The last thing made before the first step: everything is read by then and Orbax imported.
            while process.poll() is None and not (folder / run / "checkpoints" / "training").exists():
                time.sleep(0.02)
            seconds, busy = time.perf_counter() - start, processor_seconds(process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            said = process.communicate()[0].decode()
            prepared_line = re.search("prepared .* once: .* of int16", said)
            took = f"{seconds:.1f} s ({busy:.1f} s of a core)"
            print(f"{run:7} run on {n_train} + {n_test} clips: training begins after {took}", end="")
            print(f"; {prepared_line[0]}" if prepared_line else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--clips", type=int, default=400, help="clips of each kind")
    parser.add_argument("--start", action="store_true", help="time until a run on 2400 clips trains")
    arguments = parser.parse_args()
    harness.describe_machine("soundfile", "tensorflow-datasets", "array-record", force=arguments.force)
    if arguments.start:
        time_to_training(2_000, 400)
    else:
        compare(arguments.clips)


if __name__ == "__main__":
    main()
