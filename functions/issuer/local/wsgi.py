"""WSGI (PEP 3333) without a framework: a request's target, and an answer that may be read in parts."""

import http
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from attestlayer.encoding import parse_base64, shown
from issuer.errors import Code, ServiceError

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer. `body` may be read in parts; then Content-Length is in `headers`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer by WSGI. HEAD gets the same headers and no body."""
        headers = dict(self.headers)
        body = self.body
        if isinstance(body, bytes):
            if self.status not in (204, 304):
                headers["Content-Length"] = str(len(body))
            body = [body]
        start_response(f"{self.status} {http.HTTPStatus(self.status).phrase}", list(headers.items()))
        if environ["REQUEST_METHOD"] == "HEAD":
            close = getattr(body, "close", None)
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
    uri = str(environ["REQUEST_URI"])
    if not uri.startswith("/"):
        try:
            split = urlsplit(uri)
        except ValueError:
            split = urlsplit("")
        if split.scheme not in ("http", "https") or not split.netloc:
            raise ServiceError(Code.MALFORMED_REQUEST, f"found target {shown(uri)}, wanted a path")
        return split.path or "/", split.query
    path, _, query = uri.partition("#")[0].partition("?")
    return path, query


def answer_of(result: Mapping[str, Any]) -> HttpAnswer:
    """What a Lambda function answered behind an HTTP API (payload version 2.0), as HTTP."""
    text = result.get("body") or ""
    body = parse_base64(text) if text and result.get("isBase64Encoded") else str(text).encode("utf-8")
    return HttpAnswer(int(result["statusCode"]), dict(result.get("headers") or {}), body)
