"""Dense autoencoder, the DCASE Task 2 baseline: five log-mel frames through a bottleneck of 8, scored by the error."""

from absl import flags

import asd_jax
from experiments import common

FLAGS = flags.FLAGS

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS)
flags.DEFINE_integer("bottleneck_size", 8, "Width of the bottleneck.", lower_bound=1)


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.DenseAutoencoderConfig(bottleneck_size=FLAGS.bottleneck_size)
    training = asd_jax.training_plan.TrainingConfig(epochs=100, batch_size=512, learning_rate=1e-3, schedule="constant")
    common.run_network("dense_ae", model, training)


if __name__ == "__main__":
    common.run(main)
