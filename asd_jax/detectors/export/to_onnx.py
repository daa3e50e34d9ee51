"""A program as an ONNX graph, by jax2onnx."""

import contextlib
import functools
import io
import logging
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import mlir
from jaxtyping import Array, Float

from asd_jax.detectors.export.program import INPUTS, OUTPUTS, Program
from asd_jax.errors import InputError
from asd_jax.features.precise_stft import power_by

_METADATA = "asd_jax"


def to_onnx(program: Program, metadata: str) -> bytes:
    """The graph, metadata in its `asd_jax` property.

    `threshold` and `machine` are inputs with initializers: a run that leaves them out has the fitted thresholds and
    the first machine.

    Raises:
        InputError: the extra `export` is not installed.
    """
    try:
        import onnx
        from jax2onnx import to_onnx as convert
    except ImportError as error:
        raise InputError(f"{error}: an ONNX file needs the extra `export`; pip install 'asd_jax[export]'") from error
    power = _power_by_dft()
    n_machines = len(program.machines)
    shapes = [("batch", program.n_samples), (n_machines,), ()]
    kinds = [np.float32, np.float32, np.int32]
    inputs = [jax.ShapeDtypeStruct(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    with power_by(power), _quiet():
        model = convert(
            lambda *arguments: program(*arguments),
            inputs=inputs,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            return_mode="proto",
            model_name="asd_jax",
        )
    defaults = {"threshold": program.thresholds, "machine": np.asarray(0, np.int32)}
    for name, value in defaults.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.helper.set_model_props(model, {_METADATA: metadata})
    return model.SerializeToString()
