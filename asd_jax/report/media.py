"""Pictures and sound as data that a page carries in itself."""

import base64
import io

import matplotlib as mpl
import numpy as np
import soundfile
from jaxtyping import Float
from PIL import Image

MAP_SIZE = (156, 48)  # most columns and rows of a small map
_LEVELS = 63


def data_uri(content: bytes, kind: str) -> str:
    """Content as a URI that needs no file and no network."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def flac(waveform: Float[np.ndarray, " n_samples"], *, sample_rate: int) -> bytes:
    """A waveform as 16-bit FLAC, which every browser plays; louder than full scale is cut off."""
    stream = io.BytesIO()
    soundfile.write(stream, np.clip(waveform, -1.0, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def shrink(values: Float[np.ndarray, "n_frames n_features"]) -> Float[np.ndarray, "columns rows"]:
    """A map averaged down to at most `MAP_SIZE`; NaN where all of a cell is."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0), known.astype(np.float32)
    for axis, most in enumerate(MAP_SIZE):
        length = values.shape[axis]
        edges = np.unique(np.linspace(0, length, min(most, length), endpoint=False).astype(int))
        total, count = np.add.reduceat(total, edges, axis=axis), np.add.reduceat(count, edges, axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan).astype(np.float32)


def map_png(values: Float[np.ndarray, "columns rows"], largest: float) -> bytes:
    """A small map as PNG, time to the right and frequency upwards, grey where there is no value.

    Colours follow the square root, so that the ordinary does not sink into black.
    """
    shares = np.sqrt(np.clip(np.nan_to_num(values) / largest, 0.0, 1.0))
    levels = np.where(np.isfinite(values), np.round(shares * (_LEVELS - 1)), _LEVELS).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(levels.T[::-1]), mode=None)
    image = image.convert("P") if image.mode != "P" else image
    image.putpalette(_palette())
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _palette() -> list[int]:
    colours = (mpl.colormaps["inferno"](np.linspace(0, 1, _LEVELS))[:, :3] * 255).round().astype(int)
    return [*colours.ravel().tolist(), 0xDD, 0xDD, 0xDD]
