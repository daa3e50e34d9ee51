"""Where a monitor's events go: lines, the page, Prometheus, a webhook."""

import json
import math
from collections.abc import Callable
from typing import Any

from asd_jax.report.live.metrics import Metrics
from asd_jax.report.live.page import LivePage
from asd_jax.report.live.webhook import Webhook


class Outlets:
    """Tells everyone who listens.

    Args:
        line: takes each event as a line of JSON.
        webhook, metrics, page: None where nobody asked for one.
    """

    def __init__(
        self,
        line: Callable[[str], None],
        *,
        webhook: Webhook | None = None,
        metrics: Metrics | None = None,
        page: LivePage | None = None,
    ) -> None:
        self._line, self._webhook, self._metrics, self._page = line, webhook, metrics, page

    def tell(self, event: dict[str, Any]) -> None:
        """Tell of an event: the lines and the numbers of all, the webhook of neither scores nor new recordings."""
        if self._webhook and event["event"] == "status":
            event |= {"dropped_by_webhook": self._webhook.dropped}
        self._line(json.dumps(event, allow_nan=False))
        if self._metrics:
            self._metrics.event(event)
        is_score = event["event"] == "score"
        if self._page and is_score:
            score = math.nan if event["score"] is None else event["score"]
            limit = math.inf if event["threshold"] is None else event["threshold"]
            self._page.score(event["time"], event["seconds"], score, limit, event["above"])
        elif self._page:
            self._page.event(event)
        if self._webhook and not is_score and event["event"] != "recording":
            self._webhook.event(event)

    def close(self) -> None:
        """End those that run beside."""
        for outlet in (self._webhook, self._metrics, self._page):
            if outlet:
                outlet.close()
