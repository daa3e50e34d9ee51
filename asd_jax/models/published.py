"""Published weights: fetched once, checked, and converted to a plain array file in the user's cache."""

import dataclasses
import hashlib
import pickle
import urllib.error
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from asd_jax.errors import InputError
from asd_jax.files import cache_folder

Weights = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Published:
    """A network's weights, where they come from and what they look like.

    Attributes:
        name: of the network, as messages call it.
        setting: the setting that names a file of weights.
        address: of the published file.
        sha256: the first digits of its hash.
        megabytes: its size.
        script: the experiment that fetches it.
        extra: of asd_jax, which brings the package that reads it.
        shapes: of the arrays by name, once they are converted.
        convert: arrays of the published file, by their names there, in the layout of `shapes`.
        readers: of further kinds of files, by ending: from the path to converted arrays.
    """

    name: str
    setting: str
    address: str
    sha256: str
    megabytes: int
    script: str
    extra: str
    shapes: Mapping[str, tuple[int, ...]]
    convert: Callable[[Mapping[str, np.ndarray]], Weights]
    readers: Mapping[str, Callable[[Path], Weights]] = dataclasses.field(default_factory=dict)

    @property
    def _key(self) -> str:
        return self.name.lower().replace(" ", "_")

    def load(self, path: str | Path | None = None) -> tuple[Weights, str]:
        """Weights and the SHA-256 of the file that they came from.

        Args:
            path: a file of PyTorch weights (`.pt`, `.pth`), one of plain arrays (`.npz`), converted or with the names
                of the published one, or one of `readers`; None takes the published one from the cache or fetches it.

        Raises:
            InputError: the file is missing, damaged, or something else; there is no network; or the package that reads
                the file is not installed.
        """
        source = self._fetched() if path is None else Path(path).expanduser()
        if not source.is_file():
            raise InputError(f"`{self.setting}`={source}: no such file")
        digest = _sha256(source)
        self._check_named(source, digest)
        if source.suffix == ".npz":
            arrays = _arrays(source)
            if "sha256" in arrays:  # converted before
                digest = str(arrays["sha256"])
        if not self._converted(digest).is_file():
            self._keep(self._read(source), digest)
        return self.cached(digest), digest

    def cached(self, digest: str) -> Weights:
        """Weights that were converted before, by the SHA-256 of their source; an InputError says how to get them."""
        path = self._converted(digest)
        if not path.is_file():
            raise InputError(
                f"this run needs the {self.name} weights with SHA-256 {digest[:16]}..., and {path} is not there; "
                f"fetch them with python -m experiments.{self.script}, or copy that file from where the run was made"
            )
        return self.checked(_arrays(path))

    def checked(self, weights: Mapping[str, np.ndarray]) -> Weights:
        """The weights, if every array has its shape; an InputError names the first that has not."""
        for name, shape in self.shapes.items():
            if name not in weights:
                raise InputError(f"these are no {self.name} weights: {name} is missing")
            if weights[name].shape != shape:
                found = weights[name].shape
                raise InputError(f"these are no {self.name} weights: {name} has shape {found}, not {shape}")
        return {name: weights[name] for name in self.shapes}

    def _converted(self, digest: str) -> Path:
        return cache_folder() / f"{self._key}-{digest[:16]}.npz"

    def _keep(self, weights: Weights, digest: str) -> None:
        path = self._converted(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part.npz")
        np.savez(aside, sha256=np.array(digest), **self.checked(weights))
        aside.replace(path)

    def _read(self, source: Path) -> Weights:
        if source.suffix in self.readers:
            return self.readers[source.suffix](source)
        arrays = _arrays(source) if source.suffix == ".npz" else self._torch(source)
        if all(name in arrays for name in self.shapes):
            return arrays
        try:
            return self.convert(arrays)
        except KeyError as error:
            raise InputError(f"these are no {self.name} weights: {error} is missing") from error

    def _torch(self, path: Path) -> Weights:
        try:
            import torch  # late: an optional package, needed for the conversion only
        except ImportError as error:
            raise InputError(f"{path.name} is read by PyTorch once: pip install 'asd_jax[{self.extra}]'") from error
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)  # runs no code of the file's author
            return {name: value.numpy() for name, value in state.items()}
        except (RuntimeError, EOFError, AttributeError, ValueError, pickle.UnpicklingError) as error:
            raise InputError(f"{path} is not a file of PyTorch weights") from error

    def _check_named(self, path: Path, digest: str) -> None:
        """A file that is called as the published one must be that one."""
        if path.name == self._file_name and not digest.startswith(self.sha256):
            raise InputError(
                f"{path} is damaged: its SHA-256 starts with {digest[:8]}, not {self.sha256}; fetch it again"
            )

    @property
    def _file_name(self) -> str:
        return self.address.rpartition("/")[2]

    def _fetched(self) -> Path:
        import pooch

        path = cache_folder() / self._file_name
        for folder in (path.parent, Path(pooch.os_cache("asd_jax"))):  # the latter is where they once came to
            if (folder / path.name).is_file():
                return folder / path.name
        try:
            pooch.retrieve(self.address, known_hash=None, path=path.parent, fname=path.name, progressbar=True)
        except (OSError, urllib.error.URLError, ValueError) as error:
            raise InputError(
                f"the {self.name} weights could not be downloaded ({type(error).__name__}); fetch {self.address} "
                f"({self.megabytes} MB) elsewhere and put it at {path}, or name it with `{self.setting}`"
            ) from error
        try:
            self._check_named(path, _sha256(path))
        except InputError:
            path.unlink()
            raise
        return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrays(path: Path) -> Weights:
    try:
        with np.load(path, allow_pickle=False) as saved:
            return dict(saved)
    except (OSError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{path} is not a file of arrays; remove it") from error
