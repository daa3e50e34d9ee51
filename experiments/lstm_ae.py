"""LSTM autoencoder: 0.6 s of log-mel frames through an LSTM and a narrow code and back, scored by the error."""

from absl import flags

import asd_jax
from experiments import common

FLAGS = flags.FLAGS

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS)
flags.DEFINE_integer("bottleneck_size", 32, "Width of the code.", lower_bound=1)
flags.DEFINE_integer("window_frames", 20, "Frames of a window; one starts every half of them.", lower_bound=2)


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.LSTMAutoencoderConfig(
        bottleneck_size=FLAGS.bottleneck_size,
        window_frames=FLAGS.window_frames,
        window_hop=FLAGS.window_frames // 2,
    )
    training = asd_jax.training_plan.TrainingConfig(epochs=20, min_steps=1500, batch_size=64, learning_rate=1e-3)
    common.run_network("lstm_ae", model, training)


if __name__ == "__main__":
    common.run(main)
