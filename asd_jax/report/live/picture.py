"""The picture of an alarm: the minute around it, and how far it was from normal, drawn by Pillow alone."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from asd_jax.features.shapes import Float

_WIDTH, _PANEL, _LEFT, _TOP, _GAP, _BOTTOM = 1000, 230, 64, 58, 34, 40
_TICKS_HZ = (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
# Anchors of a map from dark to bright and of one from blue over white to red, interpolated between them.
_BRIGHTNESS = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))
_AROUND_ZERO = ((33, 84, 152), (132, 181, 219), (247, 247, 247), (240, 148, 116), (165, 21, 41))
_INK, _GREY = (32, 32, 32), (110, 110, 110)
_MARK = (0, 160, 140)  # what raised the alarm: the window in time, the bands that were furthest


def picture(
    log_mel: Float[np.ndarray, "n_frames n_mels"],
    mean: Float[np.ndarray, " n_known"],
    *,
    frequencies: Float[np.ndarray, " n_mels"],
    seconds: float,
    first_second: float,
    shown: tuple[float, float],
    bands: tuple[int, int] | None = None,
    title: str,
    text: str,
) -> bytes:
    """The log-mel of some sound, and below it the difference to the normal mean where that is known, as PNG.

    Args:
        log_mel: in dB.
        mean: of normal clips, in dB, for each band; empty where it is not known.
        frequencies: centre of each band, in Hz.
        seconds: length of the sound.
        first_second: time of its beginning, from the alarm.
        shown: from when to when the window that raised the alarm lasted, in seconds from the alarm.
        bands: first and last of those that drove the score, marked beside the maps; None where that is not known.
        title: of the picture.
        text: below it, such as what drove the score.
    """
    low, high = np.quantile(log_mel, [0.05, 0.995]) if log_mel.size else (0.0, 1.0)
    panels = [("level, dark quiet to bright loud", _levels(log_mel, low, high, _BRIGHTNESS))]
    if len(mean) and log_mel.size:
        apart = log_mel - mean
        most = max(3.0, float(np.quantile(np.abs(apart), 0.99)))
        name = f"difference to the normal mean: blue quieter, red louder, up to {most:.0f} dB"
        panels.append((name, _levels(apart, -most, most, _AROUND_ZERO)))
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM
    image = Image.new("RGB", (_WIDTH, height), "white")
    draw = ImageDraw.Draw(image)
    draw.text((_LEFT, 10), title, fill=_INK, font_size=17)
    for number, (name, colours) in enumerate(panels):
        top = _TOP + number * (_PANEL + _GAP)
        box = (_LEFT, top, _WIDTH - 20, top + _PANEL)
        image.paste(Image.fromarray(colours).resize((box[2] - box[0], _PANEL), Image.Resampling.BOX), box[:2])
        draw.rectangle(box, outline=_GREY)
        draw.text((_LEFT, top - 18), name, fill=_GREY, font_size=13)
        _frequency_axis(draw, frequencies, box)
        _time_axis(draw, box, seconds, first_second, with_numbers=number == len(panels) - 1)
        left, right = (_at(of, box, seconds, first_second) for of in shown)
        draw.rectangle((left, top, right, top + _PANEL), outline=_MARK, width=3)
        if bands is not None and len(frequencies):
            upper, lower = (box[3] - of / len(frequencies) * _PANEL for of in (bands[1] + 1, bands[0]))
            draw.rectangle((box[2] + 3, upper, box[2] + 11, max(lower, upper + 3)), fill=_MARK)
    for row, line in enumerate(_wrapped(text, 130)[:2]):
        draw.text((_LEFT, height - _BOTTOM + 4 + 17 * row), line, fill=_INK, font_size=14)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _levels(
    values: Float[np.ndarray, "n_frames n_mels"], low: float, high: float, anchors: Sequence[tuple[int, int, int]]
) -> np.ndarray:
    """Values as colours, `(n_mels, n_frames, 3)`, the lowest band at the bottom."""
    if not values.size:
        return np.full((1, 1, 3), 221, np.uint8)
    shares = np.clip((values.T[::-1] - low) / max(high - low, 1e-6), 0.0, 1.0)
    at = np.linspace(0.0, 1.0, len(anchors))
    channels = [np.interp(shares, at, [anchor[of] for anchor in anchors]) for of in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _frequency_axis(draw: ImageDraw.ImageDraw, frequencies: np.ndarray, box: tuple[int, int, int, int]) -> None:
    bands = np.arange(len(frequencies))
    below = np.inf
    for tick in _TICKS_HZ:
        share = (np.interp(tick, frequencies, bands) + 0.5) / len(frequencies)
        y = box[3] - share * (box[3] - box[1])
        if frequencies[0] <= tick <= frequencies[-1] and below - y > 14:  # low ones would stand over each other
            below = y
            draw.line((box[0] - 5, y, box[0], y), fill=_GREY)
            name = f"{tick // 1000} kHz" if tick >= 1000 else f"{tick} Hz"
            draw.text((box[0] - 8, y), name, fill=_INK, font_size=12, anchor="rm")


def _time_axis(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], seconds: float, first: float, *, with_numbers: bool
) -> None:
    if not with_numbers or seconds <= 0:
        return
    step = next(step for step in (1, 2, 5, 10, 20, 60, 300, 3600) if seconds / step <= 12 or step == 3600)
    for tick in np.arange(np.ceil(first / step), np.floor((first + seconds) / step) + 1) * step:
        x = _at(float(tick), box, seconds, first)
        draw.line((x, box[3], x, box[3] + 5), fill=_GREY)
        draw.text((x, box[3] + 6), f"{tick:+g} s" if tick else "alarm", fill=_INK, font_size=12, anchor="ma")


def _at(of: float, box: tuple[int, int, int, int], seconds: float, first: float) -> float:
    share = min(max((of - first) / max(seconds, 1e-6), 0.0), 1.0)
    return box[0] + share * (box[2] - box[0])


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
