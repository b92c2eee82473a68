"""The client nonce file: three lines made on the client's side before submission (REG-1.0 section 5)."""

from dataclasses import dataclass

from attestlayer.encoding import (
    Hash,
    format_base64url,
    format_hash,
    parse_base64url,
    parse_hash,
    sha256,
    shown,
)
from attestlayer.errors import Reason, malformed

HEADER = "attestlayer-nonce/1"
RANDOM_LENGTH = 32
NO_CHECKPOINT = "-"

_MAX_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Nonce:
    """A client nonce: hash of the newest checkpoint its maker saw, or None, and 32 random bytes."""

    checkpoint: Hash | None
    random: bytes

    def format(self) -> bytes:
        """The file's bytes."""
        named = NO_CHECKPOINT if self.checkpoint is None else format_hash(self.checkpoint)
        return f"{HEADER}\n{named}\n{format_base64url(self.random)}\n".encode("ascii")

    def hash(self) -> Hash:
        """`client_nonce_hash`: SHA-256 of the file."""
        return sha256(self.format())


def parse_nonce(data: bytes) -> Nonce:
    """A client nonce file. Raises `FormatError` (nonce-malformed)."""
    with malformed(Reason.NONCE_MALFORMED, "client nonce"):
        if len(data) > _MAX_LENGTH or not data.isascii():
            raise ValueError(f"{len(data)} bytes, wanted three lines of ASCII, {_MAX_LENGTH} bytes at most")
        lines = data.decode("ascii").split("\n")
        if len(lines) != 4 or lines[3] or lines[0] != HEADER:
            raise ValueError(f"found {shown(data)}, wanted three lines of which the first is {HEADER}")
        checkpoint = None if lines[1] == NO_CHECKPOINT else parse_hash(lines[1])
        return Nonce(checkpoint, parse_base64url(lines[2], RANDOM_LENGTH))
