"""Audit of what packets in the ledger refer to: records, sealed kits, receipts, nonces."""

import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.errors import VerificationError
from attestlayer.kit.receipt import parse_receipt
from attestlayer.log import layout
from attestlayer.log.leaf import Leaf, parse_entry, parse_record
from issuer.audit.findings import LEDGER, Inspection, PrivateReason
from issuer.errors import StoreError
from issuer.kits.names import delivered_object, record_object, sealed_object
from issuer.kits.retention import due
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.ledger.whole import all_packets
from issuer.model import Issued, Packet, PacketState, Record

MAINTAINED_S = 2 * 86_400
"""Seconds after the end of a retention until which maintenance, which runs daily, must have kept it."""

_KEPT = frozenset({PacketState.READY, PacketState.SEALED, PacketState.ISSUED})
"""States that a packet reaches only with every record stored."""


@dataclass
class PacketsAudit:
    """Checks every packet. `named`: the private objects that packets refer to, as far as they were read."""

    inspection: Inspection
    named: set[str] = field(default_factory=set)

    def run(self) -> set[str]:
        """Check each packet. Returns the names of all records and sealed kits that packets refer to."""
        try:
            for number, packet in enumerate(all_packets(self.inspection.ports.log.ledger)):
                self.inspection.progress("packets", number, number)
                self._check(packet)
        except StoreError as error:  # an unreadable row ends the listing: later packets go unchecked
            self.inspection.find(LEDGER, PrivateReason.LEDGER_DAMAGED, error.detail)
        return self.named

    def _check(self, packet: Packet) -> None:
        for record in packet.records:
            self._check_record(packet, record)
        self._check_retention(packet)
        if packet.issued:
            self._check_sealed(packet, packet.issued)
            self._check_receipt(packet, packet.issued)

    @property
    def _now(self) -> float:
        return self.inspection.ports.log.clock.now()

    def _check_record(self, packet: Packet, record: Record) -> None:
        name = record_object(packet.packet_id, record)
        self.named.add(name)
        if stored := self._digest(name):
            self.inspection.hashed(name, *stored, record.sha256)
        # Before `ready` a record may not be uploaded yet; past its retention it may be deleted.
        elif packet.state in _KEPT and record.submitted_at >= RECORDS_KEPT.sure(self._now):
            self.inspection.find(
                name, PrivateReason.MISSING, f"found no object, {packet.packet_id} is {packet.state}"
            )

    def _check_sealed(self, packet: Packet, issued: Issued) -> None:
        """The sealed kit is stored until delivery, and after that for its retention."""
        name = sealed_object(issued.kit_digest)
        self.named.add(name)
        if stored := self._digest(name):
            self.inspection.hashed(name, *stored, issued.kit_digest)
        elif packet.deleted_at is None and (
            packet.state != PacketState.ISSUED or issued.issued_at >= KITS_KEPT.sure(self._now)
        ):
            self.inspection.find(
                name, PrivateReason.MISSING, f"found no object, {issued.kit_id} was sealed as it"
            )

    def _check_retention(self, packet: Packet) -> None:
        """Data past its retention is gone from the ledger, and a kit's objects with it."""
        find, since = self.inspection.find, self._now - MAINTAINED_S
        if due(packet, since):
            detail = f"packet {packet.packet_id}: `issuer collect` takes out what is past its retention"
            find(LEDGER, PrivateReason.KEPT_TOO_LONG, detail)
        issued = packet.issued
        if issued is None or packet.deleted_at is None or packet.deleted_at > since:
            return
        for name in (sealed_object(issued.kit_digest), delivered_object(issued.kit_id)):
            if self.inspection.private.exists(name):
                detail = f"packet {packet.packet_id}: its kit was deleted at {format_time(packet.deleted_at)}"
                find(name, PrivateReason.KEPT_TOO_LONG, detail)

    def _check_receipt(self, packet: Packet, issued: Issued) -> None:
        """The leaf commits to the partner's receipt (REG-1.0 section 3), and its nonce is used up."""
        leaf = self._leaf(issued)
        if leaf is None:
            return
        problem = _mismatch(issued, leaf)
        if problem:
            self.inspection.find(
                LEDGER, PrivateReason.RECEIPT_MISMATCH, f"packet {packet.packet_id}: {problem}"
            )
        if not self.inspection.ports.log.ledger.nonce_used(leaf.client_nonce_hash):
            detail = (
                f"leaf {format_hash(issued.leaf_hash)}: nonce {format_hash(leaf.client_nonce_hash)} is unused"
            )
            self.inspection.find(LEDGER, PrivateReason.NONCE_MISSING, detail)

    def _leaf(self, issued: Issued) -> Leaf | None:
        """The packet's leaf, from the log or the queue of waiting leaves.

        None if it is in neither, or damaged.
        """
        # The log before the queue would miss a leaf in between; the queue keeps it until after it is public.
        data = self.inspection.public.read(layout.entry_path(issued.leaf_hash))
        waiting = self.inspection.ports.log.ledger.waiting_leaf(issued.leaf_hash)
        try:
            if data is not None:
                return parse_record(data).leaf
            return parse_entry(waiting.entry) if waiting else None
        except (ValueError, VerificationError) as error:
            if data is None:
                self.inspection.find(
                    LEDGER, PrivateReason.MALFORMED, f"waiting leaf {format_hash(issued.leaf_hash)}: {error}"
                )
            return None

    def _digest(self, name: str) -> tuple[bytes, int] | None:
        """SHA-256 and length of a private object, or None.

        Uses a file, as an object may be as large as a kit.
        """
        with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=self.inspection.ports.scratch) as folder:
            path = Path(folder, "object")
            try:
                if not self.inspection.private.fetch(name, path):
                    return None
            except StoreError as error:
                self.inspection.find(name, PrivateReason.UNREADABLE, error.detail)
                return None
            length = path.stat().st_size
            self.inspection.count(length)
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest(), length


def _mismatch(issued: Issued, leaf: Leaf) -> str | None:
    """How a packet's stored receipt and its leaf disagree, as a sentence; None if they agree."""
    if leaf.hash() != issued.leaf_hash:
        return f"its leaf hashes to {format_hash(leaf.hash())}, wanted {format_hash(issued.leaf_hash)}"
    if sha256(issued.receipt) != leaf.statement_hash:
        digest = format_hash(sha256(issued.receipt))
        return f"its receipt hashes to {digest}, the leaf states {format_hash(leaf.statement_hash)}"
    try:
        receipt = parse_receipt(issued.receipt)
    except VerificationError as error:
        return f"its receipt: {error}"
    pairs = (
        ("kit_id", issued.kit_id, receipt.kit_id),
        ("issued_at", issued.issued_at, receipt.issued_at),
        ("merge_by", issued.merge_by, receipt.merge_by),
        ("kit_digest", format_hash(issued.kit_digest), format_hash(leaf.kit_digest)),
    )
    return next((f"{name} is {one}, wanted {other}" for name, one, other in pairs if one != other), None)
