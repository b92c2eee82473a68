"""Once a minute (EventBridge Scheduler): a round of the log."""

from typing import Any

from issuer.bootstrap import service


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Run one round. Answers its outcome, the public sequence and the number of leaves taken."""
    del event, context
    report = service().sequencer.run()
    sequence = report.checkpoint.sequence if report.checkpoint else None
    return {"outcome": report.outcome.value, "sequence": sequence, "leaves": report.leaves}
