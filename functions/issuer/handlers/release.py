"""After each round: if the trust root changed, verify-kit.zip is made anew, and the pages that name both."""

from typing import Any

from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Telemetry

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Answers whether it changed."""
    del event, context
    made = service()
    changed = made.kit_of_verifiers.refresh()
    if changed:
        made.publisher.run(int(made.clock.now()))
    return {"changed": changed}
