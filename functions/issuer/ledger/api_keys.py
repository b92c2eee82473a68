"""API keys as text: a prefix, 32 random bytes in base62, a checksum, so that a typo is refused offline."""

import re
import zlib

from attestlayer.encoding import sha256
from issuer.errors import Code, ServiceError

LIVE = "al_live_"
TEST = "al_test_"
RANDOM_LENGTH = 32

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS = 43  # 62^43 > 2^256
_CHECK_DIGITS = 6  # 62^6 > 2^32
_KEY = re.compile(rf"al_(live|test)_[0-9A-Za-z]{{{_RANDOM_DIGITS + _CHECK_DIGITS}}}")


def format_api_key(prefix: str, random: bytes) -> str:
    """The key's text, shown once."""
    body = prefix + _base62(int.from_bytes(random, "big"), _RANDOM_DIGITS)
    return body + _checksum(body)


def hash_api_key(text: str) -> bytes:
    """What is stored of a key: SHA-256 of its text. Raises UNAUTHENTICATED if it can't be a key."""
    if not _KEY.fullmatch(text) or _checksum(text[:-_CHECK_DIGITS]) != text[-_CHECK_DIGITS:]:
        raise ServiceError(
            Code.UNAUTHENTICATED, f"the text is no API key: wanted {LIVE}… or {TEST}… with a right checksum"
        )
    return sha256(text.encode("ascii"))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
