"""One clip: what was heard, what was expected, and where they part."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from asd_jax.report.drivers import Drivers, top_frames
from asd_jax.report.plots import style


@style.styled
def clip_picture(
    waveform: Float[np.ndarray, " n_samples"],
    frames: Float[np.ndarray, "n_frames n_features"],
    squared: Float[np.ndarray, "n_frames n_features"],
    *,
    sample_rate: int,
    hop_length: int,
    expected: Float[np.ndarray, "n_frames n_features"] | None = None,
    frequencies: Float[np.ndarray, " n_features"] | None = None,
    title: str = "",
    frames_title: str = "Log-mel (dB)",
    expected_title: str = "Prediction (dB)",
    squared_title: str = "Squared residual",
    largest: float | None = None,
    deviation: Float[np.ndarray, " n_features"] | None = None,
    drivers: Drivers | None = None,
) -> Figure:
    """Waveform, log-mel, what was expected, the squared residual over time and mel, and each frame's mean of it.

    The tenth of the frames with the largest mean is shaded: these drive the score. The bands and times that drove it
    most are outlined.

    Args:
        waveform: samples.
        frames: features of the clip, such as its log-mel in dB; frame `t` is centred at `t * hop_length` samples.
        squared: squared residual in squared standard deviations of training; NaN where there is none.
        sample_rate: in Hz.
        hop_length: samples from one frame to the next.
        expected: the reconstruction or prediction, in the unit of the frames; NaN where there is none.
        frequencies: of the features in Hz; None where they are no mel bands.
        title: the finding.
        frames_title, expected_title, squared_title: titles of the panels.
        deviation: of the time-mean of each feature from that of normal clips, in their standard deviations; one more
            panel.
        drivers: bands and times to outline.
        largest: upper end of the colours of `squared`, to compare clips; default its 99.5 % quantile.
    """
    n_frames, hop = len(frames), hop_length / sample_rate
    heights = [0.75, 1.5, *[1.5] * (expected is not None), 1.5, 0.9, *[1.1] * (deviation is not None)]  # inches
    height = 0.35 + sum(heights) + 0.42 * len(heights) + 0.3 * (deviation is not None) + 0.35
    figure = Figure(figsize=(style.WIDTH, height))
    style.title(figure, title)
    panels, top = [], height - 0.35
    for number, panel_height in enumerate(heights):
        apart = deviation is not None and number == len(heights) - 1  # over frequency, the others over time
        top -= 0.3 + 0.3 * apart
        box = (0.14, (top - panel_height) / height, 0.745, panel_height / height)
        panels.append(figure.add_axes(box, sharex=None if apart or not panels else panels[0]))
        panels[-1].tick_params(labelbottom=number >= len(heights) - 1 - (deviation is not None))
        top -= panel_height + 0.12
    if deviation is not None:
        _draw_deviation(panels.pop(), deviation, frequencies)
    top, *maps, bottom = panels
    if len(waveform):
        # The extremes of each pixel's samples: all samples would take ten times as long and look the same.
        starts = np.unique(np.linspace(0, len(waveform), 900, endpoint=False).astype(int))
        low, high = (reduce.reduceat(waveform, starts) for reduce in (np.minimum, np.maximum))
        top.fill_between(starts / sample_rate, low, high, color="#444444", lw=0.3)
    top.set_title("Waveform (amplitude, 1 is full scale)")
    for axes in panels:
        axes.yaxis.set_label_coords(-0.115, 0.5)

    extent = (-0.5 * hop, (n_frames - 0.5) * hop, -0.5, frames.shape[1] - 0.5)
    low, high = np.percentile(frames, [1, 99.9])
    image = _map(frequencies, extent)
    image(maps[0], frames, frames_title, "magma", low, max(high, low + 1e-6))
    if expected is not None:
        image(maps[1], expected, expected_title, "magma", low, max(high, low + 1e-6))
    largest = float(np.nanquantile(squared, 0.995)) if largest is None else largest

    known = np.isfinite(squared).any(axis=1)
    frame_error = np.full(n_frames, np.nan)
    frame_error[known] = np.nanmean(squared[known], axis=1)
    chosen = top_frames(frame_error)
    total = np.nansum(frame_error)
    carried = style.percent(np.nansum(frame_error[chosen]) / total) if total > 0 else "none"
    # Colours follow the square root, so that the ordinary does not sink into black.
    image(maps[-1], squared, squared_title, "inferno", 0.0, max(largest, 1e-6), gamma=0.5)

    bottom.plot(np.arange(n_frames) * hop, frame_error, color=style.NORMAL, lw=1.2)
    bottom.set_ylim(bottom=0)
    bottom.set(xlabel="time (s)", ylabel="mean", xlim=(extent[0], extent[1]))
    bottom.set_title(f"Mean of each frame: the top tenth (shaded) holds {carried}")
    spans = [((begin - 0.5) * hop, (end - 0.5) * hop) for begin, end in _runs(chosen)]
    _shade(bottom, spans, 0.0, 1.0, alpha=0.45)
    _shade(maps[-1], spans, 1.01, 1.07, clip_on=False)
    if drivers is not None:
        times = np.flatnonzero(known)[[0, -1]] if not drivers.spans else drivers.spans
        for axes in (maps[0], maps[-1]):
            _outline(axes, drivers.bands, np.reshape(times, (-1, 2)) * hop, least=0.006 * n_frames * hop, half=hop / 2)
    return figure


def _draw_deviation(axes: Axes, deviation: np.ndarray, frequencies: np.ndarray | None) -> None:
    """Bars of each feature's deviation over frequency."""
    features = np.arange(len(deviation))
    axes.bar(features, deviation, width=1.0, color=style.NORMAL)
    axes.axhline(0, color="black", lw=0.8)
    axes.set(ylabel="deviation", xlim=(-0.5, len(deviation) - 0.5))
    axes.yaxis.set_label_coords(-0.115, 0.5)
    furthest = int(np.argmax(np.abs(deviation)))
    where = f"feature {furthest}"
    if frequencies is not None:
        style.label_frequencies(axes, frequencies, axis="x")
        where = f"{frequencies[furthest] / 1000:.2g} kHz"
    axes.set_title(f"Time-mean: furthest from normal at {where}, {deviation[furthest]:+.1f} sd")


