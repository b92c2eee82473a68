"""What only the ledger in DynamoDB has: limits of its items, keys that can't be, damage that others made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.ledgers import code_of
from contract.records import ANSWER, NOW, claim, grant, hash_of, packet
from issuer.adapters.aws.dynamodb import DynamoLedger
from issuer.errors import Code, StoreError
from issuer.model import Attempt
from support.cloud_places import client, dynamo_ledger, table
from support.cloud_servers import MINISTACK, server_url


@pytest.fixture
def ledger(tmp_path: Path) -> DynamoLedger:
    return dynamo_ledger(MINISTACK, tmp_path)


def raw(place: Path, **call: Any) -> Any:
    """A change behind the ledger's back."""
    return client("dynamodb", server_url(MINISTACK)).update_item(TableName=table(MINISTACK, place), **call)


def test_what_no_transaction_holds_is_refused_and_changes_nothing(ledger: DynamoLedger) -> None:
    ledger.claim(claim(1), NOW)
    ledger.create_packet(packet(1), claim(1), ANSWER, 9)
    report = b"".join(hash_of(n) for n in range(4_000_000 // 32))
    huge = replace(packet(1), attempts=(Attempt(1, NOW, "FAIL", 1, report),), version=2)
    assert code_of(lambda: ledger.replace_packet(huge)) is Code.TOO_LARGE
    assert ledger.packet("pkt_000001") == packet(1)


@pytest.mark.parametrize("name", ["x" * 3000, "\udc80", "ä" * 1025])
def test_a_name_that_no_key_can_hold_names_nothing(ledger: DynamoLedger, name: str) -> None:
    assert ledger.packet(name) is None
    assert ledger.workspace(name) is None
    assert ledger.packets("wks_1", name, 9) == ()
    assert ledger.credit_entries("wks_1", name, 9) == ()


def test_a_table_that_is_not_there_is_an_error_at_once() -> None:
    absent = DynamoLedger(client("dynamodb", server_url(MINISTACK)), "no-such-table")
    with pytest.raises(StoreError, match="no-such-table"):
        absent.packet("pkt_1")
    with pytest.raises(StoreError, match="no-such-table"):
        absent.post_credits(grant(1, 1))


def test_a_server_that_is_not_there_is_an_error() -> None:
    nobody = DynamoLedger(client("dynamodb", "http://127.0.0.1:9"), "ledger")
    with pytest.raises(StoreError):
        nobody.noted_round()


def test_balances_that_are_not_the_lines_are_damage(ledger: DynamoLedger, tmp_path: Path) -> None:
    ledger.post_credits(grant(1, 10))
    assert ledger.damage() == ()
    raw(
        tmp_path,
        Key={"pk": {"S": "workspace#wks_1"}, "sk": {"S": "books"}},
        UpdateExpression="SET accounts.available = :n, open_packets = :one",
        ExpressionAttributeValues={":n": {"N": "11"}, ":one": {"N": "1"}},
    )
    assert ledger.damage() == (
        "balances wks_1: available holds 11 credits, its lines make 10",
        "books wks_1: open_packets is 1, counted 0",
    )


def test_a_record_that_can_not_be_read_or_says_other_than_its_item_is_damage(
    ledger: DynamoLedger, tmp_path: Path
) -> None:
    for n in (1, 2):
        ledger.claim(claim(n), NOW)
        ledger.create_packet(packet(n), claim(n), ANSWER, 9)
    raw(
        tmp_path,
        Key={"pk": {"S": "packet#pkt_000001"}, "sk": {"S": "-"}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"B": b"no zlib"}},
    )
    raw(
        tmp_path,
        Key={"pk": {"S": "packet#pkt_000002"}, "sk": {"S": "-"}},
        UpdateExpression="SET version = :version",
        ExpressionAttributeValues={":version": {"N": "7"}},
    )
    found = ledger.damage()
    assert any("pkt_000001" in each and "unpacked" in each for each in found)
    assert any("pkt_000002" in each and "version is 7" in each for each in found)
    with pytest.raises(StoreError):
        ledger.packet("pkt_000001")
