"""The partner API behind an API Gateway HTTP API (payload 2.0): the paths of `issuer.api.endpoints`."""

from typing import Any

from issuer.api import gateway
from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Telemetry

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Answer one HTTP request (payload version 2.0)."""
    return gateway.answer(event, context, service())
