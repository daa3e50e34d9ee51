"""Interpolation network (IDNN): the middle one of five log-mel frames from the other four, scored by the error.

Suefusa et al., "Anomalous sound detection based on interpolation deep neural network" (ICASSP 2020), trained as the
dense autoencoder is.

    python -m experiments.idnn --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.872, pAUC 0.789; untrained 0.688.
Validation error 0.65 of the variance. 335 CPU seconds.
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.NETWORK, "bottleneck_size")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training."""
    training = asd_jax.training.TrainingConfig(epochs=100, batch_size=512, learning_rate=1e-3, schedule="constant")
    return asd_jax.runs.network("idnn", asd_jax.models.InterpolationNetworkConfig(), training)


if __name__ == "__main__":
    launch.experiment(recipe)
