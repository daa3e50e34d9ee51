"""GRU autoencoder: a sequence of frames through one state vector and back."""

import dataclasses

from flax import nnx

from asd_jax.models.recurrent import GRU
from asd_jax.models.sequence_autoencoder import SequenceAutoencoder
from asd_jax.models.windows import WindowExamples


@dataclasses.dataclass(frozen=True)
class GRUAutoencoderConfig(WindowExamples):
    """Encoder and decoder of two GRU layers; the encoder's last state is all that the decoder reads.

    Parameters with the defaults and 128 features: 1,511,552.

    Attributes:
        window_frames: frames of a sequence.
        window_hop: frames from one sequence to the next.
        hidden_size: width of each GRU layer.
        n_layers: layers of the encoder, and of the decoder.
        reverse: the decoder gives the last frame first.
        scan_epoch: run the steps of an epoch in one compiled loop.
    """

    name = "gru_autoencoder"

    window_frames: int = 64
    window_hop: int = 32
    hidden_size: int = 256
    n_layers: int = 2
    reverse: bool = True
    scan_epoch: bool = True

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> SequenceAutoencoder:
        """The network for frames of `n_features` values."""
        return SequenceAutoencoder(
            GRU,
            n_features,
            window_frames=self.window_frames,
            window_hop=self.window_hop,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bottleneck_size=self.hidden_size,
            reverse=self.reverse,
            rngs=rngs,
        )
