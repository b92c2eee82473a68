"""WSGI (PEP 3333) without a framework: requests as API Gateway events, and responses read in parts."""

import base64
import http
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from attestlayer.encoding import parse_base64, shown
from issuer.errors import Code, ServiceError

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

MAX_BODY_LENGTH = 6 * 1024 * 1024
"""Bytes of the largest body that Lambda is given."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response. A `body` that is read in parts has its Content-Length in `headers`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Start the response and return its body. HEAD gets the same headers and no body."""
        headers = dict(self.headers)
        body = self.body
        if isinstance(body, bytes):
            if self.status not in (
                204,
                304,
            ):  # RFC 9110 section 8.6: a 304's would be the 200's
                headers["Content-Length"] = str(len(body))
            body = [body]
        start_response(f"{self.status} {http.HTTPStatus(self.status).phrase}", list(headers.items()))
        if environ["REQUEST_METHOD"] == "HEAD":
            close = getattr(body, "close", None)  # PEP 3333: who does not return the body closes it
            if close:
                close()
            return []
        return body


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a handler may ask of its invocation."""

    aws_request_id: str
    function_name: str = "local"
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = "arn:local"


def raw_target(environ: Environ) -> tuple[str, str]:
    """Path and query as they stand in the request line. Raises MALFORMED_REQUEST."""
    uri = str(environ["REQUEST_URI"])  # PATH_INFO is decoded already: two spellings would be one path
    if not uri.startswith("/"):  # RFC 9112 section 3.2.2: the absolute form must be accepted
        try:
            split = urlsplit(uri)
        except ValueError:
            split = urlsplit("")
        if split.scheme not in ("http", "https") or not split.netloc:
            raise ServiceError(Code.MALFORMED_REQUEST, f"found target {shown(uri)}, wanted a path")
        return split.path or "/", split.query
    path, _, query = uri.partition("#")[0].partition("?")
    return path, query


def event_of(environ: Environ, request_id: str) -> dict[str, Any]:
    """The event that API Gateway would make of the request. Raises MALFORMED_REQUEST, TOO_LARGE."""
    raw_path, query = raw_target(environ)
    try:
        path = unquote(raw_path, errors="strict")
    except UnicodeDecodeError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"path {shown(raw_path)} is not UTF-8") from error
    body = _read_body(environ)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": _headers(environ),
        "requestContext": {
            "requestId": request_id,
            "stage": "$default",
            "http": {
                "method": environ["REQUEST_METHOD"],
                "path": path,
                "protocol": environ["SERVER_PROTOCOL"],
                "sourceIp": environ.get("REMOTE_ADDR", ""),
                "userAgent": environ.get("HTTP_USER_AGENT", ""),
            },
        },
        "body": base64.b64encode(body).decode("ascii") if body else None,
        "isBase64Encoded": bool(body),
    }


def response_of(result: Mapping[str, Any]) -> HttpResponse:
    """The response that an HTTP API makes of a Lambda function's result (payload version 2.0)."""
    text = result.get("body") or ""
    body = parse_base64(text) if text and result.get("isBase64Encoded") else str(text).encode("utf-8")
    return HttpResponse(int(result["statusCode"]), dict(result.get("headers") or {}), body)


def _headers(environ: Environ) -> dict[str, str]:
    """The request's headers by lower-case name."""
    # PEP 3333 leaves these two without the prefix HTTP_.
    names = {name[5:]: name for name in environ if name.startswith("HTTP_")}
    names |= {name: name for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {
        short.lower().replace("_", "-"): _utf8(str(environ[name])) for short, name in sorted(names.items())
    }


def _utf8(text: str) -> str:
    try:  # PEP 3333 gives bytes as Latin-1; API Gateway gives text
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _read_body(environ: Environ) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > MAX_BODY_LENGTH:
        raise ServiceError(
            Code.TOO_LARGE, f"found Content-Length {shown(length)}, at most {MAX_BODY_LENGTH} are allowed"
        )
    body = environ["wsgi.input"].read(MAX_BODY_LENGTH + 1)
    if len(body) > MAX_BODY_LENGTH:
        raise ServiceError(Code.TOO_LARGE, f"the body has more than {MAX_BODY_LENGTH} bytes")
    return bytes(body)
