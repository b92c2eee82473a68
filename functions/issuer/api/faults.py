"""Validation errors as service errors: where (JSON pointer), what was found, how to fix it."""

from collections.abc import Mapping, Sequence
from typing import Any

from attestlayer.encoding import shown
from issuer.errors import Code, Fault, ServiceError

_FIXES = {
    "missing": "Add it.",
    "extra_forbidden": "Remove it: it is not known here.",
    "string_too_long": "Shorten it.",
    "string_too_short": "Give it a value.",
}
_FIX = "Send a value as /v1/openapi.json describes it."
_FAULTS_MAX = 20


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> ServiceError:
    """The error for what a model refused. A pointer is into the body, or begins with the part it is in."""
    faults = tuple(_fault(error) for error in errors[:_FAULTS_MAX])
    first = "; ".join(f"{fault.pointer or 'body'}: {fault.detail}" for fault in faults[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return ServiceError(Code.INVALID_REQUEST, f"{first}{more}", faults=faults)


def _fault(error: Mapping[str, Any]) -> Fault:
    kind, message = str(error["type"]), str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        detail = "it is missing"
    elif kind == "extra_forbidden":
        detail = "it is not a member that this call knows"
    else:
        detail = f"found {shown(error.get('input'))}: {message.replace('Input should', 'it should')}"
    return Fault(_pointer(error["loc"]), kind.replace("_", "-"), detail, _FIXES.get(kind, _FIX))


def _pointer(location: Sequence[object]) -> str:
    """RFC 6901. `body` is left out: a pointer is into the body unless it says otherwise."""
    parts = location[1:] if location and location[0] == "body" else location
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
