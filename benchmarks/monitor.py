"""What listening costs: `python -m benchmarks.monitor MODEL.onnx ... [--minutes=10] [--hours=24]`, exported files.

Each is listened to by the real script in a process of its own, which hears normal sound through standard input:

* at real speed, a block of a tenth of a second at a time, for `--minutes`: its CPU time as a share of one core, its
  resident memory, and the time from when the last sample of a window was written to when its line was read;
* as fast as it takes it, for `--hours` of sound with a window every `--hop` seconds: resident memory from the first
  minute on. (The hop is longer there so that a day takes minutes; the loop that must not grow is the same.)

Floors at a hop of 1 s: 5 % of a core for `gmm`, 10 % for `lstm_pred`; 200 MB, 5 MB over the first minute; 200 ms.
The share is of CPU time, which others on the machine hardly change; times from sound to line are theirs too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asd_jax.datasets import synthetic
from asd_jax.detectors import exported
from benchmarks import harness

MOST_CPU = {"gmm": 5.0, "lstm_pred": 10.0}  # % of one core
MOST_MEMORY, MOST_GROWTH, MOST_DELAY = 200.0, 5.0, 200.0  # MB, MB, ms
BLOCK_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class Measured(NamedTuple):
    """Of one process: CPU seconds, MB at each line with the seconds of sound heard, ms from sound to line, windows."""

    cpu: float
    wall: float
    memory: list[tuple[float, float]]
    delays: list[float]
    n_windows: int
    n_above: int

    def grown(self) -> float:
        """MB that memory is higher at any time after the first minute of sound than at its end."""
        first = next(of for heard, of in self.memory if heard >= 60.0)
        return max(of for heard, of in self.memory if heard >= 60.0) - first


def normal_sound(machine_id: str, sample_rate: int) -> bytes:
    """A minute of a healthy slide rail, 16-bit."""
    config = synthetic.SlideRailConfig(sample_rate=max(16_000, sample_rate))
    clips = [of for of in synthetic.clip_names(config) if of.machine.machine_id == machine_id]
    clips = [of for of in clips if of.split == "test" and not of.is_anomaly][:6]
    waveform = np.concatenate([synthetic.synthesize(config, of.file_name) for of in clips])
    return np.round(32_767 * np.clip(waveform, -1.0, 1.0)).astype("<i2").tobytes()


def blocks(sound: bytes, n_bytes: int) -> Iterator[bytes]:
    """The sound over and over."""
    at = 0
    while True:
        block = sound[at : at + n_bytes]
        at += n_bytes
        if at >= len(sound):
            at -= len(sound)
            block += sound[: n_bytes - len(block)]
        yield block


def listened(model: Path, *, machine: list[str], sound: bytes, rate: int, seconds: float, hop: float, pace: float):
    """Run the script over so many seconds of sound, at a pace of 1 for real speed and 0 for as fast as it goes."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "experiments.monitor", f"--model={model}", "--source=-", f"--workdir={place}"]
        command += [f"--hop_seconds={hop}", f"--sample_rate={rate}", *machine]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        reader = _Reader(process)
        begun = time.monotonic()
        written, given = [], blocks(sound, 2 * round(rate * BLOCK_SECONDS))
        for number in range(1, round(seconds / BLOCK_SECONDS) + 1):
            if pace:
                time.sleep(max(0.0, begun + number * BLOCK_SECONDS / pace - time.monotonic()))
            try:
                process.stdin.write(next(given))
                process.stdin.flush()
            except BrokenPipeError:
                sys.exit(f"error: the monitor ended with status {process.wait()}")
            written.append(time.monotonic())
        cpu, wall = _cpu(process.pid), time.monotonic() - begun
        process.stdin.close()
        reader.join()
        if process.wait():
            sys.exit(f"error: the monitor ended with status {process.returncode}")
    ends = [round(heard / BLOCK_SECONDS) - 1 for heard, _ in reader.scores]
    delays = [1e3 * (at - written[end]) for end, (_, at) in zip(ends, reader.scores, strict=True)]
    return Measured(cpu, wall, reader.memory, delays, len(delays), reader.n_above)


