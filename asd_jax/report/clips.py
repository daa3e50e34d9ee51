"""The list of test clips: their maps, and for the worst mistakes a picture and the sound."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from asd_jax.datasets import Dataset
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.errors import InputError
from asd_jax.features import AnyFrontEnd, FrontEnd
from asd_jax.features.filterbank import mel_frequencies
from asd_jax.features.stored_clips import StoredClips
from asd_jax.report import media, plots
from asd_jax.report.drivers import find_drivers, in_words
from asd_jax.report.maps import clip_maps, has_network
from asd_jax.report.ranking import RankedClip
from asd_jax.representations.residual_maps import ClipMap

N_MAPS = 150  # clips with a small map; a network needs some milliseconds for each
N_PICTURES = 8  # clips shown whole, with sound
_AUDIO_BYTES = 12_000_000  # of sound in a report: hours of recordings would make a page that no browser opens


@dataclasses.dataclass(frozen=True)
class ClipRow:
    """A row of the list: PNG and FLAC as bytes, None where a clip has none.

    Attributes:
        ranked: the clip.
        map: small.
        picture: everything about it.
        audio: its sound.
        timeline: of the recording that it was cut from.
        drivers: which bands and times drove its score, in words.
    """

    ranked: RankedClip
    map: bytes | None = None
    picture: bytes | None = None
    audio: bytes | None = None
    timeline: bytes | None = None
    drivers: str = ""

    @property
    def pictures(self) -> list[tuple[str, bytes]]:
        """The large pictures with what they show."""
        whole = "Waveform, log-mel and map of the clip"
        if self.drivers:
            whole += f", in which frames outline what drove the score. {self.drivers}"
        named = {"Scores over time": self.timeline, whole: self.picture}
        return [(name, png) for name, png in named.items() if png is not None]


def clip_rows(
    ranked: Sequence[RankedClip],
    frames_of: Int[np.ndarray, " n_clips"] | None,
    detectors: Detectors,
    frames: Mapping[AnyFrontEnd, StoredClips],
    dataset: Dataset,
) -> tuple[list[ClipRow], str]:
    """The rows of a run's test clips in the order given, and what their maps show; empty where there are none.

    Args:
        ranked: the test clips.
        frames_of: index of each clip's frames (see `Evaluation.worst`).
        detectors: of the run.
        frames: of the clips, by front end.
        dataset: reads the waveforms.
    """
    if not has_network(detectors.system) and LOG_MEL_MEAN not in detectors.controls:
        return [ClipRow(row) for row in ranked], ""  # vectors without recordings: there is nothing to see or hear
    indices = np.asarray([row.index for row in ranked[:N_MAPS]])
    chosen = frames[map_front_end(detectors)].select(indices if frames_of is None else frames_of[indices])
    # A recording that was cut is shown by its worst part, whose own name the data set knows.
    parts = {(clip.recording, clip.start_seconds): clip for clip in dataset.split("test")}

    def waveform(place: int) -> np.ndarray:
        clip = ranked[place].clip
        try:
            return dataset.read(parts.get((clip.recording, clip.start_seconds), clip))
        except (InputError, OSError):  # moved away meanwhile: the results stand without its sound
            return np.zeros(0, np.float32)

    return drawn(ranked, chosen, waveform, detectors)


def map_front_end(detectors: Detectors) -> FrontEnd:
    """The front end whose frames maps are made of: the network's, or that of the control without one."""
    return (detectors.system if has_network(detectors.system) else detectors.controls[LOG_MEL_MEAN]).front_end


def band_frequencies(front_end: FrontEnd) -> Float[np.ndarray, " n_mels"] | None:
    """Centre of each feature's band in Hz; None where features are no mel bands."""
    if front_end.features not in (("log_mel",), ("lmfe",)):
        return None
    fmax = front_end.fmax or front_end.sample_rate / 2
    return mel_frequencies(front_end.n_mels, fmin=front_end.fmin, fmax=fmax, htk=front_end.htk)


