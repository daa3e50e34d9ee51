"""What goes to disk: files that appear whole or not at all, settings as JSON and back, the user's cache folder."""

import contextlib
import csv
import dataclasses
import enum
import errno
import functools
import io
import json
import logging
import os
import shutil
import tempfile
import time
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from asd_jax.errors import InputError


def cache_folder() -> Path:
    """`asd_jax` below the user's cache folder, `$XDG_CACHE_HOME` or `~/.cache`; it need not exist.

    It holds what can be made or fetched again: compiled programs, prepared recordings, published weights.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asd_jax"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file aside and rename it, so that it appears whole or not at all, and nothing else is left.

    Raises:
        InputError: it cannot be written: a full disk, no permission.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone where all went well
            aside.unlink()


def not_written(path: Path, error: OSError) -> InputError:
    """What to say where something cannot be written."""
    mend = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room or ")
    mend |= dict.fromkeys((errno.EACCES, errno.EPERM), "change its permissions or ")
    choose = f"{mend.get(error.errno, '')}choose another folder by `workdir`"
    return InputError(f"{path} cannot be written ({error.strerror}); {choose}")


def check_writable(folder: Path) -> None:
    """Raise InputError where a folder cannot be made or written into; what is made to find out is taken away."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise not_written(folder, error) from error
    finally:
        for part in missing:
            with contextlib.suppress(OSError):
                part.rmdir()


def check_not_a_run(folder: Path) -> None:
    """Raise InputError where results would take the place of a run's own, or cannot be written."""
    if (folder / "config.json").exists() or (folder / "checkpoints").exists():
        raise InputError(f"`workdir={folder}` is a run, whose files stay as they are; choose another")
    check_writable(folder)


@contextlib.contextmanager
def one_error(message: str) -> Iterator[None]:
    """Turn what a checkpoint library raises into one InputError, without the tracebacks that its threads print."""
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            try:
                yield
            except (KeyError, ValueError, OSError) as error:  # TensorStore's own are ValueErrors
                time.sleep(0.5)  # what is under way prints that nobody waits for it, or does so when it is collected
                logging.getLogger("asyncio").setLevel(logging.CRITICAL)
                raise InputError(message) from error
    finally:
        logging.disable(disabled)


@contextlib.contextmanager
def checkpoint_written_below(folder: Path) -> Iterator[None]:
    """Around the saving of a checkpoint: where that fails an InputError says so, and no half of one is left."""
    mend = "a full disk? Make room, or choose another folder by `workdir`"
    try:
        with one_error(f"{folder}: a checkpoint cannot be written ({mend})"):
            yield
    except InputError:
        for half in Path(folder).glob("*.orbax-checkpoint-tmp"):
            shutil.rmtree(half, ignore_errors=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write text as `write_bytes` does, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON as `write_bytes` does; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def one_of(registry: Any, tag: str = "name", **options: Any) -> Any:
    """A dataclass field that holds one of several classes; `to_json` writes which, `from_json` looks it up.

    Args:
        registry: gives the classes by name, as a function, since registries are filled after the field is defined.
        tag: attribute of these classes that holds their name, and its key in JSON.
        **options: of `dataclasses.field`.
    """
    return dataclasses.field(metadata={"registry": registry, "tag": tag}, **options)


def hidden(**options: Any) -> Any:
    """A dataclass field that is no part of what `to_json` writes or of what makes two objects equal."""
    return dataclasses.field(metadata={"hidden": True}, compare=False, **options)


def sparse(default: Any = None, **options: Any) -> Any:
    """A dataclass field that `to_json` leaves out while it has its default; options as in `one_of`."""
    return dataclasses.field(metadata={"sparse": True}, **(options or {"default": default}))


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as comma-separated values, a line each."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def to_json(value: Any) -> Any:
    """A frozen dataclass, and whatever it holds, as plain JSON values; fields that have their default are there too."""
    if dataclasses.is_dataclass(value):
        written = {}
        for field in dataclasses.fields(value):
            if field.metadata.get("hidden"):
                continue
            item = getattr(value, field.name)
            if field.metadata.get("sparse") and item == _default(field):
                continue
            written[field.name] = to_json(item)
            if "registry" in field.metadata:
                tag = field.metadata["tag"]
                written[field.name] = {tag: getattr(item, tag), **written[field.name]}
        return written
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value


def _default(field: dataclasses.Field) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def from_json(kind: Any, value: Any, *, ignore_unknown: bool = False) -> Any:
    """The value of a type that `to_json` wrote: dataclasses, tuples, mappings, enums, optional ones; else as it is.

    Args:
        kind: the type.
        value: as JSON has it.
        ignore_unknown: pass over fields that a dataclass does not have, which a later version may have written.

    Raises:
        InputError: a field that the dataclass does not have, or one that is missing.
    """
    of_kind = functools.partial(from_json, ignore_unknown=ignore_unknown)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, ignore_unknown)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        kinds = [argument for argument in arguments if argument is not type(None)]
        return of_kind(kinds[0], value) if value is not None and len(kinds) == 1 else _tuples(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if origin is tuple and isinstance(value, list):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(of_kind(of, item) for of, item in zip(kinds, value, strict=True))
    if isinstance(value, dict) and len(arguments) == 2:
        return {name: of_kind(arguments[1], item) for name, item in value.items()}
    return _tuples(value)


def _dataclass(kind: Any, value: Mapping[str, Any], ignore_unknown: bool) -> Any:
    if not isinstance(value, Mapping):
        raise InputError(f"{kind.__name__} cannot be {value!r}; its settings have names")
    hints, fields = typing.get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(value) - set(fields))
    if unknown and not ignore_unknown:
        raise InputError(f"{kind.__name__} has no setting {unknown[0]}; it has {', '.join(fields)}")
    given = {}
    for name, item in ((name, item) for name, item in value.items() if name in fields):
        registry = fields[name].metadata.get("registry")
        if registry is None:
            try:
                given[name] = from_json(hints[name], item, ignore_unknown=ignore_unknown)
            except ValueError as error:
                raise InputError(f"{name} {item!r} cannot be: {error}") from error
            continue
        tag = fields[name].metadata["tag"]
        item = item if isinstance(item, Mapping) else {tag: item}
        if item.get(tag) not in registry():
            raise InputError(f"{name} {item.get(tag)!r} is not known; there are {', '.join(registry())}")
        given[name] = from_json(registry()[item[tag]], {key: of for key, of in item.items() if key != tag})
    try:
        return kind(**given)
    except TypeError as error:
        raise InputError(f"{kind.__name__}: {error}") from error


def _tuples(value: Any) -> Any:
    """JSON has lists only; settings that are compared, hashed or given to compiled functions need tuples."""
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
