"""Makes signature lines of notes (C2SP signed-note, tlog-cosignature), as logs and witnesses do."""

from attestlayer.keys import PrivateKey
from attestlayer.log.note import Signature, VerifierKey


def sign_note(text: str, key: VerifierKey, private: PrivateKey) -> Signature:
    """A type 0x01 signature line over `text`."""
    return Signature(key.name, key.key_id, private.sign(text.encode()))


def cosign_note(text: str, key: VerifierKey, private: PrivateKey, time: int) -> Signature:
    """A type 0x04 cosignature line over `text` at `time` (POSIX seconds)."""
    signature = private.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return Signature(key.name, key.key_id, time.to_bytes(8, "big") + signature)
