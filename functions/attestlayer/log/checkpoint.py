"""Checkpoints (signed tree heads), as chained JSON and as C2SP tlog-checkpoint text (REG-1.0 section 9)."""

from dataclasses import dataclass
from functools import lru_cache

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_document,
    take_hash,
    take_integer,
    take_optional,
    take_string,
    take_time,
    take_value,
)
from attestlayer.encoding import (
    Hash,
    format_base64,
    format_base64url,
    format_hash,
    format_time,
    parse_base64,
    parse_base64url,
    parse_decimal,
    parse_hash,
    parse_origin,
    sha256,
    shown,
)
from attestlayer.errors import Reason, malformed
from attestlayer.keys import SIGNATURE_LENGTH
from attestlayer.log.merkle import EMPTY_ROOT, TreeHead

_CHECKPOINT = (
    "kid",
    "notices_hash",
    "origin",
    "prev_checkpoint_hash",
    "root_hash",
    "sequence",
    "signature",
    "timestamp",
    "tree_size",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head. Hashes are 32 bytes, `timestamp` POSIX seconds, `signature` 64 bytes or empty."""

    origin: str
    sequence: int
    head: TreeHead
    timestamp: int
    prev_checkpoint_hash: Hash | None
    notices_hash: Hash
    kid: str
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """The signed bytes: the canonical bytes without `signature`."""
        return format_json(self._statement())

    def members(self) -> Members:
        """The checkpoint as a JSON object, signature included."""
        return {**self._statement(), "signature": format_base64url(self.signature)}

    def format(self) -> bytes:
        """The object's bytes; their SHA-256 is its name."""
        return _formatted(self)

    def hash(self) -> Hash:
        """The checkpoint's name: SHA-256 of its object."""
        return sha256(self.format())

    def note_text(self) -> str:
        """The same tree head as C2SP tlog-checkpoint text, without extension lines."""
        return f"{self.origin}\n{self.head.size}\n{format_base64(self.head.root)}\n"

    def _statement(self) -> Members:
        previous = self.prev_checkpoint_hash
        return {
            "schema": "attestlayer/checkpoint/1",
            "origin": self.origin,
            "sequence": self.sequence,
            "tree_size": self.head.size,
            "root_hash": format_hash(self.head.root),
            "timestamp": format_time(self.timestamp),
            "prev_checkpoint_hash": None if previous is None else format_hash(previous),
            "notices_hash": format_hash(self.notices_hash),
            "kid": self.kid,
        }


@lru_cache(maxsize=16)
def _formatted(checkpoint: Checkpoint) -> bytes:
    """An audit names, hashes, links and bundles each checkpoint of a chain, one after the other."""
    return format_json(checkpoint.members())


@dataclass(frozen=True, slots=True)
class NoteBody:
    """The contents of a C2SP checkpoint text: origin and tree head."""

    origin: str
    head: TreeHead


def parse_checkpoint(data: bytes) -> Checkpoint:
    """A checkpoint object. Raises `FormatError` (checkpoint-malformed), `CouldNotCheckError`."""
    with malformed(Reason.CHECKPOINT_MALFORMED, "checkpoint"):
        return take_checkpoint(parse_json(data))


def take_checkpoint(value: Json) -> Checkpoint:
    """A checkpoint from parsed JSON. Raises `ValueError`; the signature is not checked."""
    members = take_document(value, "checkpoint", _CHECKPOINT)
    take_value(members, "kid", parse_hash)
    checkpoint = Checkpoint(
        origin=take_value(members, "origin", parse_origin),
        sequence=take_integer(members, "sequence"),
        head=TreeHead(take_integer(members, "tree_size"), take_hash(members, "root_hash")),
        timestamp=take_time(members, "timestamp"),
        prev_checkpoint_hash=take_optional(members, "prev_checkpoint_hash", parse_hash),
        notices_hash=take_hash(members, "notices_hash"),
        kid=take_string(members, "kid"),
        signature=take_value(members, "signature", lambda text: parse_base64url(text, SIGNATURE_LENGTH)),
    )
    # REG-1.0 section 11, rule 1: the chain begins with the empty tree, and only its first checkpoint has no
    # predecessor.
    if (checkpoint.sequence == 0) != (checkpoint.prev_checkpoint_hash is None):
        raise ValueError("prev_checkpoint_hash: null for sequence 0, and for no other")
    if checkpoint.sequence == 0 and checkpoint.head.size != 0:
        raise ValueError("tree_size: sequence 0 is the empty tree")
    if checkpoint.head.size == 0 and checkpoint.head.root != EMPTY_ROOT:
        raise ValueError("root_hash: not the hash of the empty tree")
    return checkpoint


def parse_note_body(text: str) -> NoteBody:
    """The text of a C2SP checkpoint without extension lines. Raises `FormatError` (note-malformed)."""
    with malformed(Reason.NOTE_MALFORMED, "checkpoint text"):
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise ValueError(f"found {shown(text)}, wanted three lines: origin, size, root hash")
        root = parse_base64(lines[2])
        if len(root) != len(EMPTY_ROOT):
            raise ValueError(f"root hash of {len(root)} bytes, wanted {len(EMPTY_ROOT)}")
        return NoteBody(parse_origin(lines[0]), TreeHead(parse_decimal(lines[1]), Hash(root)))
