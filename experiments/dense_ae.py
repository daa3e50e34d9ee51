"""Dense autoencoder, the DCASE Task 2 baseline: five log-mel frames through a bottleneck of 8, scored by the error.

Koizumi et al., "Description and discussion on DCASE2020 Challenge Task 2" (2020): Adam, 100 epochs, batches of 512
windows, one model a machine type. Our frames are standardised per mel bin, the baseline's are raw decibels.

    python -m experiments.dense_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.897, pAUC 0.808; untrained 0.689.
Validation error 0.58 of the variance. 340 CPU seconds.
"""

import asd_jax
from experiments import common

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS, "bottleneck_size")


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.DenseAutoencoderConfig()
    training = asd_jax.training.plan.TrainingConfig(epochs=100, batch_size=512, learning_rate=1e-3, schedule="constant")
    common.run_network("dense_ae", model, training)


if __name__ == "__main__":
    common.run(main)
