"""What waits never costs more than once: undelivered leaves, batches of the past, poison in the queue."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from issuer.kits.names import sealed_object
from issuer.log.store import LogPorts
from issuer.model import PacketState
from issuer.services.deliver import Deliverer
from issuer.services.sequence import Sequencer
from support.audit import audit
from support.log import ORIGIN, START, Crash, Tap, TappedStore, TestLog, queue, tapped, wait
from support.service import TestService


def steps_of_a_round(log: TestLog, ports: LogPorts, count: int = 1) -> int:
    """Reads and writes that a round with `count` new leaves takes."""
    tap = Tap()
    wait(ports, log.leaves(count))
    log.clock.time += 60
    Sequencer(tapped(ports, tap, reads=True)).run()
    return len(tap.names)


def test_undelivered_leaves_do_not_keep_new_ones_waiting(
    log: TestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issuer.services.sequence.MAX_LEAVES", 4)
    ports = log.init()
    taken = [log.round(ports, count).leaves for count in (4, 4, 4, 9, 0, 0, 1)]
    assert taken == [4, 4, 4, 4, 4, 1, 1]
    assert len(ports.ledger.waiting_leaves(2**40, 99)) == 22
    found = audit(log.home / "registry", ORIGIN)
    assert len(found.entries) == 22


def test_a_round_costs_the_same_however_many_kits_are_undelivered(log: TestLog) -> None:
    ports = log.init()
    for _ in range(3):
        log.round(ports, 1)
    first = steps_of_a_round(log, ports)
    log.round(ports, 200)
    log.round(ports)
    assert steps_of_a_round(log, ports, 1) <= first + 3  # a wider tree: a tile more


def test_leaves_come_in_order_though_others_were_merged_between_them(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 5)
    late = log.leaves(1, START - 30)  # accepted after younger ones
    wait(ports, [*log.leaves(2), *late])
    log.clock.time += 60
    assert Sequencer(ports).run().leaves == 3
    entries = audit(log.home / "registry", ORIGIN).entries
    assert entries[5] == late[0].entry()


class Unlisted(TappedStore):
    """A store that can't be listed."""

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        raise AssertionError(f"a round lists {prefix}")


def test_a_round_lists_nothing(log: TestLog) -> None:
    ports = log.init()
    blind = replace(
        ports,
        private=Unlisted(ports.private, Tap(), "private "),
        public=Unlisted(ports.public, Tap(), "public "),
    )
    kept = []
    for count in (2, 0, 1, 0, 3):
        log.round(blind, count)
        kept.append([name.partition("-")[0] for name in ports.private.list("batch/")])
    assert kept == [["batch/1"], [], ["batch/3"], [], ["batch/5"]], "a round without leaves needs no batch"


POISON = {
    "no type": ("kit.unheard-of", {}),
    "no members": ("kit.withdrawn", {}),
    "no JSON object": ("incident", "text"),
    "a word that the table lacks": ("kit.withdrawn", {"leaf_hash": "A" * 43, "reason": "because"}),
    "a key that nobody added": ("key.retired", {"kid": "A" * 43, "valid_until": "2027-01-01T00:00:00Z"}),
}


@pytest.mark.parametrize("what", POISON)
def test_a_notice_that_can_not_be_published_holds_nothing_up(log: TestLog, what: str) -> None:
    ports = log.init()
    poison = queue(ports, *POISON[what])
    good = queue(ports, "kit.withdrawn", {"leaf_hash": "A" * 43, "reason": "issued-in-error"})
    for _ in range(3):
        log.round(ports, 1)
    assert ports.ledger.queued_notices() == (poison,)
    notices = audit(log.home / "registry", ORIGIN).notices
    assert [each["type"] for each in notices[2:]] == [good.type]


class CutOff(TappedStore):
    """A private store whose user dies once it has looked for two kits."""

    def fetch(self, name: str, path: Path) -> bool:
        if len(self.tap.names) == 2:
            raise Crash
        self.tap.names.append(name)
        return super().fetch(name, path)


def test_kits_that_can_not_be_finished_leave_the_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run is cut off after two leaves; the six oldest kits are lost."""
    monkeypatch.setattr("issuer.services.deliver._FEW", 4)
    service = TestService(TestLog(tmp_path)).start(credits_granted=9)
    packets = [service.packet(f"{n}\n".encode()) for n in range(8)]
    for number, packet in enumerate(packets):
        service.log.clock.time += 1
        service.issue(packet, f"key {number}")
        issued = service.read(packet.packet_id).issued
        assert issued
        if number < 6:
            service.ports.private.delete(sealed_object(issued.kit_digest))
    service.round()

    for _ in range(40):
        service.round()
        private, public = CutOff(service.ports.private, Tap(), ""), service.ports.public
        with suppress(Crash):
            Deliverer(service.ports.ledger, private, public, service.log.clock).run()
    states = [service.read(packet.packet_id).state for packet in packets]
    assert states == [PacketState.SEALED] * 6 + [PacketState.ISSUED] * 2
