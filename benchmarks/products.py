"""Floating-point operations of a program's products, counted in its trace."""

import math
from typing import Any


def gflop(traced: Any) -> float:
    """Billions in the matrix products and convolutions of `jax.jit(f).trace(...)`; loops count once a turn.

    Of a branch the dearer side counts, and of a loop without a known length one turn.
    """
    return _count(traced.jaxpr) / 1e9


def _count(jaxpr: Any) -> float:
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> float:
    name, params = equation.primitive.name, equation.params
    out = equation.outvars[0].aval.size if equation.outvars and hasattr(equation.outvars[0].aval, "size") else 0
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        return 2 * out * math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel, spec = equation.invars[1].aval, params["dimension_numbers"].rhs_spec
        # A dilated input is mostly zeros that nobody need multiply.
        return 2 * out * kernel.size / kernel.shape[spec[0]] / math.prod(params["lhs_dilation"])
    inner = [_count(of) for value in params.values() for of in _programs(value)]
    if name == "cond":
        return max(inner, default=0.0)
    return sum(inner) * (params["length"] if name == "scan" else 1)


def _programs(value: Any) -> list[Any]:
    values = value if isinstance(value, tuple | list) else [value]
    return [of for of in values if hasattr(getattr(of, "jaxpr", of), "eqns")]
