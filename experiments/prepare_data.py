"""Fetch a machine of a public release: `python -m experiments.prepare_data --dataset=dcase2020 --machine=slide_rail`.

Archives come from the release's Zenodo record, are checked by its MD5 sums, resumed after a cut, and unpacked into
`--data_dir` (default `data/<dataset>`). `--eval` adds the evaluation set; several machines are separated by commas,
`--machine=all` takes all. `--list` shows the releases; with `--dataset` its machines and what its archives take.
`--cache` shows what earlier runs have kept on this computer, `--prune=30d` or `--prune=10GB` removes the oldest of it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from asd_jax.errors import InputError
from experiments import launch, wording

if TYPE_CHECKING:
    from asd_jax.datasets.download import Client
    from asd_jax.datasets.releases import Release

FLAGS = flags.FLAGS

launch.adopt("dataset", "machine", "data_dir", "cache_dir", "debug")
FLAGS["dataset"].help = "The release, such as dcase2020; --list shows them."
FLAGS["machine"].help = "Its machine, such as slide_rail, several separated by commas, or all."
FLAGS["data_dir"].help = "Folder to fetch into. Default: data/<dataset>."
flags.DEFINE_bool("list", False, "Show the releases, or with --dataset the machines and archives of one, and stop.")
flags.DEFINE_bool("eval", False, "Fetch the evaluation set too: its training clips and its test clips.")
flags.DEFINE_list("snr_db", [], "Of mimii only these signal-to-noise ratios: -6, 0, 6. Default: all.")
flags.DEFINE_bool("keep_archives", False, "Leave the archives in DATA_DIR/.fetched when they are unpacked.")
flags.DEFINE_bool("cache", False, "Show what is kept in the cache folder and what it takes, and stop.")
flags.DEFINE_string(
    "prune", None, "Remove what was not used for so many days (30d), or the oldest beyond a size (10GB)."
)
flags.DEFINE_string("base_url", None, "A mirror with Zenodo's paths. Default: https://zenodo.org.")


def _client() -> "Client":
    from asd_jax.datasets.download import ZENODO, Client

    return Client(base_url=FLAGS.base_url or ZENODO)


def _list_releases() -> None:
    from asd_jax.datasets.releases import RELEASES

    for release in RELEASES.values():
        print(f"{release.name:10} {release.title}")
        wording.say(
            f"{'':10} licence {release.licence}; {release.size}" + (f"; {release.note}" if release.note else "")
        )
        machines = release.machines(evaluation=False)
        further = [machine for machine in release.machines() if machine not in machines]
        print(f"{'':10} {', '.join(machines)}" + (f"; with --eval {', '.join(further)}" if further else ""))


def _list_archives(release: "Release") -> None:
    client = _client()
    print(f"{release.name}: {release.title}; licence {release.licence}")
    for part in (release.development, *release.evaluation):
        record = client.record(part.record)
        print(f"\nrecord {part.record}: {record.title}; licence {record.licence or 'not stated'}")
        for file in record.files.values():
            print(f"  {file.name:40} {file.size / 1e6:9.1f} MB")


def _cache() -> None:
    """Prune the cache where that is asked for, then show what it holds."""
    import datetime

    from asd_jax import files
    from asd_jax.datasets import cache

    kept = cache.entries(FLAGS.cache_dir)
    gone = cache.to_prune(kept, FLAGS.prune) if FLAGS.prune else []
    for entry in gone:
        done = "removed" if cache.remove(entry) else "in use, and so left"
        print(f"{done}: {entry.name} ({entry.kind}, {cache.in_words(entry.n_bytes)})")
    kept = cache.entries(FLAGS.cache_dir)
    for entry in kept:
        day = datetime.datetime.fromtimestamp(entry.used).strftime("%Y-%m-%d")
        print(f"{cache.in_words(entry.n_bytes):>8}  last used {day}  {entry.kind:19}  {entry.name}")
    total = cache.in_words(sum(entry.n_bytes for entry in kept))
    print(f"{total:>8}  in {FLAGS.cache_dir or files.cache_folder()}; all of it can be made or fetched again")


def main(arguments: list[str]) -> None:
    """Fetch what the flags name."""
    launch.no_arguments(arguments)
    if FLAGS.cache or FLAGS.prune:
        return _cache()
    from asd_jax.datasets import releases
    from asd_jax.datasets.fetch_release import Fetcher

    if FLAGS.dataset is None:
        if FLAGS.list:
            return _list_releases()
        raise InputError("--dataset is needed, such as dcase2020; --list shows the releases")
    release = releases.get(FLAGS.dataset)
    if FLAGS.list:
        return _list_archives(release)
    offered = release.machines(evaluation=FLAGS.eval)
    if FLAGS.machine is None:
        raise InputError(f"--machine is needed: {', '.join(offered)}, several separated by commas, or all")
    if set(FLAGS.snr_db) - {"-6", "0", "6"}:
        raise InputError(f"--snr_db={','.join(FLAGS.snr_db)}: give some of -6, 0, 6")
    machines = offered if FLAGS.machine == "all" else FLAGS.machine.split(",")
    for machine in machines:
        release.parts(machine, evaluation=FLAGS.eval)  # a mistake in the last is found before the first is fetched
    data_dir = Path(FLAGS.data_dir or Path("data") / release.name).expanduser()
    fetcher = Fetcher(release, data_dir, _client(), keep_archives=FLAGS.keep_archives, say=wording.say)
    for machine in machines:
        for folder in fetcher.fetch(machine, evaluation=FLAGS.eval, snr_db=tuple(FLAGS.snr_db)):
            print(f"next: python -m experiments.gmm --machine={machine} --data_dir={folder}")


if __name__ == "__main__":
    launch.run(main)
