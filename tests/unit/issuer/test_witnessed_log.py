"""Rounds that witnesses must cosign."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from attestlayer.encoding import format_time
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.note import (
    ED25519,
    MAX_SIGNATURES,
    Note,
    Signature,
    VerifierKey,
    WitnessPolicy,
    parse_note,
)
from attestlayer.verify.evidence import anchors_of
from attestlayer.verify.report import Verdict
from attestlayer.verify.verifier import explain_receipt
from issuer.errors import LogHaltedError
from issuer.log.face import read_trust_root
from issuer.log.store import LogPorts
from issuer.ports import ConsistencyProver, WitnessAnswers
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.build import ml_dsa_witness
from support.log import ORIGIN, Crash, HeldClock, Tap, TestLog, queue, tapped, wait
from support.witnesses import Pool, Witness


def pool(log: TestLog, count: int = 2) -> Pool:
    return Pool([Witness(f"witness{n}.example.net", log.clock) for n in range(count)])


def witnessed(log: TestLog, witnesses: Pool, threshold: str = "any") -> LogPorts:
    """A log whose checkpoints after the genesis need `threshold` of these witnesses."""
    ports = replace(log.init(), witnesses=witnesses)
    demand(log, ports, witnesses.policy(threshold))
    return ports


def demand(log: TestLog, ports: LogPorts, policy: str) -> None:
    queue(ports, "witness.policy", {"valid_from": format_time(int(log.clock.time)), "policy": policy})


def verdicts(ports: LogPorts) -> set[Verdict]:
    trust = read_trust_root(ports.public)
    names = ports.public.list("v1/proofs/inclusion/")
    receipts = [parse_registry_receipt(ports.public.read(name) or b"") for name in names]
    return {explain_receipt(receipt, anchors_of(trust)).verdict for receipt in receipts}


def lines_of(ports: LogPorts) -> int:
    return (ports.public.read("checkpoint") or b"").decode().count("— ")


@pytest.mark.parametrize(("threshold", "answering"), [("any", 1), ("any", 2), ("all", 2), ("2", 2)])
def test_a_round_whose_quorum_is_met_carries_the_cosignatures(
    log: TestLog, threshold: str, answering: int
) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses, threshold)
    for number, member in enumerate(witnesses.members):
        member.answers = number < answering
    for count in (3, 0, 300, 1):
        assert log.round(ports, count).outcome == RoundOutcome.PUBLISHED
    assert lines_of(ports) == 1 + answering
    assert verdicts(ports) == {Verdict.VERIFIED}
    audit(log.home / "registry", ORIGIN)


@pytest.mark.parametrize("threshold", ["any", "all"])
def test_a_round_without_its_quorum_stays_open_and_is_finished_later(log: TestLog, threshold: str) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses, threshold)
    log.round(ports, 1)
    witnesses.members[0].answers = False
    witnesses.members[1].answers = threshold == "all"
    for count in (2, 1):
        with pytest.raises(LogHaltedError, match="quorum"):
            log.round(ports, count)
    assert len(audit(log.home / "registry", ORIGIN, open_round=True).checkpoints) == 2
    witnesses.members[0].answers = True
    log.clock.time += 60
    report = Sequencer(ports).run()
    assert report.outcome == RoundOutcome.NOT_DUE  # the open round took this instant's time
    assert report.checkpoint and report.checkpoint.head.size == 3
    log.round(ports)
    found = audit(log.home / "registry", ORIGIN)
    assert (len(found.checkpoints), len(found.entries)) == (4, 4)
    assert verdicts(ports) == {Verdict.VERIFIED}


SPOILT: dict[str, Callable[[list[Signature]], list[Signature]]] = {
    "flipped": lambda lines: [replace(x, data=x.data[:-1] + bytes([x.data[-1] ^ 1])) for x in lines],
    "cut": lambda lines: [replace(x, data=x.data[:-1]) for x in lines],
    "empty": lambda lines: [replace(x, data=b"") for x in lines],
    "another's name": lambda lines: [replace(x, name="nobody.example.net") for x in lines],
    "no lines": lambda lines: [],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_bad_lines_do_not_count_and_are_not_stored(
    log: TestLog, spoil: Callable[[list[Signature]], list[Signature]]
) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses)
    witnesses.spoil = spoil
    with pytest.raises(LogHaltedError, match="quorum"):
        log.round(ports, 1)
    witnesses.spoil = lambda lines: [*spoil(lines[:1]), *lines[1:], *spoil(lines[1:])]
    log.clock.time += 60
    assert Sequencer(ports).run().checkpoint
    assert lines_of(ports) == 2
    log.round(ports, 1)
    assert verdicts(ports) == {Verdict.VERIFIED}


def note_lines(ports: LogPorts) -> list[Signature]:
    return list(parse_note((ports.public.read("checkpoint") or b"").decode()).signatures)


def line_of(name: str, length: int, key_id: bytes = b"\xaa\xbb\xcc\xdd") -> Signature:
    return Signature(name, key_id, bytes(range(256)) * (length // 256) + bytes(length % 256))


def test_two_lines_of_other_types_in_an_answer_are_carried_along(log: TestLog) -> None:
    witnesses = pool(log)
    first, second = (member.name for member in witnesses.members)
    ml_dsa, short, third = line_of(first, 8 + 2420), line_of(first, 1), line_of(first, 100)
    witnesses.members[0].others = [ml_dsa, short, third]
    witnesses.members[1].others = [line_of(second, 73)]
    ports = witnessed(log, witnesses, "all")
    for count in (3, 0, 0, 2):  # asked, carried over twice, asked again
        log.round(ports, count)
        assert note_lines(ports)[3:] == [ml_dsa, short, line_of(second, 73)]
    assert verdicts(ports) == {Verdict.VERIFIED}
    assert audit(log.home / "registry", ORIGIN)


def test_they_do_not_count(log: TestLog) -> None:
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    witnesses.members[0].others = [line_of(witnesses.members[0].name, 2428)]
    witnesses.spoil = lambda lines: lines[1:]
    with pytest.raises(LogHaltedError, match="quorum"):
        log.round(ports, 1)


LONGEST = (4096 - len("— witness0.example.net \n".encode())) // 4 * 3 - 4
"""Bytes of a signature whose line has as many characters as base64 can fill of 4,096."""

NOT_CARRIED: dict[str, Callable[[TestLog, str], Signature]] = {
    "under another witness's name": lambda log, name: line_of("witness1.example.net", 100),
    "under a name of nobody": lambda log, name: line_of("nobody.example.net", 100),
    "under the log's name": lambda log, name: line_of(ORIGIN, 100),
    "as long as type 0x01": lambda log, name: line_of(name, 64),
    "as long as type 0x04": lambda log, name: line_of(name, 72),
    "of the witness's key id": lambda log, name: line_of(name, 2428, key_of(name).key_id),
    "of the log's key id": lambda log, name: line_of(
        name, 2428, VerifierKey(ORIGIN, ED25519, log.signer.public).key_id
    ),
    "over 4 KiB": lambda log, name: line_of(name, LONGEST + 1),
}


def key_of(name: str) -> VerifierKey:
    return Witness(name, HeldClock(0)).key


@pytest.mark.parametrize("bad", NOT_CARRIED.values(), ids=NOT_CARRIED)
def test_a_line_that_could_be_mistaken_is_not_carried(
    log: TestLog, bad: Callable[[TestLog, str], Signature]
) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses, "all")
    name = witnesses.members[0].name
    longest = line_of(name, LONGEST)
    witnesses.members[0].others = [bad(log, name), longest, bad(log, name)]
    log.round(ports, 1)
    assert note_lines(ports)[3:] == [longest]
    assert verdicts(ports) == {Verdict.VERIFIED}


@pytest.mark.parametrize(("threshold", "answering", "room"), [("20", 40, 0), ("all", 29, 2), ("all", 30, 1)])
def test_cosignatures_come_first_where_a_note_is_full(
    log: TestLog, threshold: str, answering: int, room: int
) -> None:
    witnesses = pool(log, answering)
    for member in witnesses.members:
        member.others = [line_of(member.name, 200)]
    ports = witnessed(log, witnesses, threshold)
    log.round(ports, 1)
    lines = note_lines(ports)
    assert (len(lines), sum(len(line.data) == 200 for line in lines)) == (MAX_SIGNATURES, room)
    assert verdicts(ports) == {Verdict.VERIFIED}


def test_an_uncounted_witness_in_the_policy_holds_nothing_up(log: TestLog) -> None:
    witnesses = pool(log, 1)
    ports = replace(log.init(), witnesses=witnesses)
    name = witnesses.members[0].name
    lines = f"witness {name} {witnesses.members[0].key.format()}\nwitness m {ml_dsa_witness('m')}\n"
    demand(log, ports, f"{lines}group g any {name} m\nquorum g\n")
    log.round(ports, 1)
    assert verdicts(ports) == {Verdict.VERIFIED}


@pytest.mark.parametrize("off", [-601, 601, -86_400])
def test_a_cosignature_that_no_verifier_would_count_does_not_count_here(log: TestLog, off: int) -> None:
    """A receipt with it could never be verified, and its kit never be delivered."""
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    clock = HeldClock(log.clock.time + 60 + off)
    witnesses.members[0].clock = clock
    with pytest.raises(LogHaltedError, match="quorum"):
        log.round(ports, 1)
    clock.time -= off
    log.round(ports, 1)
    assert verdicts(ports) == {Verdict.VERIFIED}


def test_cosignatures_are_carried_over_while_the_size_is_unchanged(log: TestLog) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses)
    log.round(ports, 1)
    asked = [w.asked for w in witnesses.members]
    for _ in range(3):
        log.round(ports)
    assert [w.asked for w in witnesses.members] == asked
    assert lines_of(ports) == 3
    log.round(ports, 1)
    assert [w.asked for w in witnesses.members] == [n + 1 for n in asked]


def test_a_first_policy_that_comes_while_the_size_is_unchanged_asks_the_witnesses(log: TestLog) -> None:
    witnesses = pool(log)
    ports = replace(log.init(), witnesses=witnesses)
    log.round(ports, 5)
    demand(log, ports, witnesses.policy("all"))
    assert log.round(ports).outcome == RoundOutcome.PUBLISHED
    assert lines_of(ports) == 3


def test_a_policy_that_names_others_while_the_size_is_unchanged_asks_them(log: TestLog) -> None:
    witnesses = pool(log, 3)
    old, new = Pool(witnesses.members[:1]), Pool(witnesses.members[1:])
    ports = replace(witnessed(log, old), witnesses=witnesses)
    log.round(ports, 5)
    demand(log, ports, new.policy("all"))
    assert log.round(ports).outcome == RoundOutcome.PUBLISHED
    assert lines_of(ports) == 3


def test_more_witnesses_than_a_note_can_hold_are_cut_to_a_quorum(log: TestLog) -> None:
    witnesses = pool(log, 40)
    ports = witnessed(log, witnesses, "20")
    log.round(ports, 1)
    assert lines_of(ports) == MAX_SIGNATURES
    assert verdicts(ports) == {Verdict.VERIFIED}


def test_a_quorum_that_no_note_can_hold_stays_open_and_is_said(log: TestLog) -> None:
    ports = witnessed(log, pool(log, 40), "all")
    with pytest.raises(LogHaltedError, match="40"):
        log.round(ports, 1)


def test_a_witness_that_knows_a_larger_size_stops_the_log(log: TestLog) -> None:
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    log.round(ports, 1)
    seen = witnesses.members[0].seen
    assert seen
    witnesses.members[0].seen = replace(seen, head=replace(seen.head, size=99))
    for _ in range(2):
        with pytest.raises(LogHaltedError, match="larger"):
            log.round(ports, 1)


def test_a_log_without_witnesses_at_hand_waits_for_its_quorum(log: TestLog) -> None:
    witnesses = pool(log)
    ports = witnessed(log, witnesses)
    with pytest.raises(LogHaltedError, match="quorum"):
        log.round(replace(ports, witnesses=None))
    assert log.round(ports).checkpoint


@dataclass
class Slow:
    """Witnesses whose answer takes so long that something else happens first."""

    pool: Pool
    then: Callable[[], object]

    def cosign(self, note: Note, policy: WitnessPolicy, prove: ConsistencyProver) -> WitnessAnswers:
        self.then()
        return self.pool.cosign(note, policy, prove)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_a_writer_overtaken_while_witnesses_answer_has_lost_and_is_not_halted(
    log: TestLog, rounds: int
) -> None:
    """They know a larger size then than this writer's: head is read again before that stops the log."""
    witnesses = pool(log)
    ports = witnessed(log, witnesses)
    log.round(ports, 1)

    def overtake() -> None:
        for number in range(rounds + 1):
            log.clock.time += 60 if number else 0
            others = replace(log.ports(), witnesses=witnesses)
            wait(others, log.leaves(1))
            Sequencer(others).run()

    wait(ports, log.leaves(2))
    log.clock.time += 60
    report = Sequencer(replace(ports, witnesses=Slow(witnesses, overtake))).run()
    assert report.outcome == (RoundOutcome.LOST if rounds else RoundOutcome.PUBLISHED)
    log.round(ports, 1)
    audit(log.home / "registry", ORIGIN)
    assert verdicts(ports) == {Verdict.VERIFIED}


