"""The ledger: workspaces, credits, packets, idempotency, waiting leaves, notices, qualifications."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from issuer.errors import Code, ServiceError, StoreError
from issuer.ledger import books, claims, digests, keys, packets, rows, waiting
from issuer.ledger.damage import damage
from issuer.ledger.rows import Rows
from issuer.ledger.work import Work, carry_out, read_items
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
from issuer.ports import Key, Span, Table

T = TypeVar("T")
V = TypeVar("V", Workspace, Qualification)


class Ledger:
    """The ledger in a table. Every writing call is one atomic, durable transaction, unless it says otherwise.

    Nothing expires: idempotency keys, nonces and credit lines stay for ever, a leaf until it is delivered.
    Any call may raise `StoreError`. The effect of a writing one is then unknown: read back before deciding.
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    def add_workspace(self, workspace: Workspace) -> None:
        """Store a new workspace. Raises `ServiceError` (ALREADY_EXISTS) if its id is taken."""
        self._add(rows.WORKSPACES, keys.workspace_key(workspace.workspace_id), workspace)

    def replace_workspace(self, workspace: Workspace) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""
        self._replace(rows.WORKSPACES, keys.workspace_key(workspace.workspace_id), workspace)

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace with this id, or None."""
        return self._one(rows.WORKSPACES, keys.workspace_key(workspace_id))

    def workspaces(self) -> tuple[Workspace, ...]:
        """All workspaces, in order of their ids."""
        return self._all(rows.WORKSPACES, keys.WORKSPACES)

    def put_api_key(self, key: ApiKey) -> None:
        """Store or update a key, under its hash."""

        def act(work: Work) -> None:
            place, pointer = (
                keys.api_key_key(key.key_hash),
                keys.api_key_pointer(key.workspace_id, key.key_hash),
            )
            work.read(place, pointer)
            work.put(rows.API_KEYS, place, key)
            if work.get(rows.POINTERS, pointer) is None:
                work.put(rows.POINTERS, pointer, place)

        self._do(act)

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key with this hash, or None."""
        return self._one(rows.API_KEYS, keys.api_key_key(key_hash))

    def api_keys(self, workspace_id: str) -> tuple[ApiKey, ...]:
        """A workspace's keys, by time of making, then by hash."""
        pointed = self._pointed(rows.API_KEYS, self._all(rows.POINTERS, keys.api_keys_of(workspace_id)))
        own = (key for key in pointed if key.workspace_id == workspace_id)
        return tuple(sorted(own, key=lambda key: (key.created_at, key.key_hash)))

    def post_credits(self, entry: CreditEntry) -> None:
        """Add one credit line; if a line with its `entry_id` exists already, change nothing.

        Raises NO_CREDITS if account `source` (any but `granted` and `consumed`) would go below zero.
        """

        def act(work: Work) -> None:
            work.read(keys.line_pointer(entry.entry_id), keys.books_key(entry.workspace_id))
            if not books.is_posted(work, entry.entry_id):
                books.check_funds(work, entry)
                books.post(work, entry)

        self._do(act)

    def balance(self, workspace_id: str, account: str = "available") -> int:
        """Credits in an account: what went in less what went out; 0 for one that was never used."""
        return books.read_books(Work(self.table), workspace_id).accounts.get(account, 0)

    def credit_entries(self, workspace_id: str, after: str | None, limit: int) -> tuple[CreditEntry, ...]:
        """A workspace's lines in order of posting, at most `limit`, after the line with id `after`.

        None after a line that the workspace does not have.
        """
        last = self._one(rows.POINTERS, keys.line_pointer(after)) if after is not None else None
        if after is not None and (last is None or last.pk != keys.books_key(workspace_id).pk):
            return ()
        return self._page(rows.CREDIT_ENTRIES, keys.lines_from(workspace_id, last), last, limit)

    def credit_entry(self, entry_id: str) -> CreditEntry | None:
        """The line with this id, whatever its workspace, or None."""
        place = self._one(rows.POINTERS, keys.line_pointer(entry_id))
        line = self._one(rows.CREDIT_ENTRIES, place) if place else None
        if place and line is None:
            raise StoreError(f"credit line {entry_id} is missing from its workspace")
        return line

    def create_packet(self, packet: Packet, claim: Claim, answer: Answer, open_limit: int) -> None:
        """Store a new packet and bind the claim's answer. Nothing is stored if it raises.

        Raises, in this order: IN_PROGRESS if the claim was lost; PACKET_LIMIT if `open_limit` packets of the
        workspace are open, blocked or ready; ALREADY_EXISTS if the packet's id is taken.
        """

        def act(work: Work) -> None:
            work.read(
                keys.claim_key(claim), keys.books_key(packet.workspace_id), keys.packet_key(packet.packet_id)
            )
            claims.check_held(work, claim)
            packets.create(work, packet, open_limit)
            claims.bind(work, claim, answer)

        self._do(act)

    def replace_packet(self, packet: Packet) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""
        self._do(lambda work: packets.replace(work, packet))

    def packet(self, packet_id: str) -> Packet | None:
        """The packet with this id, whatever its workspace, or None."""
        return self._one(rows.PACKETS, keys.packet_key(packet_id))

    def packet_of_kit(self, workspace_id: str, kit_id: str) -> Packet | None:
        """The workspace's packet that was sealed as `kit_id`, or None."""
        place = self._one(rows.POINTERS, keys.kit_pointer(workspace_id, kit_id))
        packet = self._one(rows.PACKETS, place) if place else None
        return packet if packets.kit_id_of(packet) == kit_id else None

    def packets(self, workspace_id: str, after: str | None, limit: int) -> tuple[Packet, ...]:
        """A workspace's packets, newest first (by `opened_at`, then id), at most `limit`, older than `after`.

        None after a packet that the workspace does not have.
        """
        newer = self.packet(after) if after is not None else None
        if after is not None and (newer is None or newer.workspace_id != workspace_id):
            return ()
        last = keys.packet_pointer(newer) if newer else None
        return self._pointed(
            rows.PACKETS, self._page(rows.POINTERS, keys.packets_until(workspace_id, last), last, limit)
        )

    def claim(self, claim: Claim, now: int) -> Answer | None:
        """Claim an idempotency key, for ever. None: go on. An answer: the request was carried out before.

        A claim without an answer whose lease is over is taken over; the same claim (by its token) again
        renews its lease. Raises IDEMPOTENCY_MISMATCH if the key was used with another `request_hash`,
        IN_PROGRESS while another claim holds the lease.
        """
        answer = self._do(lambda work: claims.take(work, claim, now))
        if answer is None or answer.report_of is None:
            return answer
        return claims.complete(answer, self.packet(answer.report_of[0]))

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Bind the answer to the claim. Raises IN_PROGRESS if the claim was lost to another.

        A claim that was settled before keeps its first answer.
        """

        def act(work: Work) -> None:
            if not claims.is_settled(work, claim):
                claims.check_held(work, claim)
                claims.bind(work, claim, answer)

        self._do(act)

    def release(self, claim: Claim) -> None:
        """Give an unanswered claim up, so that the next call need not wait for its lease to end.

        The key stays bound to its `request_hash`. A claim that was lost or answered is left alone.
        """
        self._do(lambda work: claims.give_up(work, claim))

    def accept(self, acceptance: Acceptance) -> None:
        """The issuing transaction: debit, packet to `sealed`, nonce, waiting leaf, answer; all or nothing.

        Raises, in this order of checks and changing nothing: IN_PROGRESS if the claim is lost or its lease
        ended before `now`; CHANGED_MEANWHILE unless the stored packet is `ready` in `packet.version` − 1;
        NONCE_USED; NO_CREDITS if `debit.source` holds none; ALREADY_EXISTS if the leaf is waiting or the
        debit's `entry_id` was posted before.
        """
        claim, packet, debit = acceptance.claim, acceptance.packet, acceptance.debit
        nonce, leaf = keys.nonce_pointer(acceptance.nonce_hash), keys.leaf_key(acceptance.leaf.leaf_hash)

        def act(work: Work) -> None:
            work.read(
                *(keys.claim_key(claim), keys.packet_key(packet.packet_id), nonce, leaf),
                *(keys.books_key(packet.workspace_id), keys.line_pointer(debit.entry_id)),
            )
            claims.check_held(work, claim, acceptance.now)
            packets.replace(work, packet, PacketState.READY)
            if work.get(rows.POINTERS, nonce):
                raise ServiceError(Code.NONCE_USED, "a kit was accepted with this client nonce")
            books.check_funds(work, debit)
            if work.get(rows.WAITING_LEAVES, leaf):
                raise ServiceError(Code.ALREADY_EXISTS, f"leaf {leaf.sk} is waiting")
            if books.is_posted(work, debit.entry_id):
                raise ServiceError(Code.ALREADY_EXISTS, f"credit line {debit.entry_id} is posted")
            work.put(rows.POINTERS, nonce, keys.packet_key(packet.packet_id))
            waiting.put_leaf(work, acceptance.leaf)
            books.post(work, debit)
            claims.bind(work, claim, acceptance.answer)

        self._do(act)

    def nonce_used(self, nonce_hash: bytes) -> bool:
        """Whether a kit was accepted with this nonce."""
        return self._one(rows.POINTERS, keys.nonce_pointer(nonce_hash)) is not None

    def waiting_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Undelivered leaves with `issued_at` ≤ `until`, by (`issued_at`, `leaf_hash`), at most `limit`.

        Reads all that wait.
        """
        return waiting.first_leaves(self.table, until, limit)

    def unmerged_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """As `waiting_leaves`, without those that `note_merged` was called for."""
        return waiting.first_leaves(self.table, until, limit, unmerged=True)

    def note_merged(self, leaf_hashes: Sequence[bytes]) -> None:
        """Note that these leaves, up to some thousand, are in the public log; their kits still wait.

        Each on its own: of a call that fails, some may be noted. A leaf that does not wait is passed over.
        """
        self.table.mark(map(keys.leaf_key, leaf_hashes))

    def waiting_leaf(self, leaf_hash: bytes) -> WaitingLeaf | None:
        """The leaf if its kit is not delivered yet, else None."""
        return self._one(rows.WAITING_LEAVES, keys.leaf_key(leaf_hash))

    def finish(self, leaf_hash: bytes, packet: Packet) -> None:
        """Store the packet's next version (`issued`) and drop its waiting leaf. Again: changes nothing.

        Raises CHANGED_MEANWHILE if the stored packet is another version and the leaf still waits.
        """

        def act(work: Work) -> None:
            key = keys.leaf_key(leaf_hash)
            work.read(key, keys.packet_key(packet.packet_id))
            if work.get(rows.WAITING_LEAVES, key):
                packets.replace(work, packet)
                work.delete(key)

        self._do(act)

    def withdraw_kit(self, packet: Packet, notice: QueuedNotice) -> None:
        """Store the packet's next version, with its withdrawal, and queue the notice; both or neither.

        Raises CHANGED_MEANWHILE unless the stored one is `version` − 1.
        """

        def act(work: Work) -> None:
            packets.replace(work, packet)
            waiting.queue_notice(work, notice)

        self._do(act)

    def queue_notice(self, notice: QueuedNotice) -> None:
        """Queue a notice; the same one again changes nothing."""
        self._do(lambda work: waiting.queue_notice(work, notice))

    def replace_notice(self, old: QueuedNotice, new: QueuedNotice) -> None:
        """Queue `new` in the place of `old`; last in the queue if `old` is not queued any more."""
        self._do(lambda work: waiting.replace_notice(work, old, new))

    def queued_notices(self) -> tuple[QueuedNotice, ...]:
        """Queued notices, in order of queueing."""
        return self._all(rows.NOTICES, keys.NOTICES)

    def drop_notice(self, notice: QueuedNotice) -> None:
        """Take a notice out of the queue, once it is public."""
        self._do(lambda work: waiting.drop_notice(work, notice))

    def note_round(self, sequence: int) -> None:
        """Note that round `sequence` of the log is about to be committed; the largest number stays."""

        def act(work: Work) -> None:
            noted = work.get(rows.NUMBERS, keys.ROUNDS)
            if noted is None or noted < sequence:
                work.put(rows.NUMBERS, keys.ROUNDS, sequence)

        self._do(act)

    def noted_round(self) -> int:
        """The largest number noted, or −1: a ledger behind the log's head came from a backup."""
        noted = self._one(rows.NUMBERS, keys.ROUNDS)
        return -1 if noted is None else noted

    def add_qualification(self, qualification: Qualification) -> None:
        """Store a new qualification. Raises ALREADY_EXISTS if its id is taken."""
        self._add(rows.QUALIFICATIONS, keys.qualification_key(qualification.qualification_id), qualification)

    def replace_qualification(self, qualification: Qualification) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""
        self._replace(
            rows.QUALIFICATIONS, keys.qualification_key(qualification.qualification_id), qualification
        )

    def qualification(self, qualification_id: str) -> Qualification | None:
        """The qualification with this id, or None."""
        return self._one(rows.QUALIFICATIONS, keys.qualification_key(qualification_id))

    def qualifications(self) -> tuple[Qualification, ...]:
        """All qualifications, oldest first, then by id."""
        every = self._all(rows.QUALIFICATIONS, keys.QUALIFICATIONS)
        return tuple(sorted(every, key=lambda each: (each.received_at, each.qualification_id)))

    def naming(self, kit_digests: Iterable[bytes]) -> set[bytes]:
        """Those of the digests of sealed kits that a packet, a waiting leaf or a claim's answer names.

        Reads all records.
        """
        return digests.naming(self.table, kit_digests)

    def names_kit(self, kit_digest: bytes, acceptance: Acceptance) -> bool:
        """Whether an item that `acceptance` would have written names this sealed kit."""
        written = (
            keys.packet_key(acceptance.packet.packet_id),
            keys.leaf_key(acceptance.leaf.leaf_hash),
            keys.claim_key(acceptance.claim),
        )
        items = read_items(self.table, written)
        return any(kit_digest in digests.named_by(item) for item in items.values())

    def purge(self) -> None:
        """Make what was deleted or replaced unreadable in the table's own files. Daily, as it reads all."""
        self.table.purge()

    def damage(self) -> tuple[str, ...]:
        """What is wrong with the stored records themselves, a sentence each; nothing if all are whole.

        Reads all of them: each record and its place, pointers both ways, books against lines and packets.
        Whether they agree with the log is not looked at.
        """
        return tuple(damage(self.table))

    def _do(self, act: Callable[[Work], T]) -> T:
        return carry_out(self.table, act)

    def _one(self, kind: Rows[T], key: Key) -> T | None:
        return Work(self.table).get(kind, key)

    def _all(self, kind: Rows[T], span: Span) -> tuple[T, ...]:
        return tuple(kind.parse(item.body) for item in self.table.query(span))

    def _page(self, kind: Rows[T], span: Span, last: Key | None, limit: int) -> tuple[T, ...]:
        """The first `limit` records of a span that begins with `last`, which was on the page before."""
        items = self.table.query(span, limit + (last is not None))
        return tuple(kind.parse(item.body) for item in items if item.key != last)

    def _pointed(self, kind: Rows[T], places: Sequence[Key]) -> tuple[T, ...]:
        """The records under these keys, in their order, without those that are gone."""
        items = read_items(self.table, places)
        return tuple(kind.parse(items[key].body) for key in places if key in items)

    def _add(self, kind: Rows[V], key: Key, record: V) -> None:
        def act(work: Work) -> None:
            if work.get(kind, key):
                raise ServiceError(Code.ALREADY_EXISTS, f"{_named(key)} exists")
            work.put(kind, key, record)

        self._do(act)

    def _replace(self, kind: Rows[V], key: Key, record: V) -> None:
        def act(work: Work) -> None:
            stored = work.get(kind, key)
            if stored is None or stored.version != record.version - 1:
                raise ServiceError(
                    Code.CHANGED_MEANWHILE, f"{_named(key)} is not stored in version {record.version - 1}"
                )
            work.put(kind, key, record)

        self._do(act)


def _named(key: Key) -> str:
    """`workspace wks_1`, as messages name what is in partition `workspaces`."""
    return f"{key.pk.removesuffix('s')} {key.sk.removeprefix('id#')}"
