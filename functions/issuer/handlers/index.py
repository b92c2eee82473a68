"""After each round: bring the look-up index up to the newest checkpoint."""

from typing import Any

from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Telemetry

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Index as much as one run takes. Answers the groups indexed, objects written, whether more is due."""
    del event, context
    indexing = service().indexer.run()
    return {"groups": indexing.groups, "written": indexing.written, "more": indexing.more}
