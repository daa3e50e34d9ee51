"""Events to an address: they arrive, and whatever that address does, nothing waits for it; numbers for Prometheus."""

import http.server
import json
import threading
import time
import urllib.request

import pytest

from asd_jax.errors import InputError
from asd_jax.report.live import webhook as module
from asd_jax.report.live.metrics import Metrics
from asd_jax.report.live.webhook import TOKEN, Webhook

EVENT = {"event": "alarm", "score": 1.5, "reason": "é"}


class Server:
    """On loopback; `answers` are statuses, or functions of the handler, in turn; the last goes on."""

    def __init__(self, *answers):
        self.got, outer, lock = [], self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    answer = answers[min(len(outer.got), len(answers) - 1)]
                    outer.got.append((self.path, dict(self.headers), json.loads(content)))
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.send_header("Location", f"{outer.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve():
    servers = []

    def start(*answers):
        servers.append(Server(*answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_events_arrive_in_order_with_the_token(serve, monkeypatch):
    server = serve(200)
    monkeypatch.setenv(TOKEN, "a secret")
    monkeypatch.setenv("HOOK", f"{server.url}/hook?key=hidden")
    hook = Webhook("env:HOOK")
    for index in range(5):
        hook.event(EVENT | {"index": index})
    hook.close()
    assert [body["index"] for _, _, body in server.got] == list(range(5))
    path, headers, body = server.got[0]
    assert path == "/hook?key=hidden" and body == EVENT | {"index": 0}
    assert headers["Authorization"] == "Bearer a secret" and headers["Content-Type"] == "application/json"
    assert hook.dropped == 0 and hook.where == "http://127.0.0.1"


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_one_that_is_overloaded_is_asked_again_after_growing_pauses(serve, status):
    server, waited = serve(status, status, 200), []
    hook = Webhook(server.url, wait=waited.append)
    hook.event(EVENT)
    hook.close()
    assert (len(server.got), waited, hook.dropped) == (3, [2.0, 4.0], 0)
    assert "Authorization" not in server.got[0][1]


def test_it_is_given_up_after_a_while(serve):
    server, waited = serve(500), []
    hook = Webhook(server.url, wait=waited.append)
    hook.event(EVENT)
    hook.close()
    assert (len(server.got), waited, hook.dropped) == (6, [2.0, 4.0, 8.0, 16.0, 32.0], 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404])
def test_a_redirect_is_not_followed_and_a_refusal_is_final(serve, monkeypatch, status):
    monkeypatch.setenv(TOKEN, "a secret")
    server = serve(status)
    hook = Webhook(server.url + "/hook", wait=lambda _: pytest.fail("it waited"))
    hook.event(EVENT)
    hook.close()
    assert [path for path, *_ in server.got] == ["/hook"] and hook.dropped == 1


def garbage(handler):
    handler.wfile.write(b"no HTTP at all\r\n\r\n")


def cut(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")


def test_a_broken_answer_is_tried_again_and_the_next_is_sent(serve):
    server = serve(garbage, lambda handler: handler.connection.close(), 200)
    hook = Webhook(server.url, pause=0.0)
    hook.event(EVENT)
    hook.event(EVENT | {"index": 2})
    hook.close()
    assert len(server.got) == 4 and server.got[-1][2]["index"] == 2 and hook.dropped == 0


def test_one_that_is_down_is_dropped_and_counted(serve):
    server = serve(200)
    server.close()
    hook = Webhook(server.url, pause=0.0)
    hook.event(EVENT)
    hook.close()
    assert hook.dropped == 1


def test_one_that_never_answers_holds_up_nobody(serve, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    free = threading.Event()
    server = serve(lambda _: free.wait(10))
    hook = Webhook(server.url)
    begun = time.monotonic()
    for _ in range(50):
        hook.event(EVENT)
    assert time.monotonic() - begun < 0.5
    assert hook.dropped >= 46  # three wait, one is under way
    begun = time.monotonic()
    hook.close(seconds=0.1)
    assert time.monotonic() - begun < 1.0
    free.set()


def test_one_that_is_slow_is_left_in_time(serve, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT", 0.1)
    free = threading.Event()
    server = serve(lambda _: free.wait(10), 200)
    hook = Webhook(server.url, pause=0.0)
    hook.event(EVENT)
    hook.close()
    assert len(server.got) == 2 and hook.dropped == 0
    free.set()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("env:NO_SUCH_HOOK", "`webhook=env:NO_SUCH_HOOK`: the environment has no variable NO_SUCH_HOOK"),
        ("ftp://host/secret", "give an address that begins with http:// or https://, or env:NAME"),
        ("https:///secret", "give an address"),
        ("http://host:secret/", "give an address"),
        ("http://[::1/secret", "give an address"),
        ("https://me:secret@host/", f"no password in an address; put a token into the environment as {TOKEN}"),
    ],
)
def test_what_is_no_address_is_one_line_without_it(url, says):
    with pytest.raises(InputError, match=says) as error:
        Webhook(url)
    assert "secret" not in str(error.value) and "\n" not in str(error.value)


# Numbers for Prometheus.


def read(metrics):
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}


def test_metrics_count_what_is_told():
    pytest.importorskip("prometheus_client")
    metrics = Metrics(0)
    try:
        score = {"event": "score", "threshold": 2.0}
        for value, above in ((1.0, False), (3.0, True), (None, None), (2.5, True)):
            metrics.event(score | {"score": value, "above": above})
        metrics.event({"event": "alarm", "score": 3.0})
        assert read(metrics)["asd_alarm_active"] == 1.0
        metrics.event({"event": "back", "lost_seconds": 4.5})
        metrics.event({"event": "status", "lost_seconds": 4.5})
        metrics.event({"event": "clear"})
        found = read(metrics)
        assert found["asd_score"] == 2.5 and found["asd_threshold"] == 2.0 and found["asd_alarm_active"] == 0.0
        names = ("above", "below", "none")
        assert [found[f'asd_windows_total{{decision="{name}"}}'] for name in names] == [2.0, 1.0, 1.0]
        assert found["asd_lost_seconds_total"] == 4.5
        assert found['asd_events_total{event="alarm"}'] == 1.0
        with pytest.raises(InputError, match=rf"`prometheus={metrics.port}`: .*; choose another port"):
            Metrics(metrics.port)
        metrics.event(score | {"score": 1.0, "above": False, "threshold": None})  # an infinite one
    finally:
        metrics.close()
