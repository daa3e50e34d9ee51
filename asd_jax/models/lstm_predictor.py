"""LSTM predictor: a machine's next frame from the ones before; what it cannot foresee is anomalous."""

import dataclasses
import itertools

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from asd_jax.files import sparse
from asd_jax.models import recurrent
from asd_jax.models.windows import windows


@dataclasses.dataclass(frozen=True)
class LSTMPredictorConfig:
    """Two LSTM layers and a linear layer that predict a frame from the `context_frames` before it.

    Parameters with the defaults and 128 features: 279,680.

    Attributes:
        hidden_size: width of each LSTM layer.
        n_layers: number of LSTM layers.
        context_frames: frames that a prediction sees.
        segment_frames: consecutive frames of a training example, which holds `segment_frames - context_frames`
            predictions.
        segment_hop: frames from one training example to the next; the default predicts each frame once.
        scan_epoch: run the steps of an epoch in one compiled loop.
        carry_state: carry the state from frame to frame through `segment_frames`, in training and in scoring, instead
            of starting anew for each prediction: it sees `context_frames` before it, or more. With ten of them that
            is a seventh of the arithmetic.
    """

    name = "lstm_predictor"
    gives = "residual"
    scaling = "standardize"

    hidden_size: int = 128
    n_layers: int = 2
    context_frames: int = 10
    segment_frames: int = 30
    segment_hop: int = 20
    scan_epoch: bool = True
    carry_state: bool = sparse(False)

    @property
    def window_span(self) -> int:
        """Frames that one window reads: the context and the frame it predicts."""
        return self.context_frames + 1

    @property
    def window_hop(self) -> int:
        """Frames from one window to the next."""
        return 1

    @property
    def target_offset(self) -> int:
        """Frame of a window that is predicted: the one after the context."""
        return self.context_frames

    def build(self, n_features: int, *, rngs: nnx.Rngs) -> "LSTMPredictor":
        """The network for frames of `n_features` values."""
        return LSTMPredictor(self, n_features, rngs=rngs)


class LSTMPredictor(nnx.Module):
    """The network of `LSTMPredictorConfig`; every window starts from a zero state, or every segment."""

    def __init__(self, config: LSTMPredictorConfig, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.context_frames, self.segment_frames = config.context_frames, config.segment_frames
        self.carry_state = config.carry_state
        widths = [n_features] + [config.hidden_size] * config.n_layers
        self.layers = nnx.List(recurrent.LSTM(n_in, n_out, rngs=rngs) for n_in, n_out in itertools.pairwise(widths))
        self.output = nnx.Linear(widths[-1], n_features, rngs=rngs)

    def residual(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows 1 n_features"]:
        """Frame minus its prediction, for every frame that has a whole context before it."""
        predicted = self._carried(frames) if self.carry_state else self._windowed(frames)
        return (frames[..., self.context_frames :, :] - predicted)[..., None, :]

    def _windowed(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows n_features"]:
        """Predictions that see `context_frames` each."""
        n_windows = frames.shape[-2] - self.context_frames
        # The lowest layer's projection of a frame is the same in all windows that read it: step t of every window is
        # a slice of one product over the segment.
        projected = self.layers[0].project(frames)
        steps = [projected[..., t : t + n_windows, :] for t in range(self.context_frames)]
        hidden = recurrent.last(self.layers, [step.reshape(-1, step.shape[-1]) for step in steps])
        return self.output(hidden).reshape(*frames.shape[:-2], n_windows, frames.shape[-1])

    def _carried(
        self, frames: Float[Array, "*batch n_frames n_features"]
    ) -> Float[Array, "*batch n_windows n_features"]:
        """Predictions that see all frames of their segment before them, `context_frames` at least.

        Segments are those of training: they overlap by the context, and each predicts the frames beyond it.
        """
        context, n_features = self.context_frames, frames.shape[-1]
        n_windows, each = frames.shape[-2] - context, self.segment_frames - context
        n_segments = -(-n_windows // each)
        beyond = n_segments * each - n_windows  # the last segment's frames beyond the end, which are not predicted
        padded = jnp.pad(frames, [(0, 0)] * (frames.ndim - 2) + [(0, beyond), (0, 0)])
        segments = windows(padded, self.segment_frames, each)
        inputs = jnp.moveaxis(segments.reshape(-1, *segments.shape[-2:])[:, :-1], 1, 0)
        hidden = recurrent.follow(self.layers, self.layers[0].project(inputs))[context - 1 :]
        predicted = self.output(hidden.reshape(-1, hidden.shape[-1])).reshape(each, -1, n_features)
        predicted = jnp.moveaxis(predicted, 0, 1).reshape(*frames.shape[:-2], n_segments * each, n_features)
        return predicted[..., :n_windows, :]