def _map(frequencies: np.ndarray | None, extent: tuple[float, float, float, float]) -> Callable[..., None]:
    """A function that draws values over time and frequency with a colour bar."""

    def draw(
        axes: Axes, values: np.ndarray, title: str, colours: str, low: float, high: float, gamma: float = 1.0
    ) -> None:
        image = axes.imshow(
            values.T, origin="lower", aspect="auto", extent=extent, cmap=colours, norm=PowerNorm(gamma, low, high),
            interpolation="nearest",
        )  # fmt: skip
        axes.set_facecolor("#dddddd")  # where there is no value
        axes.set_title(style.plain(title), pad=8 if gamma != 1 else None)
        if frequencies is None:
            axes.set_ylabel("feature")
        else:
            style.label_frequencies(axes, frequencies)
        box = axes.get_position()
        bar = axes.figure.add_axes((0.9, box.y0, 0.018, box.height))
        axes.figure.colorbar(image, cax=bar)

    return draw


def _shade(axes: Axes, spans: list[tuple[float, float]], low: float, high: float, **style_options: object) -> None:
    """Spans of time as one artist, between two heights in shares of the axes; a patch each would take longer."""
    corners = [[(begin, low), (begin, high), (end, high), (end, low)] for begin, end in spans]
    options = {"color": style.ANOMALOUS, "lw": 0, "transform": axes.get_xaxis_transform()} | style_options
    axes.add_collection(PolyCollection(corners, **options), autolim=False)


def _outline(axes: Axes, bands: tuple[int, int], spans: np.ndarray, *, least: float, half: float) -> None:
    """Frames around bands and spans of time, no narrower than `least`, that stand out on dark and bright alike."""
    low, high = max(bands[0] - 0.9, -0.5), bands[1] + 0.9
    corners = []
    for begin, end in spans:
        room = max(half, (least - (end - begin)) / 2)
        corners.append([(begin - room, low), (begin - room, high), (end + room, high), (end + room, low)])
    stroke = [withStroke(linewidth=3.2, foreground="black")]
    frames = PolyCollection(corners, facecolors="none", edgecolors="white", linewidths=1.5, path_effects=stroke)
    axes.add_collection(frames, autolim=False)


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
