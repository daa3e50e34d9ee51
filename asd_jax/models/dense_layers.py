"""The fully connected bottleneck that the DCASE baseline and the interpolation network share."""

import itertools

import jax
from flax import nnx
from jaxtyping import Array, Float


class DenseBlock(nnx.Module):
    """Linear layer without bias, batch normalisation, ReLU.

    The normalisation's own offset takes the place of the bias, whose gradient would be rounding noise.
    """

    def __init__(self, n_inputs: int, n_outputs: int, *, rngs: nnx.Rngs) -> None:
        # Keras's initialiser and its constants of the normalisation, as the baseline has them.
        init = nnx.initializers.glorot_uniform()
        self.linear = nnx.Linear(n_inputs, n_outputs, use_bias=False, kernel_init=init, rngs=rngs)
        self.norm = nnx.BatchNorm(n_outputs, momentum=0.99, epsilon=1e-3, rngs=rngs)

    def __call__(self, inputs: Float[Array, "*batch n_inputs"]) -> Float[Array, "*batch n_outputs"]:
        """Apply the three."""
        return jax.nn.relu(self.norm(self.linear(inputs)))


class DenseBottleneck(nnx.Module):
    """`n_layers` wide blocks, a narrow one, `n_layers` wide ones, and a linear layer."""

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        hidden_size: int,
        n_layers: int,
        bottleneck_size: int,
        rngs: nnx.Rngs,
    ) -> None:
        wide = [hidden_size] * n_layers
        widths = [n_inputs, *wide, bottleneck_size, *wide]
        self.blocks = nnx.List(DenseBlock(n_in, n_out, rngs=rngs) for n_in, n_out in itertools.pairwise(widths))
        init = nnx.initializers.glorot_uniform()
        self.output = nnx.Linear(hidden_size, n_outputs, kernel_init=init, rngs=rngs)

    def __call__(self, inputs: Float[Array, "*batch n_inputs"]) -> Float[Array, "*batch n_outputs"]:
        """Squeeze the inputs through the bottleneck."""
        # As one matrix: XLA's CPU products over several leading axes made a training step 1.5 times as long.
        hidden = inputs.reshape(-1, inputs.shape[-1])
        for block in self.blocks:
            hidden = block(hidden)
        return self.output(hidden).reshape(*inputs.shape[:-1], -1)
