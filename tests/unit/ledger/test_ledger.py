"""The ledger's rules on a table in memory, but for claims and issuing (`test_issuing`)."""

from dataclasses import replace

import pytest

from contract.places import code_of
from contract.racing import Race
from contract.records import (
    ANSWER,
    NOW,
    claim,
    grant,
    hash_of,
    move,
    packet,
    qualification,
    sealed,
    workspace,
)
from issuer.errors import Code, ServiceError, StoreError
from issuer.ledger import books
from issuer.ledger.ledger import Ledger
from issuer.model import ApiKey, Attempt, CreditEntry, Packet, PacketState, QualificationState, QueuedNotice


def create(
    ledger: Ledger, n: int, state: PacketState = PacketState.OPEN, workspace_id: str = "wks_1"
) -> None:
    ledger.claim(claim(n), NOW)
    ledger.create_packet(packet(n, state, workspace_id), claim(n), ANSWER, 1000)


# Workspaces and keys


def test_a_workspace_is_stored_once(ledger: Ledger) -> None:
    ledger.add_workspace(workspace())
    assert code_of(lambda: ledger.add_workspace(replace(workspace(), name="Other"))) is Code.ALREADY_EXISTS
    assert ledger.workspace("wks_1") == workspace()
    assert ledger.workspace("wks_2") is None


def test_workspaces_are_given_by_id(ledger: Ledger) -> None:
    assert ledger.workspaces() == ()
    for key in ("wks_3", "wks_1", "wks_2"):
        ledger.add_workspace(workspace(key))
    assert [each.workspace_id for each in ledger.workspaces()] == ["wks_1", "wks_2", "wks_3"]


@pytest.mark.parametrize("version", [1, 3, 0])
def test_only_the_next_version_of_a_workspace_is_stored(ledger: Ledger, version: int) -> None:
    ledger.add_workspace(workspace())
    wrong = replace(workspace(), name="Wrong", version=version)
    assert code_of(lambda: ledger.replace_workspace(wrong)) is Code.CHANGED_MEANWHILE
    assert ledger.workspace("wks_1") == workspace()
    following = replace(workspace(), name="Next", contacts=(), version=2)
    ledger.replace_workspace(following)
    assert ledger.workspace("wks_1") == following


def test_a_workspace_that_is_absent_is_not_replaced(ledger: Ledger) -> None:
    for version in (1, 2):
        absent = replace(workspace(), version=version)
        assert code_of(lambda absent=absent: ledger.replace_workspace(absent)) is Code.CHANGED_MEANWHILE  # type: ignore[misc]
    assert ledger.workspaces() == ()


def test_an_api_key_is_found_by_its_hash_and_updated(ledger: Ledger) -> None:
    key = ApiKey(hash_of(1), "wks_1", "laptop", ("packets", "credits"), NOW)
    ledger.put_api_key(key)
    assert ledger.api_key(hash_of(1)) == key
    assert ledger.api_key(hash_of(2)) is None
    revoked = replace(key, revoked_at=NOW + 5)
    ledger.put_api_key(revoked)
    assert ledger.api_key(hash_of(1)) == revoked
    assert ledger.api_keys("wks_1") == (revoked,)


def test_api_keys_of_a_workspace_are_given_by_time(ledger: Ledger) -> None:
    for n, at in ((1, 30), (2, 10), (3, 20)):
        ledger.put_api_key(ApiKey(hash_of(n), "wks_1", f"key {n}", (), NOW + at))
    ledger.put_api_key(ApiKey(hash_of(4), "wks_2", "other", (), NOW))
    assert [key.label for key in ledger.api_keys("wks_1")] == ["key 2", "key 3", "key 1"]


# Credits


def test_a_balance_is_what_went_in_less_what_went_out(ledger: Ledger) -> None:
    assert ledger.balance("wks_1") == 0
    ledger.post_credits(grant(1, 10))
    ledger.post_credits(move(1, 3, "available", "reserved:spring"))
    ledger.post_credits(move(2, 2, "reserved:spring", "consumed"))
    accounts = ("available", "reserved:spring", "consumed", "granted", "expired")
    assert [ledger.balance("wks_1", account) for account in accounts] == [7, 1, 2, -10, 0]
    assert ledger.balance("wks_2") == 0


def test_a_line_is_posted_once(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 10))
    ledger.post_credits(grant(1, 10))
    ledger.post_credits(replace(grant(1, 10), amount=99))
    assert ledger.balance("wks_1") == 10
    assert ledger.credit_entries("wks_1", None, 10) == (grant(1, 10),)


