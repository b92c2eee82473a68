"""Logs, metrics and traces of a Lambda function; elsewhere a handler runs without them.

Powertools finds its service name and metrics' namespace in the function's environment
(POWERTOOLS_SERVICE_NAME, POWERTOOLS_METRICS_NAMESPACE).
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from attestlayer.visible import is_hidden
from issuer.settings import runs_in_lambda

Handler = Callable[[dict[str, Any], object], dict[str, object]]


class Metric(StrEnum):
    """Metrics by the names that the alarms and the dashboard know."""

    ROUNDS_PUBLISHED = "RoundsPublished"
    LEAVES_PUBLISHED = "LeavesPublished"
    OLDEST_WAITING_LEAF = "OldestWaitingLeafSeconds"
    QUORUM_MISSED = "QuorumMissed"
    KITS_DELIVERED = "KitsDelivered"
    DELIVERY_FAILURES = "DeliveryFailures"
    RECONCILE_FINDINGS = "ReconcileFindings"
    LOG_HALTED = "LogHalted"


def format_log_line(record: dict[str, Any]) -> str:
    """A log record as one line of JSON, in which every character is seen or escaped.

    An error's message may hold what a stranger sent, and logs are read on terminals.
    """
    line = json.dumps(record, default=str, separators=(",", ":"), ensure_ascii=False)
    if line.isascii() and line.isprintable():
        return line
    return "".join(
        f"\\u{ord(c):04x}" if c == "\x7f" else json.dumps(c)[1:-1] if is_hidden(c) else c for c in line
    )


class Telemetry:
    """Logger, metrics and tracer of one handler. Untraced, it need not load X-Ray's SDK, nor botocore."""

    def __init__(self, *, traced: bool = True) -> None:
        self._traced = traced
        self._metrics: Any = None
        self._logger: Any = None

    @property
    def is_on(self) -> bool:
        """Whether metrics are emitted, so that computing one is worth its cost."""
        return self._metrics is not None

    def around(self, handler: Handler) -> Handler:
        """Wrap a handler so that it emits logs, metrics and traces; outside Lambda, the handler itself."""
        if not runs_in_lambda():
            return handler
        from aws_lambda_powertools import Logger, Metrics

        self._logger, self._metrics = Logger(json_serializer=format_log_line), Metrics()
        measured: Any = self._metrics.log_metrics(handler, raise_on_empty_metrics=False)
        if self._traced:
            from aws_lambda_powertools import Tracer

            # Answers and errors may hold personal data, which no trace may keep.
            measured = Tracer().capture_lambda_handler(measured, capture_response=False, capture_error=False)
        return self._logger.inject_lambda_context(measured, log_event=False)  # type: ignore[no-any-return]

    def measure(self, metric: Metric, value: float) -> None:
        """Record one value of a metric: a count, or seconds."""
        if self._metrics is not None:
            unit = "Seconds" if metric is Metric.OLDEST_WAITING_LEAF else "Count"
            self._metrics.add_metric(name=metric.value, unit=unit, value=value)

    def log_error(self, message: str, **members: object) -> None:
        """Log an error that an operator should read. `members` become members of its JSON line."""
        if self._logger is not None:
            self._logger.error(message, **members)
