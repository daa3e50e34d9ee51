"""Which bands and times drove a clip's score, in words."""

import numpy as np

from asd_jax.features.shapes import Bool, Float

_MOST_SPANS = 3
_EVENLY = 0.2  # a tenth of the frames holds a tenth where all are alike


def top_frames(frame_error: Float[np.ndarray, " n_frames"], share: float = 0.1) -> Bool[np.ndarray, " n_frames"]:
    """The frames with the largest errors: this share of those that have one, at least one."""
    known = np.flatnonzero(np.isfinite(frame_error))
    chosen = np.zeros(len(frame_error), bool)
    if len(known):
        n_chosen = max(1, round(share * len(known)))
        chosen[known[np.argsort(-frame_error[known], kind="stable")[:n_chosen]]] = True
    return chosen


def drivers(
    squared: Float[np.ndarray, "n_frames n_features"],
    deviation: Float[np.ndarray, " n_features"] | None,
    *,
    frequencies: Float[np.ndarray, " n_features"] | None,
    hop_seconds: float,
    start_seconds: float = 0.0,
) -> str:
    """A sentence on the bands that are furthest from normal, and one on when.

    Bands are those around the furthest one that are at least half as far: of the clip's time-mean without a network,
    else of the mean squared residual. Times are the tenth of the frames with the largest mean.

    Args:
        squared, deviation: the clip held against what was expected of it, as a `ClipMap` has it.
        frequencies: centre of each feature's band in Hz; None where features are no bands.
        hop_seconds: from one frame to the next.
        start_seconds: where in its recording the clip starts.
    """
    known = np.isfinite(squared)
    if not known.any():
        return ""
    if deviation is None:
        profile = np.nanmean(squared[known.any(axis=1)], axis=0)
        far = f"{profile.max() / profile.mean():.1f} times the residual of the average band"
    else:
        profile = np.abs(deviation)
        furthest = deviation[np.argmax(profile)]
        side = "louder" if furthest > 0 else "quieter"
        far = f"{side} there by {abs(furthest):.1f} times the spread of normal clips"
    bands = f"Furthest from normal {_where(profile, frequencies)} ({far})"
    frame_error = np.full(len(squared), np.nan)
    frame_error[known.any(axis=1)] = np.nanmean(squared[known.any(axis=1)], axis=1)
    total, top = np.nansum(frame_error), top_frames(frame_error)
    share = np.nansum(frame_error[top]) / total if total > 0 else 0.0
    if share < _EVENLY:
        return f"{bands}, all the time alike."
    return (
        f"{bands}; {_when(top, frame_error, hop_seconds, start_seconds)}, a tenth of the time with {share:.0%} of it."
    )


def _where(profile: np.ndarray, frequencies: np.ndarray | None) -> str:
    low = high = int(np.argmax(profile))
    half = profile[low] / 2
    while low > 0 and profile[low - 1] >= half:
        low -= 1
    while high + 1 < len(profile) and profile[high + 1] >= half:
        high += 1
    if frequencies is None:
        return f"at features {low} to {high}" if high > low else f"at feature {low}"
    first, last = (f"{frequencies[band] / 1000:.2g}" for band in (low, high))
    return f"at {first} to {last} kHz" if first != last else f"around {first} kHz"


def _when(top: Bool[np.ndarray, " n_frames"], frame_error: np.ndarray, hop: float, start_seconds: float) -> str:
    """The stretches of the top frames, in the order of time; those of the largest sums where there are many."""
    joined = np.flatnonzero(top)
    spans = np.split(joined, np.flatnonzero(np.diff(joined) > max(1, round(0.2 / hop))) + 1)  # a short gap is none
    heaviest = sorted(spans, key=lambda span: -frame_error[span].sum())[:_MOST_SPANS]
    words = []
    for span in sorted(heaviest, key=lambda span: span[0]):
        first, last = start_seconds + span[0] * hop, start_seconds + span[-1] * hop
        words.append(f"{first:.1f} s" if last - first < 0.1 else f"{first:.1f} to {last:.1f} s")
    return f"most{' of all' * (len(spans) > _MOST_SPANS)} at {', '.join(words)}"
