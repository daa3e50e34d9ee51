"""Dense autoencoder, the DCASE Task 2 baseline: five log-mel frames through a bottleneck of 8, scored by the error.

Koizumi et al., "Description and discussion on DCASE2020 Challenge Task 2" (2020): Adam, 100 epochs, batches of 512
windows, one model a machine type. Our frames are standardised per mel bin, the baseline's are raw decibels.

    python -m experiments.dense_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.897, pAUC 0.808; untrained 0.689.
Validation error 0.58 of the variance. 340 CPU seconds.
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.NETWORK, "bottleneck_size")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training."""
    training = asd_jax.training.TrainingConfig(epochs=100, batch_size=512, learning_rate=1e-3, schedule="constant")
    return asd_jax.runs.network("dense_ae", asd_jax.models.DenseAutoencoderConfig(), training)


if __name__ == "__main__":
    launch.experiment(recipe)
