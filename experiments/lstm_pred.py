"""LSTM predictor: two LSTM layers foresee a log-mel frame from the ten before; the mean squared error is the score.

Student reports on the slide rail of DCASE 2020 (two layers, ten frames to the next, mean squared error). They leave
open what we chose: 128 units a layer, 6 epochs of Adam at 1e-3 with cosine decay, batches of 32 segments
of 20 predictions.

    python -m experiments.lstm_pred --machine=slide_rail
    python -m experiments.lstm_pred --machine=toy_car --data_dir=DIR

On 320 training clips of ToyCar ids 01 and 02, resynthesised (mean of seeds 0 to 2): mse AUC 0.848, pAUC 0.752;
untrained 0.695. On the built-in synthetic slide rail (seed 0): 0.902, 0.829; untrained 0.599.
Controls in docs/results.md.
"""

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
    training = asd_jax.training.plan.TrainingConfig(epochs=6, min_steps=500, batch_size=32, learning_rate=1e-3)
    common.run_network("lstm_pred", model, training)


if __name__ == "__main__":
    common.run(main)
