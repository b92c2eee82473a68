"""Between API Gateway and the endpoints: an event in, a result out. Errors become problem documents here.

In order: path and method, the key and its scope, query, body, and then the call. So a caller without a key
learns nothing about what is wrong with a body.
"""

import re
import sys
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from attestlayer.canonical import Members, format_json
from attestlayer.encoding import parse_base64, shown
from issuer.api.call import JSON, Call
from issuer.api.endpoints import ENDPOINTS
from issuer.api.routing import bind, find_endpoint, read_query
from issuer.bootstrap.service import Service
from issuer.errors import Code, ServiceError
from issuer.intake.texts import parse_plain_json
from issuer.model import Answer
from issuer.problem import CONTENT_TYPE, format_problem, problem_headers, public_error

MAX_BODY_LENGTH = 1024 * 1024
"""Bytes of a request's body. Records do not come this way."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_=-]{1,64}")
_JSON_TYPE = re.compile(r'application/json(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)

_LOGGER = Logger(service="issuer", stream=sys.stderr)

Event = Mapping[str, Any]
Result = dict[str, object]


def answer(event: Event, context: object, service: Service) -> Result:
    """Answer an event (payload version 2.0). Never raises; never leaks a traceback."""
    # The event is read member by member: one without them, from a console's test, say, is answered as well.
    request_id = _request_id(event, context)
    try:
        reply = _answer(event, service)
    except Exception as error:  # our own bugs too: a caller gets an id to report, the log the traceback
        public = public_error(error)
        if public.code in (Code.INTERNAL, Code.STORAGE_FAILED, Code.KEY_UNUSABLE):
            _LOGGER.exception(public.code.word, request_id=request_id)
        headers = problem_headers(public) | {"Content-Type": CONTENT_TYPE}
        reply = Answer(public.code.status, format_problem(public, request_id), headers)
    usual = {"Cache-Control": "no-store"} | ({"Content-Type": JSON} if reply.body else {})
    always = {"Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
    return {
        "statusCode": reply.status,
        "headers": usual | reply.headers | always,
        "body": reply.body.decode("utf-8"),
        "isBase64Encoded": False,
        "cookies": [],
    }


def _answer(event: Event, service: Service) -> Answer:
    method, path = _method(event), str(event.get("rawPath", ""))
    # An HTTP API sends lower-case names already; a test event of the console may not.
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    endpoint = find_endpoint(ENDPOINTS, method, path)
    key = None
    # RFC 9110 section 11.6.2: credentials; before anything is said about the rest of the request.
    if endpoint.scope:
        key = service.workspaces.authenticate(headers.get("authorization"), endpoint.scope)
    query = read_query(str(event.get("rawQueryString", "")), endpoint)
    body, canonical = _read_body(event, headers)
    arguments = bind(endpoint, path, query, body)
    # With the canonical bytes: a repetition is the same request however it is spaced or ordered.
    signed = b"%s %s\n%s" % (method.encode(), path.encode("utf-8", "surrogateescape"), canonical)
    return endpoint.function(Call(service, headers, signed, key), **arguments)


def _method(event: Event) -> str:
    http = (event.get("requestContext") or {}).get("http") or {}
    return str(http.get("method", "")).upper()


def _request_id(event: Event, context: object) -> str:
    """The request's id at API Gateway, else the invocation's at Lambda, else `-`."""
    gateway_id = (event.get("requestContext") or {}).get("requestId")
    for request_id in (gateway_id, getattr(context, "aws_request_id", None)):
        # Only what is safe in a header and a log line.
        if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id):
            return request_id
    return "-"


def _read_body(event: Event, headers: Mapping[str, str]) -> tuple[Members | None, bytes]:
    """The body's JSON object and its canonical bytes; None and no bytes if there is no body.

    Raises TOO_LARGE, MALFORMED_REQUEST.
    """
    data = _body_bytes(event)
    # Before parsing: the parser's work and memory grow with the length.
    if len(data) > MAX_BODY_LENGTH:
        raise ServiceError(
            Code.TOO_LARGE, f"the body has {len(data)} bytes, at most {MAX_BODY_LENGTH} are allowed"
        )
    if not data:
        return None, b""
    media_type = headers.get("content-type", "")
    # RFC 8259 section 11 defines no charset; many clients send one, and UTF-8 is what they mean.
    if not _JSON_TYPE.fullmatch(media_type.strip()):
        raise ServiceError(
            Code.MALFORMED_REQUEST, f"Content-Type: found {shown(media_type)}, wanted application/json"
        )
    try:
        value = parse_plain_json(data)
        if not isinstance(value, dict):
            raise ValueError(f"found {shown(value)}, wanted an object")
        return value, format_json(value)  # refuses what canonical JSON has not: fractions, for example
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"the body is no JSON object: {error}") from error


def _body_bytes(event: Event) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")  # and then refused as JSON, not as our bug
    try:
        return parse_base64(text) if text else b""
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"body: {error}") from error
