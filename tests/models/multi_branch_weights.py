"""Weights of the published PyTorch network, laid into ours."""

import jax.numpy as jnp
import numpy as np


def published(archive):
    """Arrays by PyTorch's names."""
    return {
        name.removeprefix("weight/"): archive[name].astype(np.float32)
        for name in archive.files
        if name.startswith("weight/")
    }


def named(network):
    """Our variables by the published names: `(variable, to_ours)`, and running statistics."""
    weights, statistics = {}, {}

    def norm(module, name):
        statistics[f"{name}.running_mean"], statistics[f"{name}.running_var"] = module.mean, module.var

    def dense(variable, name):
        weights[f"{name}.weight"] = variable, np.transpose

    def excitation(module, name):
        dense(module.squeeze, f"{name}.layer1.0")
        dense(module.excite, f"{name}.layer2.0")

    def convolution(module, name):
        weights[f"{name}.weight"] = module.kernel, lambda kernel: kernel.transpose(3, 2, 1, 0)

    spectrum, *spectrograms = network.branches
    prefix = "fft_layer.layer."
    for number, place in enumerate((0, 3, 6)):
        weights[f"{prefix}conv1d_layer.{place}.weight"] = (
            spectrum.convolutions[number].kernel,
            lambda kernel: kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0]),
        )
        excitation(spectrum.excitations[number], f"{prefix}conv1d_layer.{place + 2}")
    places = ["aggregate_layer.1", *(f"last_layer.{place}" for place in (0, 3, 6, 9))]
    norms = ["aggregate_layer.2", *(f"last_layer.{place}" for place in (1, 4, 7, 10))]
    for number, (place, of) in enumerate(zip(places, norms, strict=True)):
        dense(spectrum.hidden[number].kernel, prefix + place)
        norm(spectrum.norms[number], prefix + of)
    dense(spectrum.output.kernel, f"{prefix}last_layer.12")
    for number, branch in enumerate(spectrograms):
        prefix = f"stft_layer_list.{number}.layer."
        norm(branch.norm, f"{prefix}bn_freq")
        convolution(branch.stem, f"{prefix}layers.0.layer.0")
        norm(branch.stem_norm, f"{prefix}layers.0.layer.1")
        for place, block in enumerate(branch.blocks):
            own = f"{prefix}layers.{place // 2 + 1}.{place % 2}."
            norm(block.norm, f"{own}bn")
            convolution(block.first, f"{own}layer.1")
            norm(block.middle, f"{own}layer.2")
            convolution(block.second, f"{own}layer.4")
            excitation(block.excitation, f"{own}additional_layer")
            if block.skip is not None:
                convolution(block.skip, f"{own}skip_connect.1")
        norm(branch.output_norm, f"{prefix}aggregate_layer.1")
        dense(branch.output.kernel, f"{prefix}aggregate_layer.2")
    return weights, statistics


def load(network, arrays, dtype=np.float32):
    """Lay published arrays into the network; every one of ours must be there."""
    weights, statistics = named(network)
    for name, (variable, to_ours) in weights.items():
        variable.set_value(jnp.asarray(to_ours(arrays[name]), dtype))
    for name, variable in statistics.items():
        variable.set_value(jnp.asarray(arrays[name], dtype))
    assert {*weights, *statistics} == set(arrays)
