"""Residuals of frames and embeddings of waveforms, out of Flax networks, one file each.

`REGISTRY` and `EMBEDDINGS` name them for the detector bundle.

`Network` makes of a model's config pure functions of its parameters, so that all that follows is plain JAX.

A model file holds a frozen config and an NNX module. The config gives `build(n_features, rngs=...)`,
`window_span` and `window_hop` (frames that a window reads, and from one window to the next), `segment_frames` and
`segment_hop` (a training example, and from one to the next), `scaling` (of the frames, a name of
`features.scaling.REGISTRY`) and `scan_epoch`. The module gives
`residual(frames) -> (*batch, n_windows, window_frames, n_features)`, signed, target minus prediction, in which window
`w` reads the frames `w * window_hop` to `w * window_hop + window_span - 1` and no others. Its
targets are the frames from `w * window_hop + target_offset` on.

A model of `EMBEDDINGS` reads waveforms: its config gives `build(n_samples, rngs=...)`, `embedding_size`, `sample_rate`,
`seconds` and `least_samples` (see `MultiBranchConfig`) and `scan_epoch`, its module
`embedding(waveforms) -> (batch, embedding_size)`. Which of the two it is says `gives`.
"""

from asd_jax.models.conv_autoencoder import ConvAutoencoderConfig
from asd_jax.models.dense_autoencoder import DenseAutoencoderConfig
from asd_jax.models.gru_autoencoder import GRUAutoencoderConfig
from asd_jax.models.interpolation_network import InterpolationNetworkConfig
from asd_jax.models.lstm_autoencoder import LSTMAutoencoderConfig
from asd_jax.models.lstm_predictor import LSTMPredictorConfig
from asd_jax.models.multi_branch import MultiBranchConfig

REGISTRY = {
    config.name: config
    for config in (
        ConvAutoencoderConfig,
        DenseAutoencoderConfig,
        GRUAutoencoderConfig,
        InterpolationNetworkConfig,
        LSTMAutoencoderConfig,
        LSTMPredictorConfig,
    )
}
EMBEDDINGS = {config.name: config for config in (MultiBranchConfig,)}

__all__ = [
    "EMBEDDINGS",
    "REGISTRY",
    "ConvAutoencoderConfig",
    "DenseAutoencoderConfig",
    "GRUAutoencoderConfig",
    "InterpolationNetworkConfig",
    "LSTMAutoencoderConfig",
    "LSTMPredictorConfig",
    "MultiBranchConfig",
]
