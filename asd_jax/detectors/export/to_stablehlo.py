"""A program as portable StableHLO, by `jax.export`."""

import jax
import jax.numpy as jnp

from asd_jax.detectors.export.program import Program
from asd_jax.errors import InputError

PLATFORMS = ("cpu", "cuda", "tpu")


def to_stablehlo(program: Program) -> bytes:
    """The serialized program for every platform, of any number of clips; `jax.export.deserialize` reads it.

    The transform stays in float64 where the platform has it.

    Raises:
        InputError: flatbuffers, which the extra `export` installs, is missing.
    """
    from jax import export

    (batch,) = export.symbolic_shape("batch")
    shapes = [
        jax.ShapeDtypeStruct((batch, program.n_samples), jnp.float32),
        jax.ShapeDtypeStruct((len(program.machines),), jnp.float32),
        jax.ShapeDtypeStruct((), jnp.int32),
    ]
    with jax.default_matmul_precision("highest"):  # a GPU's and a TPU's default moves scores
        exported = export.export(jax.jit(lambda *arguments: program(*arguments)), platforms=PLATFORMS)(*shapes)
    try:
        return bytes(exported.serialize())
    except ImportError as error:
        raise InputError(f"{error}: StableHLO needs the extra `export`; pip install 'asd_jax[export]'") from error
