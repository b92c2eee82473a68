"""One call of the API: what the event said beside path and body, who calls, and how to answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools.event_handler import Request, Response

from attestlayer.canonical import format_json
from attestlayer.encoding import shown
from issuer.api.shapes import Shape
from issuer.bootstrap.service import Service
from issuer.errors import Code, ServiceError
from issuer.model import Answer, ApiKey

Reply = Response[str]
"""Text and never an object: Powertools would format an object with another library."""

JSON = "application/json"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CALL = "call"


@dataclass(frozen=True)
class Call:
    """`headers` by lower-case name; `signed` is what an Idempotency-Key is bound to: method, path, body."""

    service: Service
    request_id: str
    headers: Mapping[str, str]
    signed: bytes
    key: ApiKey | None

    @property
    def workspace_id(self) -> str:
        """The caller's workspace."""
        if self.key is None:
            raise ServiceError(Code.UNAUTHENTICATED, "this call needs an API key")
        return self.key.workspace_id

    def idempotency_key(self) -> str:
        """The Idempotency-Key. Raises IDEMPOTENCY_KEY_MISSING, MALFORMED_REQUEST."""
        key = self.headers.get("idempotency-key", "").strip()
        if not key:
            raise ServiceError(
                Code.IDEMPOTENCY_KEY_MISSING, "wanted an Idempotency-Key header, unique for this request"
            )
        if not _KEY.fullmatch(key):
            raise ServiceError(
                Code.MALFORMED_REQUEST,
                f"Idempotency-Key: found {shown(key)}, wanted 1 to 255 visible ASCII characters",
            )
        return key


def put_call(call: Call) -> dict[str, Call]:
    """The resolver's context that `call_of` finds the call in."""
    return {_CALL: call}


def call_of(request: Request) -> Call:
    """The call that a route function carries out."""
    call = request.context[_CALL]
    assert isinstance(call, Call)
    return call


def reply(shape: Shape, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with a model's canonical JSON."""
    return reply_bytes(format_shape(shape), status, headers)


def reply_bytes(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with canonical JSON that is there already."""
    return reply_text(body.decode("utf-8"), JSON, status, headers)


def reply_text(
    body: str, content_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """An answer with text."""
    return Response(status, content_type, body, headers=dict(headers or {}))


def reply_nothing() -> Reply:
    """204."""
    return Response(204, None, "")


def reply_stored(answer: Answer, *, replayed: bool) -> Reply:
    """An answer that is bound to an Idempotency-Key."""
    headers = answer.headers | ({"Idempotent-Replayed": "true"} if replayed else {})
    return reply_bytes(answer.body, answer.status, headers)


def format_shape(shape: Shape) -> bytes:
    """A model's canonical JSON."""
    return format_json(shape.model_dump(mode="json"))
