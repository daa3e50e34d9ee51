"""The list of test clips: their maps, and for the worst mistakes a picture and the sound."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from asd_jax.datasets import Dataset
from asd_jax.detectors.bundle import LOG_MEL_MEAN, Detectors
from asd_jax.errors import InputError
from asd_jax.features import AnyFrontEnd, FrontEnd
from asd_jax.features.stored_clips import StoredClips
from asd_jax.report import media, plots
from asd_jax.report.maps import clip_maps, has_network
from asd_jax.report.plots.style import mel_frequencies
from asd_jax.report.ranking import RankedClip
from asd_jax.representations.residual_maps import ClipMap

N_MAPS = 150  # clips with a small map; a network needs some milliseconds for each
N_PICTURES = 8  # clips shown whole, with sound
_AUDIO_BYTES = 12_000_000  # of sound in a report: hours of recordings would make a page that no browser opens


@dataclasses.dataclass(frozen=True)
class ClipRow:
    """A row of the list: PNG and FLAC as bytes, None where a clip has none."""

    ranked: RankedClip
    map: bytes | None = None
    picture: bytes | None = None
    audio: bytes | None = None


def clip_rows(
    ranked: Sequence[RankedClip],
    frames_of: Int[np.ndarray, " n_clips"] | None,
    detectors: Detectors,
    frames: Mapping[AnyFrontEnd, StoredClips],
    dataset: Dataset,
) -> tuple[list[ClipRow], str]:
    """The rows in the order given, and what their maps show.

    Args:
        ranked: the test clips.
        frames_of: index of each clip's frames (see `Evaluation.worst`).
        detectors: of the run.
        frames: of the clips, by front end.
        dataset: reads the waveforms.
    """
    network = has_network(detectors.system)
    front_end = (detectors.system if network else detectors.controls[LOG_MEL_MEAN]).front_end
    shown = ranked[:N_MAPS]
    indices = np.asarray([row.index for row in shown])
    chosen = frames[front_end].select(indices if frames_of is None else frames_of[indices])
    # A recording that was cut is shown by its worst part, whose own name the data set knows.
    parts = {(clip.recording, clip.start_seconds): clip for clip in dataset.split("test")}
    small, whole = {}, {}
    for place, found in clip_maps(detectors, chosen, [row.clip.machine for row in shown]):
        small[place] = media.shrink(found.squared)
        if place < N_PICTURES:
            whole[place] = found
    largest = float(np.nanquantile(np.concatenate([values.ravel() for values in small.values()]), 0.998)) or 1.0
    peak = float(np.nanquantile(np.concatenate([found.squared.ravel() for found in whole.values()]), 0.998)) or 1.0

    rows, bytes_left = [], _AUDIO_BYTES
    for place, row in enumerate(ranked):
        picture = audio = None
        if place < N_PICTURES:
            try:
                waveform = dataset.read(parts.get((row.clip.recording, row.clip.start_seconds), row.clip))
            except (InputError, OSError):  # moved away meanwhile: the results stand without its sound
                waveform = np.zeros(0, np.float32)
            audio = media.flac(waveform, sample_rate=front_end.sample_rate)
            audio = audio if len(waveform) and len(audio) <= bytes_left else None
            bytes_left -= len(audio or b"")
            picture = _picture(row, waveform, chosen.clip(place), whole[place], front_end, peak, network=network)
        rows.append(ClipRow(row, media.map_png(small[place], largest) if place in small else None, picture, audio))
    what = "squared residual" if network else "squared distance from the normal mean log-mel"
    return rows, f"{what}, dark 0 to bright {largest:.3g} {'standard deviations²' if network else 'dB²'}"


def _picture(
    row: RankedClip,
    waveform: np.ndarray,
    frames: np.ndarray,
    found: ClipMap,
    front_end: FrontEnd,
    largest: float,
    *,
    network: bool,
) -> bytes:
    """Everything about one clip as PNG."""
    is_mel = front_end.features in (("log_mel",), ("lmfe",))
    fmax = front_end.fmax or front_end.sample_rate / 2
    frequencies = mel_frequencies(front_end.n_mels, fmin=front_end.fmin, fmax=fmax, htk=front_end.htk)
    unit = "dB" if front_end.features == ("log_mel",) and front_end.log == "db" else "natural log" if is_mel else ""
    name = f"Log-mel ({unit})" if is_mel else "Features: " + ", ".join(front_end.features)
    side = {True: ">", False: "≤", None: "against"}[row.decision]
    figure = plots.clip_picture(
        waveform,
        frames,
        found.squared,
        sample_rate=front_end.sample_rate,
        hop_length=front_end.hop_length,
        expected=found.expected if network else None,
        frequencies=frequencies if is_mel else None,
        title=f"{row.outcome.capitalize()} ({row.clip.machine_id}): score {row.score:.4g} {side} threshold "
        f"{row.threshold:.4g}",
        frames_title=name,
        expected_title=f"What the network expected ({unit})" if unit else "What the network expected",
        squared_title="Squared residual (standard deviations² of training)"
        if network
        else "Squared distance from the normal mean (dB²)",
        deviation=found.deviation,
        largest=largest,
    )
    return plots.png(figure, dpi=120)