def test_a_line_that_was_posted_is_fine_again_even_without_funds(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 10))
    ledger.post_credits(move(1, 10))
    ledger.post_credits(move(1, 10))
    assert ledger.balance("wks_1", "consumed") == 10


def test_no_account_goes_below_zero(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 10))
    for entry in (move(1, 11), move(2, 1, "reserved:spring"), move(3, 1, "expired")):
        assert code_of(lambda entry=entry: ledger.post_credits(entry)) is Code.NO_CREDITS  # type: ignore[misc]
    assert ledger.balance("wks_1") == 10
    assert len(ledger.credit_entries("wks_1", None, 10)) == 1


def test_a_credit_line_is_found_by_its_id_in_any_workspace(ledger: Ledger) -> None:
    ledger.post_credits(grant(1, 10))
    ledger.post_credits(grant(1, 3, "wks_2"))
    ledger.post_credits(move(1, 4, "available", "reserved:spring"))
    assert ledger.credit_entry(grant(1, 1).entry_id) == grant(1, 10)
    assert ledger.credit_entry(grant(1, 1, "wks_2").entry_id) == grant(1, 3, "wks_2")
    assert ledger.credit_entry(move(1, 1).entry_id) == move(1, 4, "available", "reserved:spring")
    assert ledger.credit_entry("no such line") is None
    assert ledger.credit_entry("") is None


def test_consumed_credits_may_be_returned_without_a_limit(ledger: Ledger) -> None:
    ledger.post_credits(move(1, 2, "consumed", "available"))
    assert (ledger.balance("wks_1"), ledger.balance("wks_1", "consumed")) == (2, -2)


def test_lines_come_in_pages_in_order_of_posting(ledger: Ledger) -> None:
    lines = [replace(grant(n, 1), entry_id=f"id-{9 - n}", at=NOW - n) for n in range(5)]
    for n, line in enumerate(lines):
        ledger.post_credits(line)
        ledger.post_credits(grant(n, 1, "wks_2"))
    assert ledger.credit_entries("wks_1", None, 10) == tuple(lines)
    assert ledger.credit_entries("wks_1", None, 2) == tuple(lines[:2])
    assert ledger.credit_entries("wks_1", lines[1].entry_id, 2) == tuple(lines[2:4])
    assert ledger.credit_entries("wks_1", lines[4].entry_id, 2) == ()


@pytest.mark.parametrize("amount", [0, -5])
def test_a_line_that_moves_nothing_or_backwards_is_refused(ledger: Ledger, amount: int) -> None:
    ledger.post_credits(grant(1, 2))
    with pytest.raises(StoreError, match=f"moves {amount} credits"):
        ledger.post_credits(move(1, amount))
    assert ledger.balance("wks_1") == 2


def test_no_account_goes_below_zero_even_if_a_check_were_missing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "check_funds", lambda work, entry: None)
    with pytest.raises(StoreError, match="takes available to -1"):
        ledger.post_credits(move(1, 1))
    assert ledger.credit_entries("wks_1", None, 9) == ()


# Packets


def test_a_packet_is_created_with_its_answer(ledger: Ledger) -> None:
    create(ledger, 1)
    assert ledger.packet("pkt_000001") == packet(1)
    assert ledger.packet("pkt_000002") is None
    assert ledger.claim(claim(1, "second"), NOW) == ANSWER


def test_a_packet_is_not_created_with_a_lost_claim(ledger: Ledger) -> None:
    ledger.claim(claim(1, until=NOW), NOW)
    ledger.claim(claim(1, "second"), NOW + 1)
    for lost in (claim(1, until=NOW), claim(2)):
        call = lambda lost=lost: ledger.create_packet(packet(1), lost, ANSWER, 9)  # noqa: E731
        assert code_of(call) is Code.IN_PROGRESS
    assert ledger.packet("pkt_000001") is None
    ledger.create_packet(packet(1), claim(1, "second"), ANSWER, 9)


def test_only_open_blocked_and_ready_packets_count_for_the_limit(ledger: Ledger) -> None:
    for n, state in enumerate(PacketState):
        create(ledger, n, state)
    create(ledger, 10, workspace_id="wks_2")
    ledger.claim(claim(20), NOW)
    assert code_of(lambda: ledger.create_packet(packet(20), claim(20), ANSWER, 3)) is Code.PACKET_LIMIT
    assert ledger.packet("pkt_000020") is None
    assert code_of(lambda: ledger.claim(claim(20, "second"), NOW)) is Code.IN_PROGRESS, "no answer was stored"
    ledger.create_packet(packet(20), claim(20), ANSWER, 4)


