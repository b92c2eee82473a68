"""The registry receipt: a leaf, its place in the log, and the checkpoint holding it (REG-1.0 section 8)."""

from dataclasses import dataclass

from attestlayer.canonical import (
    Json,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_integer,
    take_string,
)
from attestlayer.encoding import Hash, format_base64, format_hash, parse_hash, shown
from attestlayer.errors import Reason, malformed
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.leaf import LeafRecord, take_record
from attestlayer.log.merkle import check_inclusion
from attestlayer.log.note import Note, parse_note

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
        """The file's bytes."""
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
