"""Issuing and delivery: one credit, one leaf, one kit."""

import hmac
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json
from attestlayer.encoding import format_hash, parse_base64url
from attestlayer.errors import Remark
from attestlayer.kit.container import Kit
from attestlayer.kit.intake import parse_trail
from attestlayer.kit.manifest import (
    HASH_TRAIL,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
    SALT_LENGTH,
    parse_manifest,
)
from attestlayer.kit.receipt import parse_receipt
from attestlayer.reading.files import open_kit
from attestlayer.verify.report import Verdict
from issuer.adapters.binder.renderer import TypstBinder
from issuer.errors import Code, ServiceError, StoreError
from issuer.kits.names import record_object, sealed_object
from issuer.log.face import read_latest
from issuer.model import Answer, Claim, Packet, PacketState
from support.audit import audit
from support.log import ORIGIN, TestLog
from support.service import WORKSPACE, PlainBinder, TestService, nonce_of


@pytest.fixture
def service(log: TestLog) -> TestService:
    return TestService(log).start(credits_granted=1)


def code_of(service: TestService, packet: Packet, **how: object) -> Code:
    with pytest.raises(ServiceError) as error:
        service.issue(packet, **how)  # type: ignore[arg-type]
    return error.value.code


def untouched(service: TestService) -> bool:
    return (service.debits(), service.waiting()) == ([], 0)


def delivered(service: TestService, packet: Packet) -> Packet:
    service.round()
    assert service.deliver().failed == ()
    packet = service.read(packet.packet_id)
    assert packet.state == PacketState.ISSUED
    return packet


def test_the_salts_of_the_manifest_and_of_the_trail_follow_from_the_packets_seed(
    service: TestService,
) -> None:
    packet = service.packet(b"one\n", b"two\n")
    service.issue(packet)
    issued = delivered(service, packet).issued
    assert issued
    with open_kit(service.kit_path(issued.kit_id)) as kit:
        files = parse_manifest(kit.documents[MANIFEST]).files
        opening = parse_trail(kit.documents[HASH_TRAIL]).events[0].data
    salts = {file.path: file.salt for file in files}
    salts[HASH_TRAIL] = parse_base64url(str(opening["salt"]), SALT_LENGTH)
    for path, salt in salts.items():
        assert salt == hmac.digest(packet.seed, path.encode(), "sha256")[:16], path
    assert len(set(salts.values())) == len(salts)


@pytest.mark.parametrize("renderer", [PlainBinder(), TypstBinder()], ids=["plain", "typst"])
def test_a_pass_takes_a_credit_and_its_kit_verifies_after_the_next_round(
    log: TestLog, renderer: PlainBinder
) -> None:
    service = TestService(log, renderer).start(credits_granted=2)
    packet = service.packet(b"one\n", b"two\n")
    answer = service.issue(packet)
    body = parse_json(answer.body)
    assert isinstance(body, dict)
    assert (answer.status, body["outcome"], body["credits_consumed"]) == (202, "PASS", 1)
    assert service.read(packet.packet_id).state == PacketState.SEALED
    assert (service.debits(), service.waiting()) == ([body["kit_id"]], 1)
    assert service.ports.ledger.balance(WORKSPACE) == 1
    assert service.deliver().delivered == ()
    packet = delivered(service, packet)
    assert service.explained(packet).verdict == Verdict.VERIFIED
    assert audit(log.home / "registry", ORIGIN).leaf_hashes == [body["leaf"]["leaf_hash"]]  # type: ignore[index,call-overload]
    assert service.waiting() == 0


def test_a_fail_names_the_blockers_and_takes_nothing(service: TestService) -> None:
    packet = service.packet(b"\x7fELF a program")
    answer = service.issue(packet)
    assert (answer.status, b'"outcome":"FAIL"' in answer.body) == (200, True)
    assert service.read(packet.packet_id).state == PacketState.BLOCKED
    assert untouched(service)
    assert service.issue(packet) == answer  # replayed, not evaluated again
    assert len(service.read(packet.packet_id).attempts) == 1
    service.round()
    assert audit(service.log.home / "registry", ORIGIN).entries == []


