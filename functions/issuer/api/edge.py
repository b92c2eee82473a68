"""The edge of the API: an HTTP API event in, an answer out. Errors become problem documents here alone.

In order: path and method, the key and its scope, query, body, and then the call. So nobody without a key
learns what is wrong with a body.
"""

import re
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from attestlayer.canonical import format_json
from attestlayer.encoding import parse_base64, shown
from issuer.api.call import Call, put_call
from issuer.api.endpoints import Endpoint, find_endpoint
from issuer.api.faults import invalid_request
from issuer.api.resolver import ALL_ENDPOINTS, resolver
from issuer.bootstrap.service import Service
from issuer.errors import Code, Fault, ServiceError
from issuer.intake.texts import parse_record_json
from issuer.problem import CONTENT_TYPE, as_told, format_problem, problem_headers

MAX_BODY_LENGTH = 1024 * 1024
"""Bytes of a request's body. Records do not come this way."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_=-]{1,64}")
_JSON_TYPE = re.compile(r'application/json(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)

_LOGGER = Logger(service="issuer", stream=sys.stderr)

Event = Mapping[str, Any]
Result = dict[str, object]


def answer(event: Event, context: object, service: Service) -> Result:
    """Answer an event (payload version 2.0). Never raises, and never tells a trace."""
    request_id = _request_id(event, context)
    try:
        found = _answer(event, context, service, request_id)
    except Exception as error:
        known = as_told(_translated(error))
        if known.code in (Code.INTERNAL, Code.STORAGE_FAILED, Code.KEY_UNUSABLE):
            _LOGGER.exception(known.code.word, request_id=request_id)
        found = _result(known.code.status, problem_headers(known), format_problem(known, request_id))
    headers = found["headers"]
    assert isinstance(headers, dict)
    headers.setdefault("Cache-Control", "no-store")
    headers |= {"Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
    return found


def _answer(event: Event, context: object, service: Service, request_id: str) -> Result:
    method, path = _method(event), str(event.get("rawPath", ""))
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    endpoint = find_endpoint(ALL_ENDPOINTS, method, path)
    key = None
    if endpoint.scope:
        key = service.workspaces.authenticate(headers.get("authorization"), endpoint.scope)
    query = _read_query(str(event.get("rawQueryString", "")), endpoint)
    body = _read_body(event, headers)
    signed = b"%s %s\n%s" % (method.encode(), path.encode("utf-8", "surrogateescape"), body or b"")
    call = Call(service, request_id, headers, signed, key)
    found = resolver()
    found.context.update(put_call(call))
    plain = {
        **event,
        "headers": headers | ({"content-type": "application/json"} if body is not None else {}),
        "queryStringParameters": query,
        "body": None if body is None else body.decode("utf-8"),
        "isBase64Encoded": False,
    }
    return dict(found.resolve(plain, context))  # type: ignore[arg-type]


def _method(event: Event) -> str:
    http = (event.get("requestContext") or {}).get("http") or {}
    return str(http.get("method", "")).upper()


def _request_id(event: Event, context: object) -> str:
    """API Gateway's id of the request, else Lambda's of the invocation."""
    given = (event.get("requestContext") or {}).get("requestId")
    for found in (given, getattr(context, "aws_request_id", None)):
        if isinstance(found, str) and _REQUEST_ID.fullmatch(found):
            return found
    return "-"


def _read_query(raw: str, endpoint: Endpoint) -> dict[str, str]:
    """Parameters that the call knows, each once. A misspelt cursor would else be an endless list."""
    try:
        pairs = parse_qsl(
            raw, keep_blank_values=True, strict_parsing=bool(raw), errors="strict", max_num_fields=20
        )
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"query {shown(raw)}: {error}") from error
    found = dict(pairs)
    wanted = ", ".join(sorted(endpoint.query)) or "no parameters"
    faults = [
        Fault(f"/query/{name}", "unknown-parameter", f"found {shown(name)}, wanted {wanted}", "Remove it.")
        for name in sorted(found.keys() - endpoint.query)
    ]
    if len(found) != len(pairs):
        faults.append(Fault("/query", "repeated", "a parameter occurs twice", "Send each parameter once."))
    if faults:
        raise ServiceError(
            Code.INVALID_REQUEST, "; ".join(fault.detail for fault in faults), faults=tuple(faults)
        )
    return found


def _read_body(event: Event, headers: Mapping[str, str]) -> bytes | None:
    """The body's JSON in its canonical bytes, or None without a body.

    Raises TOO_LARGE, MALFORMED_REQUEST. Canonical, so that nothing after this reads it in another way,
    and that an Idempotency-Key is bound to what was asked and not to how it was spaced.
    """
    data = _body_bytes(event)
    if len(data) > MAX_BODY_LENGTH:
        raise ServiceError(
            Code.TOO_LARGE, f"the body has {len(data)} bytes, at most {MAX_BODY_LENGTH} are allowed"
        )
    if not data:
        return None
    kind = headers.get("content-type", "")
    if not _JSON_TYPE.fullmatch(kind.strip()):
        raise ServiceError(
            Code.MALFORMED_REQUEST, f"Content-Type: found {shown(kind)}, wanted application/json"
        )
    try:
        value = parse_record_json(data)
        if not isinstance(value, dict):
            raise ValueError(f"found {shown(value)}, wanted an object")
        return format_json(value)
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"the body is no JSON object: {error}") from error


def _body_bytes(event: Event) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return parse_base64(text) if text else b""
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"body: {error}") from error


def _translated(error: Exception) -> Exception:
    """Powertools' errors in our words."""
    if isinstance(error, RequestValidationError):
        return invalid_request(error.errors())
    if isinstance(error, NotFoundError):
        return ServiceError(Code.NOT_FOUND, "there is nothing at this path")
    return error


def _result(status: int, headers: dict[str, str], body: bytes) -> Result:
    return {
        "statusCode": status,
        "headers": {**headers, "Content-Type": CONTENT_TYPE},
        "body": body.decode("utf-8"),
        "isBase64Encoded": False,
        "cookies": [],
    }
