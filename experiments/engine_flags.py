"""Where work is done, this machine or a cluster: flags of `benchmark` and `score_archive` alike."""

from absl import flags

from asd_jax.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_enum("engine", "local", ["local", "ray"], "Processes of this machine, or a cluster by Ray.")
flags.DEFINE_string("ray_address", None, "Of the cluster; auto for this machine's. Default: Ray on this machine alone.")
flags.DEFINE_integer(
    "workers",
    None,
    "Processes side by side. Default: of score_archive one a core, or a GPU; of benchmark one.",
    lower_bound=1,
)
flags.disclaim_key_flags()
FLAG_NAMES = ("engine", "ray_address", "workers")


def check_address() -> None:
    """Raise InputError for an address without Ray."""
    if FLAGS.ray_address is not None and FLAGS.engine != "ray":
        raise InputError("--ray_address is of --engine=ray; add that or leave it out")


def join() -> None:
    """Join the cluster where one is asked for; errors as in `asd_jax.runs.cluster.join`."""
    if FLAGS.engine == "ray":
        from asd_jax.runs import cluster

        cluster.join(FLAGS.ray_address)