def test_without_a_credit_nothing_is_issued(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=0)
    packet = service.packet(b"one\n")
    assert code_of(service, packet) is Code.NO_CREDITS
    assert untouched(service)
    service.grant(1)
    assert service.issue(packet).status == 202  # the same key again


def test_a_nonce_is_used_once(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=3)
    nonce = nonce_of("the same")
    service.issue(service.packet(b"one\n"), key="1", nonce=nonce)
    assert code_of(service, service.packet(b"two\n"), key="2", nonce=nonce) is Code.NONCE_USED
    assert len(service.debits()) == 1


@pytest.mark.parametrize(
    "nonce", [b"", b"hello", nonce_of("x")[:-1], nonce_of("x") + b"\n", nonce_of("x") * 9]
)
def test_a_malformed_nonce_is_refused(service: TestService, nonce: bytes) -> None:
    assert code_of(service, service.packet(b"one\n"), nonce=nonce) is Code.NONCE_MALFORMED
    assert untouched(service)


def test_a_nonce_that_names_an_unknown_checkpoint_is_refused(service: TestService) -> None:
    latest = read_latest(service.ports.public)
    assert latest
    nonce = nonce_of("x", replace(latest, sequence=9))
    assert code_of(service, service.packet(b"one\n"), nonce=nonce) is Code.NONCE_CHECKPOINT_UNKNOWN
    assert untouched(service)


def test_the_checkpoint_that_a_nonce_names_travels_in_the_kit(service: TestService) -> None:
    latest = read_latest(service.ports.public)
    assert latest
    service.log.clock.time += 30
    packet = service.packet(b"one\n")
    service.issue(packet, nonce=nonce_of("x", latest))
    packet = delivered(service, packet)
    report = service.explained(packet)
    assert (report.verdict, report.notes) == (Verdict.VERIFIED, ())
    assert report.issued and report.issued.not_before == latest.timestamp
    assert packet.issued
    with open_kit(service.kit_path(packet.issued.kit_id)) as kit:
        assert kit.documents[NONCE_CHECKPOINT] == latest.format()


def test_a_cohort_uses_its_reserve_first(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=3)
    service.grant(1, "reserved:autumn")
    for left in ((0, 2), (0, 1)):
        packet = service.packet(b"one\n", cohort="autumn")
        service.issue(packet, key=packet.packet_id)
        assert (
            tuple(service.ports.ledger.balance(WORKSPACE, a) for a in ("reserved:autumn", "available"))
            == left
        )


def test_a_cohort_whose_reserve_is_used_up_meanwhile_pays_from_what_is_available(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=3)
    service.grant(1, "reserved:autumn")
    first, second = (service.packet(b"one\n", cohort="autumn") for _ in range(2))
    others = service.again()
    raced: list[int] = []

    def race() -> None:
        if not raced:
            raced.append(others.issue(second, key="2").status)

    assert service.again(renderer=PlainBinder(race)).issue(first, key="1").status == 202
    assert raced == [202]
    assert len(service.debits()) == 2


@pytest.mark.parametrize(("age", "accepted"), [(300, True), (301, False), (4000, False)])
def test_a_log_that_stands_still_takes_no_promises(service: TestService, age: int, accepted: bool) -> None:
    packet = service.packet(b"one\n")
    service.log.clock.time += age
    if accepted:
        assert service.issue(packet).status == 202
    else:
        assert code_of(service, packet) is Code.LOG_STALLED
        assert untouched(service)


@pytest.mark.parametrize(("ahead", "accepted"), [(300, True), (301, False), (86_400, False)])
def test_a_log_that_is_ahead_of_the_clock_takes_no_promises(
    service: TestService, ahead: int, accepted: bool
) -> None:
    """There is no round until the clock has caught up: the leaf would be late."""
    service.log.clock.time += 86_460
    service.round()
    service.log.clock.time -= ahead
    packet = service.packet(b"one\n")
    if accepted:
        assert service.issue(packet).status == 202
    else:
        assert code_of(service, packet) is Code.LOG_STALLED
        assert untouched(service)


