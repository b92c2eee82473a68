"""Waiting leaves inside a transaction: accepted, on their way into the log, kept until delivered.

`merged` is 1 once the log's writer was told that a leaf is in a public round: a leaf whose kit can't be
finished costs later rounds nothing.
"""

import sqlite3
from collections.abc import Iterable

from issuer.adapters.rows import WAITING_LEAVES
from issuer.model import WaitingLeaf

WAITING = "SELECT body FROM waiting_leaves WHERE issued_at <= ? ORDER BY issued_at, leaf_hash LIMIT ?"
UNMERGED = (
    "SELECT body FROM waiting_leaves WHERE merged = 0 AND issued_at <= ? "
    "ORDER BY issued_at, leaf_hash LIMIT ?"
)
ONE = "SELECT body FROM waiting_leaves WHERE leaf_hash = ?"


def put(connection: sqlite3.Connection, leaf: WaitingLeaf) -> None:
    """Store a leaf that was checked to be new."""
    connection.execute(
        "INSERT INTO waiting_leaves (leaf_hash, issued_at, body) VALUES (?, ?, ?)",
        (leaf.leaf_hash, leaf.issued_at, WAITING_LEAVES.format(leaf)),
    )


def note_merged(connection: sqlite3.Connection, leaf_hashes: Iterable[bytes]) -> None:
    """`Ledger.note_merged`."""
    connection.executemany(
        "UPDATE waiting_leaves SET merged = 1 WHERE leaf_hash = ?", ((each,) for each in leaf_hashes)
    )