def drawn(
    ranked: Sequence[RankedClip],
    frames: StoredClips,
    waveform: Callable[[int], np.ndarray],
    detectors: Detectors,
) -> tuple[list[ClipRow], str]:
    """The rows in the order given, and what their maps show.

    Args:
        ranked: the clips.
        frames: of the first of them, those that get a map, from `map_front_end`; at least one.
        waveform: of the clip at a place in the order, empty where it is gone; asked for the first few alone.
        detectors: that scored them.
    """
    network, front_end = has_network(detectors.system), map_front_end(detectors)
    several = len(detectors.system.machine_ids) > 1
    small, whole = {}, {}
    for place, found in clip_maps(detectors, frames, [row.clip.machine for row in ranked[: len(frames)]]):
        small[place] = media.shrink(found.squared)
        if place < N_PICTURES:
            whole[place] = found
    largest = float(np.nanquantile(np.concatenate([values.ravel() for values in small.values()]), 0.998)) or 1.0
    peak = float(np.nanquantile(np.concatenate([found.squared.ravel() for found in whole.values()]), 0.998)) or 1.0

    rows, bytes_left = [], _AUDIO_BYTES
    for place, row in enumerate(ranked):
        picture = audio = None
        words = ""
        if found := whole.get(place):
            samples = waveform(place)
            audio = media.flac(samples, sample_rate=front_end.sample_rate)
            audio = audio if len(samples) and len(audio) <= bytes_left else None
            bytes_left -= len(audio or b"")
            title, hop = _title(row, several=several), front_end.hop_length / front_end.sample_rate
            picture = _picture(title, samples, frames.clip(place), found, front_end, peak, network=network)
            words = in_words(
                find_drivers(found.squared, found.deviation, hop_seconds=hop),
                frequencies=band_frequencies(front_end),
                hop_seconds=hop,
                start_seconds=row.clip.start_seconds,
            )
        small_map = media.map_png(small[place], largest) if place in small else None
        rows.append(ClipRow(row, small_map, picture, audio, drivers=words))
    what = "squared residual" if network else "squared distance from the normal mean log-mel"
    return rows, f"{what}, dark 0 to bright {largest:.3g} {'standard deviations²' if network else 'dB²'}"


def _title(row: RankedClip, *, several: bool) -> str:
    side = {True: ">", False: "≤", None: "against"}[row.decision]
    machine = f" ({row.clip.machine_id})" if several else ""
    return f"{row.outcome.capitalize()}{machine}: score {row.score:.4g} {side} threshold {row.threshold:.4g}"


def _picture(
    title: str,
    waveform: np.ndarray,
    frames: np.ndarray,
    found: ClipMap,
    front_end: FrontEnd,
    largest: float,
    *,
    network: bool,
) -> bytes:
    """Everything about one clip as PNG."""
    frequencies = band_frequencies(front_end)
    is_mel = frequencies is not None
    unit = "dB" if front_end.features == ("log_mel",) and front_end.log == "db" else "natural log" if is_mel else ""
    name = f"Log-mel ({unit})" if is_mel else "Features: " + ", ".join(front_end.features)
    figure = plots.clip_picture(
        waveform,
        frames,
        found.squared,
        sample_rate=front_end.sample_rate,
        hop_length=front_end.hop_length,
        expected=found.expected if network else None,
        frequencies=frequencies,
        title=title,
        frames_title=name,
        expected_title=f"What the network expected ({unit})" if unit else "What the network expected",
        squared_title="Squared residual (standard deviations² of training)"
        if network
        else "Squared distance from the normal mean (dB²)",
        deviation=found.deviation,
        drivers=find_drivers(found.squared, found.deviation, hop_seconds=front_end.hop_length / front_end.sample_rate),
        largest=largest,
    )
    return plots.png(figure, dpi=120)
