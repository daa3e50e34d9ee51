"""A small web server on loopback: GET only, few connections, none for long, and nothing for other sites to read."""

import email.message
import http.server
import logging
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MOST_CONNECTIONS = 8
MOST_SECONDS = 30.0  # of a connection, whatever it does
IDLE_SECONDS = 5.0  # that it may neither send nor read

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Answer(NamedTuple):
    """What a request is given: a body with its type; a part of it where `ranges` and one was asked for."""

    body: bytes
    content_type: str
    ranges: bool = False


class LoopbackServer(http.server.ThreadingHTTPServer):
    """Serves what a function gives for a path and query, in threads of its own.

    A connection is one request. Those above `MOST_CONNECTIONS` are closed at once, and any after `MOST_SECONDS`.

    Args:
        port: on 127.0.0.1; 0 for a free one.
        answer: of a path and its query, both as sent; None where there is nothing. It is called by several threads.

    Raises:
        OSError: the port cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 2 * MOST_CONNECTIONS

    def __init__(self, port: int, answer: Callable[[str, str], Answer | None]) -> None:
        self.answer = answer
        self._opened: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this computer's name, which may take a minute."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: socket.socket, client_address: Any) -> None:
        """Serve it in a thread, unless there are too many."""
        with self._lock:
            has_room = len(self._opened) < MOST_CONNECTIONS
            if has_room:
                self._opened[request] = time.monotonic()
        if has_room:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: socket.socket) -> None:
        """Close it, and make room for another."""
        with self._lock:
            self._opened.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Wake threads whose connections have been open for too long; called twice a second."""
        now = time.monotonic()
        with self._lock:
            for request, opened in self._opened.items():
                if now - opened > MOST_SECONDS:
                    try:
                        request.shutdown(socket.SHUT_RDWR)
                    except OSError:  # the client closed it
                        continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of the monitor's, and nothing here may fill its log."""
        logging.getLogger(__name__).debug("a request of %s failed", client_address, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: LoopbackServer
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer, to this computer's own browsers alone."""
        # A page elsewhere can have its own name point to 127.0.0.1 (DNS rebinding), but then Host has that name.
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0].strip()):
            self._send(403, b"ask for localhost\n")
            return
        parts = urlsplit(self.path)
        if parts.path == "/favicon.ico":
            self._send(204, b"")
            return
        answer = self.server.answer(parts.path, parts.query)
        if answer is None:
            self._send(404, b"there is no such thing\n")
        elif answer.ranges and (asked := _RANGE.fullmatch(self.headers.get("Range", ""))):
            self._send_part(answer, int(asked[1]), int(asked[2]) if asked[2] else None)
        else:
            more = {"Accept-Ranges": "bytes"} if answer.ranges else {}
            self._send(200, answer.body, answer.content_type, **more)

    def _other(self) -> None:
        self._send(405, b"GET only\n", Allow="GET")

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _other

    def _send_part(self, answer: Answer, first: int, last: int | None) -> None:
        size = len(answer.body)
        last = size - 1 if last is None else min(last, size - 1)
        if first > last:
            self._send(416, b"", **{"Content-Range": f"bytes */{size}"})
            return
        where = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {first}-{last}/{size}"}
        self._send(206, answer.body[first : last + 1], answer.content_type, **where)

    def _send(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8", **more: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **more, "Content-Type": content_type, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say nothing of what was sent."""
        self.command = self.command or "GET"
        self.headers = getattr(self, "headers", None) or email.message.Message()
        self.request_version = "HTTP/1.0"
        self._send(int(code), b"this cannot be answered\n")

    def version_string(self) -> str:
        """Nothing of versions."""
        return "asd_jax"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a page that is looked at asks every second."""
