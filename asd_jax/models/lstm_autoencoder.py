"""LSTM autoencoder: a short stretch of frames through a narrow code and back."""

import dataclasses

from flax import nnx

from asd_jax.models.recurrent import LSTM
from asd_jax.models.sequence_autoencoder import SequenceAutoencoder
from asd_jax.models.windows import WindowExamples


@dataclasses.dataclass(frozen=True)
class LSTMAutoencoderConfig(WindowExamples):
    """An LSTM reads the frames of a window in the order of time, a linear layer narrows its last state, another LSTM
    unfolds it.

    Parameters with the defaults and 128 features: 234,656.

    Attributes:
        window_frames: frames of a window; 20 are 0.6 s from the first to the last.
        window_hop: frames from one window to the next.
        hidden_size: width of each LSTM layer.
        n_layers: layers of the encoder, and of the decoder.
        bottleneck_size: width of the code.
        reverse: the decoder gives the last frame first.
        scan_epoch: run the steps of an epoch in one compiled loop.
    """

    name = "lstm_autoencoder"

    window_frames: int = 20
    window_hop: int = 10
    hidden_size: int = 128
    n_layers: int = 1
    bottleneck_size: int = 32
    reverse: bool = True
    scan_epoch: bool = True

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> SequenceAutoencoder:
        """The network for frames of `n_features` values."""
        return SequenceAutoencoder(
            LSTM,
            n_features,
            window_frames=self.window_frames,
            window_hop=self.window_hop,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            bottleneck_size=self.bottleneck_size,
            reverse=self.reverse,
            rngs=rngs,
        )
