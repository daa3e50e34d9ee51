"""Convolutional autoencoder: overlapping mel frames of 0.6 s, scaled to [0, 1], as pictures; scored by the error.

The small network and its training are ours; `--variant=uminho` is the deep one of the University of Minho's entry to
DCASE 2020 (patches of 32 frames every 3, standardised, early stopping with a patience of 10), not for a CPU.

    python -m experiments.conv_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.772, pAUC 0.602; untrained 0.624.
Validation error 0.70 of the variance. 254 CPU seconds.
"""

from absl import flags

import asd_jax
from experiments import launch

FLAGS = flags.FLAGS

launch.adopt(*launch.NETWORK, "window_hop")
flags.DEFINE_enum("variant", "small", ["small", "uminho"], "Small, or the deep published one (not for a CPU).")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training, of the variant asked for."""
    model, training = asd_jax.models.ConvAutoencoderConfig, asd_jax.training.TrainingConfig
    if FLAGS.variant == "uminho":
        schedule = training(epochs=100, batch_size=64, learning_rate=1e-3, schedule="constant", patience=10)
        return asd_jax.runs.network("conv_ae", model.uminho(), schedule)
    return asd_jax.runs.network("conv_ae", model(), training(epochs=12, min_steps=1000, batch_size=64))


if __name__ == "__main__":
    launch.experiment(recipe)
