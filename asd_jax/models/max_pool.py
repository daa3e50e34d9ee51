"""Pooling by the largest of 3 × 3 positions, with a gradient that is fast on a CPU."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def max_pool(image: Float[Array, "batch t f channels"], *, padding: int = 0) -> Float[Array, "batch t2 f2 channels"]:
    """The largest of 3 × 3 positions, two on from one to the next; an axis at a time, since a maximum of maxima is one.

    XLA's own gradient of a window's maximum is three times as slow on a CPU. Where values are equal the first of
    them has it.
    """
    image = jnp.pad(image, [(0, 0), (padding, padding), (padding, padding), (0, 0)], constant_values=-jnp.inf)
    return _along(_along(image, 1), 2)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _along(image: Float[Array, "batch t f channels"], axis: int) -> Float[Array, "batch t2 f2 channels"]:
    parts = _parts(image, axis)
    return jnp.maximum(jnp.maximum(parts[0], parts[1]), parts[2])


def _parts(image: Array, axis: int) -> list[Array]:
    """The first, second and third position of every window."""
    last = 2 * ((image.shape[axis] - 3) // 2) + 1
    return [jax.lax.slice_in_dim(image, shift, shift + last, stride=2, axis=axis) for shift in range(3)]


def _along_forward(image: Array, axis: int) -> tuple[Array, tuple[Array, Array]]:
    largest = _along(image, axis)
    return largest, (image, largest)


def _along_backward(axis: int, kept: tuple[Array, Array], cotangent: Array) -> tuple[Array]:
    """A position of even number is the first of one window and the third of the one before, one of odd number the
    second: their gradients are made side by side and interleaved."""
    image, largest = kept
    first, second, third = _parts(image, axis)
    is_first = first == largest
    is_second = ~is_first & (second == largest)
    is_third = ~is_first & ~is_second & (third == largest)
    zero = jnp.zeros((), cotangent.dtype)
    of_first, of_second, of_third = (jnp.where(of, cotangent, zero) for of in (is_first, is_second, is_third))

    def pad(values: Array, before: int, after: int) -> Array:
        return jnp.pad(values, [(before, after) if of == axis else (0, 0) for of in range(values.ndim)])

    even = pad(of_first, 0, 1) + pad(of_third, 1, 0)
    both = jnp.stack([even, pad(of_second, 0, 1)], axis=axis + 1)
    gradient = both.reshape(*image.shape[:axis], 2 * even.shape[axis], *image.shape[axis + 1 :])
    missing = image.shape[axis] - gradient.shape[axis]  # one more than windows reach, or one less than was made
    if missing > 0:
        return (pad(gradient, 0, missing),)
    return (jax.lax.slice_in_dim(gradient, 0, image.shape[axis], axis=axis),)


_along.defvjp(_along_forward, _along_backward)
