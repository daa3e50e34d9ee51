"""LSTM autoencoder: 0.6 s of log-mel frames through an LSTM and a narrow code and back, scored by the error."""

import asd_jax
from experiments import common

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS, "hidden_size", "window_frames", "bottleneck_size")


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.LSTMAutoencoderConfig(**common.given("hidden_size"), **common.window())
    training = asd_jax.training_plan.TrainingConfig(epochs=20, min_steps=1500, batch_size=64, learning_rate=1e-3)
    common.run_network("lstm_ae", model, training)


if __name__ == "__main__":
    common.run(main)
