"""Compares ledger and log: every credit has its leaf, every leaf its debit, every packet its kit.

It only reads and may run while the service works: the ledger is read before the log, which only grows, and a
finding counts only if a second look confirms it.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from attestlayer.canonical import parse_json, take_hash, take_members, take_string
from attestlayer.encoding import Hash, format_hash, parse_hash, shown
from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.manifest import RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import parse_receipt
from attestlayer.log.leaf import Leaf, parse_entry, parse_registry_receipt
from attestlayer.log.notices import NoticeType
from attestlayer.log.tiles import WIDTH, parse_bundle, tile_at
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import explain, verify
from issuer.audit.agreement import NOTES, Books, LedgerReason, Log, disagreements
from issuer.audit.findings import Finding, look_twice
from issuer.errors import LogHaltedError
from issuer.kits.names import delivered_object, sealed_object
from issuer.kits.terms import KITS_KEPT
from issuer.ledger.ledger import Ledger
from issuer.ledger.whole import all_lines, all_packets, all_waiting
from issuer.log import face
from issuer.log.notice_queue import late_range
from issuer.log.promise import DEBIT, debit_id, oldest_waiting
from issuer.model import CreditEntry, CreditKind, Packet, PacketState, QueuedNotice
from issuer.ports import Clock, ObjectStore


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Result: the time, how much was compared, findings, and notes, which break no promise.

    `kits`: delivered kits that were opened and verified. `oldest_waiting_s`: age in seconds of the oldest
    leaf that is not public yet, or None.
    """

    at: int
    sequence: int
    tree_size: int
    debits: int
    waiting: int
    kits: int
    oldest_waiting_s: int | None
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True)
class Reconciler:
    """Compares ledger and log. Reads every ledger line, every entry of the log, and delivered kits.

    Memory: about 1 KB a leaf. It takes the log as it is: `attestlayer audit` checks the log itself.
    """

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    clock: Clock

    def run(self, opened_since: int = 0) -> Reconciliation:
        """Compare everything. Raises `LogHaltedError` if the log can't be read.

        `opened_since`: POSIX seconds. Kits delivered earlier must exist but are not opened. Kits past their
        retention may be gone.
        """
        opened_since = max(opened_since, int(KITS_KEPT.sure(self.clock.now())))
        (books, log), findings = look_twice(lambda: self._look(opened_since), NOTES)
        now = int(self.clock.now())
        oldest = oldest_waiting(self.ledger, self.public, now)
        return Reconciliation(
            at=now,
            sequence=log.trust.checkpoint.sequence,
            tree_size=log.trust.checkpoint.head.size,
            debits=len(books.debits),
            waiting=len(books.waiting),
            kits=sum(_is_opened(packet, opened_since) for packet in books.packets.values()),
            oldest_waiting_s=None if oldest is None else now - oldest.issued_at,
            findings=tuple(each for each in findings if each.reason not in NOTES),
            notes=tuple(each for each in findings if each.reason in NOTES),
        )

    def _look(self, opened_since: int) -> tuple[tuple[Books, Log], list[Finding]]:
        # Objects, then the ledger, then the log. An object stored after the listing is not in it, so it can't
        # look like an orphan; a leaf in the ledger is in the log by the time the log is read, or still waits.
        orphans = set(self.private.list("sealed/"))
        kits = set(self.private.list("kits/"))
        books, unreadable = self._read_books()
        log = self._read_log()
        now = int(self.clock.now())
        findings = [
            *unreadable,
            *disagreements(books, log, now),
            *self._kits(books, log, kits, opened_since),
            *_orphans(books, orphans),
        ]
        return (books, log), findings

    def _read_books(self) -> tuple[Books, list[Finding]]:
        """The ledger's side: debits, then waiting leaves, then packets, as an accepted leaf moves on.

        In this order a leaf that moves on meanwhile is met at a later place and not missed.
        """
        books, unreadable = Books(), []
        workspaces = [workspace.workspace_id for workspace in self.ledger.workspaces()]
        for line in (line for each in workspaces for line in all_lines(self.ledger, each)):
            books.lines[line.entry_id] = line
            if line.kind == CreditKind.CONSUMED:
                leaf_hash = _leaf_of(line)
                if leaf_hash is None or line.amount != 1:
                    detail = f"{line.amount} credits of {line.workspace_id} for {shown(line.reference)}"
                    unreadable.append(Finding(line.entry_id, LedgerReason.DEBIT_UNREADABLE, detail))
                else:
                    books.debits[leaf_hash] = line
        books.waiting.update({each.leaf_hash: each for each in all_waiting(self.ledger)})
        queued = self.ledger.queued_notices()
        books.queued.extend(_late_merges(queued))
        books.withdrawn.update(_withdrawals(queued))
        for packet in all_packets(self.ledger):
            if packet.issued:
                books.packets[packet.issued.leaf_hash] = packet
        return books, unreadable

    def _read_log(self) -> Log:
        log = Log(face.read_trust_root(self.public))
        size = log.trust.checkpoint.head.size
        for first in range(0, size, WIDTH):
            for place, leaf in enumerate(self._read_leaves(first, size), first):
                leaf_hash = leaf.hash()
                if leaf_hash in log.places:
                    log.twice.append(leaf_hash)
                log.places[leaf_hash] = place
                log.digests[leaf_hash] = leaf.kit_digest
        return log

    def _read_leaves(self, first: int, size: int) -> list[Leaf]:
        tile = tile_at(0, first // WIDTH, size)
        data = self.public.read(tile.bundle_path)
        if data is None:
            raise LogHaltedError(f"{tile.bundle_path} is missing: audit the log first")
        try:
            return [parse_entry(entry) for entry in parse_bundle(data, tile.width)]
        except (ValueError, VerificationError) as error:
            raise LogHaltedError(f"{tile.bundle_path}: {error}; audit the log first") from error

    def _kits(self, books: Books, log: Log, stored: set[str], opened_since: int) -> Iterator[Finding]:
        # `sure`: kits delivered since then can't have been deleted for their age yet.
        named, kept = set(), KITS_KEPT.sure(self.clock.now())
        for leaf_hash, packet in books.packets.items():
            assert packet.issued is not None
            name = delivered_object(packet.issued.kit_id)
            named.add(name)
            if name in stored and leaf_hash not in log.places:
                yield Finding(
                    name,
                    LedgerReason.KIT_WITHOUT_LEAF,
                    f"its leaf {format_hash(leaf_hash)} is not in the log",
                )
            if _is_opened(packet, opened_since):
                yield from self._delivered(packet, packet.issued.kit_id, leaf_hash, log)
            elif packet.state == PacketState.ISSUED:
                missed = (packet.delivered_at or 0) >= kept and name not in stored
                if missed and not self.private.exists(name):
                    yield _no_kit(packet, name)
            elif not self.private.exists(sealed_object(packet.issued.kit_digest)):
                yield Finding(
                    packet.packet_id, LedgerReason.SEALED_MISSING, f"{packet.issued.kit_id} can't be finished"
                )
        for name in sorted(stored - named):
            yield Finding(
                name, LedgerReason.KIT_WITHOUT_PACKET, "no packet of the ledger was issued as this kit"
            )

    def _delivered(self, packet: Packet, kit_id: str, leaf_hash: bytes, log: Log) -> Iterator[Finding]:
        with tempfile.TemporaryDirectory(prefix="attestlayer-") as folder:
            path = Path(folder, "kit.zip")
            if not self.private.fetch(delivered_object(kit_id), path):
                yield _no_kit(packet, delivered_object(kit_id))
                return
            try:
                with open_kit(path) as kit:
                    identity = _identity(kit)
                    verify(kit, log.trust)
            except VerificationError as error:
                yield self._not_verified(packet, path, log, error)
                if error.reason not in _LAWFUL:
                    return
        # A kit may verify and still be the wrong one: the object must be this packet's kit and no other.
        wanted = _Identity(log.digests.get(leaf_hash), leaf_hash, kit_id, log.places.get(leaf_hash))
        if identity != wanted:
            detail = f"{delivered_object(kit_id)} is the kit of leaf {format_hash(Hash(identity.leaf_hash))}"
            yield Finding(packet.packet_id, LedgerReason.KIT_OF_ANOTHER_LEAF, detail)

    def _not_verified(self, packet: Packet, path: Path, log: Log, error: VerificationError) -> Finding:
        """A note if public notices alone say why the kit does not verify, as after a withdrawal."""
        failures: tuple[VerificationError, ...] = (error,)
        if error.reason in _LAWFUL:  # `verify` raised the first one: are there others?
            with open_kit(path) as kit:
                failures = explain(kit, log.trust).failures
        faults = [each for each in failures if each.reason not in _LAWFUL]
        detail = "; ".join(f"{each.reason.value}: {each}" for each in faults or failures)
        reason = LedgerReason.KIT_NOT_VERIFIED if faults else _LAWFUL[error.reason]
        return Finding(packet.packet_id, reason, detail)


_LAWFUL = {
    Reason.KIT_WITHDRAWN: LedgerReason.KIT_WITHDRAWN,
    Reason.ISSUER_KEY_REVOKED: LedgerReason.KIT_OF_REVOKED_KEY,
    Reason.REGISTRY_KEY_REVOKED: LedgerReason.KIT_OF_REVOKED_KEY,
}
"""Failures that follow from a public notice: no fault of the kit, nor of the books."""


class _Identity(NamedTuple):
    """Which kit a file is: sealed digest, leaf, kit id, place in the log."""

    digest: bytes | None
    leaf_hash: bytes
    kit_id: str
    leaf_index: int | None


def _identity(kit: Kit) -> _Identity:
    """What a delivered kit says that it is. Raises `VerificationError` if it can't be read."""
    kit_id = parse_receipt(_member(kit, RECEIPT)).kit_id
    registry_receipt = parse_registry_receipt(_member(kit, REGISTRY_RECEIPT))
    leaf_hash, place = registry_receipt.record.leaf_hash, registry_receipt.leaf_index
    return _Identity(kit.sealed_digest(), leaf_hash, kit_id, place)


def _member(kit: Kit, name: str) -> bytes:
    member = kit.members.get(name)
    return b"".join(member.chunks()) if member else b""


def _is_opened(packet: Packet, since: int) -> bool:
    return packet.state == PacketState.ISSUED and (packet.delivered_at or since) >= since


def _no_kit(packet: Packet, name: str) -> Finding:
    return Finding(packet.packet_id, LedgerReason.KIT_MISSING, f"there is no {name}")


def _leaf_of(debit: CreditEntry) -> bytes | None:
    """The leaf that a debit paid for, from the debit's id; None if the id has another form."""
    try:
        leaf_hash = parse_hash(debit.entry_id.removeprefix(DEBIT))
    except ValueError:
        return None
    return leaf_hash if debit_id(leaf_hash) == debit.entry_id else None


def _late_merges(queued: Iterable[QueuedNotice]) -> Iterator[tuple[int, int]]:
    """First and last leaf of each queued `late-merge` incident."""
    for notice in queued:
        with suppress(ValueError, KeyError):  # an invalid one: `issuer audit` reports it
            if late := late_range(notice.type, take_members(parse_json(notice.data))):
                yield late


def _withdrawals(queued: Iterable[QueuedNotice]) -> Iterator[tuple[bytes, str]]:
    """Leaf hash and reason of each queued withdrawal."""
    for notice in queued:
        with suppress(ValueError, KeyError):  # an invalid one: `issuer audit` reports it
            members = take_members(parse_json(notice.data))
            if notice.type == NoticeType.KIT_WITHDRAWN:
                yield take_hash(members, "leaf_hash"), take_string(members, "reason")


def _orphans(books: Books, stored: set[str]) -> Iterator[Finding]:
    named = {sealed_object(packet.issued.kit_digest) for packet in books.packets.values() if packet.issued}
    for name in sorted(stored - named):
        yield Finding(name, LedgerReason.SEALED_ORPHAN, "sealed in a try that was not accepted")