@pytest.mark.parametrize("version", [1, 3])
def test_only_the_next_version_of_a_packet_is_stored(ledger: Ledger, version: int) -> None:
    create(ledger, 1)
    wrong = replace(packet(1), reference="wrong", version=version)
    assert code_of(lambda: ledger.replace_packet(wrong)) is Code.CHANGED_MEANWHILE
    assert ledger.packet("pkt_000001") == packet(1)
    following = replace(packet(1), state=PacketState.BLOCKED, version=2)
    ledger.replace_packet(following)
    assert ledger.packet("pkt_000001") == following


def test_a_packet_that_is_absent_is_not_replaced(ledger: Ledger) -> None:
    assert code_of(lambda: ledger.replace_packet(packet(1))) is Code.CHANGED_MEANWHILE
    assert ledger.packet("pkt_000001") is None


def test_a_packet_is_found_by_its_kit_in_its_workspace(ledger: Ledger) -> None:
    create(ledger, 1)
    assert ledger.packet_of_kit("wks_1", "kit_1") is None
    ledger.replace_packet(sealed(packet(1), 1))
    assert ledger.packet_of_kit("wks_1", "kit_1") == sealed(packet(1), 1)
    assert ledger.packet_of_kit("wks_2", "kit_1") is None


def large(base: Packet, count: int) -> Packet:
    """The packet with reports that no compression makes small."""
    reports = (b"".join(hash_of((count, i, j)) for j in range(1024)) for i in range(count))
    attempts = tuple(Attempt(n, NOW, "FAIL", 1, report) for n, report in enumerate(reports, start=1))
    return replace(base, attempts=attempts, version=base.version + 1)


def test_a_packet_grows_and_shrinks_and_is_whole_at_every_size(ledger: Ledger) -> None:
    """From a kilobyte to over a mebibyte, which is three times what one item of DynamoDB holds."""
    create(ledger, 1)
    create(ledger, 2)
    stored = packet(1)
    for count in (34, 40, 0, 12):
        stored = large(stored, count)
        ledger.replace_packet(stored)
        assert ledger.packet("pkt_000001") == stored
        assert ledger.packets("wks_1", None, 9) == (packet(2), stored)
        assert code_of(lambda stored=stored: ledger.replace_packet(stored)) is Code.CHANGED_MEANWHILE  # type: ignore[misc]
    assert ledger.damage() == ()


def test_packets_come_in_pages_newest_first(ledger: Ledger) -> None:
    for n in (3, 1, 5, 2, 4):
        create(ledger, n)
    create(ledger, 6, workspace_id="wks_2")
    ids = [f"pkt_{n:06}" for n in (5, 4, 3, 2, 1)]
    assert [each.packet_id for each in ledger.packets("wks_1", None, 10)] == ids
    assert [each.packet_id for each in ledger.packets("wks_1", None, 2)] == ids[:2]
    assert [each.packet_id for each in ledger.packets("wks_1", ids[1], 2)] == ids[2:4]
    assert ledger.packets("wks_1", ids[4], 2) == ()
    assert ledger.packets("wks_3", None, 2) == ()


# Notices and qualifications


def test_notices_are_queued_once_in_order_until_they_are_dropped(ledger: Ledger) -> None:
    notices = [QueuedNotice("late-merge", b"2"), QueuedNotice("late-merge", b"1"), QueuedNotice("a", b"2")]
    for notice in (*notices, *notices):
        ledger.queue_notice(notice)
    assert ledger.queued_notices() == tuple(notices)
    ledger.drop_notice(notices[0])
    ledger.drop_notice(notices[0])
    assert ledger.queued_notices() == tuple(notices[1:])
    ledger.queue_notice(notices[0])
    assert ledger.queued_notices() == (notices[1], notices[2], notices[0])


def test_qualifications_are_given_oldest_first(ledger: Ledger) -> None:
    for n, at in ((1, 20), (2, 10), (3, 30)):
        ledger.add_qualification(qualification(n, NOW + at))
    assert [each.qualification_id for each in ledger.qualifications()] == ["qlf_2", "qlf_1", "qlf_3"]
    assert ledger.qualification("qlf_3") == qualification(3, NOW + 30)
    assert ledger.qualification("qlf_4") is None


