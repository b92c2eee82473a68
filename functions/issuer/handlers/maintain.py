"""Once a day: what nobody needs any more is deleted, and the ledger is held against the log."""

from typing import Any

from issuer.bootstrap.process import service
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
    """Do each part whatever becomes of the others. Answers counts, findings, and what failed."""
    del event, context
    answer: dict[str, object] = {"partials": 0, "objects": 0, "findings": [], "notes": 0}
    failed: list[list[str]] = []
    for part in (_collect, _tidy, _reconcile):
        try:
            answer |= part(service())
        except ServiceError as error:  # the next day may do it
            failed.append([part.__name__.removeprefix("_"), error.detail])
    _tell(answer["findings"], failed)
    return answer | {"failed": failed}


def _collect(made: Service) -> dict[str, object]:
    deleted = 0
    for _ in range(_RUNS):
        collection = made.collector.run()
        deleted += collection.deleted
        if not collection.more:
            break
    return {"partials": deleted}


def _tidy(made: Service) -> dict[str, object]:
    return {"objects": made.tidier.run()}


def _reconcile(made: Service) -> dict[str, object]:
    found = made.reconciler.run(opened_since=int(made.clock.now()) - _OPENED_S)
    findings = [[each.reason.value, each.object, each.detail] for each in found.findings]
    return {"findings": findings, "notes": len(found.notes)}


def _tell(findings: object, failed: list[list[str]]) -> None:
    """Findings, and what could not be looked at, which may hide some."""
    assert isinstance(findings, list)
    telemetry.measure(Metric.RECONCILE_FINDINGS, len(findings) + len(failed))
    for word, subject, why in findings:
        telemetry.tell("ledger and log disagree", word=word, subject=subject, why=why)
    for part, why in failed:
        telemetry.tell("a part of the maintenance failed", part=part, why=why)
