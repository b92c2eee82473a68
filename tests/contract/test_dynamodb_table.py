"""What only the table in DynamoDB has: limits, no table or no server, bodies that others damaged."""

import zlib
from pathlib import Path
from typing import Any

import pytest

from contract.places import code_of
from contract.records import ANSWER, NOW, claim, hash_of, packet
from issuer.adapters.aws.table import DynamoTable
from issuer.errors import Code, StoreError
from issuer.ledger.ledger import Ledger
from issuer.ports import Item, Key
from support.cloud_places import client, dynamo_table, table_name
from support.cloud_servers import MINISTACK, server_url

A = Key("a")


@pytest.fixture
def table(tmp_path: Path) -> DynamoTable:
    return dynamo_table(MINISTACK, tmp_path)


def raw(place: Path, key: Key, body: bytes) -> None:
    """Change a body behind the table's back."""
    arguments: dict[str, Any] = {
        "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
        "UpdateExpression": "SET body = :body",
        "ExpressionAttributeValues": {":body": {"B": body}},
    }
    dynamodb = client("dynamodb", server_url(MINISTACK))
    dynamodb.update_item(TableName=table_name(MINISTACK, place), **arguments)


def test_what_no_transaction_holds_is_refused_and_changes_nothing(table: DynamoTable) -> None:
    huge = "".join(hash_of(n).hex() for n in range(8_000_000 // 64))
    for writes in ({A: huge}, {Key("a", str(n)): "" for n in range(101)}):
        assert code_of(lambda writes=writes: table.transact(lambda _: (None, writes))) is Code.TOO_LARGE  # type: ignore[misc]
    assert list(table.scan()) == []


def test_a_table_that_is_not_there_is_an_error_at_once() -> None:
    absent = DynamoTable(client("dynamodb", server_url(MINISTACK)), "no-such-table")
    for call in (
        lambda: absent.get_many([A]),
        lambda: absent.transact(lambda _: (None, {A: "a"})),
        lambda: absent.mark([A]),
        lambda: list(absent.scan()),
    ):
        with pytest.raises(StoreError, match="no-such-table"):
            call()


def test_a_server_that_is_not_there_is_an_error() -> None:
    nobody = DynamoTable(client("dynamodb", "http://127.0.0.1:9"), "ledger")
    with pytest.raises(StoreError):
        nobody.get_many([A])


@pytest.mark.parametrize("body", [b"no zlib", zlib.compress(b"\xff"), zlib.compress(b'"x"')[:-1], b""])
def test_a_body_that_can_not_be_unpacked_is_no_record(
    table: DynamoTable, tmp_path: Path, body: bytes
) -> None:
    ledger, key = Ledger(table), Key("packet#pkt_000001")
    ledger.claim(claim(1), NOW)
    ledger.create_packet(packet(1), claim(1), ANSWER, 9)
    raw(tmp_path, key, body)
    assert table.get_many([key]) == {key: Item(key, "")}
    assert any("pkt_000001 -: a stored Packet can't be read" in each for each in ledger.damage())
    with pytest.raises(StoreError, match="a stored Packet can't be read"):
        ledger.packet("pkt_000001")