@pytest.mark.parametrize("version", [1, 3])
def test_only_the_next_version_of_a_qualification_is_stored(ledger: Ledger, version: int) -> None:
    ledger.add_qualification(qualification(1))
    wrong = replace(qualification(1), scope="wrong", version=version)
    assert code_of(lambda: ledger.replace_qualification(wrong)) is Code.CHANGED_MEANWHILE
    following = replace(qualification(1), state=QualificationState.ACCEPTED, decided_at=NOW, version=2)
    ledger.replace_qualification(following)
    assert ledger.qualification("qlf_1") == following


# Races


def test_racing_debits_never_overdraw(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    ledger.post_credits(grant(1, 25))

    def act(ledger: Ledger, number: int) -> int:
        done = 0
        for turn in range(10):
            try:
                ledger.post_credits(move(100 * number + turn, 1))
            except ServiceError as error:
                assert error.code is Code.NO_CREDITS
            else:
                done += 1
        return done

    results = ledger_race.run(act)
    assert sum(map(int, results)) == 25
    assert (ledger.balance("wks_1"), ledger.balance("wks_1", "consumed")) == (0, 25)


def test_a_line_that_racers_post_counts_once(ledger_race: Race[Ledger]) -> None:
    assert ledger_race.run(lambda ledger, _: ledger.post_credits(grant(1, 5))) == ["None"] * ledger_race.count
    ledger = ledger_race.factory.open(ledger_race.place)
    assert ledger.balance("wks_1") == 5


def test_balances_equal_the_sum_of_the_lines_after_a_race(ledger_race: Race[Ledger]) -> None:
    def lines(number: int) -> list[CreditEntry]:
        cohort = f"reserved:{number % 3}"
        return [
            grant(number, 7),
            move(10 * number, 3, "available", cohort),
            move(10 * number + 1, 2, cohort, "consumed"),
            move(10 * number + 2, 1, "consumed", "available"),
        ]

    def act(ledger: Ledger, number: int) -> None:
        for line in lines(number):
            ledger.post_credits(line)

    assert ledger_race.run(act) == ["None"] * ledger_race.count
    ledger = ledger_race.factory.open(ledger_race.place)
    posted = ledger.credit_entries("wks_1", None, 1000)
    assert sorted(line.entry_id for line in posted) == sorted(
        line.entry_id for number in range(ledger_race.count) for line in lines(number)
    )
    for account in {line.source for line in posted} | {line.target for line in posted}:
        came = sum(line.amount for line in posted if line.target == account)
        went = sum(line.amount for line in posted if line.source == account)
        assert ledger.balance("wks_1", account) == came - went


def test_racing_creators_keep_to_the_packet_limit(ledger_race: Race[Ledger]) -> None:
    def act(ledger: Ledger, number: int) -> None:
        ledger.claim(claim(number), NOW)
        ledger.create_packet(packet(number), claim(number), ANSWER, 3)

    results = ledger_race.run(act)
    assert sorted(results) == ["None"] * 3 + [Code.PACKET_LIMIT.word] * (ledger_race.count - 3)
    ledger = ledger_race.factory.open(ledger_race.place)
    assert len(ledger.packets("wks_1", None, 99)) == 3


def test_no_version_is_lost_between_racing_replacers(ledger_race: Race[Ledger]) -> None:
    ledger = ledger_race.factory.open(ledger_race.place)
    create(ledger, 1)

    def add_one(ledger: Ledger) -> bool:
        before = ledger.packet("pkt_000001")
        assert before is not None
        after = replace(before, reference=f"{before.reference}+", version=before.version + 1)
        try:
            ledger.replace_packet(after)
        except ServiceError as error:
            assert error.code is Code.CHANGED_MEANWHILE
            return False
        return True

    def act(ledger: Ledger, _: int) -> int:
        done = 0
        while done < 5:
            done += add_one(ledger)
        return done

    assert ledger_race.run(act) == ["5"] * ledger_race.count
    after = ledger.packet("pkt_000001")
    assert after is not None
    assert after.version == 1 + 5 * ledger_race.count
    assert after.reference == "ref 1" + "+" * (5 * ledger_race.count)


# Rounds


def test_the_largest_noted_round_stays(ledger: Ledger) -> None:
    assert ledger.noted_round() == -1
    for sequence, noted in ((0, 0), (7, 7), (7, 7), (3, 7)):
        ledger.note_round(sequence)
        assert ledger.noted_round() == noted
