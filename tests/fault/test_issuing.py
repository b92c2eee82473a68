"""Every write of issuing and of delivery fails once; the call is made again: one debit, one leaf, one kit."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from attestlayer.verify.report import Verdict
from issuer.errors import ServiceError
from issuer.model import Packet, PacketState
from support.audit import audit
from support.log import ORIGIN, Crash, HeldClock, Tap, TestLog, at_write, copy_home, failures
from support.service import WORKSPACE, TestService
from support.thorough import sampled

Act = Callable[[TestService, Packet], object]


def ready(service: TestService) -> Packet:
    """A packet to be issued, which supersedes another's kit."""
    old = service.packet(b"old\n")
    service.issue(old, "old")
    service.round()
    service.deliver()
    issued = service.read(old.packet_id).issued
    assert issued
    return service.packet(b"one\n", b"two\n", supersedes=issued.kit_id)


def merged(service: TestService) -> Packet:
    """A packet that is issued and whose leaf is public."""
    packet = ready(service)
    service.issue(packet)
    service.round()
    return packet


def issue(service: TestService, packet: Packet) -> object:
    return service.issue(packet)


def deliver(service: TestService, packet: Packet) -> object:
    del packet
    return service.deliver()


CASES: dict[str, tuple[Callable[[TestService], Packet], Act, int]] = {
    "issue": (ready, issue, 5),
    "deliver": (merged, deliver, 2),
}
"""What is there before, what is done, and how many writes that makes at least."""

PARTS = 3
"""The failures, four of each write, dealt out."""


def assert_debits_are_leaves(service: TestService, packet: Packet) -> None:
    """A debit without its leaf, or a leaf without its debit, is never seen."""
    old_and_new = [service.read(each.packet_id) for each in service.ports.ledger.packets(WORKSPACE, None, 9)]
    fixed = sorted(each.issued.kit_id for each in old_and_new if each.issued)
    assert sorted(service.debits()) == fixed
    sealed = [each for each in old_and_new if each.state == PacketState.SEALED]
    assert service.waiting() == len(sealed)
    assert (service.read(packet.packet_id).issued is None) == (len(fixed) == 1)


def prepared(case: str, folder: Path) -> tuple[Callable[[str, Tap], TestService], Packet, list[str]]:
    """How to copy a home before the act, its packet, and the writes that the act makes."""
    prepare, act, _ = CASES[case]
    made = TestService(TestLog(folder / "made")).start(credits_granted=2)
    packet = prepare(made)

    def copy(name: str, tap: Tap) -> TestService:
        copy_home(made.log.home, folder / name)
        return TestService(TestLog(folder / name, HeldClock(made.log.clock.time)), tap=tap)

    whole = Tap()
    act(copy("whole", whole), packet)
    return copy, packet, whole.names


@pytest.mark.parametrize("part", sampled(range(PARTS), PARTS))
@pytest.mark.parametrize("case", CASES)
def test_a_write_that_fails_leaves_a_service_that_goes_on(case: str, tmp_path: Path, part: int) -> None:
    _, act, enough = CASES[case]
    copy, packet, writes = prepared(case, tmp_path)
    assert len(writes) >= enough, writes
    for number, failure in enumerate(failures(len(writes))[part::PARTS]):
        failing = failure.tap()
        service = copy(f"failed {number}", failing)
        with suppress(ServiceError, Crash):
            act(service, packet)
        assert len(failing.names) > failure.at
        assert_debits_are_leaves(service, packet)
        go_on(service.again(), packet)


def go_on(service: TestService, packet: Packet) -> None:
    """Another process carries on when the lease of the one that died is over."""
    service.log.clock.time += 61
    service.round()
    answer = service.issue(packet)
    assert answer.status == 202
    assert service.issue(packet) == answer
    assert_debits_are_leaves(service, packet)
    service.round()
    assert service.deliver().failed == ()
    service.round()
    assert service.explained(packet).verdict == Verdict.VERIFIED
    assert (len(service.debits()), service.waiting()) == (2, 0)
    assert service.ports.ledger.balance(WORKSPACE) == 0
    found = audit(service.log.home / "registry", ORIGIN)
    assert len(found.entries) == 2
    assert found.notices[2:] == []


@pytest.mark.parametrize("case", CASES)
def test_a_call_that_stalls_while_the_log_goes_on_makes_one_kit(case: str, tmp_path: Path) -> None:
    """Before each write in turn, another process runs a round and delivers what it can."""
    _, act, _ = CASES[case]
    copy, packet, writes = prepared(case, tmp_path)
    for stall in range(len(writes)):
        tap = Tap()
        service = copy(f"stalled {stall}", tap)
        tap.before = at_write(stall, service.again().round_and_deliver).before
        act(service, packet)
        go_on(service.again(), packet)
