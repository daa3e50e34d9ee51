"""A detector that listens: `python -m experiments.monitor --checkpoint=RUN | --model=FILE.onnx --source=SOURCE`.

SOURCE is `mic` or `mic:DEVICE`; `-` for standard input, raw samples or WAV as `arecord` and `ffmpeg` write it;
`dir:FOLDER` for recordings as they arrive there; or the path of a recording or a named pipe. A source that stops, or is
not there yet, is opened again; standard input and a recording end.

    arecord -q -t wav -f S16_LE -r 16000 | python -m experiments.monitor --model=detector.onnx --source=-

Every second (`--hop_seconds`) a window of the training length is scored, and a line of JSON goes to standard output.
`--alarm=3/5` windows that do not overlap above the threshold raise an alarm, `--clear=5/5` not above it end it. The
threshold is set so that normal sound raises `--false_alarms_per_week=1`, as far as normal clips of training can tell;
`--threshold` takes a rule or a number instead. Each alarm is kept as a folder below `--workdir`: the minute of sound
around it, its picture, and numbers. docs/in_service.md and docs/deploy.md say more.
"""

import functools
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.datasets.clips import Machine
    from asd_jax.detectors.judging import Judge
    from asd_jax.detectors.stream.alarms import Votes
    from asd_jax.detectors.stream.normal_sound import NormalSound
    from asd_jax.report.live.evidence import Kept
    from asd_jax.report.live.monitor import Monitor, MonitorConfig
    from asd_jax.report.live.page import LivePage

FLAGS = flags.FLAGS

launch.adopt("checkpoint", "model", "machine", "machine_id", "channel", "scorer", "threshold", "workdir", "debug")
flags.DEFINE_string("source", None, "What to listen to: mic, mic:DEVICE, -, dir:FOLDER, a recording or a named pipe.")
flags.DEFINE_float("hop_seconds", 1.0, "From one window to the next.", lower_bound=0.05)
flags.DEFINE_float("speed", 1.0, "At which a recording is played: 1 is real time, 0 as fast as it goes.", lower_bound=0)
flags.DEFINE_string("alarm", "3/5", "Windows above the threshold, of the latest that do not overlap, for an alarm.")
flags.DEFINE_string("clear", "5/5", "Windows not above it that end the alarm.")
flags.DEFINE_float("quiet_minutes", 10.0, "After an alarm, in which none is raised again.", lower_bound=0)
flags.DEFINE_float(
    "false_alarms_per_week",
    1.0,
    "That normal sound may raise; sets the threshold, unless --threshold does.",
    lower_bound=1e-6,
    upper_bound=1e4,
)
flags.DEFINE_float("keep_gb", 2.0, "Space that kept alarms may take; the oldest go first.", lower_bound=0)
flags.DEFINE_float("keep_days", 30.0, "Days after which a kept alarm is taken away.", lower_bound=0)
flags.DEFINE_bool("keep_sound", True, "Keep the sound of alarms; --nokeep_sound keeps pictures and numbers alone.")
flags.DEFINE_string(
    "webhook",
    None,
    "Address that alarms and other events are posted to, or env:NAME of a variable that holds it.",
)
flags.DEFINE_integer("prometheus", None, "Port on loopback that serves numbers to Prometheus.", 0, 65_535)
flags.DEFINE_integer("page", None, "Port on loopback of a page to look at.", 0, 65_535)
flags.DEFINE_integer("sample_rate", 16_000, "Of raw samples on standard input or in a named pipe.", lower_bound=1)
flags.DEFINE_integer("channels", 1, "Of raw samples.", lower_bound=1)
flags.DEFINE_enum("sample_format", "s16le", ["s16le", "s24le", "s32le", "f32le"], "Of raw samples.")


