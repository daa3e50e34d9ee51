"""What listens: blocks of samples become windows, scores, alarms, drift, and events that tell of them."""

import collections
import dataclasses
import datetime
import hashlib
import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from asd_jax.datasets.clips import Machine
from asd_jax.datasets.live.blocks import Block, Break, Kind
from asd_jax.datasets.sound import measure
from asd_jax.detectors.judging import Judge
from asd_jax.detectors.recordings import share_of_normal_above
from asd_jax.detectors.stream.alarms import AlarmRule, Alarms, Change
from asd_jax.detectors.stream.drift import Drift
from asd_jax.detectors.stream.normal_sound import NormalSound
from asd_jax.detectors.stream.windows import Memory, Window, Windows
from asd_jax.detectors.thresholds import decide
from asd_jax.detectors.verdicts import Piece
from asd_jax.errors import InputError
from asd_jax.features.shapes import Float
from asd_jax.report.drivers import find_drivers, in_words
from asd_jax.report.live.evidence import Kept
from asd_jax.report.live.picture import picture

AFTER_SECONDS, KEPT_SECONDS = 10.0, 60.0  # of sound after an alarm, and around it, that are kept
_STATUS_SECONDS = 3600.0
_ZEROS = 0.25  # of a window's samples: no hall is that quiet
Event = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class MonitorConfig:
    """How a monitor listens.

    Attributes:
        window_seconds: length of a window, that of the clips of training.
        hop_seconds: from one window to the next.
        threshold: of a window; infinite never alarms.
        rule: when windows are an alarm.
        keep_sound: keep the sound of alarms, not just pictures and numbers.
    """

    window_seconds: float
    hop_seconds: float = 1.0
    threshold: float = math.inf
    rule: AlarmRule = AlarmRule()
    keep_sound: bool = True


