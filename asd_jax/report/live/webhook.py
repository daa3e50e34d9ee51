"""Events to an address on the web, never in the way of what listens."""

import contextlib
import http.client
import json
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from asd_jax.errors import InputError

TOKEN = "ASD_JAX_WEBHOOK_TOKEN"  # environment variable: sent as a bearer token
_MOST_WAITING = 100
_TRIES, _FIRST_PAUSE = 6, 2.0  # pauses of 2, 4, 8, 16 and 32 s
_TIMEOUT = 10.0


class Webhook:
    """Posts events as JSON from a thread of its own; each is tried a few times, and dropped and counted after that.

    Args:
        url: http or https, or `env:NAME` for an environment variable that holds it, since many such addresses are
            secrets.
        pause: seconds before the second try, doubled for each further one.
        wait: for so many seconds, or until `close`.

    Raises:
        InputError: no such address, or one that holds a password.
    """

    def __init__(self, url: str, *, pause: float = _FIRST_PAUSE, wait: Callable[[float], object] | None = None) -> None:
        self._url, self.where = _checked(url)
        self.dropped = 0
        self._pause = pause
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._closing = threading.Event()
        self._wait = wait or self._closing.wait
        self._thread = threading.Thread(target=self._send_all, name="webhook", daemon=True)
        self._thread.start()

    def event(self, event: Mapping[str, Any]) -> None:
        """Send an event in its turn; where too many wait it is dropped."""
        try:
            self._waiting.put_nowait(json.dumps(event).encode())
        except queue.Full:
            self.dropped += 1

    def close(self, *, seconds: float = 5.0) -> None:
        """Wait so long for what is under way; the rest is dropped."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(seconds)
        self._closing.set()

    def _send_all(self) -> None:
        while (content := self._waiting.get()) is not None:
            self.dropped += not self._sent(content)

    def _sent(self, content: bytes) -> bool:
        for number in range(_TRIES):
            if number:
                self._wait(self._pause * 2 ** (number - 1))
            if self._closing.is_set():
                return False
            if (is_final := self._post(content)) is not None:
                return is_final
        return False

    def _post(self, content: bytes) -> bool | None:
        """Whether it arrived; None where another try may help."""
        headers = {"Content-Type": "application/json", "User-Agent": "asd_jax"}
        if token := os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self._url, content, headers, method="POST")
        try:
            with _OPENER.open(request, timeout=_TIMEOUT):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return None if error.code >= 500 or error.code in (408, 429) else False
        except (OSError, ValueError, http.client.HTTPException):  # no answer, a broken one, or none in time
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _checked(url: str) -> tuple[str, str]:
    """The address, and what of it may be said in logs: scheme and host."""
    if url.startswith("env:"):
        name = url.removeprefix("env:")
        if not (found := os.environ.get(name)):
            raise InputError(f"`webhook={url}`: the environment has no variable {name}")
        url = found
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        is_one = False
    if not is_one:
        raise InputError("`webhook`: give an address that begins with http:// or https://, or env:NAME")
    if parts.username or parts.password:
        raise InputError(f"`webhook`: no password in an address; put a token into the environment as {TOKEN}")
    return url, f"{parts.scheme}://{parts.hostname}"
