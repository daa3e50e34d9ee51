"""GRU autoencoder: 64 log-mel frames through two GRU layers of 256 into one state and back, scored by the error."""

from absl import flags

import asd_jax
from experiments import common

FLAGS = flags.FLAGS

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS)
flags.DEFINE_integer("hidden_size", 256, "Width of each GRU layer.", lower_bound=1)
flags.DEFINE_integer("window_frames", 64, "Frames of a sequence; one starts every half of them.", lower_bound=2)


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.GRUAutoencoderConfig(
        hidden_size=FLAGS.hidden_size, window_frames=FLAGS.window_frames, window_hop=FLAGS.window_frames // 2
    )
    training = asd_jax.training_plan.TrainingConfig(
        epochs=10, min_steps=300, batch_size=64, learning_rate=1e-3, schedule="constant"
    )
    common.run_network("gru_ae", model, training)


if __name__ == "__main__":
    common.run(main)