def slow(service: TestService, seconds: list[int]) -> TestService:
    """The service with a renderer that takes so long, one time after the other."""

    def take_time() -> None:
        service.log.clock.time += seconds.pop(0) if seconds else 0

    return service.again(renderer=PlainBinder(take_time))


@pytest.mark.parametrize("seconds", [[59], [60], [61], [90], [61, 61], [100, 100]])
def test_a_kit_that_took_long_to_seal_is_sealed_anew(service: TestService, seconds: list[int]) -> None:
    packet = service.packet(b"one\n")
    tries = [s for s in seconds if s > 60]
    answer = slow(service, list(seconds)).issue(packet)
    assert answer.status == 202
    issued = service.read(packet.packet_id).issued
    assert issued
    assert issued.issued_at == service.log.clock.time - sum(seconds) + sum(tries)
    assert len(service.debits()) == service.waiting() == 1
    delivered(service, packet)


def test_a_kit_that_always_takes_too_long_is_given_up(service: TestService) -> None:
    packet = service.packet(b"one\n")
    with pytest.raises(ServiceError) as error:
        slow(service, [70] * 9).issue(packet)
    assert error.value.code is Code.INTERNAL
    assert untouched(service)
    assert service.issue(packet).status in {202}  # the key was given up


def test_a_slow_call_whose_key_another_took_over_answers_what_that_one_did(service: TestService) -> None:
    packet = service.packet(b"one\n")
    answers: list[Answer] = []

    def overtaken() -> None:
        service.log.clock.time += 61
        if not answers:
            answers.append(service.again(renderer=PlainBinder()).issue(packet))

    answer = service.again(renderer=PlainBinder(overtaken)).issue(packet)
    assert answers == [answer]
    assert len(service.debits()) == service.waiting() == 1


def test_the_same_key_again_gets_the_same_answer(service: TestService) -> None:
    packet = service.packet(b"one\n")
    answer = service.issue(packet)
    assert service.again().issue(packet) == answer
    delivered(service, packet)
    assert service.again().issue(packet) == answer
    assert len(service.debits()) == 1


def test_the_same_key_for_another_request_is_refused(service: TestService) -> None:
    packet = service.packet(b"one\n")
    service.issue(packet)
    assert code_of(service, packet, nonce=nonce_of("other")) is Code.IDEMPOTENCY_MISMATCH


@pytest.mark.parametrize("when", ["sealed", "issued", "withdrawn"])
def test_a_packet_that_is_done_is_not_issued_again(log: TestLog, when: str) -> None:
    service = TestService(log).start(credits_granted=5)
    packet = service.packet(b"one\n")
    if when == "withdrawn":
        service.packets.withdraw(WORKSPACE, packet.packet_id)
    else:
        service.issue(packet)
    if when == "issued":
        delivered(service, packet)
    before = (service.read(packet.packet_id), service.debits())
    assert code_of(service, packet, key="another", nonce=nonce_of("another")) is Code.WRONG_STATE
    assert (service.read(packet.packet_id), service.debits()) == before


def test_sixteen_calls_with_one_credit_make_one_kit(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=1)
    packets = [service.packet(b"%d\n" % number) for number in range(16)]

    def issue(packet: Packet) -> str:
        try:
            return str(service.again().issue(packet, key=packet.packet_id).status)
        except ServiceError as error:
            return error.code.word

    with ThreadPoolExecutor(16) as pool:
        outcomes = sorted(pool.map(issue, packets))
    assert outcomes == ["202"] + ["no-credits"] * 15
    assert len(service.debits()) == service.waiting() == 1
    assert service.ports.ledger.balance(WORKSPACE) == 0


def test_sixteen_calls_for_one_packet_make_one_kit(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=16)
    packet = service.packet(b"one\n")

    def issue(number: int) -> str:
        try:
            return str(service.again().issue(packet, f"key {number}", nonce_of(f"{number}")).status)
        except ServiceError as error:
            return error.code.word

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(issue, range(16)))
    assert outcomes.count("202") == 1
    assert set(outcomes) <= {"202", "changed-meanwhile", "wrong-state"}
    assert len(service.debits()) == service.waiting() == 1


