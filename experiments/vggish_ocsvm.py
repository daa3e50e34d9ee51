"""One-class support vector machine on VGGish embeddings.

The published network (Hershey et al., ICASSP 2017) gives 128 values for each patch of 0.96 s; their mean over a clip is
standardised on the normal training clips and scored by a Gaussian one-class SVM, whose gamma and nu are chosen on those
clips without labels (`--nosearch` keeps the defaults). The weights are fetched once, 288 MB, or named.

    python -m experiments.vggish_ocsvm --machine=slide_rail [--vggish_weights=vggish-10086976.pth]
"""

from absl import flags

import asd_jax
from asd_jax.errors import InputError
from experiments import launch

FLAGS = flags.FLAGS

launch.adopt(*launch.SEARCH, "nu", "gamma")
flags.DEFINE_string("vggish_weights", None, "The PyTorch port's .pth or vggish_model.ckpt. Default: fetched once.")
flags.DEFINE_bool("random_weights", False, "Use random weights instead: a control, and marked so in the results.")
IN_BENCHMARK = False  # its weights may have to be fetched
_NUS = (0.1, 0.05, 0.02, 0.2)  # the first of equals is taken


def recipe() -> "asd_jax.runs.RunConfig":
    """The embedding and its scorer, whose settings are searched for unless the flags say otherwise."""
    if FLAGS.vggish_weights and FLAGS.random_weights:
        raise InputError("--vggish_weights and --random_weights exclude one another")
    from asd_jax.detectors.fitted_scorers import ScorerSpec
    from asd_jax.representations import VGGishEmbedding
    from asd_jax.runs import RunConfig, Selection

    if FLAGS.random_weights:
        print("note: random weights, as --random_weights asks: a control, no result of VGGish")
        embedding = VGGishEmbedding.random(seed=FLAGS.seed)
    else:
        embedding = VGGishEmbedding.load(FLAGS.vggish_weights)
    searches = FLAGS.search or not (FLAGS["search"].present or FLAGS.oracle_search or FLAGS.gamma)
    return RunConfig(
        "vggish_ocsvm",
        embedding,
        ScorerSpec("ocsvm", "vggish_ocsvm", {"nu": _NUS} if searches else {}),
        front_end=asd_jax.features.FrontEnd.from_names("log_mel", preset="vggish"),
        selection=Selection.SEARCH if searches else Selection.FIXED,
    )


if __name__ == "__main__":
    launch.experiment(recipe)
