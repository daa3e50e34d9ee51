"""Published weights of VGGish, as its PyTorch port or the official TensorFlow checkpoint has them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from asd_jax.errors import InputError
from asd_jax.models.published import Published, Weights

_ADDRESS = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth"

# Ours: (PyTorch port, TensorFlow checkpoint).
_NAMES = {
    "conv0": ("features.0", "conv1"),
    "conv1": ("features.3", "conv2"),
    "conv2": ("features.6", "conv3/conv3_1"),
    "conv3": ("features.8", "conv3/conv3_2"),
    "conv4": ("features.11", "conv4/conv4_1"),
    "conv5": ("features.13", "conv4/conv4_2"),
    "dense0": ("embeddings.0", "fc1/fc1_1"),
    "dense1": ("embeddings.2", "fc1/fc1_2"),
    "dense2": ("embeddings.4", "fc2"),
}
_CHANNELS = (1, 64, 128, 256, 256, 512, 512)
_WIDTHS = (6 * 4 * 512, 4096, 4096, 128)
SHAPES: dict[str, tuple[int, ...]] = {
    **{f"conv{i}_kernel": (3, 3, _CHANNELS[i], _CHANNELS[i + 1]) for i in range(6)},
    **{f"conv{i}_bias": (_CHANNELS[i + 1],) for i in range(6)},
    **{f"dense{i}_kernel": (_WIDTHS[i], _WIDTHS[i + 1]) for i in range(3)},
    **{f"dense{i}_bias": (_WIDTHS[i + 1],) for i in range(3)},
}


def from_torch(state: Mapping[str, np.ndarray]) -> Weights:
    """Weights of the PyTorch port in our layout: kernels (height, width, in, out) and (in, out).

    Raises:
        KeyError: a name that is missing.
    """
    weights = {}
    for ours, (theirs, _) in _NAMES.items():
        kernel, bias = np.asarray(state[f"{theirs}.weight"]), np.asarray(state[f"{theirs}.bias"])
        weights[f"{ours}_kernel"] = kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T
        weights[f"{ours}_bias"] = bias
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}


def from_tensorflow(read: Callable[[str], np.ndarray]) -> Weights:
    """Weights of the official checkpoint, whose layout is ours.

    Args:
        read: value of a variable by its name.
    """
    weights = {}
    for ours, (_, theirs) in _NAMES.items():
        weights[f"{ours}_kernel"] = read(f"vggish/{theirs}/weights")
        weights[f"{ours}_bias"] = read(f"vggish/{theirs}/biases")
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()}


def _read_tensorflow(path: Path) -> Weights:
    try:
        import tensorflow as tf  # late: an optional package, needed for the conversion only
    except ImportError as error:
        raise InputError(
            f"{path.name} is read by TensorFlow once: pip install tensorflow, or take {_ADDRESS.rpartition('/')[2]}"
        ) from error
    try:
        return from_tensorflow(tf.train.load_checkpoint(str(path)).get_tensor)
    except (tf.errors.OpError, ValueError) as error:
        raise InputError(f"{path} is not the VGGish checkpoint") from error


PUBLISHED = Published(
    name="VGGish",
    setting="vggish_weights",
    address=_ADDRESS,
    sha256="10086976",
    megabytes=288,
    script="vggish_ocsvm",
    extra="vggish",
    shapes=SHAPES,
    convert=from_torch,
    readers={".ckpt": _read_tensorflow},
)
