"""Holds the ledger against the log: every credit its leaf, every leaf its debit, every packet its kit.

Reads only. It may run beside the service: the ledger is read before the log, which only grows, and a
finding counts only if a second look finds it too.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from attestlayer.canonical import parse_json, take_integer, take_members
from attestlayer.encoding import format_hash, parse_hash, shown
from attestlayer.errors import VerificationError
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.notices import IncidentKind, NoticeType
from attestlayer.log.tiles import WIDTH, parse_bundle, tile_at
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify
from issuer.errors import LogHaltedError
from issuer.kits.names import delivered_object, sealed_object
from issuer.kits.terms import KITS_KEPT
from issuer.log import face
from issuer.log.promise import DEBIT, debit_id, oldest_waiting, return_id
from issuer.model import CreditEntry, CreditKind, Packet, PacketState, QueuedNotice, WaitingLeaf
from issuer.ports import Clock, Ledger, ObjectStore

_PAGE = 1000
_EVER = 1 << 52
"""Later than any time, in POSIX seconds."""


class Word(StrEnum):
    """The closed list of what can be found."""

    DEBIT_WITHOUT_LEAF = "debit-without-leaf"
    DEBIT_UNREADABLE = "debit-unreadable"
    LEAF_WITHOUT_DEBIT = "leaf-without-debit"
    LEAF_WITHOUT_PACKET = "leaf-without-packet"
    LEAF_TWICE = "leaf-twice"
    PACKET_WITHOUT_LEAF = "packet-without-leaf"
    PACKET_STUCK = "packet-stuck"
    PACKET_AHEAD = "packet-ahead"
    SEALED_MISSING = "sealed-missing"
    KIT_MISSING = "kit-missing"
    KIT_OF_ANOTHER_LEAF = "kit-of-another-leaf"
    KIT_NOT_VERIFIED = "kit-not-verified"
    KIT_WITHOUT_LEAF = "kit-without-leaf"
    KIT_WITHOUT_PACKET = "kit-without-packet"
    RETURN_WITHOUT_INCIDENT = "return-without-incident"
    RETURN_ELSEWHERE = "return-elsewhere"
    INCIDENT_WITHOUT_RETURN = "incident-without-return"
    PAST_MERGE_BY = "past-merge-by"
    DELIVERY_OVERDUE = "delivery-overdue"
    SEALED_ORPHAN = "sealed-orphan"


NOTES = frozenset({Word.DELIVERY_OVERDUE, Word.SEALED_ORPHAN})
"""Words that break no promise: worth knowing, no finding."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One finding or note. `subject`: leaf hash, packet id, or the name of a line or object."""

    word: Word
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was held together, at which time, and what doesn't agree."""

    at: int
    sequence: int
    tree_size: int
    debits: int
    waiting: int
    kits: int
    oldest_waiting_s: int | None
    findings: tuple[Statement, ...]
    notes: tuple[Statement, ...]


@dataclass(frozen=True)
class _Books:
    """The ledger, as it was read."""

    lines: dict[str, CreditEntry] = field(default_factory=dict)
    debits: dict[bytes, CreditEntry] = field(default_factory=dict)
    waiting: dict[bytes, WaitingLeaf] = field(default_factory=dict)
    packets: dict[bytes, Packet] = field(default_factory=dict)
    """Packets that were sealed or issued, by leaf hash."""
    queued: list[tuple[int, int]] = field(default_factory=list)
    """First and last leaf of `late-merge` incidents that the next round makes public."""


