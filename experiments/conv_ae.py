"""Convolutional autoencoder: overlapping mel frames of 0.6 s, scaled to [0, 1], as pictures; scored by the error.

The small network and its training are ours; `--variant=uminho` is the deep one of the University of Minho's entry to
DCASE 2020 (patches of 32 frames every 3, standardised, early stopping with a patience of 10), not for a CPU.

    python -m experiments.conv_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.772, pAUC 0.602; untrained 0.624.
Validation error 0.70 of the variance. 254 CPU seconds.
"""

from absl import flags

import asd_jax
from experiments import common

FLAGS = flags.FLAGS

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS)
flags.DEFINE_enum("variant", "small", ["small", "uminho"], "Small, or the deep published one (not for a CPU).")
flags.DEFINE_integer("window_hop", None, "Frames from one window to the next. Default: 10 (small), 3 (uminho).")


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    config, recipe = asd_jax.models.ConvAutoencoderConfig, asd_jax.training.plan.TrainingConfig
    settings = {} if FLAGS.window_hop is None else {"window_hop": FLAGS.window_hop}
    if FLAGS.variant == "uminho":
        model = config.uminho(**settings)
        training = recipe(epochs=100, batch_size=64, learning_rate=1e-3, schedule="constant", patience=10)
    else:
        model = config(**settings)
        training = recipe(epochs=12, min_steps=1000, batch_size=64, learning_rate=1e-3)
    common.run_network("conv_ae", model, training)


if __name__ == "__main__":
    common.run(main)
