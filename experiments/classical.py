"""The shared body of the experiments without a trained network: their flags, and what they come down to.

A script names its scorer and its defaults.
"""

import datetime
from pathlib import Path
from typing import Any

from absl import flags

from asd_jax.errors import InputError
from experiments import common, several_machines, wording

FLAGS = flags.FLAGS

flags.DEFINE_list("summary", None, "Statistics of a clip's frames: mean, std, max, twfr. Default: the experiment's.")
flags.DEFINE_float("twfr_decay", 0.99, "Weight of a frame relative to the next higher one in twfr: 1 is the mean.")
flags.DEFINE_bool(
    "frames",
    None,
    "Score overlapping mel frames scaled to [0, 1] and pool them, rather than one vector a clip. Default: the "
    "experiment's, and not with --features or --summary.",
)
flags.DEFINE_float("frame_seconds", 0.6, "Duration of an overlapping frame.")
flags.DEFINE_float("overlap", 0.5, "Share of an overlapping frame that the next one repeats.")
flags.DEFINE_enum("pool", "mean", ["mean", "max", "gwrp"], "How scores of frames become a clip's.")
flags.DEFINE_float("pca", None, "Put principal components before the scorer: this share of the variance, or number.")
flags.DEFINE_bool("search", False, "Choose the scorer's settings on the normal training clips, without labels.")
flags.DEFINE_bool(
    "oracle_search", False, "Choose them by the labels of the test clips: reproduces published tables, is no result."
)
flags.DEFINE_integer("n_clusters", None, "Centres a machine id. Default: 1.", lower_bound=1)
flags.DEFINE_integer("n_components", None, "Gaussians. Default: 1.", lower_bound=1)
flags.DEFINE_enum("covariance_type", None, ["full", "tied", "diag", "spherical"], "Kind of covariance. Default: full.")
flags.DEFINE_float("reg_covar", None, "Added to the diagonal of standardised vectors. Default: 1e-3.", lower_bound=0)
flags.DEFINE_float("nu", None, "Bound on the share of normal clips left outside. Default: 0.1.")
flags.DEFINE_string(
    "gamma", None, "Of the kernel: a number, scale (1 / (dim * variance)) or a multiple of it like 4*scale."
)
flags.DEFINE_integer("n_trees", None, "Trees of the forest. Default: 200.", lower_bound=1)
flags.DEFINE_integer("n_neighbors", None, "Neighbours looked at. Default: 10 for lof, 2 for knn.", lower_bound=1)
flags.disclaim_key_flags()

_SETTINGS = {
    "kmeans": ("n_clusters",),
    "gmm": ("n_components", "covariance_type", "reg_covar"),
    "ocsvm": ("nu", "gamma"),
    "iforest": ("n_trees",),
    "lof": ("n_neighbors",),
    "knn": ("n_neighbors",),
}
_FEATURE_FLAGS = (
    "features",
    "preset",
    "summary",
    "twfr_decay",
    "frames",
    "frame_seconds",
    "overlap",
    "pool",
    "pca",
)


def adopt(scorer: str, *, features: bool = True) -> None:
    """Let the calling script take the flags of its kind, and those that set its scorer.

    Args:
        scorer: its name.
        features: whether features and what is made of them can be chosen.
    """
    common.adopt(*common.DATA_FLAGS, "workdir", "seed", "scorers", "threshold", *common.OUTPUT_FLAGS, "debug")
    common.adopt("search", "oracle_search", *_SETTINGS[scorer], *(_FEATURE_FLAGS if features else ()))


def run(
    arguments: list[str],
    experiment: str,
    *,
    scorer: str,
    features: str = "log_mel",
    summary: tuple[str, ...] = ("mean",),
    frames: bool = False,
) -> None:
    """Apply the flags to an experiment's defaults and run it.

    Args:
        arguments: of the command line that are not flags: there must be none.
        experiment: its name, and the headline scorer's in the results.
        scorer: name of the scorer.
        features: default of `--features`.
        summary: default of `--summary`.
        frames: default of `--frames`.
    """
    common.no_arguments(arguments)
    from asd_jax.detectors.fitted_scorers import ScorerSpec
    from asd_jax.representations.clip_summary import ClipSummary
    from asd_jax.representations.overlapping_frames import OverlappingFrames

    front_end = common.front_end(features)
    given: dict[str, Any] = {name: FLAGS[name].value for name in _SETTINGS[scorer] if FLAGS[name].value is not None}
    if FLAGS.pca is not None:
        if not FLAGS.pca > 0:
            raise InputError(f"--pca={FLAGS.pca:g}: give a share of the variance, or a number of components, above 0")
        scorer, given = f"pca+{scorer}", given | {"pca_components": FLAGS.pca}
    frames = FLAGS.frames if FLAGS.frames is not None else frames and not (FLAGS.features or FLAGS.summary)
    if frames:
        # The frames' own scale takes the place of the scorer's standardisation.
        given |= {} if FLAGS.pca is not None else {"standardize": False}
        representation = OverlappingFrames.of_seconds(
            front_end, frame_seconds=FLAGS.frame_seconds, overlap=FLAGS.overlap
        )
    else:
        representation = ClipSummary(tuple(FLAGS.summary or summary), FLAGS.twfr_decay)
    spec = ScorerSpec(scorer, experiment, given, FLAGS.pool if frames else None)
    run_scorer(experiment, spec, representation, front_end)


def run_scorer(
    experiment: str, spec: Any, representation: Any, front_end: Any, *, stamp: dict[str, Any] | None = None
) -> None:
    """Run an experiment whose scorer and representation are settled on each machine asked for.

    Args:
        experiment: its name.
        spec: the headline `ScorerSpec`.
        representation: what it reads.
        front_end: from waveform to frames.
        stamp: further fields of the results.
    """
    several_machines.run(
        experiment,
        lambda: _run_scorer(experiment, spec, representation, front_end, stamp or {}),
        common.given_flags(),
    )


def _run_scorer(experiment: str, spec: Any, representation: Any, front_end: Any, stamp: dict[str, Any]) -> None:
    from asd_jax.runs.classical import ClassicalConfig, exploratory
    from asd_jax.runs.classical import run as run_experiment

    if FLAGS.search and FLAGS.oracle_search:
        raise InputError("--search and --oracle_search exclude one another")
    data = common.data_config()
    config = ClassicalConfig(
        experiment=experiment,
        data=data,
        scorer=spec,
        representation=representation,
        front_end=front_end,
        also=exploratory(tuple(FLAGS.scorers or ()), spec),
        threshold=FLAGS.threshold,
        selection="oracle_search" if FLAGS.oracle_search else "search" if FLAGS.search else "fixed",
        seed=FLAGS.seed,
        stamp=stamp,
    )
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    workdir = Path(FLAGS.workdir or Path("runs") / experiment / data.machine / now)
    run_experiment(config, workdir, flags=common.given_flags(), outputs=common.outputs(), say=wording.say)
