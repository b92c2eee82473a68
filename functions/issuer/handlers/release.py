"""After each round: rebuilds verify-kit.zip if the trust root changed, and the pages that name both."""

from typing import Any

from issuer.bootstrap import process
from issuer.bootstrap.telemetry import Telemetry

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Rebuild what changed. Answers whether the kit of verifiers did."""
    del event, context
    service = process.service()
    changed = service.kit_of_verifiers.refresh()
    if changed:
        service.publisher.run(int(service.clock.now()))
    return {"changed": changed}
