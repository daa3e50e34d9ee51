"""Published weights of EfficientAT mn04, by their names there, and as parameters of the network."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from asd_jax.models.efficientat import BLOCKS, N_CLASSES, EfficientATConfig, rounded
from asd_jax.models.published import Published, Weights

_EPSILON = 1e-3  # of batch normalisation
_PARTS = ("weight", "bias", "running_mean", "running_var")
Shapes = dict[str, tuple[int, ...]]


def _convolution(name: str, n_out: int, n_in: int, kernel: int = 1) -> Shapes:
    """A convolution without bias and its batch normalisation."""
    return {f"{name}.0.weight": (n_out, n_in, kernel, kernel)} | {f"{name}.1.{part}": (n_out,) for part in _PARTS}


def _linear(name: str, n_out: int, n_in: int) -> Shapes:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def _places(number: int, config: EfficientATConfig) -> dict[str, str]:
    """Where the layers of a block lie in the published network: expand (where there is one), depthwise, and so on."""
    expands = config.channels(BLOCKS[number].expanded) != _n_in(number, config)
    layers = (["expand"] if expands else []) + ["depthwise"]
    layers += (["squeeze"] if BLOCKS[number].squeezes else []) + ["project"]
    return {layer: f"features.{number + 1}.block.{place}" for place, layer in enumerate(layers)}


def _n_in(number: int, config: EfficientATConfig) -> int:
    return config.channels(BLOCKS[number - 1].out if number else 16)


def shapes(config: EfficientATConfig) -> Shapes:
    """Shapes of the published arrays by name."""
    found = _convolution("features.0", config.channels(16), 1, 3)
    for number, block in enumerate(BLOCKS):
        places, expanded = _places(number, config), config.channels(block.expanded)
        if "expand" in places:
            found |= _convolution(places["expand"], expanded, _n_in(number, config))
        found |= _convolution(places["depthwise"], expanded, 1, block.kernel)
        if "squeeze" in places:
            squeezed, name = rounded(expanded // 4), f"{places['squeeze']}.conc_se_layers.0"
            found |= _linear(f"{name}.fc1", squeezed, expanded) | _linear(f"{name}.fc2", expanded, squeezed)
        found |= _convolution(places["project"], config.channels(block.out), expanded)
    size, hidden = config.embedding_size, rounded(1280 * config.width)
    found |= _convolution(f"features.{len(BLOCKS) + 1}", size, config.channels(BLOCKS[-1].out))
    return found | _linear("classifier.2", hidden, size) | _linear("classifier.5", N_CLASSES, hidden)


def to_params(weights: Mapping[str, np.ndarray], config: EfficientATConfig) -> dict[str, Any]:
    """Parameters of the Flax network as plain nested dicts, batch normalisation folded into the convolutions."""

    def linear(name: str) -> dict[str, np.ndarray]:
        return {"kernel": weights[f"{name}.weight"].T, "bias": weights[f"{name}.bias"]}

    blocks: dict[int, Any] = {}
    for number in range(len(BLOCKS)):
        blocks[number] = {}
        for layer, place in _places(number, config).items():
            if layer == "squeeze":
                name = f"{place}.conc_se_layers.0"
                blocks[number][layer] = {"down": linear(f"{name}.fc1"), "up": linear(f"{name}.fc2")}
            else:
                blocks[number][layer] = folded(weights, place)
    return {
        "stem": folded(weights, "features.0"),
        "blocks": blocks,
        "last": folded(weights, f"features.{len(BLOCKS) + 1}"),
        "classifier": {0: linear("classifier.2"), 1: linear("classifier.5")},
    }


def folded(weights: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Kernel and bias of a convolution with the batch normalisation after it, at rest.

    The kernel is (in, out) of a 1 × 1 convolution; (height, width, out) where there is one channel in. The published
    maps are (frequency, time), ours (time, frequency).
    """
    gain, offset, mean, variance = (weights[f"{name}.1.{part}"].astype(np.float64) for part in _PARTS)
    scale = gain / np.sqrt(variance + _EPSILON)
    kernel = weights[f"{name}.0.weight"] * scale[:, None, None, None]
    kernel = kernel[:, :, 0, 0].T if kernel.shape[2] == 1 else kernel[:, 0].transpose(2, 1, 0)
    return {"kernel": kernel.astype(np.float32), "bias": (offset - mean * scale).astype(np.float32)}


def _as_published(state: Mapping[str, np.ndarray]) -> Weights:
    """The arrays as they are: the file's own names and layout are kept."""
    return {name: state[name] for name in PUBLISHED.shapes}


PUBLISHED = Published(
    name="EfficientAT mn04",
    setting="weights",
    address="https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/mn04_as_mAP_432.pt",
    sha256="899a8c62",
    megabytes=4,
    script="efficientat",
    extra="efficientat",
    shapes=shapes(EfficientATConfig()),
    convert=_as_published,
)
