"""Invoked by the operator's role alone: a notice that withdraws a kit, public with the next checkpoint.

The event: `{"workspace": …, "kit_id": …, "reason": …}`, the reason one of the closed list.
"""

from typing import Any

from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Telemetry
from issuer.errors import Code, ServiceError

telemetry = Telemetry()

_MEMBERS = ("workspace", "kit_id", "reason")


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Queue the notice; the same one again changes nothing. Answers its type. Raises `ServiceError`."""
    del context
    # Exactly these members: a misspelt one must not withdraw with a default in its place.
    values = [event.get(name) for name in _MEMBERS]
    if event.keys() != set(_MEMBERS) or not all(isinstance(value, str) for value in values):
        raise ServiceError(
            Code.INVALID_REQUEST, f"found {', '.join(map(str, event))}, wanted {', '.join(_MEMBERS)}"
        )
    notice = service().notifier.withdraw(*map(str, values))
    return {"queued": notice.type}
