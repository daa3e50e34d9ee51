"""The table of an archive: a row a recording, a Parquet file a shard, each of which appears whole or not at all."""

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asd_jax import files
from asd_jax.errors import InputError
from asd_jax.runs.archive.listing import digest_of

_DIGEST = b"asd_jax.listing"


class Row(NamedTuple):
    """A recording, as in `scores.csv` of service; see `Scored` for the names that are there too.

    Attributes:
        margin: how far the score lies above its threshold, in standard deviations of normal scores.
        clip_start_seconds: where each of its clips starts.
        clip_scores: of each of them.
    """

    file_name: str
    machine_type: str
    machine_id: str
    score: float
    decision: str
    worst_start_seconds: float
    threshold: float
    n_normal: int
    share_of_normal_above: float
    remarks: str
    margin: float
    clip_start_seconds: list[float]
    clip_scores: list[float]


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies."""
    return folder / "scores" / f"shard-{number:06d}.parquet"


def write_shard(path: Path, rows: Sequence[Row]) -> None:
    """Write a shard aside and rename it.

    Raises:
        InputError: it cannot be written: a full disk, no permission.
    """
    arrow, parquet = _pyarrow()
    schema = _schema(arrow)
    columns = zip(*rows, strict=True)
    arrays = [arrow.array(_known(column), field.type) for column, field in zip(columns, schema, strict=True)]
    metadata = {_DIGEST: digest_of(row.file_name for row in rows)}
    content = io.BytesIO()
    parquet.write_table(arrow.table(arrays, schema=schema.with_metadata(metadata)), content, compression="zstd")
    try:
        files.write_bytes(path, content.getvalue())
    except InputError as error:
        raise InputError(str(error).replace("`workdir`", "`out`")) from error


def is_written(path: Path, names: Sequence[str]) -> bool:
    """Whether a shard is there.

    Raises:
        InputError: it is damaged, or holds other recordings.
    """
    if not path.exists():
        return False
    arrow, parquet = _pyarrow()
    try:
        found = (parquet.read_schema(path).metadata or {}).get(_DIGEST, b"").decode()
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is damaged; remove it, and it is scored again") from error
    if found != digest_of(names):
        raise InputError(f"{path} is of other recordings; remove it, and it is scored again")
    return True


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a shard."""
    arrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(path).to_pylist()
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is damaged; remove it, and it is scored again") from error
    for row in table:
        yield Row(**{name: math.nan if value is None else value for name, value in row.items()})


def check_installed() -> None:
    """Raise InputError where Parquet cannot be written."""
    _pyarrow()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError("archives are written by pyarrow; pip install 'asd_jax[archive]'") from error
    return pyarrow, parquet


def _schema(arrow: Any) -> Any:
    kinds = {str: arrow.string(), float: arrow.float64(), int: arrow.int32(), list[float]: arrow.list_(arrow.float64())}
    return arrow.schema([(name, kinds[kind]) for name, kind in Row.__annotations__.items()])


def _known(column: Sequence[Any]) -> list[Any]:
    """What is not known is null."""
    return [None if isinstance(value, float) and math.isnan(value) else value for value in column]
