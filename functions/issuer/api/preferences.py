"""Request headers that say what a caller would like: Accept (RFC 9110) and Prefer (RFC 7240)."""

import re

MAX_WAIT_S = 25
"""Seconds that an answer may be held back: less than any gateway's patience (HTTP API: 30 s)."""

_WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,4})"?\s*', re.IGNORECASE | re.ASCII)
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)


def choose_media_type(accept: str | None, offered: tuple[str, ...]) -> str:
    """The offered media type that `accept` prefers; the first one on a tie, or if it wants none of them."""
    ranges = [_parse_range(part) for part in (accept or "*/*").split(",")]
    best = max(offered, key=lambda media_type: _quality(ranges, media_type))
    return best if _quality(ranges, best) else offered[0]


def parse_wait(prefer: str | None) -> int:
    """Seconds to wait by `Prefer: wait=N`, at most `MAX_WAIT_S`; 0 without it."""
    for part in re.split("[,;]", prefer or ""):
        if match := _WAIT.fullmatch(part):
            return min(int(match[1]), MAX_WAIT_S)
    return 0


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if match := _QUALITY.fullmatch(parameter):
            return media_range, float(match[1])
    return media_range, 1.0


def _quality(ranges: list[tuple[str, float]], media_type: str) -> float:
    """By the most specific range that covers the type."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == wanted:
                return quality
    return 0.0
