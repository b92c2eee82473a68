"""Logs, metrics and traces of a Lambda function. Elsewhere handlers run bare: nobody would read them.

Powertools finds its service name and metrics' namespace in the function's environment
(POWERTOOLS_SERVICE_NAME, POWERTOOLS_METRICS_NAMESPACE).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from issuer.settings import runs_in_lambda

Handler = Callable[[dict[str, Any], object], dict[str, object]]


class Metric(StrEnum):
    """What the alarms and the dashboard look at."""

    ROUNDS_PUBLISHED = "RoundsPublished"
    LEAVES_PUBLISHED = "LeavesPublished"
    OLDEST_WAITING_LEAF = "OldestWaitingLeafSeconds"
    QUORUM_MISSED = "QuorumMissed"
    KITS_DELIVERED = "KitsDelivered"
    DELIVERY_FAILURES = "DeliveryFailures"
    RECONCILE_FINDINGS = "ReconcileFindings"
    LOG_HALTED = "LogHalted"


class Telemetry:
    """What one handler tells of itself. `traced`: whether X-Ray is told; its SDK imports botocore."""

    def __init__(self, *, traced: bool = True) -> None:
        self._traced = traced
        self._metrics: Any = None
        self._logger: Any = None

    @property
    def is_on(self) -> bool:
        """Whether somebody is told."""
        return self._metrics is not None

    def around(self, handler: Handler) -> Handler:
        """The handler with its logs, metrics and traces."""
        if not runs_in_lambda():
            return handler
        from aws_lambda_powertools import Logger, Metrics

        self._logger, self._metrics = Logger(), Metrics()
        told: Any = self._metrics.log_metrics(handler, raise_on_empty_metrics=False)
        if self._traced:
            from aws_lambda_powertools import Tracer

            # What a handler answers may hold personal data: it is traced by nobody.
            told = Tracer().capture_lambda_handler(told, capture_response=False, capture_error=False)
        return self._logger.inject_lambda_context(told, log_event=False)  # type: ignore[no-any-return]

    def measure(self, metric: Metric, value: float) -> None:
        """One value of a metric: a count, or seconds."""
        if self._metrics is not None:
            unit = "Seconds" if metric is Metric.OLDEST_WAITING_LEAF else "Count"
            self._metrics.add_metric(name=metric.value, unit=unit, value=value)

    def tell(self, message: str, **members: object) -> None:
        """A line in the log that somebody should read."""
        if self._logger is not None:
            self._logger.error(message, **members)
