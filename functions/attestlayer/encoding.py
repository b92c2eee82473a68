"""Strict text encodings: decimal numbers, base64, hashes, times, identifiers.

Each value has exactly one spelling: a parser formats what it read and compares. Everything raises
`ValueError` with what was found and what was wanted; the document parsers add where.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NewType

from attestlayer.visible import quoted, visible

Hash = NewType("Hash", bytes)
"""A SHA-256 value, 32 bytes."""

HASH_LENGTH = 32
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON implementation keeps (RFC 8785 section 3.2.2.3)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_ORIGIN = re.compile(r"[a-z0-9.-]+(/[a-z0-9._-]+)*")
_LANE = re.compile(r"[A-Z][A-Z0-9]{1,15}(-[0-9]{2})?")
_PROFILE = re.compile(r"[a-z][a-z0-9-]{1,47}")
_KIT_ID = re.compile(r"kit_[0-7][0-9A-HJKMNP-TV-Z]{25}")

_ORIGIN_MAX = 255  # bytes; C2SP tlog-cosignature's one-byte length


def sha256(data: bytes) -> Hash:
    """The SHA-256 digest of `data` (FIPS 180-4)."""
    return Hash(hashlib.sha256(data).digest())


def shown(value: object, limit: int = 80) -> str:
    """A value as an error message shows it: quoted, escaped, cut short. O(`limit`), however large it is."""
    if isinstance(value, str) and len(value) > limit:
        return f"{quoted(value[:limit])}… ({len(value)} characters)"
    text = ""
    for part in _parts(value, limit):
        text += part
        if len(text) > limit and not isinstance(value, str):
            return f"{text[:limit]}…"
    return text


def _parts(value: object, limit: int) -> Iterator[str]:
    """The parts of a value's spelling in Python, with strings made visible and cut after `limit`."""
    if isinstance(value, str):
        yield quoted(value[: limit + 1])
    elif isinstance(value, dict):
        yield "{"
        for number, (name, item) in enumerate(value.items()):
            yield f"{', ' if number else ''}{quoted(name[:limit])}: "
            yield from _parts(item, limit)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _parts(item, limit)
        yield "]"
    else:
        yield visible(repr(value[: limit + 1] if isinstance(value, bytes) else value))


def byte_order(name: str) -> bytes:
    """The sort key of names: their bytes (REG-1.0 section 1.2); of a file's name, those on disk."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which Windows takes in a name
        return name.encode("utf-8", "surrogatepass")


def parse_decimal(text: str, maximum: int = MAX_INTEGER, minimum: int = 0) -> int:
    """A decimal integer `minimum` … `maximum`: ASCII digits, no sign, no leading zero."""
    # int() takes signs, spaces, underscores and digits of every script: the pattern comes first.
    if not _DECIMAL.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise ValueError(f"{shown(text)} is not a decimal integer from {minimum} to {maximum}")
    return int(text)


def format_base64url(data: bytes) -> str:
    """base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def parse_base64url(text: str, length: int) -> bytes:
    """`length` bytes from canonical base64url without padding."""
    try:
        # b64decode drops characters outside the alphabet and ignores trailing bits: only formatting again
        # shows both.
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, UnicodeEncodeError):
        data = b""
    if len(data) != length or format_base64url(data) != text:
        raise ValueError(f"{shown(text)} is not {length} bytes in unpadded base64url")
    return data


def format_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4), as C2SP texts use it."""
    return base64.b64encode(data).decode("ascii")


def parse_base64(text: str) -> bytes:
    """Bytes from canonical standard base64 with padding."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, UnicodeEncodeError):
        data = b""
    if not data or format_base64(data) != text:
        raise ValueError(f"{shown(text)} is not canonical base64 with padding")
    return data


def format_hash(value: bytes) -> str:
    """A hash as documents write it: base64url without padding, 43 characters."""
    return format_base64url(value)


def parse_hash(text: str) -> Hash:
    """A SHA-256 value from its 43 characters."""
    return Hash(parse_base64url(text, HASH_LENGTH))


def format_time(seconds: int) -> str:
    """RFC 3339 UTC, whole seconds: `2026-01-31T23:59:59Z`. `seconds` are POSIX seconds."""
    return date_of(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_of(seconds: int) -> datetime:
    """The date of POSIX seconds. Raises `ValueError` after the year 9999.

    Counted from 1970, because some platforms' own conversion ends at the year 3000.
    """
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{seconds} seconds lie outside the years that a date can have") from error


def parse_time(text: str) -> int:
    """POSIX seconds from RFC 3339 UTC, whole seconds 00–59, a date from 1970 to 9999 that exists."""
    match = _TIME.fullmatch(text)
    try:
        when = datetime(*(int(part) for part in match.groups()), tzinfo=UTC) if match else None  # type: ignore[arg-type,misc]
    except ValueError:
        when = None
    if when is None or when.year < 1970:
        raise ValueError(f"{shown(text)} is not a time like 2026-01-31T23:59:59Z")
    return int(when.timestamp())


def parse_origin(text: str) -> str:
    """A registry's origin: its host and path without a scheme, at most 255 bytes."""
    if len(text) > _ORIGIN_MAX or not _ORIGIN.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an origin like registry.example.org")
    return text


def parse_lane_id(text: str) -> str:
    """A lane, such as `PAY-01`."""
    return _matching(_LANE, text, "a lane like PAY-01")


def parse_profile_id(text: str) -> str:
    """A profile of a lane, such as `wire-transfer`."""
    return _matching(_PROFILE, text, "a profile like wire-transfer")


def parse_kit_id(text: str) -> str:
    """`kit_` and a ULID in Crockford's base32."""
    return _matching(_KIT_ID, text, "a kit id like kit_01J9ZX3A8B5C6D7E8F9GAHBKCM")


def _matching(pattern: re.Pattern[str], text: str, wanted: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{shown(text)} is not {wanted}")
    return text
