"""The signed statement `receipt.json`, and the client nonce that it binds (REG-1.0 sections 4 and 5)."""

from dataclasses import dataclass

from attestlayer.canonical import (
    Members,
    format_json,
    parse_json,
    take_constant,
    take_document,
    take_hash,
    take_optional,
    take_string,
    take_time,
    take_value,
)
from attestlayer.encoding import (
    Hash,
    format_base64url,
    format_hash,
    format_time,
    parse_base64url,
    parse_hash,
    parse_kit_id,
    parse_lane_id,
    parse_origin,
    parse_profile_id,
    sha256,
    shown,
)
from attestlayer.errors import Reason, malformed
from attestlayer.keys import SIGNATURE_LENGTH
from attestlayer.log.leaf import OUTCOME
from attestlayer.log.promises import MERGE_DELAY_S

BOUNDARY = "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."
ISSUER = "AttestLayer"

_RECEIPT = (
    "boundary",
    "client_nonce_hash",
    "hash_trail_head",
    "intake_policy_hash",
    "issued_at",
    "issuer",
    "issuer_kid",
    "kit_id",
    "lane_id",
    "manifest_root",
    "manifest_sha256",
    "merge_by",
    "origin",
    "outcome",
    "profile_id",
    "signature",
    "supersedes",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt. Hashes are 32 bytes, times POSIX seconds; `signature` is 64 bytes, empty while unsigned."""

    origin: str
    kit_id: str
    lane_id: str
    profile_id: str
    issued_at: int
    issuer_kid: str
    manifest_sha256: Hash
    manifest_root: Hash
    hash_trail_head: Hash
    intake_policy_hash: Hash
    client_nonce_hash: Hash
    supersedes: str | None
    signature: bytes = b""

    @property
    def merge_by(self) -> int:
        """When its leaf is in a checkpoint at the latest."""
        return self.issued_at + MERGE_DELAY_S

    def signed_bytes(self) -> bytes:
        """The signed bytes: the canonical bytes without `signature`."""
        return format_json(self._statement())

    def format(self) -> bytes:
        """The bytes of the file, which has one spelling."""
        return format_json({**self._statement(), "signature": format_base64url(self.signature)})

    def _statement(self) -> Members:
        return {
            "schema": "attestlayer/receipt/1",
            "origin": self.origin,
            "kit_id": self.kit_id,
            "lane_id": self.lane_id,
            "profile_id": self.profile_id,
            "outcome": OUTCOME,
            "issued_at": format_time(self.issued_at),
            "merge_by": format_time(self.merge_by),
            "issuer": ISSUER,
            "issuer_kid": self.issuer_kid,
            "manifest_sha256": format_hash(self.manifest_sha256),
            "manifest_root": format_hash(self.manifest_root),
            "hash_trail_head": format_hash(self.hash_trail_head),
            "intake_policy_hash": format_hash(self.intake_policy_hash),
            "client_nonce_hash": format_hash(self.client_nonce_hash),
            "boundary": BOUNDARY,
            "supersedes": self.supersedes,
        }


def parse_receipt(data: bytes) -> Receipt:
    """A receipt, signature unchecked. Raises `FormatError` (receipt-malformed), `CouldNotCheckError`."""
    with malformed(Reason.RECEIPT_MALFORMED, "receipt.json"):
        return _parse_receipt(data)


def _parse_receipt(data: bytes) -> Receipt:
    members = take_document(parse_json(data), "receipt", _RECEIPT)
    take_constant(members, "boundary", BOUNDARY)
    take_constant(members, "issuer", ISSUER)
    take_constant(members, "outcome", OUTCOME)
    take_value(members, "issuer_kid", parse_hash)
    receipt = Receipt(
        origin=take_value(members, "origin", parse_origin),
        kit_id=take_value(members, "kit_id", parse_kit_id),
        lane_id=take_value(members, "lane_id", parse_lane_id),
        profile_id=take_value(members, "profile_id", parse_profile_id),
        issued_at=take_time(members, "issued_at"),
        issuer_kid=take_string(members, "issuer_kid"),
        manifest_sha256=take_hash(members, "manifest_sha256"),
        manifest_root=take_hash(members, "manifest_root"),
        hash_trail_head=take_hash(members, "hash_trail_head"),
        intake_policy_hash=take_hash(members, "intake_policy_hash"),
        client_nonce_hash=take_hash(members, "client_nonce_hash"),
        supersedes=take_optional(members, "supersedes", parse_kit_id),
        signature=take_value(members, "signature", lambda text: parse_base64url(text, SIGNATURE_LENGTH)),
    )
    take_constant(members, "merge_by", format_time(receipt.merge_by))
    return receipt


NONCE_HEADER = "attestlayer-nonce/1"
RANDOM_LENGTH = 32
NO_CHECKPOINT = "-"

_MAX_NONCE_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Nonce:
    """A client nonce: hash of the newest checkpoint its maker saw, or None, and 32 random bytes."""

    checkpoint: Hash | None
    random: bytes

    def format(self) -> bytes:
        """The bytes of the file, which has one spelling."""
        named = NO_CHECKPOINT if self.checkpoint is None else format_hash(self.checkpoint)
        return f"{NONCE_HEADER}\n{named}\n{format_base64url(self.random)}\n".encode("ascii")

    def hash(self) -> Hash:
        """`client_nonce_hash`: SHA-256 of the file."""
        return sha256(self.format())


def parse_nonce(data: bytes) -> Nonce:
    """A client nonce file. Raises `FormatError` (nonce-malformed)."""
    with malformed(Reason.NONCE_MALFORMED, "client nonce"):
        if len(data) > _MAX_NONCE_LENGTH or not data.isascii():
            raise ValueError(
                f"{len(data)} bytes, wanted three lines of ASCII, {_MAX_NONCE_LENGTH} bytes at most"
            )
        lines = data.decode("ascii").split("\n")
        if len(lines) != 4 or lines[3] or lines[0] != NONCE_HEADER:
            raise ValueError(f"found {shown(data)}, wanted three lines of which the first is {NONCE_HEADER}")
        checkpoint = None if lines[1] == NO_CHECKPOINT else parse_hash(lines[1])
        return Nonce(checkpoint, parse_base64url(lines[2], RANDOM_LENGTH))
