"""Once a day: deletes what nobody needs any more, and reconciles the ledger with the log."""

from typing import Any

from issuer.bootstrap import process
from issuer.bootstrap.service import Service
from issuer.bootstrap.telemetry import Metric, Telemetry
from issuer.errors import ServiceError

telemetry = Telemetry()

_RUNS = 20
"""Runs of the collector in one call, each of a week's checkpoints."""
_OPENED_S = 2 * 86_400
"""Kits delivered since then are opened and verified again; `issuer reconcile` opens all."""


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Run every part, even after another failed. Answers counts, findings, and the parts that failed."""
    del event, context
    answer: dict[str, Any] = {"partials": 0, "objects": 0, "findings": [], "notes": 0}
    failed: list[list[str]] = []
    for part in (_collect, _tidy, _reconcile):
        try:
            answer |= part(process.service())
        except ServiceError as error:  # the next day may do it
            failed.append([part.__name__.removeprefix("_"), error.detail])
    _record(answer["findings"], failed)
    return answer | {"failed": failed}


def _collect(service: Service) -> dict[str, object]:
    deleted = 0
    # Bounded, as an invocation's time is: what is left over is collected on the next day.
    for _ in range(_RUNS):
        collection = service.collector.run()
        deleted += collection.deleted
        if not collection.more:
            break
    return {"partials": deleted}


def _tidy(service: Service) -> dict[str, object]:
    return {"objects": service.tidier.run()}


def _reconcile(service: Service) -> dict[str, object]:
    books = service.reconciler.run(opened_since=int(service.clock.now()) - _OPENED_S)
    findings = [[finding.reason.value, finding.object, finding.detail] for finding in books.findings]
    return {"findings": findings, "notes": len(books.notes)}


def _record(findings: list[list[str]], failed: list[list[str]]) -> None:
    """Record the findings, and the parts that failed: a part that did not run may hide findings."""
    telemetry.measure(Metric.RECONCILE_FINDINGS, len(findings) + len(failed))
    for word, subject, why in findings:
        telemetry.log_error("ledger and log disagree", word=word, subject=subject, why=why)
    for part, why in failed:
        telemetry.log_error("a part of the maintenance failed", part=part, why=why)