def main(arguments: list[str]) -> None:
    """Listen until the source ends, or a signal."""
    launch.no_arguments(arguments)
    if (FLAGS.checkpoint is None) == (FLAGS.model is None):
        raise InputError("give --checkpoint, the folder of a finished run, or --model, an exported file")
    if not FLAGS.source:
        raise InputError("--source is needed: mic, -, dir:FOLDER, or the path of a recording or a named pipe")
    stop, reasons = threading.Event(), []

    def stopped(number: int, _: Any) -> None:
        reasons.append(signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)

    judge, channel, sounds = _loaded()
    from asd_jax.detectors.known_machines import candidates

    if len(FLAGS.machine_id) > 1:
        raise InputError("--machine_id: give one id, the machine that is listened to")
    given = FLAGS.machine_id[0] if FLAGS.machine_id else None
    machine = candidates(judge.machines, given, launch.settings().get("machine"))[0]
    folder = launch.folder("workdir") or (launch.folder("model") or launch.checkpoint() / "x").parent / "monitor"
    config, about = _config(judge, machine, FLAGS.scorer or judge.headline_scorer)
    with _alone(folder):
        _listen(judge, machine, config, about, sounds(machine), folder, channel, stop, reasons)


def _listen(
    judge: "Judge",
    machine: "Machine",
    config: "MonitorConfig",
    about: dict[str, Any],
    normal: "NormalSound",
    folder: Path,
    channel: str,
    stop: threading.Event,
    reasons: list[str],
) -> None:
    from asd_jax.datasets.live.ahead import ahead
    from asd_jax.datasets.live.opening import open_source
    from asd_jax.datasets.live.pcm import PcmFormat
    from asd_jax.report.live.evidence import Kept
    from asd_jax.report.live.metrics import Metrics
    from asd_jax.report.live.monitor import Monitor, identity
    from asd_jax.report.live.outlets import Outlets
    from asd_jax.report.live.state import State
    from asd_jax.report.live.webhook import Webhook

    scorer = about["scorer"]
    state = State.read(folder / "state.json", identity(judge, machine, scorer))
    kept = Kept(folder / "alarms", most_bytes=FLAGS.keep_gb * 1e9, days=FLAGS.keep_days)
    webhook = Webhook(FLAGS.webhook) if FLAGS.webhook else None
    metrics = None if FLAGS.prometheus is None else Metrics(FLAGS.prometheus)
    page = _page(machine, scorer, normal, kept)
    outlets = Outlets(functools.partial(print, flush=True), webhook=webhook, metrics=metrics, page=page)
    monitor = Monitor(
        judge,
        machine,
        config,
        tell=outlets.tell,
        drift=state.drift(judge.fitted[scorer][machine].normal_scores),
        normal=normal,
        scorer=scorer,
        kept=kept,
        show=page.spectrum if page else None,
        clock=state.clock,
    )
    raw = PcmFormat(FLAGS.sample_rate, FLAGS.channels, FLAGS.sample_format)
    heard = open_source(
        FLAGS.source, stop, raw=raw, channel=channel, speed=FLAGS.speed, since=state.since, done=state.heard
    )
    monitor.tell("start", source=FLAGS.source, kept=str(kept.folder), **about)
    for line in judge.remarks(scorer):
        print(wording.in_flags(line), file=sys.stderr)
    try:
        saved_at = monitor.clock
        for item in ahead(heard, stop):
            monitor.take(item)
            if monitor.clock - saved_at >= 3600:
                saved_at = monitor.clock
                _save(state, monitor)
    except InputError as error:
        reasons.append(wording.in_flags(str(error)))
        raise
    finally:
        monitor.end(reasons[0] if reasons else "the source ended")
        _save(state, monitor)
        outlets.close()


def _loaded() -> "tuple[Judge, str, Any]":
    """What judges, the channel of the source that it hears, and what gives a machine's normal sound."""
    from asd_jax.detectors.stream.normal_sound import NormalSound

    if FLAGS.model:
        from asd_jax.detectors import exported

        judge = exported.load(launch.folder("model"), threads=1)
        known = {tuple(of): saved for *of, saved in judge.metadata.get("normal_sound", [])}
        found = {of: NormalSound.from_dict(saved) for of, saved in known.items()}
        channel = FLAGS.channel or judge.metadata["channel"]
    else:
        from asd_jax.detectors.bundle import Detectors
        from asd_jax.runs import folder as run_folder

        detectors = Detectors.load(launch.checkpoint())
        judge = detectors.system
        judge.check_hears()
        found = {tuple(of): NormalSound.of_control(detectors, of) for of in judge.machines}
        recorded = run_folder.read_config(launch.checkpoint()).get("data")
        channel = FLAGS.channel or (recorded.get("channel", "mix") if isinstance(recorded, dict) else "mix")
    return judge, channel, lambda machine: found.get(tuple(machine)) or NormalSound.unknown(judge.sample_rate)