class Monitor:
    """Takes what a source gives, and tells events.

    Args:
        judge: a detector or an exported file.
        machine: that is listened to.
        config: how.
        tell: takes every event, plain values that JSON has.
        drift: watches the scores.
        normal: the machine's normal sound, for pictures.
        scorer: the headline scorer by default.
        kept: where alarms are kept; None keeps nothing.
        show: takes the log-mel of each hop, `(n_frames, n_mels)` in dB; None where nobody looks.
        clock: seconds of the stream so far, where a monitor goes on after another.
        now: the time, for people; nothing is reckoned by it, since it may be set back.
    """

    def __init__(
        self,
        judge: Judge,
        machine: Machine,
        config: MonitorConfig,
        *,
        tell: Callable[[Event], None],
        drift: Drift,
        normal: NormalSound,
        scorer: str | None = None,
        kept: Kept | None = None,
        show: Callable[[Float[np.ndarray, "n_frames n_mels"]], None] | None = None,
        clock: float = 0.0,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self.config, self.drift = config, drift
        self._judge, self._machine, self._scorer = judge, machine, scorer or judge.headline_scorer
        self._column = judge.machines.index(machine)
        self._fitted, self._health = judge.fitted[self._scorer][machine], judge.health.get(machine)
        self._tell, self._normal, self._kept, self._show, self._now = tell, normal, kept, show, now
        self._windows = Windows(seconds=config.window_seconds, hop_seconds=config.hop_seconds)
        self._windows.clock = clock
        self._windows.interrupt()
        overlapping = math.ceil(config.window_seconds / config.hop_seconds)
        self._alarms = Alarms(config.rule, overlapping=overlapping)
        self._memory = Memory(seconds=KEPT_SECONDS)
        self._counted: collections.Counter[str] = collections.Counter()
        self._status_at = clock + _STATUS_SECONDS
        self._to_keep: tuple[str, Event, float] | None = None
        self._writer = ThreadPoolExecutor(1, "evidence")
        self._written: Future[None] | None = None
        self._is_over = False

    @property
    def clock(self) -> float:
        """Seconds of the stream, breaks of a known length included."""
        return self._windows.clock

    def take(self, item: Block | Break | None) -> None:
        """Take what the source gives next; None where it gave nothing for a moment."""
        if isinstance(item, Block):
            for window in self._windows.push(item.samples, item.sample_rate):
                self._score(window)
            if self._kept:
                self._memory.push(self.clock, item.samples, item.sample_rate)
        elif item is not None:
            self._interrupt(item)
        is_over = isinstance(item, Break) and item.kind is Kind.WAITING  # nothing may come after it
        if self._to_keep and (is_over or self.clock >= self._to_keep[2]):
            self._keep()
        if self._written and self._written.done():
            self._check_written()
        if self.clock >= self._status_at:
            self._status()

    def end(self, reason: str) -> None:
        """Score and keep what is left, and tell the last event."""
        if rest := self._windows.interrupt():
            self._score(rest)
        if self._to_keep:
            self._keep()
        self._is_over = True
        self._writer.shutdown()
        self._check_written()
        self._status()
        self.tell("stop", reason=reason)

    def tell(self, event: str, *, at: float | None = None, **values: Any) -> Event:
        """Tell an event, with the time for people and the seconds of the stream, which are now unless given."""
        time = self._now().isoformat(timespec="milliseconds")
        seconds = round(self.clock if at is None else at, 3)
        told = {"event": event, "time": time, "seconds": seconds, **values}
        self._tell(told)
        return told

    def _interrupt(self, item: Break) -> None:
        rest = self._windows.interrupt(item.seconds)
        if rest and item.kind is Kind.RECORDING:  # a recording shorter than a window is all that there is
            self._score(rest)
        lost = {"lost_seconds": round(item.seconds, 3)} if item.seconds else {}
        self._counted["lost_seconds"] += item.seconds
        self.tell(item.kind, reason=item.reason, **lost)

    def _score(self, window: Window) -> None:
        score, remarks = self._heard(window)
        above = share = None
        if score is not None:
            above = bool(decide(np.asarray(score), self.config.threshold))
            share = share_of_normal_above(score, self._fitted.normal_scores, 1)
        at = window.end  # the clock may be a little further, by what came in the same block
        self._counted[{True: "above", False: "below", None: "no_verdict"}[above]] += 1
        self.tell(
            "score",
            at=at,
            score=score,
            threshold=_finite(self.config.threshold),
            above=above,
            share_of_normal_above=share,
            remarks=remarks,
        )
        change = self._alarms.update(window.start, window.end, above)
        if change is Change.ALARM:
            self._counted["alarms"] += 1
            name = self._kept.next_name() if self._kept else None
            told = self.tell("alarm", at=at, score=score, threshold=_finite(self.config.threshold), folder=name)
            if self._to_keep:  # alarms may follow each other faster than the sound after them comes
                self._keep()
            if name:
                self._to_keep = name, told, window.end + AFTER_SECONDS
        elif change is Change.CLEAR:
            self.tell("clear", at=at, score=score)
        if score is not None and (found := self.drift.update(window.end, score)):
            self.tell("drift", at=at, **found._asdict())

    def _heard(self, window: Window) -> tuple[float | None, str]:
        """Score of a window, and what is unlike training; without a score, why there is none."""
        if np.mean(window.samples == 0) >= _ZEROS:
            return None, "no sound: a quarter of the samples or more is zero; is the microphone connected?"
        try:
            ready = self._judge.prepare(window.samples, sample_rate=window.sample_rate, name="the window")
        except InputError as error:
            return None, str(error)
        if reason := self._judge.too_short(ready):
            return None, reason
        if self._show:
            hop = round(self.config.hop_seconds * self._judge.sample_rate)
            self._show(self._normal.log_mel(ready[-hop:]))
        piece = Piece(0, window.start, ready)
        score = float(self._judge.score_pieces([piece], [[self._machine]], self._scorer)[0, self._column])
        if not math.isfinite(score):
            return None, "the score is not finite"
        sound = measure(ready, sample_rate=self._judge.sample_rate)
        return score, "; ".join(self._health.remarks(sound, of_clip=True)) if self._health else ""

    def _status(self) -> None:
        """What was counted since the last one, so that who reads can hold it against what was promised."""
        self._status_at = self.clock + _STATUS_SECONDS
        names = ("above", "below", "no_verdict", "alarms")
        counted = {name: int(self._counted[name]) for name in names}
        lost = round(float(self._counted["lost_seconds"]), 3)
        self._counted.clear()
        if self._kept and not self._is_over:
            self._writer.submit(self._kept.prune)  # what is too old goes, whether or not there are further alarms
        suppressed, self._alarms.suppressed = self._alarms.suppressed, 0
        self.tell(
            "status",
            **counted,
            suppressed_alarms=suppressed,
            lost_seconds=lost,
            baseline_hours=self.drift.baseline_hours,
            alarm_is_active=self._alarms.is_active,
        )

    def _keep(self) -> None:
        """Write the folder of an alarm, in a thread of its own, since pictures take a while."""
        name, alarm, until = self._to_keep
        self._to_keep = None
        raised = until - AFTER_SECONDS
        sound, rate = self._memory.since(self.clock - KEPT_SECONDS)
        sound = np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0)  # what was broken has been told
        if self._written:
            self._check_written()
        self._written = self._writer.submit(self._write, name, alarm, sound, rate, self.clock - raised)

    def _write(self, name: str, alarm: Event, sound: np.ndarray, rate: int, after: float) -> None:
        """The alarm's folder; `after` says how long after the alarm its sound ends, in seconds."""
        seconds = len(sound) / rate if rate else 0.0
        ready = (
            self._judge.prepare(sound, sample_rate=rate, name="the sound") if len(sound) else np.zeros(1, np.float32)
        )
        first, length = after - seconds, self.config.window_seconds
        begin = max(0, round((-length - first) * self._judge.sample_rate))
        clip = ready[begin : begin + round(length * self._judge.sample_rate)]
        of_clip = self._normal.log_mel(clip if len(clip) else ready)
        deviation = self._normal.deviation(of_clip)
        found, words = None, "What is normal in each band is not known to this detector."
        if deviation is not None:
            squared = np.square(of_clip - self._normal.mean)
            frequencies, hop = self._normal.frequencies, self._normal.hop_seconds
            found = find_drivers(squared, deviation, hop_seconds=hop)
            words = in_words(found, frequencies=frequencies, hop_seconds=hop)
        drawn = picture(
            self._normal.log_mel(ready),
            self._normal.mean,
            frequencies=self._normal.frequencies,
            seconds=seconds,
            first_second=first,
            shown=(-length, 0.0),
            bands=found.bands if found else None,
            title=_title(self._machine, alarm),
            text=words,
        )
        about = {**alarm, "machine": list(self._machine), "scorer": self._scorer, "drivers": words}
        about |= {"sound_begins": round(first, 3), "sound_seconds": round(seconds, 3)}
        kept_sound = sound if self.config.keep_sound else None
        self._kept.keep(name, about, picture=drawn, sound=kept_sound, sample_rate=rate)

    def _check_written(self) -> None:
        """Tell of an alarm that could not be kept; scoring goes on."""
        written, self._written = self._written, None
        if written is None:
            return
        try:
            written.result()
        except InputError as error:
            self.tell("error", reason=str(error))
        except Exception as error:  # a fault of ours in a picture must not end the listening
            self.tell("error", reason=f"the alarm could not be kept: {type(error).__name__}: {error}")


def _title(machine: Machine, alarm: Event) -> str:
    time = alarm["time"][:19].replace("T", " ")
    of = " ".join(machine)
    return f"{of}, {time} UTC: score {alarm['score']:.4g} above {alarm['threshold']:.4g}"


def identity(judge: Judge, machine: Machine, scorer: str) -> str:
    """A digest that changes with whatever scores mean, so that a drift's first hours are of the same detector."""
    scores = judge.fitted[scorer][machine].normal_scores
    return hashlib.sha256(np.asarray(scores, np.float64).tobytes() + scorer.encode()).hexdigest()[:16]


def _finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None
