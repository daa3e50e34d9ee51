"""How a script starts and ends, and what its flags come down to.

Nothing here imports JAX before the flags are parsed.
"""

import dataclasses
import datetime
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import app, flags, logging

import asd_jax
from asd_jax.errors import InputError
from experiments import several_machines, shared_flags, wording

FLAGS = flags.FLAGS

flags.disclaim_key_flags()  # from here on `adopt` speaks for the script that calls it

# What scripts adopt together.
DATA_FLAGS = shared_flags.DATA_FLAGS
TRAINING_FLAGS = shared_flags.TRAINING_FLAGS
OUTPUT_FLAGS = shared_flags.OUTPUT_FLAGS
_SHARED_BY = ("experiments.shared_flags", "experiments.classical")
_NOT_A_SETTING = ("workdir", "resume", "prepare", "cache_dir", *OUTPUT_FLAGS, "debug")


def adopt(*names: str) -> None:
    """Let the calling script take these shared flags."""
    for name in names:
        flags.declare_key_flag(name)


def _script_flags() -> set[str]:
    return {flag.name for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}


def run(main: Callable[[list[str]], None]) -> None:
    """Start a script: parse the flags, and turn mistakes that the user can mend into one line and exit status 1.

    Args:
        main: takes the arguments that are not flags.
    """

    def guarded(argv: list[str]) -> None:
        logging.set_verbosity(logging.WARNING)
        try:
            _check_flags()
            main(argv[1:])
        except InputError as error:
            if FLAGS.debug:
                raise
            sys.exit(f"error: {wording.in_flags(str(error))}")
        except KeyboardInterrupt:
            print("interrupted; a training run goes on with --resume --workdir=RUN", file=sys.stderr)
            sys.exit(130)

    def parse(argv: list[str]) -> list[str]:
        try:
            return FLAGS(argv)
        except flags.Error as error:
            sys.exit(f"error: {error}; --help lists the flags")

    FLAGS.set_gnu_getopt(True)  # flags may stand after files
    app.run(guarded, flags_parser=parse)


def _check_flags() -> None:
    by_module = FLAGS.flags_by_module_dict()
    shared = {flag.name for name in _SHARED_BY for flag in by_module.get(name, ())}
    for name in sorted(shared - _script_flags()):
        if FLAGS[name].present:
            raise InputError(f"--{name} is not a flag of this script; --help lists those that are")


def no_arguments(arguments: list[str]) -> None:
    """Refuse arguments that are not flags."""
    if arguments:
        raise InputError(f"{arguments[0]!r} is not a flag; flags look like --machine=slide_rail (see --help)")


def take_recorded_flags() -> None:
    """With `--resume`, flags left out take the values that the run was started with."""
    if not FLAGS.resume:
        return
    if FLAGS.workdir is None:
        raise InputError("--resume needs --workdir, the folder of the run to go on with")
    from asd_jax.runs import folder as run_folder

    recorded = run_folder.read_config(Path(FLAGS.workdir)).get("flags", {})
    for name in _script_flags() & set(recorded):
        if not FLAGS[name].present:
            FLAGS[name].value = recorded[name]


def data_config() -> Any:
    """The `DataConfig` that the flags describe."""
    from asd_jax.datasets import DataConfig

    machine = FLAGS.machine
    if machine is None and FLAGS.data_dir is None:
        raise InputError("--machine is needed; --machine=slide_rail runs on the built-in synthetic machine")
    if machine is None:
        machine = asd_jax.datasets.only_machine(Path(FLAGS.data_dir).expanduser(), dataset=FLAGS.dataset)
    return DataConfig(
        machine=asd_jax.datasets.canonical_machine(machine),
        data_dir=FLAGS.data_dir and str(Path(FLAGS.data_dir).expanduser().absolute()),
        dataset=FLAGS.dataset,
        machine_ids=tuple(FLAGS.machine_id),
        channel=FLAGS.channel,
        skip_bad_files=FLAGS.skip_bad_files,
        split_seed=FLAGS.split_seed,
        clip_seconds=FLAGS.clip_seconds,
        clip_hop_seconds=FLAGS.clip_hop_seconds,
        cache_dir=cache_dir(),
    )


