"""One call of the API: who calls, and what the request's headers and query ask for beyond its body.

Idempotency-Key, Accept (RFC 9110 section 12.5.1), Prefer (RFC 7240), and the page of a list.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from attestlayer.canonical import format_json
from attestlayer.encoding import parse_decimal, shown
from issuer.api.shapes import Shape
from issuer.bootstrap.service import Service
from issuer.errors import Code, Fault, ServiceError
from issuer.model import Answer, ApiKey, Claim

T = TypeVar("T")

JSON = "application/json"

MAX_WAIT_S = 25
"""Seconds that an answer may be held back: less than an HTTP API waits for its function (30 s)."""

DEFAULT_LIMIT = 20
MAX_LIMIT = 100

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,4})"?\s*', re.IGNORECASE | re.ASCII)
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)


def _parse_limit(value: object) -> int:
    return parse_decimal(str(value), MAX_LIMIT, 1)


# The parser comes last: only constraints before it reach OpenAPI, as minimum and maximum.
Limit = Annotated[
    int, Field(ge=1, le=MAX_LIMIT, description="items of one page"), BeforeValidator(_parse_limit)
]
StartingAfter = Annotated[str | None, Field(description="the id of the last item of the page before")]


@dataclass(frozen=True)
class Call:
    """`headers` by lower-case name; `signed`: what an Idempotency-Key is bound to (method, path, body)."""

    service: Service
    headers: Mapping[str, str]
    signed: bytes
    key: ApiKey | None

    @property
    def workspace_id(self) -> str:
        """The caller's workspace. Raises UNAUTHENTICATED."""
        if self.key is None:
            raise ServiceError(Code.UNAUTHENTICATED, "this call needs an API key")
        return self.key.workspace_id

    def idempotency_key(self) -> str:
        """The Idempotency-Key. Raises IDEMPOTENCY_KEY_MISSING, MALFORMED_REQUEST."""
        # draft-ietf-httpapi-idempotency-key-header section 2.1 has a quoted string; what partners send is
        # an opaque token, so the quotes, if any, are part of it.
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

    def prefers(self, media_type: str) -> bool:
        """Whether the caller would rather have `media_type` than JSON."""
        return choose_media_type(self.headers.get("accept"), (JSON, media_type)) == media_type

    def wait_s(self) -> int:
        """Seconds that the answer may wait for a change."""
        return parse_wait(self.headers.get("prefer"))


def carry_out_once(call: Call, carry_out: Callable[[Claim], Answer]) -> Answer:
    """Claim the Idempotency-Key and carry out, or replay the answer that the key is bound to.

    `carry_out` binds its answer to the claim itself, in the transaction that does its work. If it
    raises, the key is free again for the same request. Raises as `Ledger.claim`.
    """
    # The claim is stored before any work, so that of two calls at the same time one gets IN_PROGRESS.
    claim = call.service.packets.claim(call.workspace_id, call.idempotency_key(), call.signed)
    if isinstance(claim, Answer):
        return replace(claim, headers=claim.headers | {"Idempotent-Replayed": "true"})
    try:
        return carry_out(claim)
    except BaseException:  # KeyboardInterrupt as well: else the key is locked until its lease ends
        call.service.ledger.release(claim)
        raise


def shape_answer(shape: Shape, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer with a model's canonical JSON."""
    return Answer(status, format_shape(shape), headers or {})


def text_answer(text: str, content_type: str, headers: dict[str, str] | None = None) -> Answer:
    """200 with another media type than JSON."""
    return Answer(200, text.encode("utf-8"), {**(headers or {}), "Content-Type": content_type})


def format_shape(shape: Shape) -> bytes:
    """The canonical JSON of a model."""
    return format_json(shape.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: up to `limit` items that come after the item `starting_after`."""

    starting_after: str | None
    limit: int

    def read(self, fetch: Callable[[str | None, int], Sequence[T]]) -> tuple[Sequence[T], bool]:
        """The page's items, and whether more follow. Fetches one item more than it returns."""
        # Counting the rest would cost O(list); one item more answers the only question.
        items = fetch(self.starting_after, self.limit + 1)
        return items[: self.limit], len(items) > self.limit

    def following(self, path: str, last_id: str | None, *, has_more: bool) -> dict[str, str]:
        """The Link header to the next page (RFC 8288 section 3)."""
        if not has_more or last_id is None:
            return {}
        query = urlencode({"starting_after": last_id, "limit": self.limit})
        return {"Link": f'<{path}?{query}>; rel="next"'}


def unknown_cursor(starting_after: str) -> ServiceError:
    """The error for a cursor that names no item of this list: an empty page would look like its end."""
    detail = f"found {shown(starting_after)}, wanted the id of an item of this list"
    fault = Fault("/query/starting_after", "unknown-cursor", detail, "Begin again without starting_after.")
    return ServiceError(Code.INVALID_REQUEST, f"starting_after: {detail}", faults=(fault,))


def choose_media_type(accept: str | None, offered: tuple[str, ...]) -> str:
    """The offered media type that `accept` prefers; the first one on a tie, or if it wants none of them."""
    # RFC 9110 section 12.5.1: no Accept is as `*/*`.
    ranges = [_parse_range(part) for part in (accept or "*/*").split(",")]
    best = max(offered, key=lambda media_type: _quality(ranges, media_type))
    # RFC 9110 section 15.5.7 allows 406 here; an answer in the first type serves the caller better.
    return best if _quality(ranges, best) else offered[0]


def parse_wait(prefer: str | None) -> int:
    """Seconds to wait by `Prefer: wait=N`, at most `MAX_WAIT_S`; 0 without it."""
    # RFC 7240 section 2: preferences are separated by commas, their parameters by semicolons. One that
    # is not understood is ignored, never refused.
    for part in re.split("[,;]", prefer or ""):
        if match := _WAIT.fullmatch(part):
            return min(int(match[1]), MAX_WAIT_S)
    return 0


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if match := _QUALITY.fullmatch(parameter):  # RFC 9110 section 12.4.2: at most three decimals
            return media_range, float(match[1])
    return media_range, 1.0


def _quality(ranges: list[tuple[str, float]], media_type: str) -> float:
    """The quality of a media type, 0.0 if no range covers it."""
    # RFC 9110 section 12.5.1: the most specific range that matches takes precedence.
    for pattern in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == pattern:
                return quality
    return 0.0
