"""Leaves of the registry, and the registry receipts that prove them (REG-1.0 sections 3 and 8).

The *payload* is ten members, hashes and minimal metadata of one issued kit; its canonical bytes are the
log's entry. The *leaf record* adds the entry's RFC 6962 leaf hash. The *registry receipt* adds the leaf's
place in the log, its audit path and the checkpoint that holds it.
"""

from dataclasses import dataclass

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_constant,
    take_document,
    take_hash,
    take_integer,
    take_object,
    take_string,
    take_time,
    take_value,
)
from attestlayer.encoding import (
    Hash,
    format_base64,
    format_hash,
    format_time,
    parse_hash,
    parse_lane_id,
    parse_profile_id,
    shown,
)
from attestlayer.errors import Reason, malformed
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.merkle import check_inclusion, leaf_hash
from attestlayer.log.note import Note, parse_note
from attestlayer.log.tiles import MAX_ENTRY

OUTCOME = "PASS"
"""Only issued kits make leaves."""

_PAYLOAD = (
    "client_nonce_hash",
    "intake_policy_hash",
    "issued_at",
    "issuer_kid",
    "kit_digest",
    "lane_id",
    "manifest_root",
    "outcome",
    "profile_id",
    "statement_hash",
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf payload. Hashes are 32 bytes, `issued_at` POSIX seconds."""

    client_nonce_hash: Hash
    intake_policy_hash: Hash
    issued_at: int
    issuer_kid: str
    kit_digest: Hash
    lane_id: str
    manifest_root: Hash
    profile_id: str
    statement_hash: Hash

    def members(self) -> Members:
        """The ten members of the payload."""
        return {
            "client_nonce_hash": format_hash(self.client_nonce_hash),
            "intake_policy_hash": format_hash(self.intake_policy_hash),
            "issued_at": format_time(self.issued_at),
            "issuer_kid": self.issuer_kid,
            "kit_digest": format_hash(self.kit_digest),
            "lane_id": self.lane_id,
            "manifest_root": format_hash(self.manifest_root),
            "outcome": OUTCOME,
            "profile_id": self.profile_id,
            "statement_hash": format_hash(self.statement_hash),
        }

    def entry(self) -> bytes:
        """The log entry: the payload's canonical bytes."""
        return format_json(self.members())

    def hash(self) -> Hash:
        """The RFC 6962 leaf hash of the entry."""
        return leaf_hash(self.entry())

    def record(self) -> "LeafRecord":
        """The leaf record of this payload."""
        return LeafRecord(self, self.hash())


@dataclass(frozen=True, slots=True)
class LeafRecord:
    """A payload with the leaf hash that its document states; `check` compares them."""

    leaf: Leaf
    leaf_hash: Hash

    def members(self) -> Members:
        """The eleven members of the record."""
        return {**self.leaf.members(), "leaf_hash": format_hash(self.leaf_hash)}

    def format(self) -> bytes:
        """The record as `/v1/entries/{leaf_hash}.json` serves it."""
        return format_json(self.members())


def parse_entry(data: bytes) -> Leaf:
    """A log entry. Raises `FormatError` (leaf-malformed)."""
    with malformed(Reason.LEAF_MALFORMED, "log entry"):
        return _take_leaf(take_object(parse_json(data, MAX_ENTRY), _PAYLOAD))


def parse_record(data: bytes) -> LeafRecord:
    """A leaf record. Raises `FormatError` (leaf-malformed); the hash is read, not checked."""
    with malformed(Reason.LEAF_MALFORMED, "leaf record"):
        return take_record(parse_json(data, MAX_ENTRY))


def take_record(value: Json) -> LeafRecord:
    """A leaf record from parsed JSON. Raises `ValueError`."""
    members = take_object(value, (*_PAYLOAD, "leaf_hash"))
    return LeafRecord(_take_leaf(members), take_hash(members, "leaf_hash"))


def _take_leaf(members: Members) -> Leaf:
    take_constant(members, "outcome", OUTCOME)
    take_value(members, "issuer_kid", parse_hash)
    return Leaf(
        client_nonce_hash=take_hash(members, "client_nonce_hash"),
        intake_policy_hash=take_hash(members, "intake_policy_hash"),
        issued_at=take_time(members, "issued_at"),
        issuer_kid=take_string(members, "issuer_kid"),
        kit_digest=take_hash(members, "kit_digest"),
        lane_id=take_value(members, "lane_id", parse_lane_id),
        manifest_root=take_hash(members, "manifest_root"),
        profile_id=take_value(members, "profile_id", parse_profile_id),
        statement_hash=take_hash(members, "statement_hash"),
    )


MAX_PATH = 53
"""Hashes of the longest audit path: tree sizes are below 2^53."""

_REGISTRY_RECEIPT = ("audit_path", "checkpoint", "leaf", "leaf_index", "note")


@dataclass(frozen=True, slots=True)
class RegistryReceipt:
    """A registry receipt. `audit_path` leads from the leaf to the checkpoint's root."""

    record: LeafRecord
    leaf_index: int
    audit_path: tuple[Hash, ...]
    checkpoint: Checkpoint
    note: Note

    def format(self) -> bytes:
        """The canonical bytes of the receipt."""
        path: list[Json] = [format_hash(value) for value in self.audit_path]
        return format_json(
            {
                "schema": "attestlayer/registry-receipt/1",
                "leaf": self.record.members(),
                "leaf_index": self.leaf_index,
                "audit_path": path,
                "checkpoint": self.checkpoint.members(),
                "note": self.note.format(),
            }
        )

    def check_inclusion(self) -> None:
        """Check the audit path from the leaf's own hash. Raises `VerificationError`."""
        # From the payload, never from the stated leaf hash: else a receipt could prove a leaf that it does
        # not show.
        check_inclusion(self.record.leaf.hash(), self.leaf_index, self.checkpoint.head, self.audit_path)

    def tlog_proof(self) -> str:
        """The same proof as a C2SP tlog-proof (`.tlog-proof`)."""
        path = "".join(f"{format_base64(value)}\n" for value in self.audit_path)
        return f"c2sp.org/tlog-proof@v1\nindex {self.leaf_index}\n{path}\n{self.note.format()}"


def parse_registry_receipt(data: bytes) -> RegistryReceipt:
    """A registry receipt; nothing but its form is checked.

    Raises `FormatError` (registry-receipt-malformed, note-malformed), `CouldNotCheckError`.
    """
    with malformed(Reason.REGISTRY_RECEIPT_MALFORMED, "registry receipt"):
        members = take_document(parse_json(data), "registry-receipt", _REGISTRY_RECEIPT)
        path = take_array(members, "audit_path")
        if len(path) > MAX_PATH:
            raise ValueError(f"audit_path: {len(path)} hashes, at most {MAX_PATH} are possible")
        return RegistryReceipt(
            record=take_record(members["leaf"]),
            leaf_index=take_integer(members, "leaf_index"),
            audit_path=tuple(_take_hash(item) for item in path),
            checkpoint=take_checkpoint(members["checkpoint"]),
            note=parse_note(take_string(members, "note")),
        )


def _take_hash(value: Json) -> Hash:
    if not isinstance(value, str):
        raise ValueError(f"audit_path: found {shown(value)}, wanted a hash")
    return parse_hash(value)
