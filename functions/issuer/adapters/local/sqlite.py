"""A `Ledger` in one SQLite file.

Every method is one transaction of `sqlite_database.Database`. A writing one has the database for
itself from its first look on, so that what it checked still holds when it writes.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from issuer.adapters.local import sqlite_claims as claims
from issuer.adapters.local import sqlite_credits as credit_lines
from issuer.adapters.local import sqlite_leaves as leaves
from issuer.adapters.local.sqlite_damage import damage
from issuer.adapters.local.sqlite_database import Database
from issuer.adapters.local.sqlite_schema import NOTE_ROUND
from issuer.adapters.rows import (
    API_KEYS,
    CREDIT_ENTRIES,
    PACKETS,
    QUALIFICATIONS,
    WAITING_LEAVES,
    WORKSPACES,
    Rows,
    T,
)
from issuer.errors import Code, ServiceError
from issuer.model import (
    Acceptance,
    Answer,
    ApiKey,
    Claim,
    CreditEntry,
    Packet,
    PacketState,
    Qualification,
    QueuedNotice,
    WaitingLeaf,
    Workspace,
)

_OPEN_STATES = (PacketState.OPEN, PacketState.BLOCKED, PacketState.READY)


class SqliteLedger:
    """The ledger in the file at `path`, for any number of threads and processes of one machine.

    Raises `StoreError` if the file is no ledger, or one of a newer program. What the methods promise
    is said in `issuer.ports.Ledger`; here stands what this adapter adds.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0) -> None:
        self._database = Database(path, busy_timeout_s)

    def close(self) -> None:
        """Close the file. What was committed is safe without it."""
        self._database.close()

    def add_workspace(self, workspace: Workspace) -> None:
        """Store a new workspace."""
        key = workspace.workspace_id
        with self._database.write() as connection:
            if _exists(connection, "SELECT 1 FROM workspaces WHERE workspace_id = ?", key):
                raise ServiceError(Code.ALREADY_EXISTS, f"workspace {key} exists")
            row = (key, workspace.version, WORKSPACES.format(workspace))
            connection.execute("INSERT INTO workspaces VALUES (?, ?, ?)", row)

    def replace_workspace(self, workspace: Workspace) -> None:
        """Store a workspace's next version."""
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE workspaces SET version = ?, body = ? WHERE workspace_id = ? AND version = ?",
                (
                    workspace.version,
                    WORKSPACES.format(workspace),
                    workspace.workspace_id,
                    workspace.version - 1,
                ),
            )
            _check_changed(changed, f"workspace {workspace.workspace_id}", workspace.version)

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace, or None."""
        return self._one(WORKSPACES, "SELECT body FROM workspaces WHERE workspace_id = ?", workspace_id)

    def workspaces(self) -> tuple[Workspace, ...]:
        """All workspaces, by id."""
        return self._all(WORKSPACES, "SELECT body FROM workspaces ORDER BY workspace_id")

    def put_api_key(self, key: ApiKey) -> None:
        """Store or update a key."""
        row = (key.key_hash, key.workspace_id, key.created_at, API_KEYS.format(key))
        with self._database.write() as connection:
            connection.execute("REPLACE INTO api_keys VALUES (?, ?, ?, ?)", row)

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key, or None."""
        return self._one(API_KEYS, "SELECT body FROM api_keys WHERE key_hash = ?", key_hash)

    def api_keys(self, workspace_id: str) -> tuple[ApiKey, ...]:
        """A workspace's keys by time of making, then hash."""
        query = "SELECT body FROM api_keys WHERE workspace_id = ? ORDER BY created_at, key_hash"
        return self._all(API_KEYS, query, workspace_id)

    def post_credits(self, entry: CreditEntry) -> None:
        """Add a ledger line once."""
        with self._database.write() as connection:
            if not credit_lines.is_posted(connection, entry.entry_id):
                credit_lines.check_funds(connection, entry)
                credit_lines.post(connection, entry)

    def balance(self, workspace_id: str, account: str = "available") -> int:
        """Credits in an account; 0 for one that was never used."""
        with self._database.read() as connection:
            return credit_lines.balance(connection, workspace_id, account)

    def credit_entries(self, workspace_id: str, after: str | None, limit: int) -> tuple[CreditEntry, ...]:
        """A page of lines; an empty one after a line that the workspace doesn't have."""
        query = (
            "SELECT body FROM credit_entries WHERE workspace_id = :workspace AND (:after IS NULL OR "
            "sequence > (SELECT sequence FROM credit_entries WHERE entry_id = :after "
            "AND workspace_id = :workspace)) ORDER BY sequence LIMIT :limit"
        )
        return self._page(CREDIT_ENTRIES, query, workspace_id, after, limit)

    def credit_entry(self, entry_id: str) -> CreditEntry | None:
        """The line, found by its unique id."""
        return self._one(CREDIT_ENTRIES, "SELECT body FROM credit_entries WHERE entry_id = ?", entry_id)

    def create_packet(self, packet: Packet, claim: Claim, answer: Answer, open_limit: int) -> None:
        """Store a new packet and its answer. Raises ALREADY_EXISTS if the packet's id is taken."""
        key = packet.packet_id
        with self._database.write() as connection:
            claims.check_held(connection, claim)
            if _open_packets(connection, packet.workspace_id) >= open_limit:
                raise ServiceError(
                    Code.PACKET_LIMIT, f"{open_limit} packets are open, which is the tier's limit"
                )
            if _exists(connection, "SELECT 1 FROM packets WHERE packet_id = ?", key):
                raise ServiceError(Code.ALREADY_EXISTS, f"packet {key} exists")
            connection.execute(
                "INSERT INTO packets VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    packet.workspace_id,
                    packet.state,
                    packet.version,
                    packet.opened_at,
                    _kit_id(packet),
                    PACKETS.format(packet),
                ),
            )
            claims.bind(connection, claim, answer)

    def replace_packet(self, packet: Packet) -> None:
        """Store a packet's next version."""
        with self._database.write() as connection:
            _replace_packet(connection, packet)

    def packet(self, packet_id: str) -> Packet | None:
        """The packet, or None."""
        return self._one(PACKETS, "SELECT body FROM packets WHERE packet_id = ?", packet_id)

    def packet_of_kit(self, workspace_id: str, kit_id: str) -> Packet | None:
        """The workspace's packet with this kit, or None."""
        query = "SELECT body FROM packets WHERE workspace_id = ? AND kit_id = ?"
        return self._one(PACKETS, query, workspace_id, kit_id)

    def packets(self, workspace_id: str, after: str | None, limit: int) -> tuple[Packet, ...]:
        """A page by (`opened_at`, id), newest first; empty after a packet of another workspace."""
        query = (
            "SELECT body FROM packets WHERE workspace_id = :workspace AND (:after IS NULL OR "
            "(opened_at, packet_id) < (SELECT opened_at, packet_id FROM packets "
            "WHERE packet_id = :after AND workspace_id = :workspace)) "
            "ORDER BY opened_at DESC, packet_id DESC LIMIT :limit"
        )
        return self._page(PACKETS, query, workspace_id, after, limit)

    def claim(self, claim: Claim, now: int) -> Answer | None:
        """Claim a key. The same claim again renews its lease."""
        with self._database.write() as connection:
            return claims.take(connection, claim, now)

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Bind the answer. A claim that was settled before keeps its first answer."""
        with self._database.write() as connection:
            if not claims.is_settled(connection, claim):
                claims.check_held(connection, claim)
                claims.bind(connection, claim, answer)

    def release(self, claim: Claim) -> None:
        """Give an unanswered claim up."""
        with self._database.write() as connection:
            claims.give_up(connection, claim)

    def accept(self, acceptance: Acceptance) -> None:
        """The issuing transaction. ALREADY_EXISTS also if the debit's `entry_id` was posted before."""
        leaf, debit = acceptance.leaf, acceptance.debit
        with self._database.write() as connection:
            claims.check_held(connection, acceptance.claim, acceptance.now)
            _replace_packet(connection, acceptance.packet, PacketState.READY)
            _check_new(connection, acceptance)
            connection.execute("INSERT INTO nonces VALUES (?)", (acceptance.nonce_hash,))
            leaves.put(connection, leaf)
            credit_lines.post(connection, debit)
            claims.bind(connection, acceptance.claim, acceptance.answer)

    def nonce_used(self, nonce_hash: bytes) -> bool:
        """Whether a kit was accepted with this nonce."""
        with self._database.read() as connection:
            return _exists(connection, "SELECT 1 FROM nonces WHERE nonce_hash = ?", nonce_hash)

    def waiting_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Undelivered leaves in the log's order."""
        return self._all(WAITING_LEAVES, leaves.WAITING, until, limit)

    def unmerged_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Those that are in no public round yet, as far as was noted."""
        return self._all(WAITING_LEAVES, leaves.UNMERGED, until, limit)

    def note_merged(self, leaf_hashes: Sequence[bytes]) -> None:
        """Note them, all or none."""
        with self._database.write() as connection:
            leaves.note_merged(connection, leaf_hashes)

    def waiting_leaf(self, leaf_hash: bytes) -> WaitingLeaf | None:
        """The leaf if it waits, else None."""
        return self._one(WAITING_LEAVES, leaves.ONE, leaf_hash)

    def finish(self, leaf_hash: bytes, packet: Packet) -> None:
        """Store the issued packet and drop its leaf."""
        with self._database.write() as connection:
            dropped = connection.execute("DELETE FROM waiting_leaves WHERE leaf_hash = ?", (leaf_hash,))
            if dropped.rowcount:
                _replace_packet(connection, packet)

    def queue_notice(self, notice: QueuedNotice) -> None:
        """Queue a notice once."""
        with self._database.write() as connection:
            row = (notice.type, notice.data)
            connection.execute("INSERT OR IGNORE INTO notices (type, data) VALUES (?, ?)", row)

    def queued_notices(self) -> tuple[QueuedNotice, ...]:
        """Queued notices in order."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT type, data FROM notices ORDER BY sequence").fetchall()
        return tuple(QueuedNotice(*row) for row in rows)

    def drop_notice(self, notice: QueuedNotice) -> None:
        """Take a notice out if it is queued."""
        with self._database.write() as connection:
            row = (notice.type, notice.data)
            connection.execute("DELETE FROM notices WHERE type = ? AND data = ?", row)

    def note_round(self, sequence: int) -> None:
        """Note the round unless a later one is noted."""
        with self._database.write() as connection:
            connection.execute(NOTE_ROUND, (sequence,))

    def noted_round(self) -> int:
        """The noted round."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT coalesce(max(noted), -1) FROM rounds").fetchone()[0])

    def add_qualification(self, qualification: Qualification) -> None:
        """Store a new qualification. Raises ALREADY_EXISTS if its id is taken."""
        key = qualification.qualification_id
        with self._database.write() as connection:
            if _exists(connection, "SELECT 1 FROM qualifications WHERE qualification_id = ?", key):
                raise ServiceError(Code.ALREADY_EXISTS, f"qualification {key} exists")
            connection.execute(
                "INSERT INTO qualifications (qualification_id, version, received_at, body) "
                "VALUES (?, ?, ?, ?)",
                (key, qualification.version, qualification.received_at, QUALIFICATIONS.format(qualification)),
            )

    def replace_qualification(self, qualification: Qualification) -> None:
        """Store a qualification's next version."""
        key, version = qualification.qualification_id, qualification.version
        with self._database.write() as connection:
            changed = connection.execute(
                "UPDATE qualifications SET version = ?, body = ? WHERE qualification_id = ? AND version = ?",
                (version, QUALIFICATIONS.format(qualification), key, version - 1),
            )
            _check_changed(changed, f"qualification {key}", version)

    def qualification(self, qualification_id: str) -> Qualification | None:
        """The qualification, or None."""
        query = "SELECT body FROM qualifications WHERE qualification_id = ?"
        return self._one(QUALIFICATIONS, query, qualification_id)

    def qualifications(self) -> tuple[Qualification, ...]:
        """All of them by time, then in order of storing."""
        return self._all(QUALIFICATIONS, "SELECT body FROM qualifications ORDER BY received_at, sequence")

    def damage(self) -> tuple[str, ...]:
        """SQLite's integrity check, rows against their columns, balances against lines."""
        with self._database.read() as connection:
            return tuple(damage(connection))

    def _one(self, rows: Rows[T], query: str, *values: str | bytes) -> T | None:
        found = self._all(rows, query, *values)
        return found[0] if found else None

    def _all(self, rows: Rows[T], query: str, *values: str | bytes | int) -> tuple[T, ...]:
        with self._database.read() as connection:
            texts = connection.execute(query, values).fetchall()
        return tuple(rows.parse(text) for (text,) in texts)

    def _page(
        self, rows: Rows[T], query: str, workspace_id: str, after: str | None, limit: int
    ) -> tuple[T, ...]:
        values = {"workspace": workspace_id, "after": after, "limit": limit}
        with self._database.read() as connection:
            texts = connection.execute(query, values).fetchall()
        return tuple(rows.parse(text) for (text,) in texts)


