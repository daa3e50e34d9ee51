"""Files of a Zenodo record: checked by the record's own MD5 sums, resumed after a cut, fetched once."""

import dataclasses
import datetime
import email.utils
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pooch
import requests
from tqdm import tqdm

from asd_jax.errors import InputError

ZENODO = "https://zenodo.org"
_ATTEMPTS = 6  # in a row that bring nothing
_MOST_WAIT = 120.0  # seconds; a server that asks for more is not waited for
_TIMEOUT = (15.0, 60.0)  # seconds to connect, and without a byte
_CHUNK = 2**15  # what a cut loses at most
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file of a record: its name, address, size in bytes, and MD5 in hexadecimal digits."""

    name: str
    url: str
    size: int
    md5: str


@dataclasses.dataclass(frozen=True)
class Record:
    """What a record says of itself."""

    title: str
    licence: str
    files: dict[str, RemoteFile]


@dataclasses.dataclass(frozen=True)
class Client:
    """Fetches records and their files.

    Attributes:
        base_url: of Zenodo, or of a mirror with the same paths.
        say: takes lines for the user.
        sleep: waits that many seconds.
    """

    base_url: str = ZENODO
    say: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep

    def record(self, number: int) -> Record:
        """What a record holds.

        Raises:
            InputError: it cannot be had, or is not understood.
        """
        url = f"{self.base_url.rstrip('/')}/api/records/{number}"
        for attempt in self._attempts(url):
            with attempt, requests.get(url, timeout=_TIMEOUT) as response:
                attempt.check(response)
                try:
                    return self._parse(number, response.json())
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise InputError(f"{url}: the answer is not a record's ({error!r}); try again later") from error
        raise AssertionError("the last attempt raises")

    def _parse(self, number: int, answer: dict[str, Any]) -> Record:
        files = {}
        for entry in answer["files"]:
            name = entry.get("key") or entry["filename"]
            md5 = entry["checksum"].removeprefix("md5:")
            size = entry["size"] if "size" in entry else entry["filesize"]
            if not re.fullmatch(r"[0-9a-f]{32}", md5) or not re.fullmatch(r"[^/\\\0]+", name) or name.startswith("."):
                raise ValueError(f"file {name!r} with checksum {md5!r}")
            url = f"{self.base_url.rstrip('/')}/records/{number}/files/{quote(name)}?download=1"
            files[name] = RemoteFile(name, url, int(size), md5)
        about = answer.get("metadata") or {}
        licence = about.get("license") or {}
        licence = licence.get("id", "") if isinstance(licence, dict) else str(licence)
        return Record(str(about.get("title", "")), licence, files)

    def fetch(self, file: RemoteFile, folder: Path) -> Path:
        """The file in a folder: as it is there, or fetched; never under its name before it is whole and checked.

        What an interrupted call has fetched is kept beside it and gone on with.

        Raises:
            InputError: the server cannot be reached or refuses, what it sends has another MD5 twice, or the folder
                cannot be written.
        """
        pooch.get_logger().setLevel("WARNING")
        registry, urls = {file.name: f"md5:{file.md5}"}, {file.name: file.url}
        store = pooch.create(folder, base_url="", registry=registry, urls=urls, allow_updates=True)
        for again in (True, False):
            try:
                return Path(
                    store.fetch(file.name, downloader=lambda _, target, __: self._download(file, folder, target))
                )
            except InputError:
                raise
            except ValueError as error:
                if not again:
                    raise InputError(
                        f"{file.url} is not the file of the record (another MD5); try again later"
                    ) from error
                self.say(f"{file.name} came with another MD5; fetching it once more")
            except OSError as error:
                raise InputError(
                    f"{folder}: cannot be written ({error.strerror}); choose another `data_dir`"
                ) from error
        raise AssertionError("the second time returns or raises")

    def _download(self, file: RemoteFile, folder: Path, target: str) -> None:
        """Bring all bytes of a file to `target`, by way of a file that outlives an interruption."""
        part = folder / f".{file.name}.{file.md5[:8]}.part"
        with tqdm(total=file.size, desc=file.name, unit="B", unit_scale=True, disable=None) as bar:
            for attempt in self._attempts(file.url):
                with attempt, part.open("ab") as sink:
                    if sink.tell() != file.size:
                        self._receive(file, sink, bar, attempt)
                    if sink.tell() != file.size:
                        raise requests.ConnectionError(f"{file.url} was cut after {sink.tell()} of {file.size} bytes")
                    break
        os.replace(part, target)

    def _receive(self, file: RemoteFile, sink: Any, bar: Any, attempt: "_Attempt") -> None:
        """Append what is missing, or begin anew where the server does not resume."""
        start = sink.tell() if sink.tell() < file.size else _emptied(sink)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with requests.get(file.url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code == 416:
                _emptied(sink)
                raise requests.ConnectionError(f"{file.url} does not resume after {start} bytes")
            attempt.check(response)
            resumed = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            if start and not (response.status_code == 206 and resumed):
                start = _emptied(sink)
            bar.n = start
            bar.refresh()
            for chunk in response.iter_content(_CHUNK):
                sink.write(chunk[: file.size - sink.tell()])  # a server that goes on for ever fills no disk
                bar.update(len(chunk))
                attempt.reached(sink.tell())
                if sink.tell() == file.size:
                    break

    def _attempts(self, url: str) -> Iterator["_Attempt"]:
        """Attempts, with growing pauses, until one does not fail or several in a row bring nothing."""
        failures, farthest = 0, 0
        while True:
            attempt = _Attempt(url, last=failures + 1 >= _ATTEMPTS, farthest=farthest)
            yield attempt
            failures = failures + 1 if attempt.farthest == farthest else 0
            farthest = attempt.farthest
            wait = attempt.retry_after if attempt.retry_after is not None else min(30.0, 0.5 * 2.0**failures)
            if wait > _MOST_WAIT:
                raise InputError(f"{url}: the server asks to wait {wait:.0f} s; try again then") from attempt.error
            self.say(f"{_why(attempt.error)}; going on in {wait:.0f} s")
            self.sleep(wait)


def _emptied(sink: Any) -> int:
    """Begin a file anew: its position, which is 0."""
    sink.seek(0)
    sink.truncate()
    return sink.tell()


class _Attempt:
    """One request: swallows an error that another attempt may mend, unless it is the last."""

    def __init__(self, url: str, *, last: bool, farthest: int) -> None:
        self.url, self.last, self.farthest = url, last, farthest
        self.error: Exception | None = None
        self.retry_after: float | None = None

    def reached(self, position: int) -> None:
        """Bytes came; farther than ever, and the count of failures in a row begins anew."""
        if position > self.farthest:
            self.farthest, self.last = position, False

    def check(self, response: requests.Response) -> None:
        """Raise for a status other than success."""
        status = f"{response.status_code} {response.reason}"
        if response.status_code in _TRY_AGAIN:
            self.retry_after = _seconds(response.headers.get("Retry-After"))
            raise requests.ConnectionError(f"{self.url} answered {status}")
        if not response.ok:
            raise InputError(f"{self.url} answered {status}; is the record still there?")

    def __enter__(self) -> "_Attempt":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, requests.RequestException):
            return False
        self.error = error
        if self.last:
            raise InputError(
                f"{self.url} cannot be fetched ({_why(error)}); try again, what is here is kept"
            ) from error
        return True


def _why(error: Exception | None) -> str:
    """The innermost reason that a library gives, without what it wraps it in."""
    reason = getattr(error.args[0], "reason", error) if error and error.args else error
    return str(reason).rsplit(": ", 1)[-1].strip("()'\"")


def _seconds(retry_after: str | None) -> float | None:
    """What a `Retry-After` header asks for: seconds, or a date."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (date - datetime.datetime.now(datetime.UTC)).total_seconds())