@dataclass(frozen=True)
class _Log:
    """The public log, as it was read: the leaves' places and kits' digests by leaf hash."""

    trust: TrustRoot
    places: dict[bytes, int] = field(default_factory=dict)
    digests: dict[bytes, bytes] = field(default_factory=dict)
    twice: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Reconciler:
    """Reconciles. Reads every ledger line, every entry of the log, and delivered kits.

    Memory: about 1 KB a leaf. Whether the log itself is whole is for `attestlayer audit` to say.
    """

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    clock: Clock

    def run(self, opened_since: int = 0) -> Reconciliation:
        """Look, and look again if anything was found. Raises `LogHaltedError` if the log can't be read.

        `opened_since`: kits delivered before are looked for and not opened. `kits` counts the opened ones.
        Kits whose retention has ended are not missed.
        """
        opened_since = max(opened_since, int(KITS_KEPT.sure(self.clock.now())))
        found, statements = self._look(opened_since)
        if any(each.word not in NOTES for each in statements):
            before = {(each.word, each.subject) for each in statements}
            found, again = self._look(opened_since)
            statements = [each for each in again if (each.word, each.subject) in before]
        books, log = found
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
            findings=tuple(each for each in statements if each.word not in NOTES),
            notes=tuple(each for each in statements if each.word in NOTES),
        )

    def _look(self, opened_since: int) -> tuple[tuple[_Books, _Log], list[Statement]]:
        orphans = set(self.private.list("sealed/"))  # first: what is sealed later is nobody's orphan
        kits = set(self.private.list("kits/"))
        books, unreadable = self._read_books()
        log = self._read_log()
        now = int(self.clock.now())
        statements = [
            *unreadable,
            *_credits_and_leaves(books, log),
            *_packets_and_leaves(books, log),
            *_returns(books, log),
            *_promises(books, log, now),
            *self._kits(books, log, kits, opened_since),
            *_orphans(books, orphans),
        ]
        return (books, log), statements

    def _read_books(self) -> tuple[_Books, list[Statement]]:
        """Debits, then waiting leaves, then packets: what moves on meanwhile is seen where it went."""
        books, unreadable = _Books(), []
        workspaces = [workspace.workspace_id for workspace in self.ledger.workspaces()]
        for line in (line for each in workspaces for line in self._lines(each)):
            books.lines[line.entry_id] = line
            if line.kind == CreditKind.CONSUMED:
                leaf_hash = _leaf_of(line)
                if leaf_hash is None or line.amount != 1:
                    detail = f"{line.amount} credits of {line.workspace_id} for {shown(line.reference)}"
                    unreadable.append(Statement(Word.DEBIT_UNREADABLE, line.entry_id, detail))
                else:
                    books.debits[leaf_hash] = line
        books.waiting.update({each.leaf_hash: each for each in self.ledger.waiting_leaves(_EVER, _EVER)})
        books.queued.extend(_late_merges(self.ledger.queued_notices()))
        for packet in (packet for each in workspaces for packet in self._packets(each)):
            if packet.issued:
                books.packets[packet.issued.leaf_hash] = packet
        return books, unreadable

    def _lines(self, workspace_id: str) -> Iterator[CreditEntry]:
        after: str | None = None
        while page := self.ledger.credit_entries(workspace_id, after, _PAGE):
            yield from page
            after = page[-1].entry_id

    def _packets(self, workspace_id: str) -> Iterator[Packet]:
        after: str | None = None
        while page := self.ledger.packets(workspace_id, after, _PAGE):
            yield from page
            after = page[-1].packet_id

    def _read_log(self) -> _Log:
        log = _Log(face.read_trust_root(self.public))
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

    def _kits(self, books: _Books, log: _Log, stored: set[str], opened_since: int) -> Iterator[Statement]:
        named, kept = set(), KITS_KEPT.sure(self.clock.now())
        for leaf_hash, packet in books.packets.items():
            assert packet.issued is not None
            name = delivered_object(packet.issued.kit_id)
            named.add(name)
            if name in stored and leaf_hash not in log.places:
                yield Statement(
                    Word.KIT_WITHOUT_LEAF, name, f"its leaf {format_hash(leaf_hash)} is not in the log"
                )
            if _is_opened(packet, opened_since):
                yield from self._delivered(packet, packet.issued.kit_id, leaf_hash, log)
            elif packet.state == PacketState.ISSUED:
                missed = (packet.delivered_at or 0) >= kept and name not in stored
                if missed and not self.private.exists(name):
                    yield _no_kit(packet, name)
            elif not self.private.exists(sealed_object(packet.issued.kit_digest)):
                yield Statement(
                    Word.SEALED_MISSING, packet.packet_id, f"{packet.issued.kit_id} can't be finished"
                )
        for name in sorted(stored - named):
            yield Statement(Word.KIT_WITHOUT_PACKET, name, "no packet of the ledger was issued as this kit")

    def _delivered(self, packet: Packet, kit_id: str, leaf_hash: bytes, log: _Log) -> Iterator[Statement]:
        with tempfile.TemporaryDirectory(prefix="attestlayer-") as folder:
            path = Path(folder, "kit.zip")
            if not self.private.fetch(delivered_object(kit_id), path):
                yield _no_kit(packet, delivered_object(kit_id))
                return
            try:
                with open_kit(path) as kit:
                    digest, shown_as = kit.sealed_digest(), verify(kit, log.trust)
            except VerificationError as error:
                yield Statement(Word.KIT_NOT_VERIFIED, packet.packet_id, f"{error.reason.value}: {error}")
                return
        found = (digest, shown_as.leaf_hash, shown_as.kit_id, shown_as.leaf_index)
        if found != (log.digests.get(leaf_hash), leaf_hash, kit_id, log.places.get(leaf_hash)):
            detail = (
                f"{delivered_object(kit_id)} verifies, as the kit of leaf {format_hash(shown_as.leaf_hash)}"
            )
            yield Statement(Word.KIT_OF_ANOTHER_LEAF, packet.packet_id, detail)


def _is_opened(packet: Packet, since: int) -> bool:
    return packet.state == PacketState.ISSUED and (packet.delivered_at or since) >= since


def _no_kit(packet: Packet, name: str) -> Statement:
    return Statement(Word.KIT_MISSING, packet.packet_id, f"there is no {name}")


def _leaf_of(debit: CreditEntry) -> bytes | None:
    """The leaf that a debit paid for, from its id; None if the id isn't one of a debit."""
    try:
        leaf_hash = parse_hash(debit.entry_id.removeprefix(DEBIT))
    except ValueError:
        return None
    return leaf_hash if debit_id(leaf_hash) == debit.entry_id else None


