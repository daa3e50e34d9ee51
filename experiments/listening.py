"""Which recordings arguments name, and how flags say that they are heard: of `score` and `score_archive` alike."""

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from asd_jax.errors import InputError
from experiments import launch

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from asd_jax.evaluation.heard_files import Listening

FLAGS = flags.FLAGS

flags.DEFINE_enum(
    "unlike", "say", ["say", "refuse"], "Of a recording unlike those in training (level, rate, ...): say so, or refuse."
)
flags.DEFINE_enum(
    "unknown_machine_id",
    "error",
    ["error", "min"],
    "For a file of a machine id that the detector does not know: an error, or its smallest score over all ids.",
)
flags.disclaim_key_flags()
_NAMES = ("checkpoint", "model", "machine", "machine_id", "channel", "scorer", "threshold", "unlike")
FLAG_NAMES = (*_NAMES, "unknown_machine_id")  # of every script that scores files


def files_in(arguments: list[str]) -> list[str]:
    """The files that the arguments name, and those in the folders that they name."""
    from asd_jax.datasets.tree import list_tree

    found = []
    for name in arguments:
        below = [str(Path(name) / path) for path in list_tree(Path(name)).audio] if Path(name).is_dir() else [name]
        if not below:
            raise InputError(f"{name}: no recordings in this folder")
        found += below
    return list(dict.fromkeys(found))


def check_source() -> None:
    """Raise InputError unless one of `--checkpoint` and `--model` is given."""
    if FLAGS.checkpoint is not None and FLAGS.model is not None:
        raise InputError("--checkpoint and --model: give one, the folder of a run or an exported file")
    if FLAGS.checkpoint is None and FLAGS.model is None:
        raise InputError("--checkpoint is needed, the folder of a finished run, or --model, an exported file")
    if len(FLAGS.machine_id) > 1:
        raise InputError("--machine_id: give one id, the machine that all the files are of")


def source() -> Path:
    """The run or the exported file."""
    return launch.folder("model") or launch.checkpoint()


def channel_of_run() -> str:
    """The channel of recordings that a run heard."""
    from asd_jax.runs import folder as run_folder

    recorded = run_folder.read_config(source()).get("data")
    return recorded.get("channel", "mix") if isinstance(recorded, dict) else "mix"


def how(channel: str) -> "Listening":
    """What the flags say of the files.

    Args:
        channel: that the detector hears where `--channel` is not given.
    """
    from asd_jax.evaluation.heard_files import Listening

    return Listening(
        FLAGS.channel or channel,
        FLAGS.machine_id[0] if FLAGS.machine_id else None,
        launch.settings().get("machine"),
        FLAGS.scorer,
        FLAGS.unknown_machine_id,
        FLAGS.unlike,
    )
