"""What all plots share: colours that colour-blind people tell apart, sizes, titles, the frequency axis of mel bands.

The colours are those of Okabe and Ito, "Color Universal Design" (2008). Figures are made without pyplot, so that
nothing is kept anywhere and nothing needs a screen.
"""

import io
import textwrap

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

NORMAL, ANOMALOUS, CONTROL, LIMIT = "#0072B2", "#D55E00", "#000000", "#000000"
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
_LOG_RATIO = 20.0  # scores that span more than this are drawn on a logarithmic axis
WIDTH = 5.2  # inches: at 400 pixels, a telephone's width, the letters are still ten pixels high

styled = mpl.rc_context(
    {
        "font.size": 10.5,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "figure.facecolor": "white",
    }
)


def new_figure(height: float) -> Figure:
    """An empty figure of the common width; `height` in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def plain(text: str) -> str:
    """Text for a plot, in which a dollar sign begins no formula: names of files and machines may hold anything."""
    return text.replace("$", r"\$")


def title(figure: Figure, text: str) -> None:
    """Set the title of a figure, broken into lines that fit the common width."""
    lines = textwrap.fill(text, 54)
    figure.suptitle(plain(lines), x=0.01, ha="left", fontsize=11, fontweight="bold")


def line_style(number: int) -> dict[str, str]:
    """Colour and dashes of the curve of this number; no two of the first 28 are alike."""
    return {"color": LINES[number % len(LINES)], "linestyle": DASHES[number // len(LINES) % len(DASHES)]}


def percent(share: float) -> str:
    """A share as whole percent."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def label_frequencies(axes: Axes, frequencies: Float[np.ndarray, " n_mels"], *, axis: str = "y") -> None:
    """Ticks in kHz on an axis, `x` or `y`, whose unit is the mel band."""
    hertz = np.asarray([500, 1000, 2000, 4000, 8000, 16_000])
    hertz = hertz[(hertz >= frequencies[0]) & (hertz <= frequencies[-1] * 1.05)]
    bands = np.interp(hertz, frequencies, np.arange(len(frequencies)))
    getattr(axes, f"set_{axis}ticks")(bands, [f"{value / 1000:g}" for value in hertz])
    getattr(axes, f"set_{axis}label")("frequency (kHz)")


def log_where_wide(axes: Axes, values: Float[np.ndarray, " _"]) -> None:
    """A logarithmic axis where the largest value would press the others into one line."""
    finite = values[np.isfinite(values)]
    if len(finite) and finite.min() > 0 and finite.max() > _LOG_RATIO * np.median(finite):
        axes.set_yscale("log")


def png(figure: Figure, *, dpi: int = 130) -> bytes:
    """A figure as PNG of 256 colours, a third of the size that all colours would take."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    stream = io.BytesIO()
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, format="PNG")
    return stream.getvalue()
