"""Looks for damage in a ledger: SQLite's own check, records against columns, balances against lines."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from issuer.adapters import rows
from issuer.errors import StoreError

_SHOWN = 100
"""Lines of SQLite's report, at most: its default."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with a record in each row, and what of the record its columns repeat."""

    name: str
    columns: tuple[str, ...]
    rows: rows.Rows[Any]
    repeated: Callable[[Any], tuple[object, ...]]
    body: str = "body"


_TABLES = (
    _Table(
        "workspaces",
        ("workspace_id", "version"),
        rows.WORKSPACES,
        lambda row: (row.workspace_id, row.version),
    ),
    _Table(
        "api_keys",
        ("key_hash", "workspace_id", "created_at"),
        rows.API_KEYS,
        lambda row: (row.key_hash, row.workspace_id, row.created_at),
    ),
    _Table(
        "credit_entries",
        ("entry_id", "workspace_id", "amount", "source", "target"),
        rows.CREDIT_ENTRIES,
        lambda row: (row.entry_id, row.workspace_id, row.amount, row.source, row.target),
    ),
    _Table(
        "packets",
        ("packet_id", "workspace_id", "state", "version", "opened_at", "kit_id"),
        rows.PACKETS,
        lambda row: (
            *(row.packet_id, row.workspace_id, row.state, row.version, row.opened_at),
            row.issued.kit_id if row.issued else None,
        ),
    ),
    _Table(
        "waiting_leaves",
        ("leaf_hash", "issued_at"),
        rows.WAITING_LEAVES,
        lambda row: (row.leaf_hash, row.issued_at),
    ),
    _Table(
        "qualifications",
        ("qualification_id", "version", "received_at"),
        rows.QUALIFICATIONS,
        lambda row: (row.qualification_id, row.version, row.received_at),
    ),
    _Table("claims WHERE answer IS NOT NULL", (), rows.ANSWERS, lambda row: (), "answer"),
)


def damage(connection: sqlite3.Connection) -> Iterator[str]:
    """`Ledger.damage`, in one read transaction."""
    report = [text for (text,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})")]
    yield from (f"SQLite's integrity check: {text}" for text in report if text != "ok")
    for table in _TABLES:
        yield from _records(connection, table)
    yield from _balances(connection)


def _records(connection: sqlite3.Connection, table: _Table) -> Iterator[str]:
    query = f"SELECT {', '.join((*table.columns, table.body))} FROM {table.name}"  # noqa: S608
    for *found, body in connection.execute(query):
        name = f"{table.name.partition(' ')[0]} {_shown(found[0]) if found else ''}".strip()
        try:
            wanted = table.repeated(table.rows.parse(body))
        except StoreError as error:
            yield f"{name}: {error}"
            continue
        for column, one, other in zip(table.columns, found, wanted, strict=True):
            if one != other:
                yield f"{name}: column {column} is {_shown(one)}, its record says {_shown(other)}"


def _balances(connection: sqlite3.Connection) -> Iterator[str]:
    query = (
        "SELECT workspace_id, account, sum(credits), sum(posted) FROM ("
        "SELECT workspace_id, account, credits, 0 AS posted FROM balances "
        "UNION ALL SELECT workspace_id, target, 0, amount FROM credit_entries "
        "UNION ALL SELECT workspace_id, source, 0, -amount FROM credit_entries) "
        "GROUP BY workspace_id, account HAVING sum(credits) <> sum(posted)"
    )
    for workspace_id, account, held, posted in connection.execute(query):
        yield f"balances {workspace_id}: {account} holds {held} credits, its lines make {posted}"


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
