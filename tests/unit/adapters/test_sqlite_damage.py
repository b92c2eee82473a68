"""Damage in a ledger's file is found, whatever it is, and said in a sentence that names the row."""

import sqlite3
from pathlib import Path

import pytest

from contract.records import ANSWER, NOW, acceptance, claim, grant, packet, qualification, workspace
from issuer.adapters.local.sqlite import SqliteLedger
from issuer.errors import StoreError
from issuer.model import ApiKey, PacketState


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with a row in every table that has records."""
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.add_workspace(workspace())
    ledger.put_api_key(ApiKey(bytes(32), "wks_1", "first", ("issue",), NOW))
    ledger.post_credits(grant(1, 5))
    for key in (claim(0), claim(1)):
        ledger.claim(key, NOW)
    ledger.create_packet(packet(1, PacketState.READY), claim(0), ANSWER, 9)
    ledger.accept(acceptance(1))
    ledger.add_qualification(qualification(1))
    ledger.close()
    return path


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    with connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0
    connection.close()


def damage_after(path: Path, *statements: str) -> str:
    change(path, *statements)
    return "\n".join(SqliteLedger(path).damage())


def test_a_whole_ledger_has_none(path: Path) -> None:
    assert SqliteLedger(path).damage() == ()


TABLES = ("workspaces", "api_keys", "credit_entries", "packets", "waiting_leaves", "qualifications")


@pytest.mark.parametrize("table", TABLES)
def test_a_record_that_can_not_be_read_is_named(path: Path, table: str) -> None:
    found = damage_after(path, f"UPDATE {table} SET body = substr(body, 1, length(body) - 9)")
    assert f"{table} " in found
    assert "can't be read" in found


def test_an_answer_that_can_not_be_read_is_named(path: Path) -> None:
    found = damage_after(path, "UPDATE claims SET answer = 'x' WHERE key = 'key-1'")
    assert "claims: a stored Answer can't be read" in found


COLUMNS = {
    "workspaces": "version",
    "api_keys": "created_at",
    "credit_entries": "amount",
    "packets": "opened_at",
    "waiting_leaves": "issued_at",
    "qualifications": "received_at",
}


@pytest.mark.parametrize("table", COLUMNS)
def test_a_column_that_is_not_its_records_is_named(path: Path, table: str) -> None:
    found = damage_after(path, f"UPDATE {table} SET {COLUMNS[table]} = 12345678")
    assert f"column {COLUMNS[table]} is 12345678, its record says " in found


def test_a_packet_in_another_state_than_its_record_is_named(path: Path) -> None:
    assert "column state is issued, its record says sealed" in damage_after(
        path, "UPDATE packets SET state = 'issued'"
    )


def test_a_balance_that_its_lines_do_not_make_is_named(path: Path) -> None:
    found = damage_after(path, "UPDATE balances SET credits = 100 WHERE account = 'available'")
    assert found == "balances wks_1: available holds 100 credits, its lines make 4"


def test_a_balance_that_is_gone_is_named(path: Path) -> None:
    found = damage_after(path, "DELETE FROM balances WHERE account = 'consumed'")
    assert found == "balances wks_1: consumed holds 0 credits, its lines make 1"


def test_a_row_that_an_index_lacks_is_named(path: Path) -> None:
    change(path, "CREATE TABLE kept AS SELECT * FROM credit_entries")
    connection = sqlite3.connect(path)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'waiting_leaves_by_time'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size + 3)  # the cell count of a b-tree page's header
        file.write(bytes(2))
    assert "SQLite's integrity check: " in "\n".join(SqliteLedger(path).damage())


def test_a_file_that_can_not_be_read_at_all_is_an_error(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        SqliteLedger(path).damage()
