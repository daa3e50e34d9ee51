"""LSTM predictor: two LSTM layers foresee a log-mel frame from the ten before; the mean squared error is the score."""

from absl import flags

import asd_jax
from experiments import common

FLAGS = flags.FLAGS

common.adopt(*common.DATA_FLAGS, *common.TRAINING_FLAGS, "hidden_size")
flags.DEFINE_integer("context_frames", 10, "Frames that a prediction sees.", lower_bound=1)


def main(arguments: list[str]) -> None:
    """Apply the flags to the recipe and run it."""
    common.no_arguments(arguments)
    common.take_recorded_flags()
    model = asd_jax.models.LSTMPredictorConfig(
        **common.given("hidden_size"),
        context_frames=FLAGS.context_frames,
        segment_frames=FLAGS.context_frames + 20,
    )
    training = asd_jax.training_plan.TrainingConfig(epochs=6, min_steps=500, batch_size=32, learning_rate=1e-3)
    common.run_network("lstm_pred", model, training)


if __name__ == "__main__":
    common.run(main)
