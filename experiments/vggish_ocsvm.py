"""One-class support vector machine on VGGish embeddings.

The published network (Hershey et al., ICASSP 2017) gives 128 values for each patch of 0.96 s; their mean over a clip is
standardised on the normal training clips and scored by a Gaussian one-class SVM, whose gamma and nu are chosen on those
clips without labels (`--nosearch` keeps the defaults). The weights are fetched once, 288 MB, or named.

    python -m experiments.vggish_ocsvm --machine=slide_rail [--vggish_weights=vggish-10086976.pth]
"""

from absl import flags

from asd_jax.errors import InputError
from experiments import classical, common

FLAGS = flags.FLAGS

classical.adopt("ocsvm", features=False)
flags.DEFINE_string("vggish_weights", None, "The PyTorch port's .pth or vggish_model.ckpt. Default: fetched once.")
flags.DEFINE_bool("random_weights", False, "Use random weights instead: a control, and marked so in the results.")
_NUS = (0.1, 0.05, 0.02, 0.2)  # the first of equals is taken


def main(arguments: list[str]) -> None:
    """Run the experiment with the flags laid over its defaults."""
    common.no_arguments(arguments)
    if FLAGS.vggish_weights and FLAGS.random_weights:
        raise InputError("--vggish_weights and --random_weights exclude one another")
    from asd_jax.detectors.fitted_scorers import ScorerSpec
    from asd_jax.features import FrontEnd
    from asd_jax.representations.vggish import VGGishEmbedding

    settings = {name: FLAGS[name].value for name in ("nu", "gamma") if FLAGS[name].value is not None}
    if not FLAGS["search"].present and not FLAGS.oracle_search and "gamma" not in settings:
        FLAGS.search = True
    if FLAGS.search:
        settings = {"nu": _NUS} | settings
    if FLAGS.random_weights:
        print("note: random weights, as --random_weights asks: a control, no result of VGGish")
        representation = VGGishEmbedding.random(seed=FLAGS.seed)
    else:
        representation = VGGishEmbedding.load(FLAGS.vggish_weights)
    spec = ScorerSpec("ocsvm", "vggish_ocsvm", settings)
    front_end = FrontEnd.from_names("log_mel", preset="vggish")
    classical.run_scorer(
        "vggish_ocsvm", spec, representation, front_end, stamp={"random_weights": FLAGS.random_weights}
    )


if __name__ == "__main__":
    common.run(main)
