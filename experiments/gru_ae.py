"""GRU autoencoder: 64 log-mel frames through two GRU layers of 256 into one state and back, scored by the error."""

import asd_jax
from experiments import common

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS, "hidden_size", "window_frames")


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.GRUAutoencoderConfig(**common.given("hidden_size"), **common.window())
    training = asd_jax.training_plan.TrainingConfig(
        epochs=10, min_steps=300, batch_size=64, learning_rate=1e-3, schedule="constant"
    )
    common.run_network("gru_ae", model, training)


if __name__ == "__main__":
    common.run(main)
