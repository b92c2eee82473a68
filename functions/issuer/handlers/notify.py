"""Invoked by the operator's role alone: a notice about a kit, public with the next checkpoint.

The event: `{"workspace": …, "kit_id": …, "reason": …}` withdraws it, the reason one of the closed list;
`{"workspace": …, "kit_id": …, "by": …}` says that the kit `by` supersedes it.
"""

from typing import Any

from issuer.bootstrap.process import service
from issuer.bootstrap.telemetry import Telemetry
from issuer.errors import Code, ServiceError

telemetry = Telemetry()

_KIT = ("workspace", "kit_id")


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Queue the notice; the same one again changes nothing. Answers its type. Raises `ServiceError`."""
    del context
    # Exactly these members: a misspelt one must not withdraw with a default in its place.
    last = "by" if "by" in event else "reason"
    names = (*_KIT, last)
    values = [event.get(name) for name in names]
    if event.keys() != set(names) or not all(isinstance(value, str) for value in values):
        wanted = f"{', '.join(_KIT)}, and reason or by"
        raise ServiceError(Code.INVALID_REQUEST, f"found {', '.join(map(str, event))}, wanted {wanted}")
    notifier = service().notifier
    queue = notifier.supersede if last == "by" else notifier.withdraw
    notice = queue(*map(str, values))
    return {"queued": notice.type}
