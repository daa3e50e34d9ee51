"""Which layout a folder of recordings has, and which machines are in it."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from asd_jax.datasets import layouts
from asd_jax.datasets.layouts import ClipName, Layout, any_folder
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.tree import AUDIO_SUFFIXES, list_tree
from asd_jax.errors import InputError

Names = Mapping[str, ClipName]  # what the paths say, by path

_EXPECTED = "; ".join(layout.example for layout in (layouts.RELEASES[0], layouts.ANY_FOLDER))


class Folder:
    """A folder of recordings, its paths read by each layout when that is asked for.

    Attributes:
        data_dir: the folder.
        tree: its files.
        forced: name of the layout that was asked for, or None.

    Raises:
        InputError: there is no such folder, or no recording in it.
    """

    def __init__(self, data_dir: str | Path, *, layout: str | None = None) -> None:
        self.data_dir, self.forced = Path(data_dir), layout
        if not self.data_dir.is_dir():
            raise InputError(f"`data_dir`={data_dir}: no such folder")
        self.tree = list_tree(self.data_dir)
        self.own_name = canonical_machine(self.data_dir.resolve().name)
        if not self.tree.audio:
            other = ", ".join(f"{count} {suffix}" for suffix, count in self.tree.unreadable.items())
            hint = f"; convert its {other} file(s) to .wav or .flac" if other else f"; expected are {_EXPECTED}"
            raise InputError(f"`data_dir`={data_dir}: no recordings in it ({', '.join(AUDIO_SUFFIXES)}){hint}")

    @functools.cache  # noqa: B019 - a folder lives as long as its listing
    def names(self, layout: Layout) -> Names:
        """What a layout makes of the paths; any folder takes only what no release does, unless it was asked for."""
        taken: set[str] = set()
        if layout is layouts.ANY_FOLDER and self.forced is None:
            taken = {path for release in layouts.RELEASES for path in self.names(release)}
        parsed = ((path, layout.parse(path)) for path in self.tree.audio if path not in taken)
        names = {path: name for path, name in parsed if name is not None}
        if layout is not layouts.ANY_FOLDER:
            return names
        names = names or ({} if taken else any_folder.flat(self.tree.audio))
        return names if self.forced else any_folder.by_types_in_names(names)

    def left_out(self, layout: Layout) -> list[str]:
        """Recordings that no layout, or not the one that was asked for, makes sense of."""
        known = [layout] if self.forced is not None else [*layouts.RELEASES, layouts.ANY_FOLDER]
        return sorted(set(self.tree.audio).difference(*(self.names(one) for one in known)))

    def of_machine(self, layout: Layout, machine: str) -> Names:
        """The clips of a machine; where the folder names none below it, they are of any machine one calls them."""
        names = self.names(layout)
        chosen = {p: n for p, n in names.items() if (canonical_machine(n.machine_type) or self.own_name) == machine}
        return chosen or (names if not any(name.machine_type for name in names.values()) else {})

    def machines(self) -> list[str]:
        """Canonical names of the machines of the releases found there, or else of one's own recordings."""

        def found(*candidates: Layout) -> set[str]:
            names = (name for layout in candidates for name in self.names(layout).values())
            return {canonical_machine(name.machine_type) or self.own_name for name in names}

        if self.forced is not None:
            return sorted(found(layouts.REGISTRY[self.forced]))
        return sorted(found(*layouts.RELEASES) or found(layouts.ANY_FOLDER))

    def only_machine(self) -> str:
        """The one machine there is.

        Raises:
            InputError: there are several, or none.
        """
        machines = self.machines()
        if len(machines) > 1:
            hint = ""
            if not any("/" in path for path in self.tree.audio):
                hint = (
                    ": the names of its files begin with these; to train all as one machine pass `dataset=any_folder`"
                )
            raise InputError(f"`machine` is needed: {self.data_dir} has {', '.join(machines)}{hint}")
        return machines[0] if machines else self._fail(self.own_name)

    def recognise(self, machine: str) -> tuple[str, Layout, Names]:
        """The layout of a machine's recordings, its name, and what it says of them.

        A layout comes into question when it makes sense of a path of the machine's; one that makes sense of a part of
        what another does is no rival (a 2021 release's training clips could be one of 2022).

        Raises:
            InputError: several come into question, or there is no such machine.
        """
        if self.forced is not None:
            layout = layouts.REGISTRY[self.forced]
            names = self.of_machine(layout, machine)
            return (self.forced, layout, names) if names else self._fail(machine)
        found = [(layout, self.of_machine(layout, machine)) for layout in layouts.RELEASES]
        found = [(layout, names) for layout, names in found if names]
        found = [
            (layout, names) for layout, names in found if not any(names.keys() < other.keys() for _, other in found)
        ]
        if len(found) > 1:
            candidates = ", ".join(f"{layout.name} ({len(names)} files)" for layout, names in found)
            raise InputError(
                f"`data_dir`={self.data_dir}: the recordings of {machine} may be laid out as {candidates}; say which "
                "by `dataset`"
            )
        if found:
            return found[0][0].name, *found[0]
        names = self.of_machine(layouts.ANY_FOLDER, machine)
        return (layouts.ANY_FOLDER.name, layouts.ANY_FOLDER, names) if names else self._fail(machine)

    def strays(self, layout: Layout, machine: str, names: Names) -> list[str]:
        """Recordings of a machine's that seem to belong to a release, but are not named as in any."""
        if layout is layouts.ANY_FOLDER:
            return []
        taken = {path for release in layouts.RELEASES for path in self.names(release)} | names.keys()
        return sorted(self.of_machine(layouts.ANY_FOLDER, machine).keys() - taken)

    def _fail(self, machine: str) -> NoReturn:
        """Say what the folder has instead of the machine."""
        machines = self.machines()
        if machines:
            raise InputError(f"`machine`={machine}: not in {self.data_dir}, which has {', '.join(machines)}")
        if self.forced is not None:
            layout = layouts.REGISTRY[self.forced]
            raise InputError(
                f"`dataset`={self.forced}: no recording in {self.data_dir} is named as in {layout.title} "
                f"({layout.example})"
            )
        raise InputError(
            f"`data_dir`={self.data_dir}: no machine folder with train/ and test/, or normal/ and abnormal/, in it "
            f"(such as {_EXPECTED}); {self.tree.audio[0]} is none of these"
        )