def _credits_and_leaves(books: _Books, log: _Log) -> Iterator[Statement]:
    for leaf_hash, debit in books.debits.items():
        if leaf_hash not in books.waiting and leaf_hash not in log.places:
            detail = (
                f"{debit.workspace_id} paid for {shown(debit.reference)}; now neither waiting nor in the log"
            )
            yield Statement(Word.DEBIT_WITHOUT_LEAF, format_hash(leaf_hash), detail)
    for leaf_hash in [*log.places, *(books.waiting.keys() - log.places.keys())]:
        where = f"leaf {log.places[leaf_hash]} of the log" if leaf_hash in log.places else "a waiting leaf"
        if leaf_hash not in books.debits:
            yield Statement(Word.LEAF_WITHOUT_DEBIT, format_hash(leaf_hash), f"{where} was never paid for")
        if leaf_hash not in books.packets:
            yield Statement(Word.LEAF_WITHOUT_PACKET, format_hash(leaf_hash), f"{where} is of no packet")
    for leaf_hash in log.twice:
        yield Statement(Word.LEAF_TWICE, format_hash(leaf_hash), f"again at {log.places[leaf_hash]}")


def _packets_and_leaves(books: _Books, log: _Log) -> Iterator[Statement]:
    for leaf_hash, packet in books.packets.items():
        leaf = f"leaf {format_hash(leaf_hash)}"
        waits, logged = leaf_hash in books.waiting, leaf_hash in log.places
        if packet.state == PacketState.ISSUED and waits:
            yield Statement(Word.PACKET_AHEAD, packet.packet_id, f"issued, and its {leaf} still waits")
        if not logged and (packet.state == PacketState.ISSUED or not waits):
            detail = f"{packet.state.value}, and its {leaf} is not in the log"
            yield Statement(Word.PACKET_WITHOUT_LEAF, packet.packet_id, detail)
        elif packet.state != PacketState.ISSUED and not waits:
            detail = f"{packet.state.value}: its {leaf} is in the log and waits for no delivery"
            yield Statement(Word.PACKET_STUCK, packet.packet_id, detail)


def _returns(books: _Books, log: _Log) -> Iterator[Statement]:
    """A credit was returned just for the leaves that a public `late-merge` incident covers, to who paid."""
    late = {leaf for leaf, place in log.places.items() if log.trust.keyring.is_late_merge(place)}
    made = {line.entry_id: line for line in books.lines.values() if line.kind == CreditKind.RETURNED}
    wanted = {return_id(leaf): books.debits.get(leaf) for leaf in late}
    for entry_id in sorted(wanted.keys() - made.keys()):
        yield Statement(Word.INCIDENT_WITHOUT_RETURN, entry_id, "a late leaf whose credit was not returned")
    for entry_id, line in made.items():
        debit = wanted.get(entry_id)
        if entry_id not in wanted and not _is_queued(entry_id, books, log):
            yield Statement(Word.RETURN_WITHOUT_INCIDENT, entry_id, f"returned to {line.workspace_id}")
        elif debit and (line.workspace_id, line.target) != (debit.workspace_id, debit.source):
            detail = (
                f"went to {line.target} of {line.workspace_id}, {debit.source} of {debit.workspace_id} paid"
            )
            yield Statement(Word.RETURN_ELSEWHERE, entry_id, detail)


def _late_merges(queued: Iterable[QueuedNotice]) -> Iterator[tuple[int, int]]:
    for notice in queued:
        with suppress(ValueError, KeyError):  # one that can't be published: `issuer audit` names it
            members = take_members(parse_json(notice.data))
            if notice.type == NoticeType.INCIDENT and members["kind"] == IncidentKind.LATE_MERGE:
                yield take_integer(members, "from_index"), take_integer(members, "to_index")


def _is_queued(entry_id: str, books: _Books, log: _Log) -> bool:
    """Whether the incident of a returned credit is on its way; its leaf may be in a round not yet public."""
    size = log.trust.checkpoint.head.size
    for leaf_hash in [*log.places, *books.waiting]:
        if return_id(leaf_hash) == entry_id:
            place = log.places.get(leaf_hash)
            return any(
                first <= place <= last if place is not None else last >= size for first, last in books.queued
            )
    return False


def _promises(books: _Books, log: _Log, now: int) -> Iterator[Statement]:
    for waiting in books.waiting.values():
        late = now - waiting.merge_by
        if late > 0:
            word = Word.DELIVERY_OVERDUE if waiting.leaf_hash in log.places else Word.PAST_MERGE_BY
            detail = f"merge_by was {late} s ago, packet {waiting.packet_id}"
            yield Statement(word, format_hash(waiting.leaf_hash), detail)


def _orphans(books: _Books, stored: set[str]) -> Iterator[Statement]:
    named = {sealed_object(packet.issued.kit_digest) for packet in books.packets.values() if packet.issued}
    for name in sorted(stored - named):
        yield Statement(Word.SEALED_ORPHAN, name, "sealed in a try that was not accepted")
