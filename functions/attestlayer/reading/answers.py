"""What an HTTP answer says apart from its object: how fresh it is, when to ask again, how it is compressed.

Pure. Header fields come from strangers: what is malformed counts as not stated.
"""

import re
import zlib
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from attestlayer.encoding import shown

DEFAULT_FRESH_S = 10.0
"""Seconds that a cache may show an answer that states no freshness, or one longer than is waited for.

Common defaults of CDNs for a 404 are 5 to 10 seconds.
"""

LONGEST_FRESH_S = 60.0
"""Seconds of freshness that are waited for; a copy that may be shown for longer is asked for past caches."""

_ASCII = re.ASCII | re.IGNORECASE
_DIRECTIVE = re.compile(r'(?:^|[,\s])(s-maxage|max-age)="?([0-9]{1,10})"?(?=$|[,\s])', _ASCII)
_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)
_UNCACHED = re.compile(r"(?:^|[,\s])(no-store|no-cache)(?=$|[,\s=])", _ASCII)

Field = Callable[[str], str | None]
"""A header field's value by name, or None."""


def fields_of(headers: Iterable[tuple[str, str]]) -> Field:
    """The fields of a header, whose names have no case; repeated ones are joined (RFC 9110 section 5.2)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return lambda name: fields.get(name.lower())


class CutError(HTTPException):
    """A body that ends before its end, or whose compression is damaged."""


def age_of(field: Field) -> int:
    """Seconds that the answer had been in a cache (RFC 9111 section 5.1)."""
    return _seconds(field("Age")) or 0


def fresh_for(field: Field) -> float:
    """Seconds for which a cache may go on showing this answer (RFC 9111 section 4.2.1)."""
    caching = field("Cache-Control") or ""
    stated = [int(seconds) for _, seconds in _DIRECTIVE.findall(caching)]
    left: float = 0
    if stated:
        left = max(stated) - age_of(field)
    elif not _UNCACHED.search(caching):
        left = _until(field("Expires"), field("Date"))
    return max(left, 0.0) if left <= LONGEST_FRESH_S else DEFAULT_FRESH_S


def retry_after(field: Field, now: float) -> float | None:
    """Seconds that a busy server asks to wait (RFC 9110 section 10.2.3), or None if it does not say.

    `now` counts only for a date, in an answer that has no date of its own.
    """
    text = field("Retry-After")
    if text is None:
        return None
    seconds = _seconds(text)
    if seconds is not None:
        return float(seconds)
    at, answered = _moment(text), _moment(field("Date"))
    return None if at is None else max(0.0, at - (now if answered is None else answered))


def inflate(data: bytes, coding: str | None, limit: int) -> bytes:
    """The body without its content coding, or its first `limit` bytes and one more.

    Raises `CutError` if the compressed data is damaged or cut, `ValueError` for another coding than gzip.
    """
    name = (coding or "identity").strip().lower()
    if name == "identity":
        return data
    if name not in {"gzip", "x-gzip"}:  # RFC 9110 section 8.4.1.3
        raise ValueError(f"found content coding {shown(name)}, wanted gzip or none")
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and data:  # RFC 1952 section 2.2: members follow each other
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            parts.append(member.decompress(data, left))
        except zlib.error as error:
            raise CutError(f"its compression is damaged: {error}") from error
        left -= len(parts[-1])
        if left > 0 and not member.eof:
            raise CutError("its compressed data is cut")
        data = member.unused_data
    return b"".join(parts)


def _until(expires: str | None, date: str | None) -> float:
    if expires is None:  # the usual case, where no date need be parsed
        return DEFAULT_FRESH_S
    at, answered = _moment(expires), _moment(date)
    return DEFAULT_FRESH_S if at is None or answered is None else at - answered


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None


def _moment(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
