"""The rules of `issuer reconcile`: every credit has its leaf, every leaf its debit and its packet.

Pure. The caller has read the ledger first and then the log, which only grows: so a leaf that is on its way is
in at least one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from attestlayer.encoding import Hash, format_hash, shown
from attestlayer.log.trust import TrustRoot
from issuer.audit.findings import Finding
from issuer.log.promise import return_id
from issuer.model import CreditEntry, CreditKind, Packet, PacketState, WaitingLeaf


class LedgerReason(StrEnum):
    """How ledger and log disagree: a closed list of words that operators see."""

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
    KIT_WITHDRAWN = "kit-withdrawn"
    KIT_OF_REVOKED_KEY = "kit-of-revoked-key"
    WITHDRAWAL_NOT_MARKED = "withdrawal-not-marked"
    WITHDRAWAL_WITHOUT_NOTICE = "withdrawal-without-notice"


NOTES = frozenset(
    {
        LedgerReason.DELIVERY_OVERDUE,
        LedgerReason.SEALED_ORPHAN,
        LedgerReason.KIT_WITHDRAWN,
        LedgerReason.KIT_OF_REVOKED_KEY,
    }
)
"""Reasons that break no promise: they are reported as notes, not as findings."""


@dataclass(frozen=True)
class Books:
    """The ledger as read: lines by id; debits, waiting leaves and packets by leaf hash."""

    lines: dict[str, CreditEntry] = field(default_factory=dict)
    debits: dict[bytes, CreditEntry] = field(default_factory=dict)
    waiting: dict[bytes, WaitingLeaf] = field(default_factory=dict)
    packets: dict[bytes, Packet] = field(default_factory=dict)
    """Packets that were sealed or issued, by leaf hash."""
    queued: list[tuple[int, int]] = field(default_factory=list)
    """First and last leaf of `late-merge` incidents that the next round makes public."""
    withdrawn: dict[bytes, str] = field(default_factory=dict)
    """Reasons of withdrawals that the next round makes public, by leaf hash."""


@dataclass(frozen=True)
class Log:
    """The public log as read.

    `places`: index of each leaf hash; `digests`: its kit digest; `twice`: repeated hashes.
    """

    trust: TrustRoot
    places: dict[bytes, int] = field(default_factory=dict)
    digests: dict[bytes, bytes] = field(default_factory=dict)
    twice: list[bytes] = field(default_factory=list)


def disagreements(books: Books, log: Log, now: int) -> Iterator[Finding]:
    """Every disagreement between ledger and log, or between parts of the ledger. `now`: POSIX seconds."""
    yield from _credits_and_leaves(books, log)
    yield from _packets_and_leaves(books, log)
    yield from _withdrawals(books, log)
    yield from _returns(books, log)
    yield from _promises(books, log, now)


def _credits_and_leaves(books: Books, log: Log) -> Iterator[Finding]:
    # One transaction debits and queues the leaf, and a leaf stops waiting only when it is in the log: a debit
    # without either is money taken for nothing.
    for leaf_hash, debit in books.debits.items():
        if leaf_hash not in books.waiting and leaf_hash not in log.places:
            detail = (
                f"{debit.workspace_id} paid for {shown(debit.reference)}; now neither waiting nor in the log"
            )
            yield Finding(format_hash(leaf_hash), LedgerReason.DEBIT_WITHOUT_LEAF, detail)
    # The other way round: a leaf in the log, or on its way there, that nobody paid for or asked for.
    for leaf_hash in [*log.places, *(books.waiting.keys() - log.places.keys())]:
        where = f"leaf {log.places[leaf_hash]} of the log" if leaf_hash in log.places else "a waiting leaf"
        if leaf_hash not in books.debits:
            yield Finding(
                format_hash(leaf_hash), LedgerReason.LEAF_WITHOUT_DEBIT, f"{where} was never paid for"
            )
        if leaf_hash not in books.packets:
            yield Finding(
                format_hash(leaf_hash), LedgerReason.LEAF_WITHOUT_PACKET, f"{where} is of no packet"
            )
    for leaf_hash in log.twice:
        yield Finding(format_hash(leaf_hash), LedgerReason.LEAF_TWICE, f"again at {log.places[leaf_hash]}")


def _packets_and_leaves(books: Books, log: Log) -> Iterator[Finding]:
    for leaf_hash, packet in books.packets.items():
        leaf = f"leaf {format_hash(leaf_hash)}"
        # Sealed and waiting, then in the log, then issued and waiting no more: any other combination is
        # wrong.
        waits, logged = leaf_hash in books.waiting, leaf_hash in log.places
        if packet.state == PacketState.ISSUED and waits:
            yield Finding(packet.packet_id, LedgerReason.PACKET_AHEAD, f"issued, and its {leaf} still waits")
        if not logged and (packet.state == PacketState.ISSUED or not waits):
            detail = f"{packet.state.value}, and its {leaf} is not in the log"
            yield Finding(packet.packet_id, LedgerReason.PACKET_WITHOUT_LEAF, detail)
        elif packet.state != PacketState.ISSUED and not waits:
            detail = f"{packet.state.value}: its {leaf} is in the log and waits for no delivery"
            yield Finding(packet.packet_id, LedgerReason.PACKET_STUCK, detail)


def _withdrawals(books: Books, log: Log) -> Iterator[Finding]:
    """A kit is withdrawn in the books exactly if a notice, public or queued, withdraws it for that reason."""
    for leaf_hash, packet in books.packets.items():
        noticed = log.trust.keyring.withdrawn.get(Hash(leaf_hash), books.withdrawn.get(leaf_hash))
        marked = packet.withdrawal.reason if packet.withdrawal else None
        if marked == noticed:
            continue
        detail = f"leaf {format_hash(leaf_hash)}: the packet says {marked}, the notices say {noticed}"
        reason = (
            LedgerReason.WITHDRAWAL_NOT_MARKED if marked is None else LedgerReason.WITHDRAWAL_WITHOUT_NOTICE
        )
        yield Finding(packet.packet_id, reason, detail)


def _returns(books: Books, log: Log) -> Iterator[Finding]:
    """Credits are returned, to the payer, for just the leaves that public `late-merge` incidents cover."""
    late = {leaf for leaf, place in log.places.items() if log.trust.keyring.is_late_merge(place)}
    returns = {line.entry_id: line for line in books.lines.values() if line.kind == CreditKind.RETURNED}
    wanted = {return_id(leaf): books.debits.get(leaf) for leaf in late}
    for entry_id in sorted(wanted.keys() - returns.keys()):
        yield Finding(
            entry_id, LedgerReason.INCIDENT_WITHOUT_RETURN, "a late leaf whose credit was not returned"
        )
    for entry_id, line in returns.items():
        debit = wanted.get(entry_id)
        if entry_id not in wanted and not _is_queued(entry_id, books, log):
            yield Finding(entry_id, LedgerReason.RETURN_WITHOUT_INCIDENT, f"returned to {line.workspace_id}")
        elif debit and (line.workspace_id, line.target) != (debit.workspace_id, debit.source):
            detail = (
                f"went to {line.target} of {line.workspace_id}, {debit.source} of {debit.workspace_id} paid"
            )
            yield Finding(entry_id, LedgerReason.RETURN_ELSEWHERE, detail)


def _is_queued(entry_id: str, books: Books, log: Log) -> bool:
    """Whether the incident for a returned credit is still queued.

    Its leaf may be in a round not yet public.
    """
    size = log.trust.checkpoint.head.size
    # Credits are returned before the round is public, and its notice comes with the next one: both states are
    # normal. A leaf of an unpublished round has an index beyond the public tree.
    for leaf_hash in [*log.places, *books.waiting]:
        if return_id(leaf_hash) == entry_id:
            place = log.places.get(leaf_hash)
            return any(
                first <= place <= last if place is not None else last >= size for first, last in books.queued
            )
    return False


def _promises(books: Books, log: Log, now: int) -> Iterator[Finding]:
    for waiting in books.waiting.values():
        # Public in time but not delivered is only a note: the promise is about the log.
        late = now - waiting.merge_by
        if late > 0:
            reason = (
                LedgerReason.DELIVERY_OVERDUE
                if waiting.leaf_hash in log.places
                else LedgerReason.PAST_MERGE_BY
            )
            detail = f"merge_by was {late} s ago, packet {waiting.packet_id}"
            yield Finding(format_hash(waiting.leaf_hash), reason, detail)