def incidents(log: TestLog) -> list[tuple[int, int, str]]:
    """First leaf, last leaf and reason of each late merge."""
    data = [
        each["data"] for each in audit(log.home / "registry", ORIGIN).notices if each["type"] == "incident"
    ]
    return [(each["from_index"], each["to_index"], each["reason"]) for each in data]


def keep_away(log: TestLog, ports: LogPorts, witnesses: Pool, seconds: int) -> None:
    """A round that is tried while the witnesses are away, and finished when they are back."""
    witnesses.members[0].answers = False
    with pytest.raises(LogHaltedError, match="quorum"):
        log.round(ports)
    log.clock.time += seconds
    witnesses.members[0].answers = True
    for _ in range(3):
        log.round(ports)


def test_leaves_that_witnesses_kept_waiting_are_late_for_that_reason(log: TestLog) -> None:
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    wait(ports, log.leaves(2))
    keep_away(log, ports, witnesses, 700)
    assert incidents(log) == [(0, 1, "witnesses-unavailable")]
    assert ports.ledger.balance("ws_test") == 2


def test_leaves_that_were_late_before_the_witnesses_were_asked_are_late_for_an_outage(log: TestLog) -> None:
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    wait(ports, log.leaves(2))
    log.clock.time += 900
    wait(ports, log.leaves(3))
    keep_away(log, ports, witnesses, 700)
    assert incidents(log) == [(0, 1, "outage"), (2, 4, "witnesses-unavailable")]


