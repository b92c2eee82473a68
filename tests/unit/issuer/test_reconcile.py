"""The ledger held against the log: what is whole is silent, what is broken has its word."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pytest

from attestlayer.encoding import Hash, format_hash, format_time
from issuer.audit.agreement import NOTES, LedgerReason
from issuer.kits.names import delivered_object, sealed_object
from issuer.ledger.keys import leaf_key, line_pointer, packet_key
from issuer.ledger.rows import POINTERS
from issuer.log.promise import debit_id, return_id
from issuer.model import CreditEntry, CreditKind, Issued, Packet, PacketState, QueuedNotice, Withdrawal
from issuer.ports import Key
from issuer.services.deliver import Deliverer
from issuer.services.reconcile import Reconciler, Reconciliation
from issuer.services.sequence import Sequencer
from support.log import ISSUER, START, Crash, HeldClock, Tap, TestLog, copy_home, queue, tapped, wait
from support.service import WORKSPACE, TestService
from support.tables import overwrite

HASH = bytes(32)


@dataclass
class Home:
    """A service with a kit that was delivered, one that waits, and one that was late."""

    service: TestService
    delivered: Packet
    waiting: Packet
    late: Packet

    @property
    def private(self) -> Path:
        return self.service.log.home / "private"

    def issued(self, packet: Packet) -> Issued:
        issued = self.service.read(packet.packet_id).issued
        assert issued
        return issued

    def look(self) -> Reconciliation:
        ports = self.service.ports
        return Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run()

    def words(self) -> set[StrEnum]:
        found = self.look()
        assert {each.reason for each in found.notes} <= NOTES
        return {each.reason for each in [*found.findings, *found.notes]}

    def lose(self, *keys: Key) -> None:
        table = self.service.ports.ledger.table
        assert set(table.get_many(keys)) == set(keys)
        overwrite(table, dict.fromkeys(keys))

    def lose_line(self, entry_id: str) -> None:
        pointer = line_pointer(entry_id)
        item = self.service.ports.ledger.table.get_many([pointer])[pointer]
        self.lose(pointer, POINTERS.parse(item.body))

    def line(self, entry_id: str, kind: CreditKind, source: str, target: str) -> None:
        entry = CreditEntry(entry_id, WORKSPACE, START, kind, 1, source, target, "by hand")
        self.service.ports.ledger.post_credits(entry)


@pytest.fixture
def home(log: TestLog) -> Home:
    service = TestService(log).start(9)
    late = service.packet(b"late")
    service.issue(late, "late")
    log.clock.time += 660
    service.round()
    service.round()
    delivered = service.packet(b"delivered")
    service.issue(delivered, "delivered")
    service.round_and_deliver()
    waiting = service.packet(b"waiting")
    service.issue(waiting, "waiting")
    return Home(service, delivered, waiting, late)


def test_a_whole_home_has_no_findings(home: Home) -> None:
    found = home.look()
    assert (found.findings, found.notes) == ((), ())
    assert (found.tree_size, found.debits, found.waiting, found.kits) == (2, 3, 1, 2)
    home.service.log.clock.time += 7
    assert home.look().oldest_waiting_s == 7


def test_a_new_home_has_no_findings(log: TestLog) -> None:
    service = TestService(log).start(0)
    ports = service.ports
    found = Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run()
    assert (found.findings, found.notes, found.oldest_waiting_s) == ((), (), None)


def test_a_returned_credit_waits_for_its_incident_without_a_finding(log: TestLog) -> None:
    service = TestService(log).start(1)
    packet = service.packet(b"late")
    service.issue(packet)
    log.clock.time += 660
    Sequencer(service.ports).run()
    assert service.ports.ledger.queued_notices()
    assert Home(service, packet, packet, packet).words() == {LedgerReason.DELIVERY_OVERDUE}


@pytest.mark.parametrize("data", [b'"text"', b"{}", b"no JSON", b'{"kind":"late-merge"}'])
def test_a_queued_notice_that_can_not_be_read_is_no_obstacle(home: Home, data: bytes) -> None:
    home.service.ports.ledger.queue_notice(QueuedNotice("incident", data))
    assert home.look().findings == ()


def test_kits_delivered_before_a_time_are_looked_for_and_not_opened(home: Home) -> None:
    kit = home.private / delivered_object(home.issued(home.late).kit_id)
    kit.write_bytes(b"damaged")
    ports, delivered_at = home.service.ports, home.service.read(home.late.packet_id).delivered_at
    assert delivered_at
    since = delivered_at + 1
    reconciler = Reconciler(ports.ledger, ports.private, ports.public, ports.clock)
    found = reconciler.run(opened_since=since)
    assert (found.findings, found.kits) == ((), 0)
    assert [each.reason for each in reconciler.run().findings] == [LedgerReason.KIT_NOT_VERIFIED]
    kit.unlink()
    assert [each.reason for each in reconciler.run(opened_since=since).findings] == [LedgerReason.KIT_MISSING]


def drop_waiting(home: Home) -> None:
    home.lose(leaf_key(home.issued(home.waiting).leaf_hash))


def drop_debit(home: Home, packet: Packet) -> None:
    home.lose_line(debit_id(home.issued(packet).leaf_hash))


def store(home: Home, packet: Packet) -> None:
    home.service.ports.ledger.replace_packet(replace(packet, version=packet.version + 1))


def ahead(home: Home) -> None:
    packet = home.service.read(home.waiting.packet_id)
    store(home, replace(packet, state=PacketState.ISSUED, delivered_at=START))


def stuck(home: Home) -> None:
    store(home, replace(home.service.read(home.delivered.packet_id), state=PacketState.SEALED))


def no_packet(home: Home) -> None:
    home.lose(packet_key(home.delivered.packet_id))


def unpaid_in_line(home: Home) -> None:
    wait(home.service.ports, home.service.log.leaves(1))


def unpaid_in_log(home: Home) -> None:
    unpaid_in_line(home)
    home.service.round_and_deliver()


def kit(home: Home, packet: Packet) -> Path:
    return home.private / delivered_object(home.issued(packet).kit_id)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap_kits(home: Home) -> None:
    kit(home, home.delivered).write_bytes(kit(home, home.late).read_bytes())


def deliver_early(home: Home) -> None:
    kit(home, home.waiting).write_bytes(b"early")


def no_sealed(home: Home) -> None:
    (home.private / sealed_object(home.issued(home.waiting).kit_digest)).unlink()


def late_return(home: Home) -> str:
    return return_id(home.issued(home.late).leaf_hash)


def no_return(home: Home) -> None:
    home.lose_line(late_return(home))


def returned_elsewhere(home: Home) -> None:
    no_return(home)
    home.line(late_return(home), CreditKind.RETURNED, "consumed", "reserved:x")


def returned_for_nothing(home: Home) -> None:
    leaf_hash = home.issued(home.delivered).leaf_hash
    home.line(return_id(leaf_hash), CreditKind.RETURNED, "consumed", "available")


def past(home: Home) -> None:
    home.service.log.clock.time += 601


def overdue(home: Home) -> None:
    home.service.round()
    home.service.log.clock.time += 601


def noticed_alone(home: Home) -> None:
    leaf_hash = format_hash(Hash(home.issued(home.delivered).leaf_hash))
    queue(home.service.ports, "kit.withdrawn", {"leaf_hash": leaf_hash, "reason": "issued-in-error"})


def marked_alone(home: Home) -> None:
    withdrawal = Withdrawal(START, "issued-in-error")
    store(home, replace(home.service.read(home.delivered.packet_id), withdrawal=withdrawal))


def withdrawn(home: Home) -> None:
    service = home.service
    kit_id = home.issued(home.delivered).kit_id
    service.notifier.withdraw(WORKSPACE, kit_id, "records-in-error")
    assert home.words() == set(), "queued, not public yet"
    service.round()


def withdrawn_and_damaged(home: Home) -> None:
    withdrawn(home)
    flip(kit(home, home.delivered))


def key_revoked(home: Home) -> None:
    revoked = {"kid": ISSUER.public.kid, "revoked_at": format_time(START), "reason": "key-lost"}
    queue(home.service.ports, "key.revoked", revoked)
    home.service.round()


DAMAGES: dict[str, tuple[Callable[[Home], object], set[LedgerReason]]] = {
    "a waiting leaf is lost": (
        drop_waiting,
        {LedgerReason.DEBIT_WITHOUT_LEAF, LedgerReason.PACKET_WITHOUT_LEAF},
    ),
    "a debit for a leaf that never was": (
        lambda home: home.line(debit_id(HASH), CreditKind.CONSUMED, "available", "consumed"),
        {LedgerReason.DEBIT_WITHOUT_LEAF},
    ),
    "a debit by hand": (
        lambda home: home.line("by hand", CreditKind.CONSUMED, "available", "consumed"),
        {LedgerReason.DEBIT_UNREADABLE},
    ),
    "a debit is lost": (lambda home: drop_debit(home, home.delivered), {LedgerReason.LEAF_WITHOUT_DEBIT}),
    "a waiting debit is lost": (
        lambda home: drop_debit(home, home.waiting),
        {LedgerReason.LEAF_WITHOUT_DEBIT},
    ),
    "an unpaid leaf waits": (
        unpaid_in_line,
        {LedgerReason.LEAF_WITHOUT_DEBIT, LedgerReason.LEAF_WITHOUT_PACKET},
    ),
    "an unpaid leaf is in the log": (
        unpaid_in_log,
        {LedgerReason.LEAF_WITHOUT_DEBIT, LedgerReason.LEAF_WITHOUT_PACKET},
    ),
    "a packet is lost": (
        no_packet,
        {LedgerReason.LEAF_WITHOUT_PACKET, LedgerReason.KIT_WITHOUT_PACKET, LedgerReason.SEALED_ORPHAN},
    ),
    "issued before its leaf": (
        ahead,
        {LedgerReason.PACKET_AHEAD, LedgerReason.PACKET_WITHOUT_LEAF, LedgerReason.KIT_MISSING},
    ),
    "no longer issued": (stuck, {LedgerReason.PACKET_STUCK}),
    "a kit is lost": (lambda home: kit(home, home.delivered).unlink(), {LedgerReason.KIT_MISSING}),
    "a kit is damaged": (lambda home: flip(kit(home, home.delivered)), {LedgerReason.KIT_NOT_VERIFIED}),
    "a kit is withdrawn, which is lawful": (withdrawn, {LedgerReason.KIT_WITHDRAWN}),
    "a withdrawn kit is damaged": (withdrawn_and_damaged, {LedgerReason.KIT_NOT_VERIFIED}),
    "the issuer's key is revoked, which is lawful": (key_revoked, {LedgerReason.KIT_OF_REVOKED_KEY}),
    "a withdrawal that the packet lacks": (noticed_alone, {LedgerReason.WITHDRAWAL_NOT_MARKED}),
    "a withdrawal that no notice states": (marked_alone, {LedgerReason.WITHDRAWAL_WITHOUT_NOTICE}),
    "a kit is another's": (swap_kits, {LedgerReason.KIT_OF_ANOTHER_LEAF}),
    "a kit before its leaf": (deliver_early, {LedgerReason.KIT_WITHOUT_LEAF}),
    "a kit of nobody": (
        lambda home: home.service.ports.private.create("kits/kit_x.zip", b""),
        {LedgerReason.KIT_WITHOUT_PACKET},
    ),
    "a sealed kit is lost": (no_sealed, {LedgerReason.SEALED_MISSING}),
    "a sealed kit of nobody": (
        lambda home: home.service.ports.private.create(sealed_object(HASH), b""),
        {LedgerReason.SEALED_ORPHAN},
    ),
    "a credit did not come back": (no_return, {LedgerReason.INCIDENT_WITHOUT_RETURN}),
    "a credit came back elsewhere": (returned_elsewhere, {LedgerReason.RETURN_ELSEWHERE}),
    "a credit came back for nothing": (returned_for_nothing, {LedgerReason.RETURN_WITHOUT_INCIDENT}),
    "a leaf waits too long": (past, {LedgerReason.PAST_MERGE_BY}),
    "a kit waits too long": (overdue, {LedgerReason.DELIVERY_OVERDUE}),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_broken_is_named(
    home: Home, damage: Callable[[Home], object], words: set[LedgerReason]
) -> None:
    damage(home)
    assert home.words() == words


def test_every_word_is_shown_but_one_that_no_writer_can_make() -> None:
    shown = {word for _, words in DAMAGES.values() for word in words}
    assert set(LedgerReason) - shown == {LedgerReason.LEAF_TWICE}


def test_a_statement_names_its_leaf(home: Home) -> None:
    past(home)
    (finding,) = home.look().findings
    assert finding.object == format_hash(home.issued(home.waiting).leaf_hash)
    assert finding.detail == f"merge_by was 1 s ago, packet {home.waiting.packet_id}"


def test_no_crash_of_a_round_or_a_delivery_makes_a_finding(tmp_path: Path) -> None:
    """Right before each write of a round with a late leaf and of the deliveries after it, and after them."""
    base = TestService(TestLog(tmp_path / "base")).start(2)
    packet = base.packet(b"late")
    base.issue(packet, "late")
    base.log.clock.time += 290
    base.issue(base.packet(b"in time"), "in time")
    base.log.clock.time += 311
    base.ports.ledger.table.close()  # type: ignore[attr-defined]
    crashes = 0
    for stop in itertools.count():
        copy_home(base.log.home, tmp_path / str(stop))
        service = TestService(TestLog(tmp_path / str(stop), HeldClock(base.log.clock.time)))
        home = Home(service, packet, packet, packet)
        crashed = run_until(service, stop)
        assert {each.reason for each in home.look().findings} <= {LedgerReason.PAST_MERGE_BY}, stop
        for _ in range(2):
            service.round_and_deliver()
        assert (home.look().findings, home.look().notes) == ((), ()), stop
        crashes += crashed
        if not crashed:
            break
    assert crashes > 25


def run_until(service: TestService, stop: int) -> bool:
    """Two rounds with their deliveries, dead before write number `stop`. False if there are fewer."""

    def die(number: int, name: str) -> None:
        if number == stop:
            raise Crash(name)

    ports = tapped(service.ports, Tap(before=die))
    try:
        for pause in (59, 60):
            service.log.clock.time += pause
            Sequencer(ports).run()
            Deliverer(ports.ledger, ports.private, ports.public, ports.clock).run()
    except Crash:
        return True
    return False
