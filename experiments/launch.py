"""How a script starts and ends: flags become a run's config, mistakes one line and exit status 1.

Nothing here imports JAX before the flags are parsed.
"""

import contextlib
import dataclasses
import datetime
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from absl import app, flags, logging

import asd_jax
from asd_jax.errors import InputError
from experiments import flags as shared
from experiments import hosts, overlay, wording

if TYPE_CHECKING:
    from asd_jax.runs import RunConfig

FLAGS = flags.FLAGS
NETWORK, SEARCH, STATISTICS = shared.NETWORK, shared.SEARCH, shared.STATISTICS
DATA, OUTPUTS = shared.DATA, shared.OUTPUTS

flags.disclaim_key_flags()  # from here on `adopt` speaks for the script that calls it


def adopt(*names: str) -> None:
    """Let the calling script take these flags."""
    for name in names:
        flags.declare_key_flag(name)


def flags_of(module: str) -> set[str]:
    """Names of the flags that a script takes."""
    return {flag.name for flag in FLAGS.get_key_flags_for_module(module)}


def given() -> dict[str, Any]:
    """Values of the script's flags that the user gave."""
    names = sorted(flags_of(sys.argv[0]))
    return {name: FLAGS[name].value for name in names if FLAGS[name].present and FLAGS[name].value is not None}


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
            sys.stdout.flush()
        except InputError as error:
            if FLAGS.debug:
                raise
            sys.exit(f"error: {wording.in_flags(str(error))}")
        except BrokenPipeError:
            _end_unread()
        except OSError as error:
            if FLAGS.debug or error.filename is None:
                raise
            sys.exit(f"error: {error.filename}: {error.strerror}; make room or change its permissions")
        except KeyboardInterrupt:
            print("interrupted; a training run goes on with --resume --workdir=RUN", file=sys.stderr)
            sys.exit(130)

    def parse(argv: list[str]) -> list[str]:
        try:
            return FLAGS(argv)
        except flags.Error as error:
            sys.exit(f"error: {error}; --help lists the flags")
        except BrokenPipeError:  # of --help
            _end_unread()

    FLAGS.set_gnu_getopt(True)  # flags may stand after files
    app.run(guarded, flags_parser=parse)


def _end_unread() -> NoReturn:
    """End a script whose output nobody reads further, as under `| head`: what is in the buffer goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(1)


def _check_flags() -> None:
    """Raise InputError for a flag that the script does not take, or that is given as nothing."""
    own = flags_of(sys.argv[0])
    for flag in FLAGS.flags_by_module_dict().get(shared.__name__, ()):
        if flag.present and flag.name not in own:
            raise InputError(f"--{flag.name} is not a flag of this script; --help lists those that are")
    for name in sorted(own - {"scorers"}):  # none beside the headline is a choice
        if FLAGS[name].present and FLAGS[name].value in ("", []):
            raise InputError(f"--{name}= is empty; give a value or leave it out")


def no_arguments(arguments: list[str]) -> None:
    """Refuse arguments that are not flags."""
    if arguments:
        raise InputError(f"{arguments[0]!r} is not a flag; flags look like --machine=slide_rail (see --help)")


def folder(name: str) -> Path | None:
    """The path that a flag gives, a leading tilde expanded."""
    return Path(FLAGS[name].value).expanduser() if FLAGS[name].value else None


def workdir(*parts: str) -> Path:
    """`--workdir`, or `runs/<parts>/<now>`."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return folder("workdir") or Path("runs", *parts, now)


def checkpoint() -> Path:
    """The folder of `--checkpoint`."""
    if FLAGS.checkpoint is None:
        raise InputError("--checkpoint is needed: the folder of a finished run")
    return folder("checkpoint")


def cache_dir() -> str | None:
    """Folder of prepared recordings; None where they are not wanted."""
    from asd_jax import files

    return str(folder("cache_dir") or files.cache_folder()) if FLAGS.prepare else None


def outputs() -> Any:
    """What to write beside the results."""
    from asd_jax.runs import Outputs

    return Outputs(report=FLAGS.report is not False, tensorboard=FLAGS.tensorboard, submission=FLAGS.submission)


