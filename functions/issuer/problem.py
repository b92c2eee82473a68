"""Problem documents (RFC 9457) from service errors."""

from collections.abc import Iterable

from attestlayer.canonical import Json, Members, format_json
from issuer.errors import Code, ServiceError

CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "https://program.attestlayer.com/problems/"

_OURS = frozenset({Code.INTERNAL, Code.STORAGE_FAILED, Code.KEY_UNUSABLE, Code.HOME_UNUSABLE})
"""What goes wrong on our side: its details may name files and machines, and belong into the log."""


class MethodNotAllowedError(ServiceError):
    """A known path was asked with a method that it does not have."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(Code.METHOD_NOT_ALLOWED, f"found {method}, this path takes {self.allowed}")


def public_error(error: Exception) -> ServiceError:
    """The error as a caller may see it: itself, or another without details if it is one of ours."""
    code = error.code if isinstance(error, ServiceError) else Code.INTERNAL
    if isinstance(error, ServiceError) and code not in _OURS:
        return error
    return ServiceError(code, "nothing was half-done: try again, and tell us the request_id if it stays so")


def format_problem(error: ServiceError, request_id: str) -> bytes:
    """The document of an error. `errors` lists each fault with pointer, code, detail and fix."""
    return format_json(problem_members(error, request_id))


def problem_members(error: ServiceError, request_id: str) -> Members:
    """The document's members."""
    code: Code = error.code
    faults: list[Json] = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail, "fix": fault.fix}
        for fault in error.faults
    ]
    return {
        "type": f"{TYPE_BASE}{code.word}",
        "title": code.title,
        "status": code.status,
        "code": code.word,
        "detail": error.detail,
        "request_id": request_id,
        "errors": faults,
    }


def problem_headers(error: ServiceError) -> dict[str, str]:
    """Headers that go with the document."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(error.retry_after_s, 1))
    if error.code == Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="AttestLayer"'
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed  # RFC 9110 section 15.5.6
    return headers
