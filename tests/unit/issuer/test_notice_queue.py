"""Shares of the notices document, what a round takes of the queue, and how often it reads the document."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from attestlayer.canonical import Members, format_json, parse_json
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.log import notices as core_notices
from attestlayer.log.notices import (
    IncidentReason,
    Notice,
    Notices,
    NoticeType,
    Role,
    key_added,
    late_merge,
    parse_notices,
)
from attestlayer.log.trust import Keyring
from issuer.errors import Code, ServiceError
from issuer.log import notice_queue
from issuer.log.face import read_trust_root
from issuer.log.notice_queue import Extension, NoRoomError, check_room, queue_late_merge, take_queued
from issuer.model import QueuedNotice
from issuer.services.notify import Notifier
from support.build import ISSUER, ORIGIN, REGISTRY, START, ml_dsa_witness, quorum_policy, witness
from support.log import TestLog, queue

Content = tuple[NoticeType, Members]


def withdrawn(number: int) -> Content:
    return NoticeType.KIT_WITHDRAWN, {
        "leaf_hash": format_hash(sha256(b"%d" % number)),
        "reason": "issued-in-error",
    }


def superseded(number: int) -> Content:
    by = format_hash(sha256(b"by"))
    return NoticeType.KIT_SUPERSEDED, {"leaf_hash": format_hash(sha256(b"%d" % number)), "by": by}


def late(number: int) -> Content:
    return late_merge(number, number, IncidentReason.OUTAGE)


def retired(number: int) -> Content:
    until = format_time(START + 10_000 + number)
    return NoticeType.KEY_RETIRED, {"kid": ISSUER.public.kid, "valid_until": until}


def policy(text: str) -> Content:
    return NoticeType.WITNESS_POLICY, {"valid_from": format_time(START), "policy": text}


def notice(content: Content) -> QueuedNotice:
    return QueuedNotice(content[0].value, format_json(content[1]))


def document(contents: Sequence[Content] = ()) -> Notices:
    keys = (key_added(Role.REGISTRY, REGISTRY.public, START), key_added(Role.ISSUER, ISSUER.public, START))
    return Notices(ORIGIN, tuple(Notice(n, START, *each) for n, each in enumerate((*keys, *contents))))


def test_the_room_that_is_counted_is_the_documents_length() -> None:
    contents = [withdrawn(1), late(2), retired(3), policy("quorum none\n"), superseded(4)] * 30
    filled = document(contents)
    extension = Extension(filled, START)
    assert sum(extension._room.lengths.values()) == len(filled.format()) + 1  # one comma less than notices


KITS = [withdrawn(n) if n % 2 else superseded(n) for n in range(8_000)]
INCIDENTS = [late(n) for n in range(1_500)]


def test_notices_of_kits_have_their_share_and_leave_the_others_theirs() -> None:
    full = document(KITS)
    for content in (withdrawn(8_001), superseded(8_002)):
        with pytest.raises(NoRoomError, match=r"8001 kit\.\* notices, at most 8000 can be"):
            check_room(full, START, (), notice(content))
    for content in (late(1), retired(1), policy("quorum none\n")):
        check_room(full, START, (), notice(content))


def test_queued_ones_are_counted() -> None:
    nearly = document(KITS[:-2])
    check_room(nearly, START, [notice(each) for each in KITS[-2:-1]], notice(KITS[-1]))
    # The same one again, and one that is none, take no room.
    waiting = [*(notice(each) for each in KITS[-2:]), notice(KITS[-1]), QueuedNotice("kit.withdrawn", b"{}")]
    check_room(nearly, START, waiting, notice(KITS[-1]))
    with pytest.raises(NoRoomError, match="8001"):
        check_room(nearly, START, waiting, notice(withdrawn(9_999)))


def test_incidents_have_their_share() -> None:
    full = document(INCIDENTS)
    with pytest.raises(NoRoomError, match="1501 incidents, at most 1500"):
        check_room(full, START, (), notice(late(1_500)))
    check_room(full, START, (), notice(withdrawn(1)))


def test_what_is_left_is_for_keys_and_policies_up_to_the_whole() -> None:
    full = document([*KITS, *INCIDENTS, *(retired(n) for n in range(498))])
    assert len(full.notices) == 10_000
    with pytest.raises(NoRoomError, match="10001 notices in all, at most 10000"):
        check_room(full, START, (), notice(retired(9_999)))


@pytest.mark.parametrize("over", [False, True])
def test_a_notice_of_a_key_or_policy_has_16_kib(over: bool) -> None:
    frame = len(format_json(Notice(2, START, *policy("#\nquorum none\n")).members())) + 1
    content = policy(f"#{'x' * (16 * 1024 - frame + over)}\nquorum none\n")
    if over:
        with pytest.raises(NoRoomError, match=r"16385 bytes of one notice of key\.\* and witness\.policy"):
            check_room(document(), START, (), notice(content))
    else:
        check_room(document(), START, (), notice(content))


def test_bytes_are_bounded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """No 8,000 notices of kits fill 3 MiB today: with longer ones they would."""
    monkeypatch.setattr(notice_queue, "MAX_KITS_LENGTH", 400)
    with pytest.raises(NoRoomError, match=r"bytes of kit\.\* notices, at most 400"):
        check_room(document(KITS[:2]), START, (), notice(withdrawn(9_999)))
    monkeypatch.setattr(notice_queue, "MAX_NOTICES_LENGTH", len(document().format()))
    with pytest.raises(NoRoomError, match="bytes of all notices"):
        check_room(document(), START, (), notice(retired(1)))


def test_a_round_takes_what_has_room_and_the_rest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_queue, "MAX_INCIDENTS", 2)
    waiting = [notice(each) for each in (late(1), late(2), late(3), withdrawn(1), late(1))]
    taken = take_queued(document(), START + 60, waiting)
    assert [each.type for each in taken.notices.notices[2:]] == ["incident", "incident", "kit.withdrawn"]
    assert taken.settled == (waiting[0], waiting[1], waiting[3], waiting[4])
    assert parse_notices(taken.notices.format()) == taken.notices


def test_a_late_merge_that_an_incident_covers_is_not_said_again() -> None:
    wide = notice(late_merge(3, 9, IncidentReason.OUTAGE))
    covered, beyond = notice(late(5)), notice(late_merge(9, 10, IncidentReason.OUTAGE))
    taken = take_queued(document(), START + 60, [wide, covered, beyond])
    assert len(taken.notices.notices) == 4
    assert taken.settled == (wide, covered, beyond)


def ranges(log: TestLog) -> list[tuple[object, object, object]]:
    data = [parse_json(each.data) for each in log.ports().ledger.queued_notices()]
    return [(each["from_index"], each["to_index"], each["reason"]) for each in data]  # type: ignore[call-overload,index]


def test_an_incident_without_room_waits_and_is_widened(log: TestLog) -> None:
    ledger, full = log.ports().ledger, document(INCIDENTS)
    for first, last in ((2_000, 2_003), (2_010, 2_011), (2_001, 2_002), (1_990, 1_990)):
        queue_late_merge(ledger, full, first, last, IncidentReason.OVERLOAD)
        queue_late_merge(ledger, full, first, last, IncidentReason.OUTAGE)  # another publisher of the round
    assert ranges(log) == [(1_990, 2_011, "overload")]


def test_with_room_each_late_round_has_its_incident(log: TestLog) -> None:
    ledger = log.ports().ledger
    for number in range(3):
        queue_late_merge(ledger, document(INCIDENTS[:-3]), number, number, IncidentReason.OUTAGE)
    assert ranges(log) == [(n, n, "outage") for n in range(3)]
    queue_late_merge(ledger, document(INCIDENTS[:-3]), 7, 9, IncidentReason.OUTAGE)
    assert ranges(log) == [(0, 9, "outage"), (1, 1, "outage"), (2, 2, "outage")]


def test_a_widened_notice_keeps_its_place_and_a_lost_one_goes_last(log: TestLog) -> None:
    ledger = log.ports().ledger
    first, second, third, fourth = (notice(late(n)) for n in range(4))
    ledger.queue_notice(first)
    ledger.queue_notice(second)
    ledger.replace_notice(first, third)
    assert ledger.queued_notices() == (third, second)
    ledger.replace_notice(first, fourth)  # published meanwhile
    assert ledger.queued_notices() == (third, second, fourth)
    ledger.replace_notice(second, third)  # queued already
    assert ledger.queued_notices() == (third, fourth)


def notifier(log: TestLog) -> Notifier:
    ports = log.ports()
    return Notifier(ports.ledger, ports.public, log.clock)


def test_past_its_share_an_operators_notice_is_refused_when_it_is_queued(
    log: TestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = log.init()
    monkeypatch.setattr(notice_queue, "MAX_KITS", 2)
    for number in range(2):
        notifier(log).queue(notice(withdrawn(number)))
        if not number:
            log.round(ports)
    with pytest.raises(
        ServiceError, match=r"kit\.withdrawn: no room: .*3 kit\.\* notices, at most 2"
    ) as error:
        notifier(log).queue(notice(withdrawn(2)))
    assert error.value.code is Code.TOO_LARGE
    assert len(ports.ledger.queued_notices()) == 1
    log.round(ports)
    assert len(read_trust_root(ports.public).keyring.withdrawn) == 2


ED25519_POLICY = quorum_policy([witness(1), witness(2)])
_M = f"witness m {ml_dsa_witness('m')}\n"
_A = f"witness a {witness(1).key.format()}\n"
REFUSED = {
    "a quorum of one ML-DSA witness": f"{_M}quorum m\n",
    "all of one each": f"{_A}{_M}group g all a m\nquorum g\n",
    "a group of a group": f"{_A}{_M}group g any m\ngroup h all a g\nquorum h\n",
    "no policy": "quorum x\n",
}
TAKEN = {
    "none": "quorum none\n",
    "all of two": ED25519_POLICY,
    "any of one each": f"{_A}{_M}group g any a m\nquorum g\n",
    "one that is not needed": f"{_M}quorum none\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_policy_whose_quorum_can_not_be_met_is_refused_when_it_is_queued(log: TestLog, text: str) -> None:
    log.init()
    with pytest.raises(ServiceError) as error:
        notifier(log).queue(notice(policy(text)))
    assert error.value.code is Code.INVALID_REQUEST
    assert log.ports().ledger.queued_notices() == ()


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_a_policy_that_can_be_met_is_queued(log: TestLog, text: str) -> None:
    log.init()
    notifier(log).queue(notice(policy(text)))
    assert len(log.ports().ledger.queued_notices()) == 1


def test_a_notice_that_contradicts_is_refused_when_it_is_queued(log: TestLog) -> None:
    log.init()
    stranger = NoticeType.KEY_RETIRED, {"kid": "A" * 43, "valid_until": format_time(START)}
    for content in (stranger, (NoticeType.KIT_WITHDRAWN, {})):
        with pytest.raises(ServiceError) as error:
            notifier(log).queue(notice(content))  # type: ignore[arg-type]
        assert error.value.code is Code.INVALID_REQUEST


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How many notices were checked, and how many taken into account."""
    counts = {"checked": 0, "read": 0}

    def counting(name: str, inner: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            counts[name] += 1
            return inner(*arguments)

        return call

    take = counting("checked", core_notices.take_notice)
    monkeypatch.setattr(core_notices, "take_notice", take)
    monkeypatch.setattr(notice_queue, "take_notice", take)
    monkeypatch.setattr(Keyring, "read", counting("read", Keyring.read))
    yield counts


@pytest.mark.parametrize("queued", [0, 1, 40])
@pytest.mark.parametrize("leaves", [0, 3])
def test_a_round_checks_each_notice_once_however_many_are_queued(
    log: TestLog, counted: dict[str, int], queued: int, leaves: int
) -> None:
    ports = log.init()
    for number in range(30):
        queue(ports, *withdrawn(number))
    log.round(ports)
    for number in range(queued):
        queue(ports, *superseded(number))
    counted.update(checked=0, read=0)
    log.round(ports, leaves)
    there = 2 + 30 + queued
    assert counted == {"checked": there, "read": there}
    assert len(read_trust_root(replace(ports).public).notices.notices) == there
