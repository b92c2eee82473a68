"""WSGI requests as API Gateway events (HTTP API, payload version 2.0)."""

import base64
from typing import Any
from urllib.parse import unquote

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError
from issuer.local.wsgi import Environ, raw_target

MAX_BODY_LENGTH = 6 * 1024 * 1024
"""Bytes of the largest body that Lambda is given."""


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


def _headers(environ: Environ) -> dict[str, str]:
    """By lower-case name; WSGI keeps these two apart."""
    names = {name[5:]: name for name in environ if name.startswith("HTTP_")}
    names |= {name: name for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {
        short.lower().replace("_", "-"): _utf8(str(environ[name])) for short, name in sorted(names.items())
    }


def _utf8(text: str) -> str:
    """WSGI gives bytes as Latin-1 (PEP 3333), API Gateway gives text."""
    try:
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
