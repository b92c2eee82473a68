"""The merge promise: credits that come back, the cadence kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.canonical import Members, format_json, parse_json, take_members
from attestlayer.encoding import Hash
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import TreeHead
from issuer.errors import LogHaltedError
from issuer.log.promise import Promise, oldest_waiting, promise_after, take_promise
from issuer.model import CreditKind
from issuer.services.sequence import Sequencer
from support.log import START, Tap, TestLog, tapped, wait
from support.service import WORKSPACE, TestService


@pytest.mark.parametrize("cohort", [None, "spring"])
def test_a_late_credit_goes_back_to_the_account_that_paid(log: TestLog, cohort: str | None) -> None:
    service = TestService(log).start(3)
    account = "available"
    if cohort:
        account = f"reserved:{cohort}"
        service.grant(2, account)
    service.issue(service.packet(b"a record", cohort=cohort))
    before = service.ports.ledger.balance(WORKSPACE, account)
    log.clock.time += 660  # past merge_by, 600 s after issued_at
    for _ in range(2):
        Sequencer(service.ports).run()
        log.clock.time += 60
    assert service.ports.ledger.balance(WORKSPACE, account) == before + 1
    lines = service.ports.ledger.credit_entries(WORKSPACE, None, 100)
    (line,) = [line for line in lines if line.kind == CreditKind.RETURNED]
    assert (line.source, line.target, line.amount) == ("consumed", account, 1)
    assert service.deliver().delivered


HASH = Hash(bytes(32))
GAP, DELAY = "longest_gap_seconds_24h", "worst_merge_delay_seconds_24h"


def stats(log: TestLog) -> Members:
    return take_members(parse_json((log.home / "registry/v1/stats").read_bytes()))


def checkpoint_at(sequence: int, timestamp: int) -> Checkpoint:
    return Checkpoint("a.test", sequence, TreeHead(0, HASH), timestamp, None, HASH, "kid")


def test_a_new_log_has_kept_nothing_and_broken_nothing(log: TestLog) -> None:
    log.init()
    assert (stats(log)[GAP], stats(log)[DELAY]) == (None, None)


def test_stats_show_the_longest_gap_and_the_worst_delay_of_the_day(log: TestLog) -> None:
    ports = log.init()
    log.round(ports)
    assert (stats(log)[GAP], stats(log)[DELAY]) == (60, None)
    log.round(ports, 2)
    assert (stats(log)[GAP], stats(log)[DELAY]) == (60, 60)
    log.clock.time += 240
    wait(ports, log.leaves(1))
    log.round(ports, 1)
    assert (stats(log)[GAP], stats(log)[DELAY]) == (300, 60), "a gap without a leaf in it delays no leaf"
    wait(ports, log.leaves(1))
    log.clock.time += 420
    log.round(ports)
    assert (stats(log)[GAP], stats(log)[DELAY]) == (480, 480)
    log.clock.time += 25 * 3600
    log.round(ports)
    log.clock.time += 25 * 3600
    log.round(ports)
    log.round(ports)
    assert stats(log)[DELAY] is None, "what is older is forgotten"


@given(st.lists(st.tuples(st.integers(1, 40_000), st.integers(0, 5000) | st.none()), max_size=60))
def test_peaks_are_those_of_the_last_24_whole_hours_and_the_current_one(
    rounds: list[tuple[int, int | None]],
) -> None:
    promise, at, gaps, delays = promise_after(None, None, checkpoint_at(0, START)), START, [], []
    for sequence, (gap, delay) in enumerate(rounds, 1):
        at += gap
        promise = promise_after(promise, None if delay is None else at - delay, checkpoint_at(sequence, at))
        gaps.append((at, gap))
        delays += [] if delay is None else [(at, delay)]
        assert take_promise(promise.members()) == promise
        assert len(format_json(promise.members())) < 4096

        def worst(values: list[tuple[int, int]], first: int = at // 3600 - 24) -> int | None:
            return max((value for time, value in values if time // 3600 >= first), default=None)

        assert (promise.gaps.highest(), promise.delays.highest()) == (worst(gaps), worst(delays))


def test_two_publishers_of_a_round_write_the_same_promise_and_stats(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 3)
    others: list[Members] = []

    def stall(number: int, name: str) -> None:
        del number
        if name == "public v1/stats" and not others:
            others.append({})
            Sequencer(log.ports()).run()  # another finishes the round by a later clock, and makes the next
            others.append(stats(log))

    wait(ports, log.leaves(2))
    log.clock.time += 60
    Sequencer(tapped(ports, Tap(before=stall))).run()
    assert others[1]["checkpoint_sequence"] == 2
    assert stats(log) == others[1]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no object": lambda data: data.replace(b'"promise":{', b'"promise":7,"x":{'),
    "another round's": lambda data: data.replace(b'"sequence":1,"ti', b'"sequence":7,"ti'),
    "a member less": lambda data: data.replace(b'"delays":[]', b'"delay":[]'),
    "hours out of order": lambda data: data.replace(
        b'"gaps":[', b'"gaps":[{"hour":"2030-01-01T00:00:00Z","seconds":1},'
    ),
    "no whole hour": lambda data: data.replace(b':00:00Z","seconds', b':00:01Z","seconds'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_promise_stops_the_log(log: TestLog, damage: Callable[[bytes], bytes]) -> None:
    ports = log.init()
    for _ in range(2):
        log.round(ports, 0)
    path: Path = log.home / "private/head"
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before
    with pytest.raises(LogHaltedError, match="'head' is damaged"):
        log.round(ports, 1)


def test_the_oldest_waiting_leaf_is_the_oldest_that_is_in_no_round(log: TestLog) -> None:
    ports = log.init()

    def oldest() -> int | None:
        found = oldest_waiting(ports.ledger, ports.public, int(log.clock.time))
        return found.issued_at if found else None

    assert oldest() is None
    log.round(ports, 2)
    assert oldest() is None, "they wait for their delivery only"
    wait(ports, log.leaves(1, START + 70))
    wait(ports, log.leaves(1, START + 65))
    log.clock.time += 30
    assert oldest() == START + 65


def test_a_promise_is_empty_without_rounds() -> None:
    assert Promise(0, START).gaps.highest() is None
