"""The ledger's rules about claims, the issuing transaction and waiting leaves, on a table in memory."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contract.places import code_of
from contract.racing import Race
from contract.records import (
    ANSWER,
    NOW,
    acceptance,
    claim,
    grant,
    hash_of,
    issued,
    leaf,
    move,
    packet,
    prepare,
    trace,
)
from issuer.errors import Code, ServiceError
from issuer.ledger.ledger import Ledger
from issuer.model import Acceptance, Answer, PacketState, WaitingLeaf

OTHER = Answer(500, b"")


# Claims


def test_a_new_key_is_claimed(ledger: Ledger) -> None:
    assert ledger.claim(claim(1), NOW) is None


def test_a_claimed_key_is_in_progress_until_its_lease_is_over(ledger: Ledger) -> None:
    ledger.claim(claim(1, until=NOW + 60), NOW)
    for now in (NOW, NOW + 60):
        assert code_of(lambda now=now: ledger.claim(claim(1, "second"), now)) is Code.IN_PROGRESS  # type: ignore[misc]
    assert ledger.claim(claim(1, "second", NOW + 121), NOW + 61) is None
    assert code_of(lambda: ledger.settle(claim(1), ANSWER)) is Code.IN_PROGRESS
    ledger.settle(claim(1, "second"), ANSWER)


def test_the_same_claim_again_renews_its_lease(ledger: Ledger) -> None:
    ledger.claim(claim(1, until=NOW + 60), NOW)
    assert ledger.claim(claim(1, until=NOW + 120), NOW + 59) is None
    assert code_of(lambda: ledger.claim(claim(1, "second"), NOW + 119)) is Code.IN_PROGRESS
    ledger.settle(claim(1), ANSWER)


def test_a_key_is_bound_to_its_request_for_ever(ledger: Ledger) -> None:
    other = replace(claim(1, "second"), request_hash=hash_of("other request"))
    ledger.claim(claim(1), NOW)
    assert code_of(lambda: ledger.claim(other, NOW)) is Code.IDEMPOTENCY_MISMATCH
    assert code_of(lambda: ledger.claim(other, NOW + 10**6)) is Code.IDEMPOTENCY_MISMATCH
    ledger.release(claim(1))
    assert code_of(lambda: ledger.claim(other, NOW)) is Code.IDEMPOTENCY_MISMATCH
    ledger.claim(claim(1), NOW)
    ledger.settle(claim(1), ANSWER)
    assert code_of(lambda: ledger.claim(other, NOW)) is Code.IDEMPOTENCY_MISMATCH


def test_keys_of_different_workspaces_are_different(ledger: Ledger) -> None:
    ledger.claim(claim(1), NOW)
    assert ledger.claim(replace(claim(1), workspace_id="wks_2", request_hash=hash_of(2)), NOW) is None


def test_a_settled_key_gives_its_answer_for_ever(ledger: Ledger) -> None:
    ledger.claim(claim(1), NOW)
    ledger.settle(claim(1), ANSWER)
    assert ledger.claim(claim(1, "second"), NOW) == ANSWER
    assert ledger.claim(claim(1, "third"), NOW + 10**8) == ANSWER


def test_settling_again_keeps_the_first_answer(ledger: Ledger) -> None:
    ledger.claim(claim(1), NOW)
    ledger.settle(claim(1), ANSWER)
    ledger.settle(claim(1), OTHER)
    assert ledger.claim(claim(1), NOW) == ANSWER


def test_a_claim_that_was_never_made_can_not_be_settled(ledger: Ledger) -> None:
    assert code_of(lambda: ledger.settle(claim(1), ANSWER)) is Code.IN_PROGRESS
    assert ledger.claim(claim(1), NOW) is None


def test_a_released_key_can_be_claimed_at_once(ledger: Ledger) -> None:
    ledger.claim(claim(1), NOW)
    ledger.release(claim(1))
    assert code_of(lambda: ledger.settle(claim(1), ANSWER)) is Code.IN_PROGRESS
    assert ledger.claim(claim(1, "second"), NOW) is None


def test_releasing_leaves_a_lost_or_answered_claim_alone(ledger: Ledger) -> None:
    ledger.release(claim(1))
    ledger.claim(claim(1, until=NOW), NOW)
    ledger.claim(claim(1, "second"), NOW + 1)
    ledger.release(claim(1))
    assert code_of(lambda: ledger.claim(claim(1, "third"), NOW + 1)) is Code.IN_PROGRESS
    ledger.settle(claim(1, "second"), ANSWER)
    ledger.release(claim(1, "second"))
    assert ledger.claim(claim(1, "third"), NOW + 1) == ANSWER
    ledger.settle(claim(1, "second"), OTHER)  # still the one that was answered: fine again
    assert ledger.claim(claim(1, "third"), NOW + 1) == ANSWER


def test_of_racing_claims_one_wins(ledger_race: Race[Ledger]) -> None:
    for n in range(5):
        results = ledger_race.run(lambda ledger, i, n=n: ledger.claim(claim(n, f"racer{i}"), NOW))  # type: ignore[misc]
        assert sorted(results) == sorted(["None"] + ["in-progress"] * (ledger_race.count - 1))
        winner = results.index("None")
        ledger_race.factory.open(ledger_race.place).settle(claim(n, f"racer{winner}"), ANSWER)


def test_of_racing_take_overs_one_wins(ledger_race: Race[Ledger]) -> None:
    ledger_race.factory.open(ledger_race.place).claim(claim(1, until=NOW), NOW)
    results = ledger_race.run(lambda ledger, i: ledger.claim(claim(1, f"racer{i}", NOW + 61), NOW + 1))
    assert sorted(results) == sorted(["None"] + ["in-progress"] * (ledger_race.count - 1))


# Accepting


def test_accepting_writes_everything(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 2))
    prepare(ledger, 1)
    ledger.accept(acceptance(1))
    wanted = {
        "packet": acceptance(1).packet,
        "nonce": True,
        "leaf": leaf(1),
        "debited": True,
        "balance": 1,
    }
    assert trace(ledger, 1) == wanted
    assert ledger.claim(claim(1, "second"), NOW) == ANSWER
    assert ledger.packet_of_kit("wks_1", "kit_1") == acceptance(1).packet
    assert ledger.credit_entries("wks_1", "grant-wks_1-1", 9) == (move(1, 1),)


def test_a_lease_counts_to_its_last_second(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 1))
    prepare(ledger, 1)
    ledger.accept(acceptance(1, now=claim(1).lease_until))


def lose_claim(ledger: Ledger) -> None:
    ledger.claim(claim(1, "second", NOW + 200), NOW + 61)


def settle_claim(ledger: Ledger) -> None:
    ledger.settle(claim(1), OTHER)


def release_claim(ledger: Ledger) -> None:
    ledger.release(claim(1))


def change_packet(ledger: Ledger) -> None:
    ledger.replace_packet(replace(packet(1, PacketState.READY), version=2))


def withdraw_packet(ledger: Ledger) -> None:
    ledger.replace_packet(replace(packet(1, PacketState.WITHDRAWN), version=2))


def use_nonce(ledger: Ledger) -> None:
    prepare(ledger, 2)
    ledger.accept(replace(acceptance(2), nonce_hash=hash_of("nonce 1")))


def spend(ledger: Ledger) -> None:
    ledger.post_credits(move(99, ledger.balance("wks_1")))


def store_leaf(ledger: Ledger) -> None:
    prepare(ledger, 2)
    ledger.accept(replace(acceptance(2), leaf=leaf(1)))


# In the port's order of checks: with several of them, the first decides.
TROUBLES: list[tuple[Callable[[Ledger], None], Code]] = [
    (lose_claim, Code.IN_PROGRESS),
    (settle_claim, Code.IN_PROGRESS),
    (release_claim, Code.IN_PROGRESS),
    (change_packet, Code.CHANGED_MEANWHILE),
    (withdraw_packet, Code.CHANGED_MEANWHILE),
    (use_nonce, Code.NONCE_USED),
    (spend, Code.NO_CREDITS),
    (store_leaf, Code.ALREADY_EXISTS),
]
PAIRS = [
    (first, second)
    for i, first in enumerate(TROUBLES)
    for second in TROUBLES[i:]
    # Both of one kind, or both accepting packet 2, can't be had together.
    if first[1] is not second[1] or first == second
    if (first[0], second[0]) != (use_nonce, store_leaf)
]


@pytest.mark.parametrize(
    ("first", "second"), PAIRS, ids=lambda trouble: str(getattr(trouble[0], "__name__", ""))
)
def test_what_stands_against_accepting_is_told_in_order_and_nothing_is_written(
    ledger: Ledger,
    first: tuple[Callable[[Ledger], None], Code],
    second: tuple[Callable[[Ledger], None], Code],
) -> None:
    ledger.post_credits(grant(1, 5))
    prepare(ledger, 1)
    # `spend` last, since `use_nonce` and `store_leaf` need a credit themselves.
    for trouble in sorted({first[0], second[0]}, key=lambda each: each is spend):
        trouble(ledger)
    before = trace(ledger, 1)
    assert code_of(lambda: ledger.accept(acceptance(1))) is first[1]
    assert trace(ledger, 1) == before


def test_accepting_after_the_lease_is_in_progress(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 5))
    prepare(ledger, 1)
    before = trace(ledger, 1)
    assert code_of(lambda: ledger.accept(acceptance(1, now=claim(1).lease_until + 1))) is Code.IN_PROGRESS
    assert trace(ledger, 1) == before


@pytest.mark.parametrize("state", [state for state in PacketState if state is not PacketState.READY])
def test_only_a_ready_packet_is_accepted(ledger: Ledger, state: PacketState) -> None:
    ledger.post_credits(grant(1, 5))
    prepare(ledger, 1, state)
    assert code_of(lambda: ledger.accept(acceptance(1))) is Code.CHANGED_MEANWHILE


def test_a_packet_that_is_absent_is_not_accepted(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 5))
    ledger.claim(claim(1), NOW)
    assert code_of(lambda: ledger.accept(acceptance(1))) is Code.CHANGED_MEANWHILE


def test_after_a_refusal_the_same_claim_can_still_be_settled(ledger: Ledger) -> None:
    prepare(ledger, 1)
    assert code_of(lambda: ledger.accept(acceptance(1))) is Code.NO_CREDITS
    ledger.settle(claim(1), OTHER)
    assert ledger.claim(claim(1, "second"), NOW) == OTHER


def test_a_leaf_is_not_stored_without_a_debit_of_its_own(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 5))
    ledger.post_credits(move(1, 1))
    prepare(ledger, 1)
    assert code_of(lambda: ledger.accept(acceptance(1))) is Code.ALREADY_EXISTS
    assert ledger.waiting_leaf(hash_of("leaf 1")) is None


def test_a_reserved_credit_is_debited_from_its_account(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 5))
    prepare(ledger, 1)
    reserved = replace(acceptance(1), debit=move(1, 1, "reserved:spring"))
    assert code_of(lambda: ledger.accept(reserved)) is Code.NO_CREDITS
    ledger.post_credits(move(50, 1, "available", "reserved:spring"))
    ledger.accept(reserved)
    assert (ledger.balance("wks_1"), ledger.balance("wks_1", "reserved:spring")) == (4, 0)


def outcome_of(ledger: Ledger, each: Acceptance) -> str:
    try:
        ledger.accept(each)
    except ServiceError as error:
        return error.code.word
    return "accepted"


def test_racing_acceptances_of_one_packet_have_one_winner(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 100))
    prepare(ledger, 1)
    for n in range(ledger_race.count):
        ledger.claim(claim(100 + n), NOW)

    def act(ledger: Ledger, number: int) -> str:
        mine = replace(acceptance(1), claim=claim(100 + number), nonce_hash=hash_of(("mine", number)))
        return outcome_of(ledger, replace(mine, leaf=leaf(100 + number), debit=move(100 + number, 1)))

    results = ledger_race.run(act)
    assert sorted(results) == ["accepted"] + ["changed-meanwhile"] * (ledger_race.count - 1)
    assert ledger.balance("wks_1") == 99
    assert ledger.waiting_leaves(NOW, 99) == (leaf(100 + results.index("accepted")),)


def test_racing_acceptances_with_one_nonce_have_one_winner(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 100))
    for n in range(ledger_race.count):
        prepare(ledger, n)
    results = ledger_race.run(
        lambda ledger, n: outcome_of(ledger, replace(acceptance(n), nonce_hash=hash_of("one nonce")))
    )
    assert sorted(results) == ["accepted"] + ["nonce-used"] * (ledger_race.count - 1)
    assert ledger.balance("wks_1") == 99


def test_racing_acceptances_spend_the_credits_there_are(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 3))
    for n in range(ledger_race.count):
        prepare(ledger, n)
    results = ledger_race.run(lambda ledger, n: outcome_of(ledger, acceptance(n)))
    assert sorted(results) == ["accepted"] * 3 + ["no-credits"] * (ledger_race.count - 3)
    assert ledger.balance("wks_1") == 0
    assert len(ledger.waiting_leaves(NOW, 99)) == 3


# Waiting leaves


def accept_leaf(ledger: Ledger, n: int, issued_at: int = NOW) -> WaitingLeaf:
    ledger.post_credits(grant(n, 1))
    return accept_paid_leaf(ledger, n, issued_at)


def accept_paid_leaf(ledger: Ledger, n: int, issued_at: int = NOW) -> WaitingLeaf:
    prepare(ledger, n)
    ledger.accept(replace(acceptance(n), leaf=leaf(n, issued_at)))
    return leaf(n, issued_at)


def test_waiting_leaves_come_by_time_and_hash_up_to_a_time(ledger: Ledger) -> None:
    assert ledger.waiting_leaves(NOW, 9) == ()
    leaves = [accept_leaf(ledger, n, NOW + at) for n, at in ((1, 5), (2, 1), (3, 5), (4, 5), (5, 6), (6, 0))]
    wanted = sorted(leaves, key=lambda each: (each.issued_at, each.leaf_hash))
    assert ledger.waiting_leaves(NOW + 9, 99) == tuple(wanted)
    assert ledger.waiting_leaves(NOW + 5, 99) == tuple(wanted[:5])
    assert ledger.waiting_leaves(NOW + 4, 99) == tuple(wanted[:2])
    assert ledger.waiting_leaves(NOW + 9, 3) == tuple(wanted[:3])
    assert ledger.waiting_leaves(NOW - 1, 3) == ()
    assert ledger.waiting_leaf(leaves[0].leaf_hash) == leaves[0]
    assert ledger.waiting_leaf(hash_of("leaf 7")) is None


def test_leaves_that_are_noted_as_merged_wait_for_their_delivery_only(ledger: Ledger) -> None:
    leaves = [accept_leaf(ledger, n, NOW + n) for n in range(5)]
    assert ledger.unmerged_leaves(NOW + 9, 9) == tuple(leaves)
    ledger.note_merged([leaves[0].leaf_hash, leaves[3].leaf_hash])
    assert ledger.unmerged_leaves(NOW + 9, 9) == (leaves[1], leaves[2], leaves[4])
    assert ledger.unmerged_leaves(NOW + 2, 9) == (leaves[1], leaves[2])
    assert ledger.unmerged_leaves(NOW + 9, 1) == (leaves[1],)
    assert ledger.waiting_leaves(NOW + 9, 9) == tuple(leaves)
    assert ledger.waiting_leaf(leaves[0].leaf_hash) == leaves[0]
    ledger.note_merged([leaves[0].leaf_hash])
    ledger.finish(leaves[0].leaf_hash, issued(acceptance(0).packet))
    assert ledger.waiting_leaf(leaves[0].leaf_hash) is None


def test_noting_passes_over_what_does_not_wait(ledger: Ledger) -> None:
    waiting = accept_leaf(ledger, 1)
    ledger.note_merged([])
    ledger.note_merged([hash_of(f"leaf {n}") for n in range(2, 500)])
    assert ledger.unmerged_leaves(NOW, 9) == (waiting,)
    ledger.finish(waiting.leaf_hash, issued(acceptance(1).packet))
    ledger.note_merged([waiting.leaf_hash])
    assert ledger.waiting_leaves(NOW, 9) == ledger.unmerged_leaves(NOW, 9) == ()


def test_many_leaves_can_be_noted_in_one_call(ledger: Ledger) -> None:
    ledger.post_credits(grant(0, 130))
    leaves = [accept_paid_leaf(ledger, n) for n in range(130)]
    ledger.note_merged([each.leaf_hash for each in leaves[:-1]])
    assert ledger.unmerged_leaves(NOW, 999) == (leaves[-1],)


def test_a_ledger_that_was_only_used_has_no_damage(ledger: Ledger) -> None:
    assert ledger.damage() == ()
    accept_leaf(ledger, 1)
    accept_leaf(ledger, 2)
    ledger.finish(leaf(1).leaf_hash, issued(acceptance(1).packet))
    ledger.note_round(7)
    assert ledger.damage() == ()


def test_finishing_stores_the_packet_and_drops_the_leaf(ledger: Ledger) -> None:
    accept_leaf(ledger, 1)
    accept_leaf(ledger, 2)
    done = issued(acceptance(1).packet)
    ledger.finish(leaf(1).leaf_hash, done)
    assert ledger.packet(done.packet_id) == done
    assert ledger.waiting_leaf(leaf(1).leaf_hash) is None
    assert ledger.waiting_leaves(NOW, 9) == (leaf(2),)
    assert ledger.nonce_used(hash_of("nonce 1"))


def test_finishing_again_changes_nothing(ledger: Ledger) -> None:
    accept_leaf(ledger, 1)
    done = issued(acceptance(1).packet)
    ledger.finish(leaf(1).leaf_hash, done)
    ledger.finish(leaf(1).leaf_hash, done)
    ledger.finish(leaf(1).leaf_hash, replace(done, reference="other", version=done.version + 1))
    assert ledger.packet(done.packet_id) == done


def test_finishing_another_version_raises_while_the_leaf_waits(ledger: Ledger) -> None:
    accept_leaf(ledger, 1)
    wrong = replace(issued(acceptance(1).packet), version=9)
    assert code_of(lambda: ledger.finish(leaf(1).leaf_hash, wrong)) is Code.CHANGED_MEANWHILE
    assert ledger.packet(wrong.packet_id) == acceptance(1).packet
    assert ledger.waiting_leaf(leaf(1).leaf_hash) == leaf(1)


def test_racing_finishers_agree(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    accept_leaf(ledger, 1)
    done = issued(acceptance(1).packet)
    results = ledger_race.run(lambda ledger, _: ledger.finish(leaf(1).leaf_hash, done))
    assert results == ["None"] * ledger_race.count
    assert ledger.packet(done.packet_id) == done
