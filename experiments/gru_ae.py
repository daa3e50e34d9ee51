"""GRU autoencoder: 64 log-mel frames through two GRU layers of 256 into one state and back, scored by the error.

A student's report on the slide rail of DCASE 2020: Adam 1e-3, batches of 64, 10 epochs. It leaves open what we chose:
sequences of 64 frames every 32, a decoder that starts from zero, reads the encoder's last state at every step and
gives the last frame first.

    python -m experiments.gru_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0, 270 steps): mse AUC 0.753, pAUC 0.580; untrained
0.692. Validation error 0.68 of the variance. 356 CPU seconds.
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.NETWORK, "hidden_size", "window_frames")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training."""
    training = asd_jax.training.TrainingConfig(epochs=10, min_steps=300, batch_size=64, schedule="constant")
    return asd_jax.runs.network("gru_ae", asd_jax.models.GRUAutoencoderConfig(), training)


if __name__ == "__main__":
    launch.experiment(recipe)