def settings() -> dict[str, Any]:
    """The flags that were given, paths absolute and machine types by their canonical names."""
    found = given()
    for name in {"data_dir", "embeddings"} & set(found):
        found[name] = str(folder(name).absolute())
    if "machine" in found:
        names = [asd_jax.datasets.canonical_machine(name.strip()) for name in FLAGS.machine.split(",")]
        if not all(names):
            raise InputError(f"--machine={FLAGS.machine}: give names separated by commas, such as fan,pump")
        found["machine"] = ",".join(dict.fromkeys(names))
    return found


def recordings() -> dict[str, Any]:
    """The settings of recordings that flags lay over a finished run's; None or empty leaves one as it is."""
    found = settings()
    return {
        "data_dir": found.get("data_dir"),
        "machine": found.get("machine"),
        "dataset": FLAGS.dataset,
        "embeddings": found.get("embeddings"),
        "skip_bad_files": FLAGS.skip_bad_files,
        "machine_ids": tuple(FLAGS.machine_id),
        "cache_dir": cache_dir(),
        "max_memory_gb": FLAGS.max_memory_gb,
    }


def machines(machine: str, data_dir: str | None, dataset: str | None, embeddings: str | None = None) -> list[str]:
    """The machine types that `--machine` names: one, several, or all."""
    if machine != "all":
        return machine.split(",")
    if embeddings is not None:
        return asd_jax.datasets.embedded_machines(embeddings)
    if data_dir is None:
        raise InputError("--machine=all needs --data_dir, the folder with the recordings of all machine types")
    return asd_jax.datasets.machines_in(data_dir, dataset=dataset)


def experiment(recipe: Callable[[], "RunConfig"]) -> None:
    """Start a script that runs a recipe on each machine asked for, the flags laid over it.

    Args:
        recipe: gives the experiment's own config.
    """

    def main(arguments: list[str]) -> None:
        no_arguments(arguments)
        with hosts.joined():
            config = configured_by_first(recipe) if hosts.wanted() else configured(recipe)
            with added_to_cache():
                run_machines(config)

    run(main)


@contextlib.contextmanager
def added_to_cache() -> Iterator[None]:
    """Say after a run what it has added to the user's cache, where that is something."""
    from asd_jax.datasets import cache

    before = cache.sizes(FLAGS.cache_dir)
    try:
        yield
    finally:
        after = cache.sizes(FLAGS.cache_dir)
        added = {kind: after[kind] - before[kind] for kind in cache.KINDS if after[kind] - before[kind] > 100_000}
        if added:
            parts = " and ".join(f"{cache.in_words(size)} of {kind}" for kind, size in added.items())
            print(
                f"kept for later runs: {parts}; python -m experiments.prepare_data --cache shows all, --prune frees it"
            )


def run_machines(config: "RunConfig") -> None:
    """Run a config on each machine type that it names, or on all at once where one detector serves them all.

    A machine that fails is reported and the others go on; those that were finished are not run again.
    """
    from asd_jax import runs
    from asd_jax.runs import compilation_cache, folder
    from asd_jax.training.hosts import is_first

    data = config.data
    names = machines(data.machine, data.data_dir, data.dataset, data.embeddings)
    several = FLAGS.machine == "all" or len(names) > 1
    config = with_machine(config, ",".join(names))
    if hosts.wanted() and several and not config.recipe.is_joint:
        raise InputError("several hosts train one network a command; start one for each `machine`")
    base = workdir(config.experiment, "several" if several else names[0])
    compilation_cache.enable()
    if not several or config.recipe.is_joint:
        results = runs.run(config, base, resume=FLAGS.resume, outputs=outputs(), say=wording.say)
        if not is_first():  # of several hosts, which have no part in what follows
            return
        if results is None:
            print(f"next: python -m experiments.score --checkpoint={base} FILE...")
        if len(names) > 1:
            print(f"\none detector for {len(names)} machine types: {base}")
            write_table(base, [base / name for name in names])
        return
    folder.start(base, config.to_dict(), resume=FLAGS.resume)
    failed: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        print(f"\n[{number}/{len(names)}] {name}")
        place = base / name
        if (place / "metrics.json").exists():
            print(f"finished before, in {place}")
            continue
        resume = FLAGS.resume and (place / "config.json").exists()
        try:
            runs.run(with_machine(config, name), place, resume=resume, outputs=outputs(), say=wording.say)
        except InputError as error:
            failed[name] = wording.in_flags(str(error))
        except Exception as error:  # a fault of ours on one machine must not lose the others' results either
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
        if name in failed:
            print(f"error: {name}: {failed[name]}", file=sys.stderr)
    write_table(base, [base / name for name in names])
    if failed:
        raise InputError(f"{len(failed)} of {len(names)} machines failed: {', '.join(failed)}; see above")