def test_an_outage_after_the_commit_is_an_outage(log: TestLog) -> None:
    ports = witnessed(log, pool(log, 1))
    wait(ports, log.leaves(1))

    def die(number: int, name: str) -> None:
        if name.startswith("private signed/"):
            raise Crash

    log.clock.time += 60
    with pytest.raises(Crash):
        Sequencer(tapped(ports, Tap(before=die))).run()
    log.clock.time += 700
    for _ in range(3):
        log.round(ports)
    assert incidents(log) == [(0, 0, "outage")]


def test_publishers_who_saw_different_things_tell_one_reason(log: TestLog) -> None:
    """One gets no quorum after another has signed and found the leaves late."""
    witnesses = pool(log, 1)
    ports = witnessed(log, witnesses)
    wait(ports, log.leaves(1))

    def die(number: int, name: str) -> None:
        if name.startswith("private signed/"):
            raise Crash

    log.clock.time += 60
    with pytest.raises(Crash):
        Sequencer(tapped(ports, Tap(before=die))).run()
    log.clock.time += 700

    def finish(number: int, name: str) -> None:
        if name.startswith("private cause/"):
            witnesses.members[0].answers = True
            Sequencer(replace(log.ports(), witnesses=witnesses)).run()

    witnesses.members[0].answers = False
    with pytest.raises(LogHaltedError, match="quorum"):
        Sequencer(tapped(ports, Tap(before=finish))).run()
    for _ in range(3):
        log.round(ports)
    assert incidents(log) == [(0, 0, "outage")]
