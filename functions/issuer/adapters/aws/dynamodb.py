"""A `Ledger` in one DynamoDB table.

A writing method reads what it must look at, strongly consistent, checks it in the port's order, and writes
all of its changes as one TransactWriteItems on the condition that nothing of it has changed since; if
something has, it begins anew. So it promises what SQLite's exclusive transaction promises, without a lock.

Nothing here expires: idempotency keys, nonces and lines are for ever, and a leaf goes when it is delivered.

IAM actions, on the table alone (it has no index): dynamodb:BatchGetItem, Query, PutItem, UpdateItem,
DeleteItem; for `damage` also Scan. A transaction needs the actions of its writes (PutItem, DeleteItem).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from issuer.adapters.aws import dynamodb_books as books
from issuer.adapters.aws import dynamodb_claims as claims
from issuer.adapters.aws import dynamodb_leaves as leaves
from issuer.adapters.aws import dynamodb_notices as notices
from issuer.adapters.aws import dynamodb_packets as packets
from issuer.adapters.aws import dynamodb_versions as versions
from issuer.adapters.aws.dynamodb_damage import damage
from issuer.adapters.aws.dynamodb_items import Item, Key
from issuer.adapters.aws.dynamodb_keys import (
    QUALIFICATIONS,
    ROUNDS,
    WORKSPACES,
    api_key_key,
    api_key_of,
    api_keys_of,
    books_key,
    claim_key,
    kit_of,
    leaf_key,
    line_of,
    lines_after,
    nonce_key,
    packet_key,
    packet_of,
    packets_before,
    qualification_key,
    workspace_key,
)
from issuer.adapters.aws.dynamodb_table import ChangedError, Table
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed, unpacked
from issuer.adapters.aws.tries import Tries
from issuer.adapters.rows import (
    API_KEYS,
    CREDIT_ENTRIES,
    PACKETS,
    Rows,
)
from issuer.adapters.rows import QUALIFICATIONS as QUALIFICATION_ROWS
from issuer.adapters.rows import WORKSPACES as WORKSPACE_ROWS
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

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

_TRIES = 60
"""Times that a call begins anew because others changed what it had read: some 20 s, for 50 at once."""


class DynamoLedger:
    """The ledger in table `name`, for any number of threads and processes anywhere.

    `client` must try each request once (`total_max_attempts` 1). What the methods promise is said in
    `issuer.ports.Ledger`; here stands what this adapter adds.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._table = Table(client, name)

    def add_workspace(self, workspace: Workspace) -> None:
        """Store a new workspace: one conditional write."""
        self._do(lambda work: versions.add(work, *_workspace_row(workspace)))

    def replace_workspace(self, workspace: Workspace) -> None:
        """Store a workspace's next version: one conditional write."""
        self._do(lambda work: versions.replace(work, *_workspace_row(workspace)))

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace, or None."""
        return self._one(WORKSPACE_ROWS, workspace_key(workspace_id))

    def workspaces(self) -> tuple[Workspace, ...]:
        """All workspaces, by id."""
        return tuple(_parsed(WORKSPACE_ROWS, item) for item in self._table.query(WORKSPACES))

    def put_api_key(self, key: ApiKey) -> None:
        """Store or update a key, with its workspace's note of it."""

        def act(work: Work) -> None:
            main, note = api_key_key(key.key_hash), api_key_of(key.workspace_id, key.key_hash)
            work.read(main, note)
            work.put(main, {}, packed(API_KEYS.format(key)))
            if work.get(note) is None:
                work.put(note, {})

        self._do(act)

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key, or None."""
        return self._one(API_KEYS, api_key_key(key_hash))

    def api_keys(self, workspace_id: str) -> tuple[ApiKey, ...]:
        """A workspace's keys by time of making, then hash."""
        notes = self._table.query(api_keys_of(workspace_id))
        hashes = [bytes.fromhex(note.key.sk.removeprefix("key#")) for note in notes]
        found = self._table.get_many(map(api_key_key, hashes)).values()
        keys = [
            key for key in (_parsed(API_KEYS, item) for item in found) if key.workspace_id == workspace_id
        ]
        return tuple(sorted(keys, key=lambda key: (key.created_at, key.key_hash)))

    def post_credits(self, entry: CreditEntry) -> None:
        """Add a ledger line once: line, its id and the books in one transaction."""

        def act(work: Work) -> None:
            work.read(line_of(entry.entry_id), books_key(entry.workspace_id))
            if not books.is_posted(work, entry.entry_id):
                books.check_funds(work, entry)
                books.post(work, entry)

        self._do(act)

    def balance(self, workspace_id: str, account: str = "available") -> int:
        """Credits in an account; 0 for one that was never used."""
        return books.read_books(Work(self._table), workspace_id).accounts.get(account, 0)

    def credit_entries(self, workspace_id: str, after: str | None, limit: int) -> tuple[CreditEntry, ...]:
        """A page of lines; an empty one after a line that the workspace doesn't have."""
        number = 0
        if after is not None:
            place = self._table.get(line_of(after))
            if place is None or place.text("workspace") != workspace_id:
                return ()
            number = place.number("number")
        found = self._table.query(lines_after(workspace_id, number), limit)
        return tuple(_parsed(CREDIT_ENTRIES, item) for item in found)

    def credit_entry(self, entry_id: str) -> CreditEntry | None:
        """The line, found by its unique id."""
        return books.find_line(self._table, entry_id)

    def create_packet(self, packet: Packet, claim: Claim, answer: Answer, open_limit: int) -> None:
        """Store a new packet, its place in the list, the count of open ones and the claim's answer."""

        def act(work: Work) -> None:
            work.read(claim_key(claim), books_key(packet.workspace_id), packet_key(packet.packet_id))
            claims.check_held(work, claim)
            packets.create(work, packet, open_limit)
            claims.bind(work, claim, answer)

        self._do(act)

    def replace_packet(self, packet: Packet) -> None:
        """Store a packet's next version, and the count of open ones if that changes."""
        self._do(lambda work: packets.replace(work, packet))

    def packet(self, packet_id: str) -> Packet | None:
        """The packet, or None."""
        return self._one(PACKETS, packet_key(packet_id))

    def packet_of_kit(self, workspace_id: str, kit_id: str) -> Packet | None:
        """The workspace's packet with this kit, or None."""
        note = self._table.get(kit_of(workspace_id, kit_id))
        packet = self.packet(note.text("packet") or "") if note else None
        return packet if packet and packet.issued and packet.issued.kit_id == kit_id else None

    def packets(self, workspace_id: str, after: str | None, limit: int) -> tuple[Packet, ...]:
        """A page by (`opened_at`, id), newest first; empty after a packet of another workspace."""
        last = None
        if after is not None:
            item = self._table.get(packet_key(after))
            if item is None or item.text("workspace") != workspace_id:
                return ()
            last = packet_of(workspace_id, item.number("opened_at"), after)
        notes = self._table.query(packets_before(workspace_id, last), limit + (last is not None))
        keys = [packet_key(note.text("packet") or "") for note in notes if note.key != last]
        found = self._table.get_many(keys)
        return tuple(_parsed(PACKETS, found[key]) for key in keys if key in found)

    def claim(self, claim: Claim, now: int) -> Answer | None:
        """Claim a key: one conditional write. The same claim again renews its lease."""
        return self._do(lambda work: claims.take(work, claim, now))

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Bind the answer. A claim that was settled before keeps its first answer."""

        def act(work: Work) -> None:
            if not claims.is_settled(work, claim):
                claims.check_held(work, claim)
                claims.bind(work, claim, answer)

        self._do(act)

    def release(self, claim: Claim) -> None:
        """Give an unanswered claim up."""
        self._do(lambda work: claims.give_up(work, claim))

    def accept(self, acceptance: Acceptance) -> None:
        """The issuing transaction: nine items. ALREADY_EXISTS also if the debit's `entry_id` was posted."""
        claim, packet, debit = acceptance.claim, acceptance.packet, acceptance.debit
        nonce, leaf = nonce_key(acceptance.nonce_hash), leaf_key(acceptance.leaf.leaf_hash)

        def act(work: Work) -> None:
            work.read(
                *(claim_key(claim), packet_key(packet.packet_id), nonce, leaf),
                *(books_key(packet.workspace_id), line_of(debit.entry_id)),
            )
            claims.check_held(work, claim, acceptance.now)
            packets.replace(work, packet, PacketState.READY)
            if work.get(nonce):
                raise ServiceError(Code.NONCE_USED, "a kit was accepted with this client nonce")
            books.check_funds(work, debit)
            if work.get(leaf):
                raise ServiceError(Code.ALREADY_EXISTS, f"leaf {leaf.sk} is waiting")
            if books.is_posted(work, debit.entry_id):
                raise ServiceError(Code.ALREADY_EXISTS, f"credit line {debit.entry_id} is posted")
            work.put(nonce, {})
            leaves.put(work, acceptance.leaf)
            books.post(work, debit)
            claims.bind(work, claim, acceptance.answer)

        self._do(act)

    def nonce_used(self, nonce_hash: bytes) -> bool:
        """Whether a kit was accepted with this nonce."""
        return self._table.get(nonce_key(nonce_hash)) is not None

    def waiting_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Undelivered leaves in the log's order. Reads all that wait."""
        return leaves.waiting(self._table, until, limit)

    def unmerged_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Those that are in no public round yet, as far as was noted. Reads all that wait."""
        return leaves.waiting(self._table, until, limit, unmerged=True)

    def note_merged(self, leaf_hashes: Sequence[bytes]) -> None:
        """Note them, one write each."""
        leaves.note_merged(self._table, leaf_hashes)

    def waiting_leaf(self, leaf_hash: bytes) -> WaitingLeaf | None:
        """The leaf if it waits, else None."""
        item = self._table.get(leaf_key(leaf_hash))
        return leaves.parse(item) if item else None

    def finish(self, leaf_hash: bytes, packet: Packet) -> None:
        """Store the issued packet and drop its leaf, in one transaction."""

        def act(work: Work) -> None:
            key = leaf_key(leaf_hash)
            work.read(key, packet_key(packet.packet_id))
            if work.get(key):
                packets.replace(work, packet)
                work.delete(key)

        self._do(act)

    def queue_notice(self, notice: QueuedNotice) -> None:
        """Queue a notice once, in one transaction."""
        self._do(lambda work: notices.queue(work, notice))

    def queued_notices(self) -> tuple[QueuedNotice, ...]:
        """Queued notices in order."""
        return notices.queued(self._table)

    def drop_notice(self, notice: QueuedNotice) -> None:
        """Take a notice out if it is queued."""
        self._do(lambda work: notices.drop(work, notice))

    def note_round(self, sequence: int) -> None:
        """Note the round unless a later one is noted: one conditional write."""

        def act(work: Work) -> None:
            stored = work.get(ROUNDS)
            if stored is None or stored.number("noted") < sequence:
                work.put(ROUNDS, {"noted": sequence})

        self._do(act)

    def noted_round(self) -> int:
        """The noted round."""
        stored = self._table.get(ROUNDS)
        return stored.number("noted") if stored else -1

    def add_qualification(self, qualification: Qualification) -> None:
        """Store a new qualification. Raises ALREADY_EXISTS if its id is taken."""
        self._do(lambda work: versions.add(work, *_qualification_row(qualification)))

    def replace_qualification(self, qualification: Qualification) -> None:
        """Store a qualification's next version."""
        self._do(lambda work: versions.replace(work, *_qualification_row(qualification)))

    def qualification(self, qualification_id: str) -> Qualification | None:
        """The qualification, or None."""
        return self._one(QUALIFICATION_ROWS, qualification_key(qualification_id))

    def qualifications(self) -> tuple[Qualification, ...]:
        """All of them by time, then by id."""
        found = [_parsed(QUALIFICATION_ROWS, item) for item in self._table.query(QUALIFICATIONS)]
        return tuple(sorted(found, key=lambda each: (each.received_at, each.qualification_id)))

    def damage(self) -> tuple[str, ...]:
        """Records against their attributes, balances and counts against lines and packets."""
        return tuple(damage(self._table))

    def _one(self, rows: Rows[T], key: Key) -> T | None:
        item = self._table.get(key)
        return _parsed(rows, item) if item else None

    def _do(self, act: Callable[[Work], T]) -> T:
        """Read, check and write in one transaction; anew if what it read was changed by others meanwhile."""
        for _ in (tries := Tries("a transaction", count=_TRIES, first_s=0.02, most_s=0.5)):
            work = Work(self._table)
            result = act(work)
            try:
                work.commit()
            except ChangedError as error:
                tries.failed(error)
            else:
                return result
        raise AssertionError("the last try raises")


def _workspace_row(workspace: Workspace) -> tuple[Key, str, int, str]:
    key = workspace_key(workspace.workspace_id)
    return (
        key,
        f"workspace {workspace.workspace_id}",
        workspace.version,
        WORKSPACE_ROWS.format(workspace),
    )


def _qualification_row(each: Qualification) -> tuple[Key, str, int, str]:
    key = qualification_key(each.qualification_id)
    return key, f"qualification {each.qualification_id}", each.version, QUALIFICATION_ROWS.format(each)


def _parsed(rows: Rows[T], item: Item) -> T:
    return rows.parse(unpacked(item.body))
