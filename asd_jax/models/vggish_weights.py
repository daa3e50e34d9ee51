"""Published weights of VGGish: downloaded, checked, and converted once to a plain array file in the user's cache."""

import hashlib
import re
import urllib.error
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from asd_jax.errors import InputError
from asd_jax.files import cache_folder

ADDRESS = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth"

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

Weights = dict[str, np.ndarray]


def load(path: str | Path | None = None) -> tuple[Weights, str]:
    """Weights and the SHA-256 of the file they came from.

    Args:
        path: the PyTorch port's `.pth`, the official TensorFlow checkpoint `vggish_model.ckpt`, or a file converted
            before; None takes the port's from the cache or downloads it.

    Raises:
        InputError: the file is missing, damaged, or something else; there is no network; or the package that reads
            the file is not installed.
    """
    source = _download() if path is None else Path(path).expanduser()
    if not source.is_file():
        raise InputError(f"`vggish_weights`={source}: no such file")
    digest = _sha256(source)
    _check_prefix(source, digest)
    converted = cache_folder() / f"vggish-{digest[:16]}.npz"
    if source.suffix == ".npz":
        return _read_converted(source)
    if not converted.is_file():
        weights = checked(from_torch(_read_torch(source)) if source.suffix == ".pth" else _read_tensorflow(source))
        converted.parent.mkdir(parents=True, exist_ok=True)
        aside = converted.with_suffix(".part.npz")
        np.savez(aside, sha256=np.array(digest), **weights)
        aside.replace(converted)
    return _read_converted(converted)


def load_cached(digest: str) -> Weights:
    """Weights that were converted before, by the SHA-256 of their source; an InputError says how to get them."""
    converted = cache_folder() / f"vggish-{digest[:16]}.npz"
    if not converted.is_file():
        raise InputError(
            f"this run needs the VGGish weights with SHA-256 {digest[:16]}..., and {converted} is not there; "
            "fetch them with python -m experiments.vggish_ocsvm, or copy that file from where the run was made"
        )
    return _read_converted(converted)[0]


def from_torch(state: Mapping[str, np.ndarray]) -> Weights:
    """Weights of the PyTorch port in our layout: kernels (height, width, in, out) and (in, out)."""
    weights = {}
    for ours, (theirs, _) in _NAMES.items():
        try:
            kernel, bias = np.asarray(state[f"{theirs}.weight"]), np.asarray(state[f"{theirs}.bias"])
        except KeyError as error:
            raise InputError(f"these are no VGGish weights: {error} is missing") from error
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


def checked(weights: Weights) -> Weights:
    """The weights, if every array has its shape; an InputError names the first that has not."""
    for name, shape in SHAPES.items():
        if name not in weights:
            raise InputError(f"these are no VGGish weights: {name} is missing")
        if weights[name].shape != shape:
            raise InputError(f"these are no VGGish weights: {name} has shape {weights[name].shape}, not {shape}")
    return {name: weights[name] for name in SHAPES}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_prefix(path: Path, digest: str) -> None:
    """A name such as `vggish-10086976.pth` ends in the first digits of the file's hash."""
    match = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if match and not digest.startswith(match[1]):
        raise InputError(f"{path} is damaged: its SHA-256 starts with {digest[:8]}, not {match[1]}; fetch it again")


def _download() -> Path:
    import pooch

    path = cache_folder() / ADDRESS.rpartition("/")[2]
    for folder in (path.parent, Path(pooch.os_cache("asd_jax"))):  # on macOS and Windows they once came to the latter
        if (folder / path.name).is_file():
            return folder / path.name
    try:
        pooch.retrieve(ADDRESS, known_hash=None, path=path.parent, fname=path.name, progressbar=True)
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise InputError(
            f"the VGGish weights could not be downloaded ({type(error).__name__}); fetch {ADDRESS} (288 MB) "
            f"elsewhere and put it at {path}, or name it with `vggish_weights`"
        ) from error
    try:
        _check_prefix(path, _sha256(path))
    except InputError:
        path.unlink()
        raise
    return path


def _read_converted(path: Path) -> tuple[Weights, str]:
    try:
        with np.load(path, allow_pickle=False) as saved:
            return checked(dict(saved)), str(saved["sha256"])
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a converted file of VGGish weights; remove it") from error


def _read_torch(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch  # late: an optional package, needed for the conversion only
    except ImportError as error:
        raise InputError(f"{path.name} is read by PyTorch once: pip install 'asd_jax[vggish]'") from error
    import pickle

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # runs no code of the file's author
        return {name: value.numpy() for name, value in state.items()}
    except (RuntimeError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        raise InputError(f"{path} is not a file of PyTorch weights") from error


def _read_tensorflow(path: Path) -> Weights:
    try:
        import tensorflow as tf  # late: an optional package, needed for the conversion only
    except ImportError as error:
        raise InputError(
            f"{path.name} is read by TensorFlow once: pip install tensorflow, or take {ADDRESS.rpartition('/')[2]}"
        ) from error
    try:
        return from_tensorflow(tf.train.load_checkpoint(str(path)).get_tensor)
    except (tf.errors.OpError, ValueError) as error:
        raise InputError(f"{path} is not the VGGish checkpoint") from error
