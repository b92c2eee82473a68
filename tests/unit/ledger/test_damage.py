"""Damage in a table is found, whatever it is, and said in a sentence that names the item."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from contract.records import ANSWER, NOW, acceptance, claim, grant, leaf, packet, qualification, workspace
from issuer.errors import StoreError
from issuer.ledger import keys
from issuer.ledger.books import BOOKS, Books
from issuer.ledger.ledger import Ledger
from issuer.ledger.rows import (
    CREDIT_ENTRIES,
    PACKETS,
    POINTERS,
    QUALIFICATIONS,
    WAITING_LEAVES,
    WORKSPACES,
)
from issuer.model import ApiKey, PacketState, QueuedNotice
from issuer.ports import Item, Key
from support.tables import DictTable

NOTICE = QueuedNotice("late-merge", b"1")
KEY_HASH = bytes(32)


@pytest.fixture
def table() -> DictTable:
    """A table with an item of every kind."""
    table = DictTable()
    ledger = Ledger(table)
    ledger.add_workspace(workspace())
    ledger.put_api_key(ApiKey(KEY_HASH, "wks_1", "first", ("issue",), NOW))
    ledger.post_credits(grant(1, 5))
    for key in (claim(0), claim(1)):
        ledger.claim(key, NOW)
    ledger.create_packet(packet(1, PacketState.READY), claim(0), ANSWER, 9)
    ledger.accept(acceptance(1))
    ledger.add_qualification(qualification(1))
    ledger.queue_notice(NOTICE)
    ledger.note_round(7)
    return table


RECORDS = {
    "workspaces id#wks_1": keys.workspace_key("wks_1"),
    "qualifications id#qlf_1": keys.qualification_key("qlf_1"),
    "an API key": keys.api_key_key(KEY_HASH),
    "books": keys.books_key("wks_1"),
    "a line": keys.line_key("wks_1", 2),
    "a packet": keys.packet_key("pkt_000001"),
    "a claim": keys.claim_key(claim(1)),
    "a leaf": keys.leaf_key(leaf(1).leaf_hash),
    "a notice": keys.notice_key(0),
    "the next notice": keys.NEXT_NOTICE,
    "rounds": keys.ROUNDS,
}
POINTING = {
    "to an API key": keys.api_key_pointer("wks_1", KEY_HASH),
    "to a line": keys.line_pointer("move-1"),
    "to a listed packet": keys.packet_pointer(packet(1)),
    "to a kit's packet": keys.kit_pointer("wks_1", "kit_1"),
    "to a notice": keys.notice_pointer(NOTICE),
    "to a nonce's packet": keys.nonce_pointer(acceptance(1).nonce_hash),
}


def damage_after(table: DictTable, key: Key, body: str | None) -> list[str]:
    table.put(key, body)
    return list(Ledger(table).damage())


def body_of(table: DictTable, key: Key) -> str:
    return table.get_many([key])[key].body


def test_a_whole_ledger_has_none_and_every_kind_of_item_is_looked_at_here(table: DictTable) -> None:
    assert Ledger(table).damage() == ()
    assert {item.key for item in table.scan()} == {
        *(*RECORDS.values(), *POINTING.values(), keys.claim_key(claim(0))),
        *(keys.line_key("wks_1", 1), keys.line_pointer("grant-wks_1-1")),
    }


@pytest.mark.parametrize("key", [*RECORDS.values(), *POINTING.values()], ids=[*RECORDS, *POINTING])
def test_a_record_that_can_not_be_read_is_named(table: DictTable, key: Key) -> None:
    found = damage_after(table, key, body_of(table, key)[:-1])
    assert any(each.startswith(f"{key.pk} {key.sk}: a stored ") and "can't be read" in each for each in found)


MISPLACED: dict[Key, Callable[[], str]] = {
    RECORDS["workspaces id#wks_1"]: lambda: WORKSPACES.format(workspace("wks_2")),
    RECORDS["qualifications id#qlf_1"]: lambda: QUALIFICATIONS.format(qualification(2)),
    RECORDS["a packet"]: lambda: PACKETS.format(replace(acceptance(1).packet, packet_id="pkt_2")),
    RECORDS["a leaf"]: lambda: WAITING_LEAVES.format(leaf(2)),
}


@pytest.mark.parametrize("key", MISPLACED, ids=lambda key: key.pk)
def test_a_record_of_another_place_is_named(table: DictTable, key: Key) -> None:
    found = damage_after(table, key, MISPLACED[key]())
    assert any(each.startswith(f"{key.pk} {key.sk}: its record belongs under ") for each in found)


@pytest.mark.parametrize("pointer", POINTING.values(), ids=POINTING)
def test_a_pointer_to_nothing_is_named(table: DictTable, pointer: Key) -> None:
    found = damage_after(table, POINTERS.parse(body_of(table, pointer)), None)
    assert any(each.startswith(f"{pointer.pk} {pointer.sk}: ") and "is missing" in each for each in found)


NEEDED = [pointer for name, pointer in POINTING.items() if "nonce" not in name]


@pytest.mark.parametrize("pointer", NEEDED, ids=lambda key: f"{key.pk} {key.sk}")
def test_a_record_without_its_pointer_is_named(table: DictTable, pointer: Key) -> None:
    target = POINTERS.parse(body_of(table, pointer))
    assert damage_after(table, pointer, None) == [
        f"{target.pk} {target.sk}: {pointer.pk} {pointer.sk} is missing"
    ]


@pytest.mark.parametrize("pointer", NEEDED, ids=lambda key: f"{key.pk} {key.sk}")
def test_a_pointer_to_another_record_is_named(table: DictTable, pointer: Key) -> None:
    target = POINTERS.parse(body_of(table, pointer))
    assert damage_after(table, pointer, POINTERS.format(keys.ROUNDS)) == [
        f"{target.pk} {target.sk}: {pointer.pk} {pointer.sk} does not point to it"
    ]


@pytest.mark.parametrize("key", [Key("songs"), Key("packet#pkt_1", "other"), Key("workspace#wks_1", "x")])
def test_an_item_that_the_ledger_does_not_know_is_named(table: DictTable, key: Key) -> None:
    assert damage_after(table, key, "[1]") == [
        f"{key.pk} {key.sk}: the ledger keeps nothing under such a key"
    ]


def test_balances_and_counts_that_lines_and_packets_do_not_make_are_named(table: DictTable) -> None:
    changed = Books(lines=3, open_packets=1, accounts={"granted": -5, "available": 100})
    assert damage_after(table, keys.books_key("wks_1"), BOOKS.format(changed)) == [
        "balances wks_1: available holds 100 credits, its lines make 4",
        "balances wks_1: consumed holds 0 credits, its lines make 1",
        "books wks_1: lines is 3, counted 2",
        "books wks_1: open_packets is 1, counted 0",
    ]


def test_a_line_of_another_amount_and_books_that_are_gone_are_named(table: DictTable) -> None:
    line = RECORDS["a line"]
    other = replace(CREDIT_ENTRIES.parse(body_of(table, line)), amount=2)
    assert "consumed holds 1 credits, its lines make 2" in "\n".join(
        damage_after(table, line, CREDIT_ENTRIES.format(other))
    )
    assert "books wks_1: lines is 0, counted 2" in damage_after(table, keys.books_key("wks_1"), None)


def test_a_packet_in_another_state_than_was_counted_is_named(table: DictTable) -> None:
    key = RECORDS["a packet"]
    other = replace(PACKETS.parse(body_of(table, key)), state=PacketState.READY)
    assert damage_after(table, key, PACKETS.format(other)) == ["books wks_1: open_packets is 0, counted 1"]


def test_what_the_table_finds_wrong_with_itself_comes_first(table: DictTable) -> None:
    table.damaged.append("the disk is worn")
    assert damage_after(table, Key("songs"), "[]")[0] == "the disk is worn"


class Busy(DictTable):
    """Its books change after each time that a scan has passed them."""

    def scan(self) -> Iterator[Item]:
        items = sorted(super().scan(), key=lambda item: item.key.sk != "books")
        yield items[0]
        Ledger(self).post_credits(grant(len(items), 1))
        yield from (item for item in super().scan() if item.key.sk != "books")


def test_what_a_transaction_changes_meanwhile_is_no_damage(table: DictTable) -> None:
    busy = Busy()
    for item in table.scan():
        busy.put(item.key, item.body)
    assert Ledger(busy).damage() == ()


def test_a_record_that_is_damaged_is_an_error_without_its_content(table: DictTable) -> None:
    key = RECORDS["workspaces id#wks_1"]
    table.put(key, body_of(table, key).replace('"created_at":', '"created_at":"Ada","x":'))
    with pytest.raises(StoreError, match=r"a stored Workspace can't be read: created_at: ") as caught:
        Ledger(table).workspace("wks_1")
    assert "Ada" not in str(caught.value)
