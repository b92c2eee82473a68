"""Once a minute (EventBridge Scheduler): a round of the log."""

from typing import Any

from issuer.bootstrap import process
from issuer.bootstrap.service import Service
from issuer.bootstrap.telemetry import Metric, Telemetry
from issuer.errors import LogHaltedError, QuorumMissedError
from issuer.log.promise import oldest_waiting
from issuer.services.sequence import RoundOutcome, RoundReport

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Run one round. Answers its outcome, the public sequence and the number of leaves taken."""
    del event, context
    service = process.service()
    try:
        report = _round(service)
    finally:
        _measure_waiting(service)  # above all after a failed round: the alarm on late leaves looks at it
    sequence = report.checkpoint.sequence if report.checkpoint else None
    return {"outcome": report.outcome.value, "sequence": sequence, "leaves": report.leaves}


def _round(service: Service) -> RoundReport:
    """Run one round and record metrics. Raises as `Sequencer.run`: the invocation then counts as failed."""
    try:
        report = service.sequencer.run()
    except QuorumMissedError:
        telemetry.measure(Metric.QUORUM_MISSED, 1)
        raise
    except LogHaltedError:
        telemetry.measure(Metric.LOG_HALTED, 1)
        raise
    telemetry.measure(Metric.ROUNDS_PUBLISHED, int(report.outcome is RoundOutcome.PUBLISHED))
    telemetry.measure(Metric.LEAVES_PUBLISHED, report.leaves)
    return report


def _measure_waiting(service: Service) -> None:
    """The age of the oldest leaf that no round has taken yet; its promise is 600 s."""
    if not telemetry.is_on:
        return
    now = int(service.clock.now())
    waiting = oldest_waiting(service.ledger, service.public, now)
    telemetry.measure(Metric.OLDEST_WAITING_LEAF, now - waiting.issued_at if waiting else 0)
