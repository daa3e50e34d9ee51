"""LSTM predictor: two LSTM layers foresee a log-mel frame from the ten before; the mean squared error is the score.

Student reports on the slide rail of DCASE 2020 (two layers, ten frames to the next, mean squared error). They leave
open what we chose: 128 units a layer, 6 epochs of Adam at 1e-3 with cosine decay, batches of 32 segments
of 20 predictions.

    python -m experiments.lstm_pred --machine=slide_rail
    python -m experiments.lstm_pred --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (mean of seeds 0 to 2): mse AUC 0.848, pAUC 0.752;
untrained 0.695. On the built-in synthetic slide rail (seed 0): 0.902, 0.829; untrained 0.599.
`--carry_state` trains in less than half of the time, to the same AUC. Controls in docs/results.md.
"""

import asd_jax
from experiments import launch

launch.adopt(*launch.NETWORK, "hidden_size", "context_frames", "carry_state")


def recipe() -> "asd_jax.runs.RunConfig":
    """The network and its training."""
    training = asd_jax.training.TrainingConfig(epochs=6, min_steps=500, batch_size=32, learning_rate=1e-3)
    return asd_jax.runs.network("lstm_pred", asd_jax.models.LSTMPredictorConfig(), training)


if __name__ == "__main__":
    launch.experiment(recipe)
