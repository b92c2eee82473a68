"""Problem documents (RFC 9457) from service errors, and the headers that go with them."""

from collections.abc import Iterable

from attestlayer.canonical import Json, Members, format_json
from issuer.errors import Code, ServiceError

CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "https://program.attestlayer.com/problems/"

_OURS = frozenset(
    {Code.INTERNAL, Code.STORAGE_FAILED, Code.KEY_UNUSABLE, Code.HOME_UNUSABLE, Code.STORE_UNUSABLE}
)
"""Failures on our side: their details may name files and machines, which only the log may know."""


class MethodNotAllowedError(ServiceError):
    """A known path does not have the method of the request. `allowed` is the value of Allow."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(Code.METHOD_NOT_ALLOWED, f"found {method}, this path takes {self.allowed}")


def public_error(error: Exception) -> ServiceError:
    """The error as a caller may see it: itself, or one without details if the failure is on our side."""
    code = error.code if isinstance(error, ServiceError) else Code.INTERNAL
    if isinstance(error, ServiceError) and code not in _OURS:
        return error
    return ServiceError(code, "nothing was half-done: try again, and tell us the request_id if it stays so")


def format_problem(error: ServiceError, request_id: str) -> bytes:
    """The document of an error, as canonical JSON."""
    return format_json(problem_members(error, request_id))


def problem_members(error: ServiceError, request_id: str) -> Members:
    """The members of RFC 9457 section 3.1, and our own: `code`, `request_id`, `errors` (each fault)."""
    code: Code = error.code
    faults: list[Json] = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail, "fix": fault.fix}
        for fault in error.faults
    ]
    # RFC 9457 section 3.1.1: clients tell problems apart by `type`; nobody has to fetch it.
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
    """The headers that the document's status calls for."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        # RFC 9110 section 10.2.3: a delay in seconds. 0 would invite a loop without a pause.
        headers["Retry-After"] = str(max(error.retry_after_s, 1))
    if error.code == Code.UNAUTHENTICATED:
        # RFC 9110 section 11.6.1: a 401 names the scheme; RFC 6750 section 3 is that of Bearer.
        headers["WWW-Authenticate"] = 'Bearer realm="AttestLayer"'
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed  # RFC 9110 section 15.5.6: a 405 lists what is allowed
    return headers
