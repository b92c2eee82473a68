"""Problem documents (RFC 9457) from service errors."""

from attestlayer.canonical import Json, Members, format_json
from issuer.errors import Code, ServiceError

CONTENT_TYPE = "application/problem+json"
TYPE_BASE = "https://program.attestlayer.com/problems/"


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
    return headers