def _exists(connection: sqlite3.Connection, query: str, value: str | bytes) -> bool:
    return connection.execute(query, (value,)).fetchone() is not None


def _check_changed(changed: sqlite3.Cursor, what: str, version: int) -> None:
    if changed.rowcount != 1:
        raise ServiceError(Code.CHANGED_MEANWHILE, f"{what} is not stored in version {version - 1}")


def _replace_packet(connection: sqlite3.Connection, packet: Packet, state: PacketState | None = None) -> None:
    """Store the next version, if the stored one is in `state` (None: any)."""
    changed = connection.execute(
        "UPDATE packets SET state = ?, version = ?, kit_id = ?, body = ? "
        "WHERE packet_id = ? AND version = ? AND state = coalesce(?, state)",
        (
            packet.state,
            packet.version,
            _kit_id(packet),
            PACKETS.format(packet),
            packet.packet_id,
            packet.version - 1,
            state,
        ),
    )
    wanted = f" {state}" if state else ""
    _check_changed(changed, f"packet {packet.packet_id}{wanted}", packet.version)


def _check_new(connection: sqlite3.Connection, acceptance: Acceptance) -> None:
    """The checks of `accept` after the packet's, in the port's order."""
    if _exists(connection, "SELECT 1 FROM nonces WHERE nonce_hash = ?", acceptance.nonce_hash):
        raise ServiceError(Code.NONCE_USED, "a kit was accepted with this client nonce")
    credit_lines.check_funds(connection, acceptance.debit)
    leaf_hash = acceptance.leaf.leaf_hash
    if _exists(connection, "SELECT 1 FROM waiting_leaves WHERE leaf_hash = ?", leaf_hash):
        raise ServiceError(Code.ALREADY_EXISTS, f"leaf {leaf_hash.hex()} is waiting")
    if credit_lines.is_posted(connection, acceptance.debit.entry_id):
        raise ServiceError(Code.ALREADY_EXISTS, f"credit line {acceptance.debit.entry_id} is posted")


def _open_packets(connection: sqlite3.Connection, workspace_id: str) -> int:
    query = "SELECT count(*) FROM packets WHERE workspace_id = ? AND state IN (?, ?, ?)"
    return int(connection.execute(query, (workspace_id, *_OPEN_STATES)).fetchone()[0])


def _kit_id(packet: Packet) -> str | None:
    return packet.issued.kit_id if packet.issued else None
