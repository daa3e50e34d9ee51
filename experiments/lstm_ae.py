"""LSTM autoencoder: 0.6 s of log-mel frames through an LSTM and a narrow code and back, scored by the error.

After a study of driving sounds, which feeds it CENS, log-mel energies and MFCC: `--features=cens,lmfe,mfcc`. Sizes
and training are ours.

    python -m experiments.lstm_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0): mse AUC 0.809, pAUC 0.678; untrained 0.688.
Validation error 0.62 of the variance. 205 CPU seconds.
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.NETWORK, "hidden_size", "window_frames", "bottleneck_size")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training."""
    training = asd_jax.training.TrainingConfig(epochs=20, min_steps=1500, batch_size=64, learning_rate=1e-3)
    return asd_jax.runs.network("lstm_ae", asd_jax.models.LSTMAutoencoderConfig(), training)


if __name__ == "__main__":
    launch.experiment(recipe)