def test_a_record_whose_stored_bytes_changed_is_a_blocker(service: TestService) -> None:
    packet = service.packet(b"one\n")
    name = record_object(packet.packet_id, packet.records[0])
    (service.log.home / "private" / name).write_bytes(b"two\n")
    assert b"bytes-as-announced" in service.issue(packet).body
    assert untouched(service)


def test_what_was_examined_is_what_is_sealed_whatever_becomes_of_the_stored_record(
    service: TestService,
) -> None:
    packet = service.packet(b"one\n")
    path = service.log.home / "private" / record_object(packet.packet_id, packet.records[0])
    changing = service.again(renderer=PlainBinder(lambda: path.write_bytes(b"two\n")))
    assert changing.issue(packet).status == 202
    issued = delivered(service, packet).issued
    assert issued is not None
    with open_kit(service.kit_path(issued.kit_id)) as kit:
        (record,) = [member for name, member in kit.members.items() if name.startswith("records/")]
        assert b"".join(record.chunks()) == b"one\n"


def test_bytes_that_change_between_examining_and_sealing_stop_the_kit(
    service: TestService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    packet = service.packet(b"one\n")

    def spoil() -> None:
        (path,) = tmp_path.glob(f"attestlayer-*/{packet.records[0].record_id}")
        path.write_bytes(b"two\n")

    assert code_of(service.again(renderer=PlainBinder(spoil)), packet) is Code.CHANGED_MEANWHILE
    assert untouched(service)


def test_a_packet_that_changes_while_it_is_sealed_is_not_issued(service: TestService) -> None:
    packet = service.packet(b"one\n")
    changing = service.again(
        renderer=PlainBinder(lambda: service.submit(packet.packet_id, "b.txt", b"two\n"))
    )
    assert code_of(changing, packet) is Code.CHANGED_MEANWHILE
    assert untouched(service)


def test_without_the_issuer_key_that_the_notices_name_nothing_is_issued(service: TestService) -> None:
    packet = service.packet(b"one\n")
    claim = service.claim("key", b"x")
    assert isinstance(claim, Claim)
    with pytest.raises(ServiceError) as error:
        replace(service.issuer, signers={}).issue(packet, nonce_of("x"), claim)
    assert error.value.code is Code.KEY_UNUSABLE
    assert untouched(service)


def test_a_policy_that_can_not_be_read_back_stops_issuing(service: TestService) -> None:
    packet = service.packet(b"one\n")
    (policy,) = (service.log.home / "registry/v1/policies").iterdir()
    policy.unlink()
    with pytest.raises(StoreError):
        service.issue(packet)
    assert untouched(service)


def test_a_kit_that_supersedes_another_makes_no_notice_but_its_receipt_names_it(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=2)
    old = service.packet(b"one\n")
    service.issue(old)
    old = delivered(service, old)
    assert old.issued
    new = service.packet(b"two\n", supersedes=old.issued.kit_id)
    service.issue(new, key="new")
    new = delivered(service, new)
    assert service.ports.ledger.queued_notices() == ()
    service.round()
    assert len(audit(log.home / "registry", ORIGIN).notices) == 2
    assert Remark.SUPERSEDED not in [note.remark for note in service.explained(old).notes]
    assert new.issued and new.supersedes == old.issued.kit_id
    with open_kit(service.kit_path(new.issued.kit_id)) as kit:
        assert parse_receipt(kit.documents[RECEIPT]).supersedes == old.issued.kit_id


def test_the_operator_says_in_public_that_a_kit_is_superseded(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=2)
    old = service.packet(b"one\n")
    service.issue(old)
    old = delivered(service, old)
    assert old.issued
    new = service.packet(b"two\n")
    service.issue(new, key="new")
    issued = service.read(new.packet_id).issued
    assert issued
    for kit_id, by, code in (
        (old.issued.kit_id, issued.kit_id, Code.WRONG_STATE),
        (old.issued.kit_id, old.issued.kit_id, Code.INVALID_REQUEST),
        (old.issued.kit_id, "kit_0", Code.NOT_FOUND),
    ):
        with pytest.raises(ServiceError) as error:
            service.notifier.supersede(WORKSPACE, kit_id, by)
        assert error.value.code is code
    new = delivered(service, new)
    assert new.issued
    for _ in range(2):
        service.notifier.supersede(WORKSPACE, old.issued.kit_id, new.issued.kit_id)
    service.round()
    data = {"leaf_hash": format_hash(old.issued.leaf_hash), "by": format_hash(new.issued.leaf_hash)}  # type: ignore[arg-type]
    assert audit(log.home / "registry", ORIGIN).notices[-1]["data"] == data
    assert [note.remark for note in service.explained(old).notes] == [
        Remark.NOT_BEFORE_NOT_SHOWN,
        Remark.SUPERSEDED,
    ]
    assert service.explained(new).verdict == Verdict.VERIFIED


def test_delivery_again_and_at_once_is_one_delivery(log: TestLog) -> None:
    service = TestService(log).start(credits_granted=4)
    packets = [service.packet(b"%d\n" % number) for number in range(4)]
    for packet in packets:
        service.issue(packet, key=packet.packet_id)
    service.round()
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: service.again().deliver(), range(8)))
    assert [run.failed for run in runs] == [()] * 8
    assert service.deliver().delivered == ()
    for packet in packets:
        done = service.read(packet.packet_id)
        assert (done.state, done.delivered_at) == (PacketState.ISSUED, int(log.clock.time))
        assert service.explained(packet).verdict == Verdict.VERIFIED


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "of another kit"])
def test_a_sealed_kit_that_is_damaged_is_not_delivered_and_is_reported(log: TestLog, damage: str) -> None:
    service = TestService(log).start(credits_granted=2)
    packets = [service.packet(b"%d\n" % number) for number in range(2)]
    for packet in packets:
        service.issue(packet, key=packet.packet_id)
    service.round()
    bad, good = (service.read(packet.packet_id).issued for packet in packets)
    assert bad and good
    paths = [log.home / "private" / sealed_object(issued.kit_digest) for issued in (bad, good)]
    sound = paths[0].read_bytes()
    if damage == "gone":
        paths[0].unlink()
    else:
        at = sound.index(b"0\n")
        spoilt = {"flipped": sound[:at] + b"9" + sound[at + 1 :], "cut": sound[:-30]}
        paths[0].write_bytes(spoilt.get(damage, paths[1].read_bytes()))
    run = service.deliver()
    assert run.delivered == (good.kit_id,)
    assert [leaf for leaf, _ in run.failed] == [format_hash(bad.leaf_hash)]  # type: ignore[arg-type]
    assert not service.kit_path(bad.kit_id).exists()
    assert service.read(packets[0].packet_id).state == PacketState.SEALED
    paths[0].write_bytes(sound)
    assert service.deliver().delivered == (bad.kit_id,)
    assert service.explained(packets[0]).verdict == Verdict.VERIFIED


def test_a_delivered_kit_without_its_receipt_is_the_sealed_one(service: TestService) -> None:
    packet = service.packet(b"one\n")
    service.issue(packet)
    issued = delivered(service, packet).issued
    assert issued
    with open_kit(service.kit_path(issued.kit_id)) as kit:
        assert isinstance(kit, Kit)
        assert REGISTRY_RECEIPT in kit.members
        assert kit.sealed_digest() == issued.kit_digest


def test_a_kit_that_came_late_is_delivered_once_the_incident_is_public(service: TestService) -> None:
    packet = service.packet(b"one\n")
    service.issue(packet)
    service.log.clock.time += 700
    service.round()
    assert service.deliver().delivered == ()
    assert service.ports.ledger.balance(WORKSPACE) == 1
    packet = delivered(service, packet)
    report = service.explained(packet)
    assert report.verdict == Verdict.VERIFIED
    assert Remark.LATE_MERGE in [note.remark for note in report.notes]
    assert service.ports.ledger.balance(WORKSPACE) == 1
