"""Credit lines and balances inside a transaction.

`balances` is a running sum of `credit_entries`, kept in the transaction that adds the line: a balance
is one look-up whatever the number of lines, and its CHECK keeps it from going below zero by any way.
"""

import sqlite3

from issuer.adapters.rows import CREDIT_ENTRIES
from issuer.errors import Code, ServiceError
from issuer.model import CreditEntry

# Where credits come from and go to: these say how many, so one of them is below zero by nature.
_UNLIMITED = frozenset({"granted", "consumed"})


def is_posted(connection: sqlite3.Connection, entry_id: str) -> bool:
    """Whether there is a line with this id."""
    query = "SELECT 1 FROM credit_entries WHERE entry_id = ?"
    return connection.execute(query, (entry_id,)).fetchone() is not None


def balance(connection: sqlite3.Connection, workspace_id: str, account: str) -> int:
    """Credits in an account."""
    query = "SELECT credits FROM balances WHERE workspace_id = ? AND account = ?"
    row = connection.execute(query, (workspace_id, account)).fetchone()
    return 0 if row is None else int(row[0])


def check_funds(connection: sqlite3.Connection, entry: CreditEntry) -> None:
    """Raises NO_CREDITS if the line would take its source below zero."""
    if entry.source in _UNLIMITED:
        return
    found = balance(connection, entry.workspace_id, entry.source)
    if found < entry.amount:
        raise ServiceError(
            Code.NO_CREDITS,
            f"account {entry.source} of {entry.workspace_id} holds {found} credits, wanted {entry.amount}",
        )


def post(connection: sqlite3.Connection, entry: CreditEntry) -> None:
    """Add a line that was checked, and move the balances."""
    connection.execute(
        "INSERT INTO credit_entries (entry_id, workspace_id, amount, source, target, body) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            entry.entry_id,
            entry.workspace_id,
            entry.amount,
            entry.source,
            entry.target,
            CREDIT_ENTRIES.format(entry),
        ),
    )
    # Two steps each: a CHECK also judges the row that ON CONFLICT would not keep.
    for account, change in ((entry.target, entry.amount), (entry.source, -entry.amount)):
        connection.execute("INSERT OR IGNORE INTO balances VALUES (?, ?, 0)", (entry.workspace_id, account))
        connection.execute(
            "UPDATE balances SET credits = credits + ? WHERE workspace_id = ? AND account = ?",
            (change, entry.workspace_id, account),
        )
