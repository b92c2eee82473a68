"""The ledger's tables, and the check that a file holds them.

Columns are what is looked up or constrained; `body` is the whole record (`rows`), and what is
read. The constraints repeat what `sqlite` checks first, so that no bug can break what they say.
"""

import sqlite3

from issuer.errors import StoreError

APPLICATION_ID = 0x41544C47  # "ATLG"; PRAGMA application_id marks the file as ours
SCHEMA_VERSION = 2  # PRAGMA user_version

# What version 2 has and version 1 had not: last in its table, as ALTER TABLE puts it.
_MERGED = (
    "ALTER TABLE waiting_leaves ADD COLUMN merged INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX waiting_leaves_unmerged ON waiting_leaves (issued_at, leaf_hash) WHERE merged = 0",
)

_TABLES = (
    """CREATE TABLE workspaces (
        workspace_id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE api_keys (
        key_hash BLOB PRIMARY KEY, workspace_id TEXT NOT NULL, created_at INTEGER NOT NULL, body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX api_keys_of_workspace ON api_keys (workspace_id, created_at, key_hash)",
    # AUTOINCREMENT here and below: the order of posting, whatever is deleted.
    """CREATE TABLE credit_entries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, entry_id TEXT NOT NULL UNIQUE,
        workspace_id TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 1),
        source TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX credit_entries_of_workspace ON credit_entries (workspace_id, sequence)",
    """CREATE TABLE balances (
        workspace_id TEXT NOT NULL, account TEXT NOT NULL, credits INTEGER NOT NULL,
        PRIMARY KEY (workspace_id, account), CHECK (credits >= 0 OR account IN ('granted', 'consumed'))
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE packets (
        packet_id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, state TEXT NOT NULL,
        version INTEGER NOT NULL, opened_at INTEGER NOT NULL, kit_id TEXT, body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX packets_by_time ON packets (workspace_id, opened_at, packet_id)",
    "CREATE INDEX packets_by_state ON packets (workspace_id, state)",
    "CREATE UNIQUE INDEX packets_by_kit ON packets (workspace_id, kit_id) WHERE kit_id IS NOT NULL",
    # token and lease_until are null once the claim was given up.
    """CREATE TABLE claims (
        workspace_id TEXT NOT NULL, key TEXT NOT NULL, request_hash BLOB NOT NULL,
        token TEXT, lease_until INTEGER, answer TEXT, PRIMARY KEY (workspace_id, key)
    ) STRICT""",
    "CREATE TABLE nonces (nonce_hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    """CREATE TABLE waiting_leaves (
        leaf_hash BLOB PRIMARY KEY, issued_at INTEGER NOT NULL, body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX waiting_leaves_by_time ON waiting_leaves (issued_at, leaf_hash)",
    *_MERGED,
    """CREATE TABLE notices (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, data BLOB NOT NULL,
        UNIQUE (type, data)
    ) STRICT""",
    # One row, or none yet.
    "CREATE TABLE rounds (one INTEGER PRIMARY KEY CHECK (one = 1), noted INTEGER NOT NULL) STRICT",
    """CREATE TABLE qualifications (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, qualification_id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL, received_at INTEGER NOT NULL, body TEXT NOT NULL
    ) STRICT""",
)

NOTE_ROUND = """INSERT INTO rounds VALUES (1, ?)
    ON CONFLICT DO UPDATE SET noted = max(noted, excluded.noted)"""


def prepare(connection: sqlite3.Connection, name: str) -> None:
    """Make the tables in an empty file, or check that it is a ledger, and bring one of an older program up.

    Needs a write transaction. Raises `StoreError` for any other file, which it leaves as it is.
    """
    application, version, tables = (_number(connection, query) for query in _QUERIES)
    if (application, version, tables) == (0, 0, 0):
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif application != APPLICATION_ID:
        raise StoreError(f"{name} is an SQLite database of something else, not a ledger")
    elif version == 1:
        for statement in _MERGED:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        raise StoreError(
            f"ledger {name} has schema version {version}, this program knows up to {SCHEMA_VERSION}: "
            "use the newer program that wrote it"
        )


_QUERIES = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