def configured_by_first(recipe: Callable[[], "RunConfig"]) -> "RunConfig":
    """What `configured` gives on the first of several hosts, on all: the others need no `--workdir` to resume."""
    from asd_jax.runs import RunConfig
    from asd_jax.training.hosts import is_first, told

    config = RunConfig.from_dict(told(configured(recipe).to_dict() if is_first() else None))
    own = {"cache_dir": cache_dir(), "max_memory_gb": FLAGS.max_memory_gb}
    return dataclasses.replace(config, data=dataclasses.replace(config.data, **own))


def configured(recipe: Callable[[], "RunConfig"]) -> "RunConfig":
    """The config that the flags describe: the recipe's, that of `--config`, or with `--resume` that of `--workdir`."""

    source = FLAGS.config and folder("config")
    if FLAGS.resume:
        if FLAGS.workdir is None:
            raise InputError("--resume needs --workdir, the folder of the run to go on with")
        source = folder("workdir")
    found = settings()
    if source:
        config = read_config(source)
        script = sys.argv[0].removesuffix(".py").replace("/", ".").rpartition(".")[2]
        if config.experiment != script:
            raise InputError(
                f"{source} is of a run of {config.experiment}; use python -m experiments.{config.experiment}"
            )
    else:
        config = recipe()
        if "machine" not in found and "embeddings" in found:
            found["machine"] = asd_jax.datasets.only_embedded_machine(
                found["embeddings"], found.get("data_dir"), FLAGS.dataset
            )
        elif "machine" not in found:
            if "data_dir" not in found:
                raise InputError("--machine is needed; --machine=slide_rail runs on the built-in synthetic machine")
            found["machine"] = asd_jax.datasets.only_machine(found["data_dir"], dataset=FLAGS.dataset)
    config = overlay.lay_over(config, found)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, cache_dir=cache_dir()))


def read_config(path: Path) -> "RunConfig":
    """The config of a run, from its `config.json`; mistakes name the file."""
    from asd_jax.runs import RunConfig, folder

    config = folder.read_config(path)
    try:
        return RunConfig.from_dict(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def with_machine(config: "RunConfig", machine: str) -> "RunConfig":
    """The same run on another machine type."""
    return dataclasses.replace(config, data=dataclasses.replace(config.data, machine=machine))


def write_table(base: Path, runs: Iterable[Path], *, latex: bool = False, exploratory: bool = False) -> list[Any]:
    """Print systems × machines, write it as `table.md` and what it is made of as tidy tables, and give its rows.

    Args:
        base: the folder to write `table.md`, `table.csv`, `differences.csv` and `decisions.csv` into.
        runs: folders of runs; those without `metrics.json` are left out.
        latex: write `table.tex` too.
        exploratory: whether scorers beside the headlines are shown too.
    """
    from asd_jax import files
    from asd_jax.evaluation.results import Results
    from asd_jax.runs import result_rows, tidy

    found = {str(run): Results.read(run) for run in runs if (run / "metrics.json").exists()}
    rows = [row for run, results in found.items() for row in result_rows.rows_of(results, run=run)]
    if not rows:
        return rows
    table = result_rows.systems_table(rows, exploratory=exploratory)
    print("\n" + table.text())
    texts = {"table.md": table.markdown(), "table.csv": tidy.csv(tidy.measures(rows))}
    for name, of_run in (("differences", tidy.differences), ("decisions", tidy.decisions)):
        texts[f"{name}.csv"] = tidy.csv(line for run, results in found.items() for line in of_run(results, run))
    if latex:
        texts["table.tex"] = result_rows.intervals_table(rows, exploratory=exploratory).latex()
    for name, text in texts.items():
        files.write_text(base / name, text)
    print(f"\nwritten to {base}: {', '.join(texts)}")
    return rows