class _Reader(threading.Thread):
    """Reads lines, and the memory of the process at each."""

    def __init__(self, process: subprocess.Popen) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.scores: list[tuple[float, float]] = []  # seconds of sound, and when its line was read
        self.memory: list[tuple[float, float]] = []
        self.n_above = 0
        self.start()

    def run(self) -> None:
        for line in self._process.stdout:
            now, event = time.monotonic(), json.loads(line)
            if event["event"] == "score":
                self.scores.append((event["seconds"], now))
                self.n_above += bool(event["above"])
                if memory := _memory(self._process.pid):
                    self.memory.append((event["seconds"], memory))


def _cpu(pid: int) -> float:
    """Seconds of CPU time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(of) for of in fields[11:15]) / _TICKS


def _memory(pid: int) -> float | None:
    """Resident, in MB; None where the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0, help="at real speed; 0 leaves that out")
    parser.add_argument("--hours", type=float, default=24.0, help="as fast as it goes; 0 leaves that out")
    parser.add_argument("--hop", type=float, default=10.0, help="seconds, over those hours")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine; delays are not to be recorded")
    arguments = parser.parse_args()
    harness.describe_machine("onnxruntime", force=arguments.force)
    for model in arguments.models:
        judge = exported.load(model, threads=1)
        system, machine, rate = judge.metadata.get("experiment", model.stem), judge.machines[0], judge.sample_rate
        chosen = [f"--machine={machine.machine_type}", f"--machine_id={machine.machine_id}"]
        is_known = machine.machine_type == synthetic.MACHINE_TYPE
        sound = normal_sound(machine.machine_id if is_known else synthetic.MACHINE_IDS[0], rate)
        common = {"machine": chosen, "sound": sound, "rate": max(16_000, rate)}
        print(f"\n{system}, windows of {judge.clip_seconds:g} s, {model.stat().st_size / 1e6:.2f} MB", flush=True)
        if arguments.minutes:
            found = listened(model, **common, seconds=60 * arguments.minutes, hop=1.0, pace=1.0)
            _say_real_speed(found, system)
        if arguments.hours:
            found = listened(model, **common, seconds=3600 * arguments.hours, hop=arguments.hop, pace=0.0)
            _say_hours(found, arguments)


def _say_real_speed(found: Measured, system: str) -> None:
    most, load = MOST_CPU.get(system, ""), os.getloadavg()[0]
    print(
        f"  {found.n_windows} windows in {found.wall:.0f} s, {found.n_above} above the threshold; load {load:.2f} after"
    )
    print(f"  CPU        {100 * found.cpu / found.wall:.2f} % of one core (floor {most}), start included")
    most_memory = max(of for _, of in found.memory)
    print(f"  memory     {most_memory:.0f} MB at most (floor {MOST_MEMORY:g}), {found.grown():+.1f} after a minute")
    late = [of for of in found.delays if of > MOST_DELAY]
    most_of_them = float(np.quantile(found.delays, 0.99))
    print(
        f"  to line    median {statistics.median(found.delays):.0f} ms, 99 % within {most_of_them:.0f} ms, "
        f"latest {max(found.delays):.0f} ms; {len(late)} above {MOST_DELAY:g}",
        flush=True,
    )


def _say_hours(found: Measured, arguments: argparse.Namespace) -> None:
    first = next(of for heard, of in found.memory if heard >= 60.0)
    print(f"  {arguments.hours:g} hours of sound, a window every {arguments.hop:g} s, in {found.wall:.0f} s")
    print(
        f"  memory     {first:.1f} MB after the first minute, {found.memory[-1][1]:.1f} at the end, "
        f"at most {found.grown():+.1f} between (floor {MOST_GROWTH:g}); {found.cpu:.0f} s of CPU",
        flush=True,
    )


if __name__ == "__main__":
    main()
