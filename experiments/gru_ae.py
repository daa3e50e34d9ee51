"""GRU autoencoder: 64 log-mel frames through two GRU layers of 256 into one state and back, scored by the error.

A student's report on the slide rail of DCASE 2020: Adam 1e-3, batches of 64, 10 epochs. It leaves open what we chose:
sequences of 64 frames every 32, a decoder that starts from zero, reads the encoder's last state at every step and
gives the last frame first.

    python -m experiments.gru_ae --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (seed 0, 270 steps): mse AUC 0.753, pAUC 0.580; untrained
0.692. Validation error 0.68 of the variance. 356 CPU seconds.
"""

import asd_jax
from experiments import common

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS, "hidden_size", "window_frames")


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.GRUAutoencoderConfig(**common.given("hidden_size"), **common.window())
    training = asd_jax.training.plan.TrainingConfig(
        epochs=10, min_steps=300, batch_size=64, learning_rate=1e-3, schedule="constant"
    )
    common.run_network("gru_ae", model, training)


if __name__ == "__main__":
    common.run(main)
