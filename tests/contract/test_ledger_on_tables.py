"""The ledger over every table: issuing, races for what there is one of, and a writer that is killed."""

from dataclasses import replace

import pytest

from contract.factories import TABLES, ledger_factory
from contract.places import Place, code_of
from contract.racing import Race, kill_at_work
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
    workspace,
)
from issuer.errors import Code, ServiceError
from issuer.ledger.ledger import Ledger
from issuer.model import ApiKey, QueuedNotice
from issuer.ports import Table


def test_a_kit_goes_from_its_packet_to_its_delivery(table: Table) -> None:
    ledger = Ledger(table)
    ledger.add_workspace(workspace())
    ledger.put_api_key(ApiKey(hash_of(1), "wks_1", "laptop", ("packets",), NOW))
    ledger.post_credits(grant(1, 1))
    prepare(ledger, 1)
    ledger.accept(acceptance(1))
    assert trace(ledger, 1) == {
        "packet": acceptance(1).packet,
        "nonce": True,
        "leaf": leaf(1),
        "debited": True,
        "balance": 0,
    }
    assert ledger.claim(claim(1, "second"), NOW) == ANSWER
    assert code_of(lambda: ledger.accept(acceptance(1))) is Code.IN_PROGRESS
    assert ledger.unmerged_leaves(NOW, 9) == (leaf(1),)
    ledger.note_merged([leaf(1).leaf_hash])
    assert (ledger.unmerged_leaves(NOW, 9), ledger.waiting_leaves(NOW, 9)) == ((), (leaf(1),))
    done = issued(acceptance(1).packet)
    ledger.finish(leaf(1).leaf_hash, done)
    assert ledger.waiting_leaf(leaf(1).leaf_hash) is None
    assert ledger.packets("wks_1", None, 9) == (ledger.packet_of_kit("wks_1", "kit_1"),) == (done,)
    assert [line.entry_id for line in ledger.credit_entries("wks_1", None, 9)] == ["grant-wks_1-1", "move-1"]
    ledger.queue_notice(QueuedNotice("late-merge", b"1"))
    ledger.replace_notice(QueuedNotice("late-merge", b"1"), QueuedNotice("late-merge", b"2"))
    assert ledger.queued_notices() == (QueuedNotice("late-merge", b"2"),)
    ledger.note_round(7)
    assert [key.label for key in ledger.api_keys("wks_1")] == ["laptop"]
    assert (ledger.noted_round(), ledger.workspaces()) == (7, (workspace(),))
    assert ledger.damage() == ()


@pytest.mark.parametrize("name", ["x" * 3000, "\udc80", "ä" * 1025])
def test_a_name_that_no_key_can_hold_names_nothing(table: Table, name: str) -> None:
    ledger = Ledger(table)
    assert ledger.packet(name) is None
    assert ledger.workspace(name) is None
    assert ledger.packets("wks_1", name, 9) == ()
    assert ledger.credit_entries("wks_1", name, 9) == ()


def test_of_racing_claims_one_wins(ledger_race: Race[Ledger]) -> None:
    for n in range(3):
        results = ledger_race.run(lambda ledger, i, n=n: ledger.claim(claim(n, f"racer{i}"), NOW))  # type: ignore[misc]
        assert sorted(results) == sorted(["None"] + ["in-progress"] * (ledger_race.count - 1))
        winner = results.index("None")
        ledger_race.factory.open(ledger_race.place).settle(claim(n, f"racer{winner}"), ANSWER)


def test_racing_acceptances_of_one_packet_have_one_winner(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 100))
    prepare(ledger, 1)
    for n in range(ledger_race.count):
        ledger.claim(claim(100 + n), NOW)

    def act(ledger: Ledger, number: int) -> None:
        mine = replace(acceptance(1), claim=claim(100 + number), nonce_hash=hash_of(("mine", number)))
        ledger.accept(replace(mine, leaf=leaf(100 + number), debit=move(100 + number, 1)))

    results = ledger_race.run(act)
    assert sorted(results) == sorted(["None"] + ["changed-meanwhile"] * (ledger_race.count - 1))
    assert ledger.balance("wks_1") == 99
    assert ledger.waiting_leaves(NOW, 99) == (leaf(100 + results.index("None")),)


def test_racing_acceptances_spend_the_credits_there_are(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 3))
    for n in range(ledger_race.count):
        prepare(ledger, n)
    results = ledger_race.run(lambda ledger, n: ledger.accept(acceptance(n)))
    assert sorted(results) == sorted(["None"] * 3 + ["no-credits"] * (ledger_race.count - 3))
    assert ledger.balance("wks_1") == 0
    assert len(ledger.waiting_leaves(NOW, 99)) == 3
    assert ledger.damage() == ()


def test_racing_creators_keep_to_the_packet_limit(ledger_race: Race[Ledger]) -> None:
    def act(ledger: Ledger, number: int) -> None:
        ledger.claim(claim(number), NOW)
        ledger.create_packet(packet(number), claim(number), ANSWER, 3)

    results = ledger_race.run(act)
    assert sorted(results) == sorted(["None"] * 3 + [Code.PACKET_LIMIT.word] * (ledger_race.count - 3))
    assert len(ledger_race.factory.open(ledger_race.place).packets("wks_1", None, 99)) == 3


def test_racing_debits_never_overdraw(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 2 * ledger_race.count))

    def act(ledger: Ledger, number: int) -> int:
        done = 0
        for turn in range(4):
            try:
                ledger.post_credits(move(100 * number + turn, 1))
            except ServiceError as error:
                assert error.code is Code.NO_CREDITS
            else:
                done += 1
        return done

    assert sum(map(int, ledger_race.run(act))) == 2 * ledger_race.count
    assert (ledger.balance("wks_1"), ledger.balance("wks_1", "consumed")) == (0, 2 * ledger_race.count)


@pytest.mark.parametrize(
    "table_factory", [each for each in TABLES if each.processes], ids=lambda factory: factory.name
)
@pytest.mark.parametrize("acknowledged", [1, 4, 20])
def test_a_killed_writer_leaves_a_consistent_ledger(table_place: Place[Table], acknowledged: int) -> None:
    place = Place(ledger_factory(table_place.factory), table_place.path)
    place.open().post_credits(grant(0, 10_000))

    def step(ledger: Ledger, n: int) -> None:
        prepare(ledger, n)
        ledger.accept(acceptance(n))

    done = kill_at_work(place.factory, place.path, step, acknowledged)
    ledger = place.open()
    accepted = 0
    for n in range(done + 2):
        found = trace(ledger, n)
        whole = found["packet"] == acceptance(n).packet
        assert whole or n >= done, "what returned is durable"
        assert found["nonce"] is whole
        assert found["leaf"] == (leaf(n) if whole else None)
        assert found["debited"] is whole
        accepted += whole
    assert ledger.balance("wks_1") == 10_000 - accepted
    assert len(ledger.waiting_leaves(NOW, 9999)) == accepted
    assert len(ledger.credit_entries("wks_1", None, 9999)) == 1 + accepted
    assert ledger.damage() == ()