def _config(judge: "Judge", machine: "Machine", scorer: str) -> "tuple[MonitorConfig, dict[str, Any]]":
    """How to listen, and what the first line says of it."""
    from asd_jax.detectors.stream import false_alarms
    from asd_jax.detectors.stream.alarms import AlarmRule, Votes
    from asd_jax.report.live.monitor import MonitorConfig

    seconds = judge.cutting.clip_seconds if judge.cutting else judge.clip_seconds
    if seconds is None:
        raise InputError("this detector was saved before detectors knew how long their clips are; train it again")
    if scorer not in judge.fitted:
        raise InputError(f"--scorer={scorer}: the detector has {', '.join(judge.fitted)}")
    rule = AlarmRule(
        Votes.parse(FLAGS.alarm, name="alarm"), Votes.parse(FLAGS.clear, name="clear"), FLAGS.quiet_minutes
    )
    if FLAGS.hop_seconds > seconds:
        raise InputError(f"--hop_seconds={FLAGS.hop_seconds:g} is longer than a window, {seconds:g} s")
    threshold, why, expected = _threshold(judge, machine, scorer, seconds, rule.alarm)
    if threshold == float("inf"):
        print(
            "warning: the threshold is infinite: no alarm will be raised; record more, or take another --threshold",
            file=sys.stderr,
        )
    config = MonitorConfig(seconds, FLAGS.hop_seconds, threshold, rule, FLAGS.keep_sound)
    about = {
        "machine_type": machine.machine_type,
        "machine_id": machine.machine_id,
        "scorer": scorer,
        "window_seconds": seconds,
        "hop_seconds": FLAGS.hop_seconds,
        "threshold": threshold if threshold < float("inf") else None,
        "threshold_rule": why,
        "n_normal": len(judge.fitted[scorer][machine].normal_scores),
        "false_alarms_per_week": false_alarms.rounded(expected),
        "alarm": str(rule.alarm),
        "clear": str(rule.clear),
        "quiet_minutes": rule.quiet_minutes,
    }
    return config, about


def _threshold(
    judge: "Judge", machine: "Machine", scorer: str, seconds: float, votes: "Votes"
) -> tuple[float, str, float]:
    """Threshold of a window, where it comes from, and the false alarms a week that it lets one expect."""
    from asd_jax.detectors.stream import false_alarms

    fitted = judge.fitted[scorer][machine]
    if "threshold" not in launch.given():
        share = false_alarms.share_for(FLAGS.false_alarms_per_week, votes, window_seconds=seconds)
        why = f"{FLAGS.false_alarms_per_week:g} false alarm(s) a week: exceeded by {share:.2%} of normal windows"
        return false_alarms.window_threshold(fitted, share), why, FLAGS.false_alarms_per_week
    try:
        threshold, why = float(FLAGS.threshold), "given"
    except ValueError:
        fitted = judge.deciding_by(FLAGS.threshold).fitted[scorer][machine]
        threshold, why = fitted.threshold.value, FLAGS.threshold
    share = false_alarms.share_above(fitted, threshold)
    return threshold, why, false_alarms.per_week(share, votes, window_seconds=seconds)


def _alone(folder: Path) -> Any:
    """Hold the folder, so that two monitors never write into it."""
    import filelock

    from asd_jax import files

    files.check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        return lock.acquire(blocking=False)
    except filelock.Timeout:
        raise InputError(f"{folder}: another monitor writes into this folder; choose another --workdir") from None


def _save(state: Any, monitor: "Monitor") -> None:
    """Keep what the next monitor goes on from; where it cannot be written, say so and go on."""
    try:
        state.write(monitor.clock, monitor.drift)
    except InputError as error:
        print(f"warning: {error}", file=sys.stderr)


def _page(machine: "Machine", scorer: str, normal: "NormalSound", kept: "Kept") -> "LivePage | None":
    """The page, where one is asked for."""
    if FLAGS.page is None:
        return None
    from asd_jax.report.live.page import LivePage

    title = f"{machine.machine_type} {machine.machine_id}, {scorer}"
    page = LivePage(FLAGS.page, title=title, kept=kept.folder, band_hz=normal.frequencies.tolist())
    print(f"look at http://127.0.0.1:{page.port}/", file=sys.stderr)
    return page


if __name__ == "__main__":
    launch.run(main)