def cache_dir() -> str | None:
    """Folder of prepared recordings; None where they are not wanted."""
    from asd_jax import files

    if not FLAGS.prepare:
        return None
    return str(Path(FLAGS.cache_dir).expanduser() if FLAGS.cache_dir else files.cache_folder())


def front_end(default: str) -> Any:
    """The front end of `--features`, or of these names."""
    try:
        return asd_jax.features.FrontEnd.from_names(FLAGS.features or default, preset=FLAGS.preset)
    except ValueError as error:
        raise InputError(f"--features: {error}") from error


def given_flags() -> dict[str, Any]:
    """Values of the script's flags, recorded with a run."""
    return {name: FLAGS[name].value for name in sorted(_script_flags() - set(_NOT_A_SETTING))}


def run_network(experiment: str, model: Any, training: Any, *, scorer: str = "mse") -> None:
    """Train and evaluate a network on each machine asked for, the shared flags laid over its recipe.

    Args:
        experiment: name of the experiment.
        model: the model's config, the script's own flags applied.
        training: the recipe's `TrainingConfig`.
        scorer: the recipe's headline scorer.
    """
    several_machines.run(experiment, lambda: _run_network(experiment, model, training, scorer), given_flags())


def _run_network(experiment: str, model: Any, training: Any, scorer: str) -> None:
    from asd_jax.runs import compilation_cache
    from asd_jax.runs.experiment import ExperimentConfig, run

    compilation_cache.enable()
    data = data_config()
    sizes = bottleneck_sizes()
    if sizes:
        model = dataclasses.replace(model, bottleneck_size=sizes[0])
    reported = {} if FLAGS.scorers is None else {"scorers": tuple(FLAGS.scorers)}
    config = ExperimentConfig(
        experiment=experiment,
        data=data,
        model=model,
        training=override(training),
        front_end=front_end("log_mel"),
        scorer=FLAGS.scorer or scorer,
        threshold=FLAGS.threshold,
        validation_fraction=FLAGS.validation_fraction,
        seed=FLAGS.seed,
        num_seeds=FLAGS.num_seeds,
        per_machine_id=FLAGS.per_machine_id,
        bottleneck_sizes=sizes if len(sizes) > 1 else (),
        **reported,
    )
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    workdir = Path(FLAGS.workdir or Path("runs") / experiment / data.machine / now)
    strict = FLAGS.batch_size is not None
    run(
        config,
        workdir,
        resume=FLAGS.resume,
        strict_batch_size=strict,
        flags=given_flags(),
        outputs=outputs(),
        say=wording.say,
    )


def outputs() -> Any:
    """What to write beside the results."""
    from asd_jax.runs.outputs import Outputs

    return Outputs(report=FLAGS.report, tensorboard=FLAGS.tensorboard, submission=FLAGS.submission)


def bottleneck_sizes() -> tuple[int, ...]:
    """Widths that `--bottleneck_size` names."""
    try:
        sizes = tuple(int(size) for size in FLAGS.bottleneck_size or ())
    except ValueError:
        sizes = (0,)
    if min(sizes, default=1) < 1:
        raise InputError(f"--bottleneck_size={','.join(FLAGS.bottleneck_size)}: give numbers from 1, such as 2,4,8")
    return sizes


def given(*names: str) -> dict[str, Any]:
    """Those of some flags that the user gave; for the others the config's default, the recipe's, holds."""
    return {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}


def window() -> dict[str, int]:
    """Settings of a model's windows that `--window_frames` asks for."""
    frames = FLAGS.window_frames
    return {} if frames is None else {"window_frames": frames, "window_hop": frames // 2}


def override(training: Any) -> Any:
    """A recipe's `TrainingConfig` with the flags that the user gave; epochs given are not raised to `min_steps`."""
    changes = given("epochs", "batch_size", "learning_rate", "mesh")
    if "epochs" in changes:
        changes["min_steps"] = 0
    return dataclasses.replace(training, **changes)
