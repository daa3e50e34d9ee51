"""Windows of consecutive frames, for models that see a whole window at once."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def windows(
    frames: Float[Array, "*batch n_frames n_features"], window_frames: int, window_hop: int
) -> Float[Array, "*batch n_windows window_frames n_features"]:
    """Runs of `window_frames` frames, one every `window_hop`; frames that no whole window reaches are left out."""
    n_windows = (frames.shape[-2] - window_frames) // window_hop + 1
    if n_windows == 1:  # a training example: no copy
        return frames[..., None, :window_frames, :]
    stop = (n_windows - 1) * window_hop + 1
    return jnp.stack([frames[..., t : t + stop : window_hop, :] for t in range(window_frames)], axis=-2)


class WindowExamples:
    """Base of configs whose training examples are single windows of `window_frames`, one every `window_hop`."""

    gives = "residual"
    scaling = "standardize"
    target_offset = 0

    @property
    def window_span(self) -> int:
        """Frames that one window reads."""
        return self.window_frames

    @property
    def segment_frames(self) -> int:
        """Frames of a training example."""
        return self.window_frames

    @property
    def segment_hop(self) -> int:
        """Frames from one training example to the next."""
        return self.window_hop
