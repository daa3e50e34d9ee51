"""A program as an ONNX graph, by jax2onnx."""

import contextlib
import functools
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import mlir
from jaxtyping import Array, Float

from asd_jax.detectors.export.program import INPUTS, OUTPUTS, Program
from asd_jax.detectors.exported_file import PROPERTY
from asd_jax.errors import InputError
from asd_jax.features.precise_stft import power_by

_OPSET = 20  # the first whose DFT takes its axis as an input; onnxruntime reads it from 1.17 on


def to_onnx(program: Program, metadata: str) -> bytes:
    """The graph, with metadata as its property `asd_jax`.

    `threshold` and `machine` are inputs with initializers of the same name: a run that leaves them out has the fitted
    thresholds and the first machine.

    Raises:
        InputError: the extra `export` is not installed.
    """
    try:
        import onnx

        model = _converted(program)
    except (ImportError, AttributeError) as error:
        if isinstance(error, AttributeError) and not str(error).startswith("module 'jax"):
            raise
        raise InputError(  # a JAX newer than the converter lacks what that reaches into
            f"{error}: an ONNX file needs jax2onnx and a JAX that it knows; pip install 'asd_jax[export]' brings both, "
            "and `format=stablehlo` needs neither"
        ) from error
    defaults = {"threshold": program.thresholds, "machine": np.asarray(0, np.int32)}
    for name, value in defaults.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.helper.set_model_props(model, {PROPERTY: metadata})
    return model.SerializeToString(deterministic=True)


def _converted(program: Program) -> Any:
    """The graph, its inputs without defaults."""
    from jax2onnx import to_onnx as convert

    shapes = (("batch", program.n_samples), (len(program.machines),), ())
    kinds = (np.float32, np.float32, np.int32)
    with power_by(_power_by_dft()), _lenient():
        return convert(
            lambda *arguments: program(*arguments),
            inputs=[jax.ShapeDtypeStruct(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)],
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            return_mode="proto",
            opset=_OPSET,
            model_name="asd_jax",
        )


@functools.cache
def _power_by_dft() -> Callable[[Float[Array, "*batch n_fft"]], Float[Array, "*batch n_bins"]]:
    """Squared magnitude of the transform of windowed frames, which becomes one DFT node of real numbers.

    jax2onnx has a rule for `jnp.fft.rfft`, whose axes are wrong where the batch is symbolic (0.17.1), and complex
    numbers are pairs of real ones to ONNX anyway.
    """
    from jax2onnx.plugins.plugin_system import PrimitiveLeafPlugin, register_primitive

    primitive = Primitive("power_by_dft")

    def power(frames: Array) -> Array:
        spectrum = jnp.fft.rfft(frames)
        return jnp.square(spectrum.real) + jnp.square(spectrum.imag)

    primitive.def_impl(jax.jit(power))
    primitive.def_abstract_eval(lambda of: ShapedArray((*of.shape[:-1], of.shape[-1] // 2 + 1), of.dtype))
    mlir.register_lowering(primitive, mlir.lower_fun(power, multiple_results=False))

    @register_primitive(jaxpr_primitive=primitive.name)
    class _PowerByDFT(PrimitiveLeafPlugin):
        def lower(self, ctx: Any, eqn: Any) -> None:
            (frames,), (result,) = eqn.invars, eqn.outvars
            frames, spec, builder = ctx.get_value_for_var(frames), ctx.get_value_for_var(result), ctx.builder

            def constant(value: Any) -> Any:
                name = ctx.fresh_name("power_constant")
                return builder.add_initializer_from_array(name=name, array=np.asarray(value, np.int64))

            def node(kind: str, *inputs: Any, **attributes: int) -> Any:
                made = getattr(builder, kind)(*inputs, **attributes, _outputs=[ctx.fresh_name(f"power_{kind}")])
                made.type = spec.type
                return made

            real = node("Unsqueeze", frames, constant([-1]))
            spectrum = node("DFT", real, None, constant(result.aval.ndim - 1), onesided=1)
            power = node("ReduceSum", node("Mul", spectrum, spectrum), constant([-1]), keepdims=0)
            power.shape = spec.shape
            ctx.bind_value_for_var(result, power)

    return primitive.bind


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    """Whatever modes of JAX a program keeps to, the converter's own code does not; nor is it told what it warns of:
    shapes that onnxruntime finds out, old names that it uses of Flax."""
    logger = logging.getLogger("onnx_ir")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(before)
