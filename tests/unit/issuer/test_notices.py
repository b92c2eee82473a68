"""Queued notices, key events, and promises that were not kept."""

import pytest

from attestlayer.canonical import Members, parse_json
from attestlayer.encoding import format_hash, format_time
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, NoticeType, Role, WithdrawalReason, key_added
from issuer.errors import Code, ServiceError
from issuer.log.face import read_trust_root
from issuer.model import QueuedNotice
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.log import ORIGIN, START, SeedSigner, Tap, TestLog, queue, tapped, wait

SECOND = SeedSigner("second registry")


def withdrawal(log: TestLog) -> Members:
    leaf = format_hash(log.leaves(1)[0].hash())
    return {"leaf_hash": leaf, "reason": WithdrawalReason.ISSUED_IN_ERROR.value}


def test_a_queued_notice_is_public_with_the_next_round_and_leaves_the_queue(log: TestLog) -> None:
    ports = log.init()
    data = withdrawal(log)
    queue(ports, "kit.withdrawn", data)
    log.round(ports)
    notices = audit(log.home / "registry", ORIGIN).notices
    assert notices[-1] == {"n": 2, "at": format_time(START + 60), "type": "kit.withdrawn", "data": data}
    assert ports.ledger.queued_notices() == ()


def test_a_notice_that_is_public_already_is_not_made_twice(log: TestLog) -> None:
    ports = log.init()
    data = withdrawal(log)
    for _ in range(2):
        queue(ports, "kit.withdrawn", data)
        log.round(ports, 1)
    assert len(audit(log.home / "registry", ORIGIN).notices) == 3
    assert ports.ledger.queued_notices() == ()


BAD = {
    "contradicts": QueuedNotice(
        "key.retired", b'{"kid":"%s","valid_until":"2030-01-01T00:00:00Z"}' % (b"A" * 43)
    ),
    "has no such type": QueuedNotice("kit.blessed", b"{}"),
    "lacks members": QueuedNotice("kit.withdrawn", b"{}"),
    "is no object": QueuedNotice("kit.withdrawn", b"[]"),
    "is no JSON": QueuedNotice("kit.withdrawn", b"oops"),
    "is not canonical": QueuedNotice("incident", b'{ "kind": "late-merge" }'),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_notice_that_can_not_be_stays_in_the_queue_and_holds_nothing_up(
    log: TestLog, bad: QueuedNotice
) -> None:
    ports = log.init()
    ports.ledger.queue_notice(bad)
    queue(ports, "kit.withdrawn", withdrawal(log))
    for _ in range(2):
        assert log.round(ports, 1).outcome == RoundOutcome.PUBLISHED
    assert ports.ledger.queued_notices() == (bad,)
    assert len(audit(log.home / "registry", ORIGIN).notices) == 3


def test_the_trust_root_is_made_anew_only_when_notices_change(log: TestLog) -> None:
    ports = log.init()
    before = ports.public.read(layout.TRUST)
    log.round(ports, 1)
    assert ports.public.read(layout.TRUST) == before
    queue(ports, "kit.withdrawn", withdrawal(log))
    log.round(ports)
    assert ports.public.read(layout.TRUST) == read_trust_root(ports.public).format()


def test_a_second_registry_key_signs_a_second_line_and_the_oldest_signs_the_json(log: TestLog) -> None:
    from dataclasses import replace

    first = log.init()
    kind, data = key_added(Role.REGISTRY, SECOND.public, START + 120)
    queue(first, kind.value, data)
    ports = replace(first, signers={**first.signers, SECOND.public.kid: SECOND})
    kids, lines = [], []
    for _ in range(3):
        log.round(ports, 1)
        signed = parse_json(ports.private.read(f"signed/{len(kids) + 1}") or b"")
        assert isinstance(signed, dict) and isinstance(signed["checkpoint"], dict)
        kids.append(signed["checkpoint"]["kid"])
        lines.append(str(signed["note"]).count("— "))
    assert (kids, lines) == ([log.signer.public.kid] * 3, [1, 2, 2])
    queue(ports, "key.retired", {"kid": log.signer.public.kid, "valid_until": format_time(START + 240)})
    log.round(ports, 1)
    audit(log.home / "registry", ORIGIN)
    trust = read_trust_root(ports.public)
    assert trust.checkpoint.kid == SECOND.public.kid


@pytest.mark.parametrize("kind", ["added", "revoked"])
def test_a_key_event_that_this_writer_can_not_sign_under_is_not_committed(log: TestLog, kind: str) -> None:
    ports = log.init()
    name, data = key_added(Role.REGISTRY, SECOND.public, START + 60)
    if kind == "revoked":
        name, data = (
            NoticeType.KEY_REVOKED,
            {
                "kid": log.signer.public.kid,
                "revoked_at": format_time(START + 60),
                "reason": "key-lost",
            },
        )
    notice = queue(ports, name.value, data)
    with pytest.raises(ServiceError) as error:
        log.round(ports, 1)
    assert error.value.code is Code.KEY_UNUSABLE
    ports.ledger.drop_notice(notice)  # the operator thinks again
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED
    audit(log.home / "registry", ORIGIN)


def test_a_leaf_that_comes_late_makes_an_incident_and_gives_its_credit_back_once(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 2)
    late, prompt = log.leaves(2), log.leaves(1, START + 60 + 900)
    wait(ports, [*late, *prompt])
    log.clock.time += 900
    assert Sequencer(ports).run().leaves == 3
    assert ports.ledger.balance("ws_test") == 2
    log.round(ports)
    log.round(ports)
    incident = {"kind": "late-merge", "from_index": 2, "to_index": 3, "reason": IncidentReason.OUTAGE.value}
    notices = audit(log.home / "registry", ORIGIN).notices
    assert [n["data"] for n in notices if n["type"] == "incident"] == [incident]
    assert ports.ledger.balance("ws_test") == 2
    trust = read_trust_root(ports.public)
    assert [trust.keyring.is_late_merge(index) for index in range(5)] == [False, False, True, True, False]


def test_a_round_that_is_signed_late_makes_an_incident_too(log: TestLog) -> None:
    """What counts is the timestamp that was signed, not the batch's time."""
    ports = log.init()
    wait(ports, log.leaves(1))
    log.clock.time += 60

    def stall(number: int, name: str) -> None:
        if name == "private head":
            log.clock.time += 700

    report = Sequencer(tapped(ports, Tap(after=stall))).run()
    assert report.checkpoint and report.checkpoint.timestamp > START + 600
    assert ports.ledger.balance("ws_test") == 1
    log.round(ports)
    assert audit(log.home / "registry", ORIGIN).notices[-1]["type"] == "incident"


@pytest.mark.parametrize(("delay", "late"), [(600, False), (660, True)])
def test_the_promise_is_kept_to_the_second(log: TestLog, delay: int, late: bool) -> None:
    ports = log.init()
    wait(ports, log.leaves(1))
    log.clock.time += delay
    Sequencer(ports).run()
    assert ports.ledger.balance("ws_test") == int(late)
