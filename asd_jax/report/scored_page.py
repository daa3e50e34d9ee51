"""The page of recordings that were scored in service, which have no labels: verdicts, and what drove the scores."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.clips import Clip, Machine, names_of
from asd_jax.datasets.recording_times import modification_date, recording_times
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.detectors.fitted_scorers import FittedScorer
from asd_jax.detectors.verdicts import Timeline
from asd_jax.errors import InputError
from asd_jax.features.extraction import extract_waveforms
from asd_jax.files import write_text
from asd_jax.report import clips, plots
from asd_jax.report.clips import ClipRow, drawn, map_front_end
from asd_jax.report.maps import has_network
from asd_jax.report.page import Cell, Entry, Page, number_cell, render, shown_for_some
from asd_jax.report.ranking import RankedClip
from asd_jax.report.run_plots import Plot

N_TIMELINES = 40  # long recordings with a picture of their clips' scores over time
_DECIDING = 3  # clips in a row, see `recordings.statistic`
Read = Callable[[str, float, float | None], Float[np.ndarray, " n_samples"]]


@dataclasses.dataclass(frozen=True)
class ScoredRecording:
    """A recording and what a detector says of it.

    Attributes:
        name: of its file.
        machine: that it was held against.
        score: NaN where there is none.
        threshold: what the score was held against: for a recording of several clips the limit for so many.
        decision: `anomalous`, `normal` or `no verdict`.
        share_of_normal_above: see `Verdict`.
        start_seconds: where the clips that decide start.
        remarks: what of it is unlike training, or why there is no verdict.
        timeline: its clips; none where nothing was heard.
    """

    name: str
    machine: Machine
    score: float
    threshold: float
    decision: str
    share_of_normal_above: float
    start_seconds: float
    remarks: str
    timeline: Timeline

    def stretch(self, clip_seconds: float | None) -> tuple[float, float | None]:
        """Start and length of what decides, in seconds: three clips, one of fewer, or None for the whole recording."""
        starts = self.timeline.start_seconds
        if len(starts) < 2 or clip_seconds is None:
            return 0.0, None
        first = int(np.searchsorted(starts, self.start_seconds - 1e-6))
        last = min(first + _DECIDING - 1, len(starts) - 1) if len(starts) >= _DECIDING else first
        return float(starts[first]), float(starts[last] - starts[first]) + clip_seconds


def check_can_be_shown(detectors: Detectors, run: Path) -> None:
    """Raise InputError where the maps of the page cannot be made from a bundle."""
    if not has_network(detectors.system) and LOG_MEL_MEAN not in detectors.controls:
        raise InputError(
            f"{run} lacks the control {LOG_MEL_MEAN}, which `report` shows; train it again, or leave it out"
        )


def write_scored_report(
    path: Path,
    recordings: Sequence[ScoredRecording],
    detectors: Detectors,
    read: Read,
    *,
    run: str,
    scorer: str,
    of: Mapping[str, int] | None = None,
) -> Path:
    """Write the page: the most anomalous recordings first, those without a score last.

    Maps are made of the first `clips.N_MAPS` recordings, large pictures and sound of the first few: a page of a
    thousand sounds would not open.

    Args:
        path: of the page.
        recordings: at least one.
        detectors: of the run; its `system` gave the verdicts.
        read: samples at the front ends' rate of a file by name, start and length in seconds (None to its end).
        run: folder of the run, as the page names it.
        scorer: that gave the scores.
        of: all recordings by decision, where those shown are the worst of more.
    """
    system = detectors.system
    clip_seconds = system.cutting.clip_seconds if system.cutting else system.clip_seconds
    ranked = _ranked(recordings, system.fitted[scorer], clip_seconds)
    rows, map_title = _rows(ranked, detectors, read)
    long = [row.ranked.index for row in rows if len(recordings[row.ranked.index].timeline.scores) > 1][:N_TIMELINES]
    drawn_timelines = {index: _timeline(recordings[index], clip_seconds) for index in long}
    rows = [dataclasses.replace(row, timeline=drawn_timelines.get(row.ranked.index)) for row in rows]
    page = _page(recordings, rows, map_title, system.fitted[scorer], run=run, scorer=scorer, of=of)
    page = dataclasses.replace(page, plots=_over_time(recordings, clip_seconds, only_worst=of is not None))
    write_text(path, render(page))
    return path


def _over_time(recordings: Sequence[ScoredRecording], clip_seconds: float | None, *, only_worst: bool) -> list[Plot]:
    """Scores over the times at which the recordings were made, where these are known."""
    heard = [of for of in recordings if math.isfinite(of.score)]
    lengths = [float(of.timeline.start_seconds[-1]) + clip_seconds for of in heard] if clip_seconds else ()
    machines = [of.machine for of in heard]
    known = recording_times([of.name for of in heard], machines=machines, seconds=lengths, modified=modification_date)
    if known is None:
        return []
    dated = [(time, of) for time, of in zip(known.times, heard, strict=True) if time is not None]
    parts = {
        name: [pair for pair in dated if pair[1].machine == machine]
        for machine, name in names_of(machines).items()
        if any(of.machine == machine for _, of in dated)
    }
    figure = plots.over_time(
        {name: [time for time, _ in part] for name, part in parts.items()},
        {name: np.asarray([of.score for _, of in part]) for name, part in parts.items()},
        {name: np.asarray([of.decision == "anomalous" for _, of in part]) for name, part in parts.items()},
        {name: np.asarray([of.threshold for _, of in part]) for name, part in parts.items()},
    )
    caption = "Scores over time, by the times in the names of the recordings."
    if not known.are_of_names:
        caption = (
            "Scores over time, by the modification dates of the files: their names have no time, and the dates are "
            "too far apart to be of copying."
        )
    if len(dated) < len(heard):
        caption += f" The names of {len(heard) - len(dated)} have none; they are left out."
    if only_worst:
        caption += " Only the recordings that are listed here are drawn."
    return [Plot("over_time", plots.png(figure), caption)]


def _ranked(
    recordings: Sequence[ScoredRecording], fitted: dict[Machine, FittedScorer], clip_seconds: float | None
) -> list[RankedClip]:
    """By how far the score is above what it was held against, in standard deviations of normal scores."""
    found = []
    for index, of in enumerate(recordings):
        start, seconds = of.stretch(clip_seconds)
        clip = Clip(
            of.name, of.machine.machine_id, "test", start_seconds=start, clip_seconds=seconds,
            machine_type=of.machine.machine_type,
        )  # fmt: skip
        normal = fitted[of.machine].normal_scores
        reached = of.threshold if math.isfinite(of.threshold) else float(normal[-1])
        spread = float(np.std(normal)) or abs(reached) or 1.0
        decision = {"anomalous": True, "normal": False}.get(of.decision)
        margin = (of.score - reached) / spread
        found.append(RankedClip(index, clip, of.score, of.threshold, decision, of.decision, margin))
    return sorted(found, key=lambda row: (math.isnan(row.margin), -row.margin))


def _rows(ranked: list[RankedClip], detectors: Detectors, read: Read) -> tuple[list[ClipRow], str]:
    """The rows, with maps of those whose sound can be read again, and what the maps show."""
    front_end, shown, waveforms = map_front_end(detectors), [], []
    least = detectors.system.min_frames if has_network(detectors.system) else 1

    def again() -> Iterator[np.ndarray]:
        """One at a time, since a hundred and fifty of them may be long."""
        for row in ranked:
            if len(shown) == clips.N_MAPS or math.isnan(row.score):
                return
            try:
                waveform = read(row.clip.recording, row.clip.start_seconds, row.clip.clip_seconds)
            except (InputError, OSError):  # moved away meanwhile: the verdict stands without its picture
                continue
            if front_end.n_frames(len(waveform)) >= least:
                shown.append(row)
                waveforms.append(waveform if len(shown) <= clips.N_PICTURES else None)
                yield waveform

    frames = extract_waveforms(again(), front_end, n_clips=min(clips.N_MAPS, len(ranked)))
    if not shown:
        return [ClipRow(row) for row in ranked], "what was heard"
    names = {row.index for row in shown}
    rows, map_title = drawn(shown, frames, waveforms.__getitem__, detectors)
    rows += [ClipRow(row) for row in ranked if row.index not in names]
    order = {row.index: place for place, row in enumerate(ranked)}
    return sorted(rows, key=lambda row: order[row.ranked.index]), map_title


def _timeline(of: ScoredRecording, clip_seconds: float | None) -> bytes:
    start, seconds = of.stretch(clip_seconds)
    times, scores, threshold = of.timeline
    length = clip_seconds or 0.0
    figure = plots.timeline(
        times, scores, clip_seconds=length, threshold=threshold, limit=of.threshold,
        shown=(start, start + (seconds or 0.0)),
    )  # fmt: skip
    return plots.png(figure, dpi=120)


def _page(
    recordings: Sequence[ScoredRecording],
    rows: Sequence[ClipRow],
    map_title: str,
    fitted: dict[Machine, FittedScorer],
    *,
    run: str,
    scorer: str,
    of: Mapping[str, int] | None,
) -> Page:
    several = len(fitted) > 1
    columns = {
        "machine": "machine id", "score": "score", "threshold": "threshold", "share": "normal that score higher",
        "outcome": "verdict",
    }  # fmt: skip
    if not several:
        del columns["machine"]
    is_cut = any(len(recording.timeline.scores) > 1 for recording in recordings)
    n_scored = sum(of.values()) if of else len(recordings)
    intro = [
        *([f"These are the {len(recordings)} of {n_scored:,} whose scores are furthest above."] if of else []),
        "The recording whose score is furthest above its threshold comes first.",
        "How many normal recordings of the same length score higher says how odd one is: near 0\N{NO-BREAK SPACE}% is "
        "unlike anything heard in training, 50\N{NO-BREAK SPACE}% is ordinary.",
        *shown_for_some(rows, "recordings"),
        f"The map shows the {map_title}; time runs to the right, frequency upwards.",
    ]
    if is_cut:
        intro.append(
            "A recording longer than the clips of training is shown by the three clips in a row that decide, held "
            "against a limit for its length."
        )
    return Page(
        title=f"{n_scored:,} recording{'s' * (n_scored != 1)} scored",
        description=f"by the detector in {run}",
        warnings=[
            f"{machine.machine_id}: {known.threshold.never_alarms}"
            for machine, known in fitted.items()
            if known.threshold.never_alarms
        ],
        cards=_cards(recordings, fitted, of),
        finding="",
        plots=(),
        what="recordings",
        one="recording",
        heading="Recordings, furthest from normal first",
        intro=" ".join(intro),
        columns=columns,
        entries=[_entry(recordings[row.ranked.index], row) for row in rows],
        tables=(),
        about="these verdicts",
        facts=_facts(fitted, run=run, scorer=scorer, several=several),
    )


def _cards(
    recordings: Sequence[ScoredRecording], fitted: dict[Machine, FittedScorer], of: Mapping[str, int] | None
) -> list[tuple[str, str, str]]:
    count = of or {of: sum(row.decision == of for row in recordings) for of in ("anomalous", "normal", "no verdict")}
    unlike = 0 if of else sum(bool(row.remarks) for row in recordings if row.decision != "no verdict")
    n_normal = min(known.threshold.n_normal for known in fitted.values())
    rule = next(iter(fitted.values())).threshold.name
    cards = [("anomalous", str(count["anomalous"]), f"of {sum(count.values())}")]
    cards.append(("normal", str(count["normal"]), f"threshold {rule}, from {n_normal} normal clips"))
    if count["no verdict"]:
        cards.append(("no verdict", str(count["no verdict"]), "the reason stands below the name"))
    if unlike:
        cards.append(("unlike training", str(unlike), "recorded in another way: see the remark below the name"))
    return cards


def _entry(of: ScoredRecording, row: ClipRow) -> Entry:
    def shown(value: float, form: str) -> Cell:
        return number_cell(value, "" if math.isnan(value) else format(value, form))

    clip = row.ranked.clip
    cells = {
        "machine": Cell(clip.machine_id),
        "score": shown(of.score, ".4g"),
        "threshold": shown(math.nan if math.isnan(of.score) else of.threshold, ".4g"),
        "share": shown(of.share_of_normal_above, ".1%"),
        "outcome": Cell(of.decision),
    }
    part = ""
    if clip.clip_seconds is not None:
        part = f"decided by {clip.start_seconds:.1f} to {clip.start_seconds + clip.clip_seconds:.1f} s"
    return Entry(row, cells, [of.remarks, part, row.drivers])


def _facts(fitted: dict[Machine, FittedScorer], *, run: str, scorer: str, several: bool) -> list[tuple[str, str]]:
    facts = [("detector", run), ("scorer", scorer)]
    for machine, of in fitted.items():
        name = f"threshold of a clip, {machine.machine_id}" if several else "threshold of a clip"
        limit = of.threshold
        facts.append((name, f"{limit.value:.4g} ({limit.name}, from {limit.n_normal} normal clips)"))
    return facts
