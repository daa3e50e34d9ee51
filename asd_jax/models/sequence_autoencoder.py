"""What the recurrent autoencoders share: an encoder's last state, a code, and a decoder that reads it at every step."""

import itertools

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.models import recurrent
from asd_jax.models.windows import windows


class SequenceAutoencoder(nnx.Module):
    """Recurrent layers down to one vector a window and up again, with a linear layer to the frames.

    The encoder's last state, narrowed by a linear layer where `bottleneck_size` is not the state's width, is the input
    of the decoder at every step; the decoder starts from a zero state.

    Args:
        layer: `recurrent.GRU` or `recurrent.LSTM`.
        reverse: the decoder gives the last frame first (Srivastava et al., "Unsupervised learning of video
            representations using LSTMs", 2015): what the encoder read last is easiest to begin with.
    """

    def __init__(
        self,
        layer: type,
        n_features: int,
        *,
        window_frames: int,
        window_hop: int,
        hidden_size: int,
        n_layers: int,
        bottleneck_size: int,
        reverse: bool,
        rngs: nnx.Rngs,
    ) -> None:
        self.window_frames, self.window_hop, self.reverse = window_frames, window_hop, reverse
        hidden = [hidden_size] * n_layers
        encoder, decoder = itertools.pairwise([n_features, *hidden]), itertools.pairwise([bottleneck_size, *hidden])
        self.encoder = nnx.List(layer(n_in, n_out, rngs=rngs) for n_in, n_out in encoder)
        self.code = None if bottleneck_size == hidden_size else nnx.Linear(hidden_size, bottleneck_size, rngs=rngs)
        self.decoder = nnx.List(layer(n_in, n_out, rngs=rngs) for n_in, n_out in decoder)
        self.output = nnx.Linear(hidden_size, n_features, rngs=rngs)

    def residual(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows window_frames n_features"]:
        """Each window minus its reconstruction."""
        target = windows(frames, self.window_frames, self.window_hop)
        flat = target.reshape(-1, *target.shape[-2:])
        state = recurrent.read(self.encoder, flat)
        code = state if self.code is None else self.code(state)
        states = recurrent.unfold(self.decoder, self.decoder[0].project(code), self.window_frames)
        flat = self.output(states.reshape(-1, states.shape[-1]))  # a product of matrices: others are slower on a CPU
        reconstruction = jnp.moveaxis(flat.reshape(self.window_frames, -1, flat.shape[-1]), 0, 1).reshape(target.shape)
        return target - (jnp.flip(reconstruction, axis=-2) if self.reverse else reconstruction)
