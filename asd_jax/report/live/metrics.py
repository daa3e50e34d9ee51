"""Numbers for Prometheus, by prometheus-client (the extra `live`)."""

from collections.abc import Mapping
from typing import Any

from asd_jax.errors import InputError


class Metrics:
    """Serves numbers at `http://127.0.0.1:PORT/metrics`.

    Args:
        port: free on loopback; 0 picks one.

    Raises:
        InputError: prometheus-client is not installed, or the port is taken.
    """

    def __init__(self, port: int) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
        except ImportError as error:
            raise InputError("`prometheus` needs prometheus-client; pip install prometheus-client") from error
        registry = CollectorRegistry()
        self._score = Gauge("asd_score", "Score of the latest window", registry=registry)
        self._threshold = Gauge("asd_threshold", "Threshold that it is held against", registry=registry)
        self._active = Gauge("asd_alarm_active", "1 while an alarm lasts", registry=registry)
        self._windows = Counter("asd_windows", "Windows heard, by decision", ["decision"], registry=registry)
        self._events = Counter("asd_events", "Events, by kind", ["event"], registry=registry)
        self._lost = Counter("asd_lost_seconds", "Seconds of sound that were not heard", registry=registry)
        try:
            self._server, self._thread = start_http_server(port, addr="127.0.0.1", registry=registry)
        except OSError as error:
            raise InputError(f"`prometheus={port}`: {error.strerror}; choose another port") from error
        self.port = self._server.server_port

    def event(self, event: Mapping[str, Any]) -> None:
        """Take an event."""
        kind = event["event"]
        if kind == "score":
            decision = {True: "above", False: "below", None: "none"}[event["above"]]
            self._windows.labels(decision).inc()
            if event["score"] is not None:
                self._score.set(event["score"])
            self._threshold.set(float("inf") if event["threshold"] is None else event["threshold"])
            return
        self._events.labels(kind).inc()
        if kind != "status":  # which sums up what was told before
            self._lost.inc(event.get("lost_seconds", 0.0))
        if kind in ("alarm", "clear"):
            self._active.set(kind == "alarm")

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
