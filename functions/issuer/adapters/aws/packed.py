"""Records as they are put into items: compressed, since DynamoDB counts what it writes by the kilobyte."""

import zlib

from issuer.errors import StoreError


def packed(text: str) -> bytes:
    """The text in zlib's format (RFC 1950)."""
    return zlib.compress(text.encode(), 6)


def unpacked(data: bytes) -> str:
    """The text that gave `data`. Raises `StoreError` if it is damaged."""
    try:
        return zlib.decompress(data).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise StoreError(f"a stored record can't be unpacked: {error}") from None
