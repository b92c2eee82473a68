"""Audit of what the ledger's packets name: records, sealed kits, receipts, nonces."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attestlayer.encoding import format_hash, sha256
from attestlayer.errors import VerificationError
from attestlayer.kit.receipt import parse_receipt
from attestlayer.log import layout
from attestlayer.log.leaf import Leaf, parse_entry, parse_record
from issuer.audit.findings import LEDGER, Examiner, PrivateReason
from issuer.errors import StoreError
from issuer.kits.names import record_object, sealed_object
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.model import Issued, Packet, PacketState, Record

_PAGE = 1000
_KEPT = frozenset({PacketState.READY, PacketState.SEALED, PacketState.ISSUED})
"""States in which every record was there when they were reached."""


@dataclass
class PacketsAudit:
    """Looks at every packet. `named`: the objects that they speak of."""

    examiner: Examiner
    named: set[str] = field(default_factory=set)

    def run(self) -> set[str]:
        """Check each; the names of the records and sealed kits that they speak of."""
        try:
            for number, packet in enumerate(self._packets()):
                self.examiner.progress("packets", number, number)
                self._check(packet)
        except StoreError as error:  # a row that can't be read: those behind it are not reached
            self.examiner.find(LEDGER, PrivateReason.LEDGER_DAMAGED, error.detail)
        return self.named

    def _check(self, packet: Packet) -> None:
        for record in packet.records if packet.state != PacketState.WITHDRAWN else ():
            self._check_record(packet, record)
        if packet.issued:
            self._check_sealed(packet, packet.issued)
            self._check_receipt(packet, packet.issued)

    @property
    def _now(self) -> float:
        return self.examiner.ports.log.clock.now()

    def _packets(self) -> Iterator[Packet]:
        ledger = self.examiner.ports.log.ledger
        for workspace in ledger.workspaces():
            after: str | None = None
            while page := ledger.packets(workspace.workspace_id, after, _PAGE):
                yield from page
                after = page[-1].packet_id

    def _check_record(self, packet: Packet, record: Record) -> None:
        name = record_object(packet.packet_id, record)
        self.named.add(name)
        if found := self._digest(name):
            self.examiner.hashed(name, *found, record.sha256)
        elif packet.state in _KEPT and record.submitted_at >= RECORDS_KEPT.sure(self._now):
            self.examiner.find(
                name, PrivateReason.MISSING, f"found no object, {packet.packet_id} is {packet.state}"
            )

    def _check_sealed(self, packet: Packet, issued: Issued) -> None:
        """The sealed kit is there until it is delivered, and for its retention."""
        name = sealed_object(issued.kit_digest)
        self.named.add(name)
        if found := self._digest(name):
            self.examiner.hashed(name, *found, issued.kit_digest)
        elif packet.state != PacketState.ISSUED or issued.issued_at >= KITS_KEPT.sure(self._now):
            self.examiner.find(
                name, PrivateReason.MISSING, f"found no object, {issued.kit_id} was sealed as it"
            )

    def _check_receipt(self, packet: Packet, issued: Issued) -> None:
        """The receipt that the partner was given is the one that the leaf states; its nonce is used."""
        leaf = self._leaf(issued)
        if leaf is None:
            return
        problem = _mismatch(issued, leaf)
        if problem:
            self.examiner.find(
                LEDGER, PrivateReason.RECEIPT_MISMATCH, f"packet {packet.packet_id}: {problem}"
            )
        if not self.examiner.ports.log.ledger.nonce_used(leaf.client_nonce_hash):
            detail = (
                f"leaf {format_hash(issued.leaf_hash)}: nonce {format_hash(leaf.client_nonce_hash)} is unused"
            )
            self.examiner.find(LEDGER, PrivateReason.NONCE_MISSING, detail)

    def _leaf(self, issued: Issued) -> Leaf | None:
        """The leaf, from the log or from those that wait; None if it is in neither, or damaged there."""
        data = self.examiner.public.read(layout.entry_path(issued.leaf_hash))
        waiting = self.examiner.ports.log.ledger.waiting_leaf(issued.leaf_hash)
        try:
            if data is not None:
                return parse_record(data).leaf
            return parse_entry(waiting.entry) if waiting else None
        except (ValueError, VerificationError) as error:
            if data is None:
                self.examiner.find(
                    LEDGER, PrivateReason.MALFORMED, f"waiting leaf {format_hash(issued.leaf_hash)}: {error}"
                )
            return None

    def _digest(self, name: str) -> tuple[bytes, int] | None:
        """SHA-256 and length of a private object, or None. It may be as large as a kit: by way of a file."""
        with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=self.examiner.ports.scratch) as folder:
            path = Path(folder, "object")
            try:
                if not self.examiner.private.fetch(name, path):
                    return None
            except StoreError as error:
                self.examiner.find(name, PrivateReason.UNREADABLE, error.detail)
                return None
            length = path.stat().st_size
            self.examiner.count(length)
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest(), length


def _mismatch(issued: Issued, leaf: Leaf) -> str | None:
    """How a packet's receipt and its leaf disagree, or None."""
    if leaf.hash() != issued.leaf_hash:
        return f"its leaf hashes to {format_hash(leaf.hash())}, wanted {format_hash(issued.leaf_hash)}"
    if sha256(issued.receipt) != leaf.statement_hash:
        found = format_hash(sha256(issued.receipt))
        return f"its receipt hashes to {found}, the leaf states {format_hash(leaf.statement_hash)}"
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
