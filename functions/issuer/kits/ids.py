"""Identifiers: a prefix and a ULID, so that they sort by time of making."""

from ulid import ULID

from issuer.ports import Entropy

_RANDOM_LENGTH = 10


def make_id(prefix: str, now: float, entropy: Entropy) -> str:
    """`<prefix>_` and 26 characters of Crockford base32: milliseconds of `now`, then 80 random bits."""
    milliseconds = int(now * 1000).to_bytes(6, "big")
    return f"{prefix}_{ULID.from_bytes(milliseconds + entropy.token(_RANDOM_LENGTH))}"
