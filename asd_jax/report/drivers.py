"""Which bands and times drove a clip's score: where they are, and in words."""

import dataclasses

import numpy as np

from asd_jax.features.shapes import Bool, Float

_MOST_SPANS = 3
_EVENLY = 0.2  # a tenth of the frames holds a tenth where all are alike


@dataclasses.dataclass(frozen=True)
class Drivers:
    """What drove a score, in features and frames.

    Attributes:
        bands: first and last of the bands around the furthest one that are at least half as far.
        spans: first and last frame of the stretches with the largest errors, in order; none where all are alike.
        n_spans: how many stretches there are, of which `spans` are the heaviest.
        share: of all error, what the tenth of the frames with the largest holds.
        far: how far the furthest band is, in words.
    """

    bands: tuple[int, int]
    spans: tuple[tuple[int, int], ...]
    n_spans: int
    share: float
    far: str


def top_frames(frame_error: Float[np.ndarray, " n_frames"], share: float = 0.1) -> Bool[np.ndarray, " n_frames"]:
    """The frames with the largest errors: this share of those that have one, at least one."""
    known = np.flatnonzero(np.isfinite(frame_error))
    chosen = np.zeros(len(frame_error), bool)
    if len(known):
        n_chosen = max(1, round(share * len(known)))
        chosen[known[np.argsort(-frame_error[known], kind="stable")[:n_chosen]]] = True
    return chosen


def find_drivers(
    squared: Float[np.ndarray, "n_frames n_features"],
    deviation: Float[np.ndarray, " n_features"] | None,
    *,
    hop_seconds: float,
) -> Drivers | None:
    """The bands that are furthest from normal, and when; None where nothing is known of the clip.

    Bands are those around the furthest one that are at least half as far: of the clip's time-mean without a network,
    else of the mean squared residual. Times are the tenth of the frames with the largest mean.

    Args:
        squared, deviation: the clip held against what was expected of it, as a `ClipMap` has it.
        hop_seconds: from one frame to the next; stretches with a gap of less than 0.2 s are one.
    """
    known = np.isfinite(squared)
    if not known.any():
        return None
    if deviation is None:
        profile = np.nanmean(squared[known.any(axis=1)], axis=0)
        far = f"{profile.max() / profile.mean():.1f} times the residual of the average band"
    else:
        profile = np.abs(deviation)
        furthest = deviation[np.argmax(profile)]
        side = "louder" if furthest > 0 else "quieter"
        far = f"{side} there by {abs(furthest):.1f} times the spread of normal clips"
    frame_error = np.full(len(squared), np.nan)
    frame_error[known.any(axis=1)] = np.nanmean(squared[known.any(axis=1)], axis=1)
    total, top = np.nansum(frame_error), top_frames(frame_error)
    share = float(np.nansum(frame_error[top]) / total) if total > 0 else 0.0
    if share < _EVENLY:
        return Drivers(_bands(profile), (), 0, share, far)
    joined = np.flatnonzero(top)
    parts = np.split(joined, np.flatnonzero(np.diff(joined) > max(1, round(0.2 / hop_seconds))) + 1)
    heaviest = sorted(parts, key=lambda part: -frame_error[part].sum())[:_MOST_SPANS]
    spans = tuple(sorted((int(part[0]), int(part[-1])) for part in heaviest))
    return Drivers(_bands(profile), spans, len(parts), share, far)


def in_words(
    found: Drivers | None,
    *,
    frequencies: Float[np.ndarray, " n_features"] | None,
    hop_seconds: float,
    start_seconds: float = 0.0,
) -> str:
    """A sentence on the bands that are furthest from normal and on when; empty where nothing is known.

    Args:
        found: see `find_drivers`.
        frequencies: centre of each feature's band in Hz; None where features are no bands.
        hop_seconds: from one frame to the next.
        start_seconds: where in its recording the clip starts.
    """
    if found is None:
        return ""
    bands = f"Furthest from normal {_where(found.bands, frequencies)} ({found.far})"
    if not found.spans:
        return f"{bands}, all the time alike."
    words = []
    for begin, end in found.spans:
        first, last = start_seconds + begin * hop_seconds, start_seconds + end * hop_seconds
        words.append(f"{first:.1f} s" if last - first < 0.1 else f"{first:.1f} to {last:.1f} s")
    when = f"most{' of all' * (found.n_spans > _MOST_SPANS)} at {', '.join(words)}"
    return f"{bands}; {when}, a tenth of the time with {found.share:.0%} of it."


def _bands(profile: np.ndarray) -> tuple[int, int]:
    low = high = int(np.argmax(profile))
    half = profile[low] / 2
    while low > 0 and profile[low - 1] >= half:
        low -= 1
    while high + 1 < len(profile) and profile[high + 1] >= half:
        high += 1
    return low, high


def _where(bands: tuple[int, int], frequencies: np.ndarray | None) -> str:
    low, high = bands
    if frequencies is None:
        return f"at features {low} to {high}" if high > low else f"at feature {low}"
    first, last = (f"{frequencies[band] / 1000:.2g}" for band in (low, high))
    return f"at {first} to {last} kHz" if first != last else f"around {first} kHz"
