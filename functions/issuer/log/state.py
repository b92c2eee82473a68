"""The log's private documents: head, batches, signed rounds (REG-1.0 gives none: they are nobody else's).

Canonical JSON like everything else, read strictly: a damaged one stops the writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from attestlayer.canonical import (
    Json,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
    take_members,
    take_optional,
    take_string,
    take_time,
    take_value,
)
from attestlayer.encoding import (
    Hash,
    format_hash,
    format_time,
    parse_hash,
    parse_origin,
    parse_time,
    sha256,
    shown,
)
from attestlayer.errors import VerificationError
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.merkle import Edge, TreeHead
from attestlayer.log.note import Note, parse_note
from attestlayer.log.notices import Notices, NoticeType, take_notices
from attestlayer.log.trust import read_notices
from issuer.errors import LogHaltedError
from issuer.log.promise import Promise, take_promise
from issuer.model import QueuedNotice

HEAD = "head"
BATCHES = "batch/"
SIGNED = "signed/"
_MAX_BATCH = 1 << 30


def signed_name(sequence: int) -> str:
    """The private object that fixes round `sequence`'s checkpoint."""
    return f"{SIGNED}{sequence}"


@dataclass(frozen=True, slots=True)
class Head:
    """The one small object that decides: which batch is round `sequence`. Changed by compare-and-swap only.

    `edge`: the tree's complete subtrees, largest first; `batch`: None for a round without leaves or
    notices, which is all in here; `oldest`: `issued_at` of its oldest leaf; `previous`: hash of checkpoint
    `sequence` − 1; `promise`: how the promise was kept up to that one.
    """

    origin: str
    sequence: int
    tree: TreeHead
    edge: tuple[Hash, ...]
    notices_hash: Hash
    batch_time: int
    batch: str | None
    oldest: int | None
    previous: Hash | None
    promise: Promise | None

    def format(self) -> bytes:
        """The object's bytes."""
        edge: list[Json] = [format_hash(value) for value in self.edge]
        return format_json(
            {
                "schema": "attestlayer/head/1",
                "origin": self.origin,
                "sequence": self.sequence,
                "tree_size": self.tree.size,
                "root_hash": format_hash(self.tree.root),
                "edge": edge,
                "notices_hash": format_hash(self.notices_hash),
                "batch_time": format_time(self.batch_time),
                "batch": self.batch,
                "oldest_issued_at": None if self.oldest is None else format_time(self.oldest),
                "prev_checkpoint_hash": None if self.previous is None else format_hash(self.previous),
                "promise": self.promise and self.promise.members(),
            }
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A round's content: `leaves` in order, appended to the tree `before`; the notices document."""

    sequence: int
    time: int
    before: TreeHead
    leaves: tuple[Leaf, ...]
    notices: Notices
    notices_changed: bool

    @property
    def size(self) -> int:
        """The tree's size with this batch."""
        return self.before.size + len(self.leaves)

    @property
    def oldest(self) -> int | None:
        """`issued_at` of its oldest leaf, or None without leaves."""
        return min((leaf.issued_at for leaf in self.leaves), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing: then head says all, and it is not stored."""
        return not self.leaves and not self.notices_changed

    @property
    def name(self) -> str:
        """The batch's private object: its sequence and the SHA-256 of its bytes."""
        return f"{BATCHES}{self.sequence}-{sha256(self.format()).hex()}"

    def format(self) -> bytes:
        """The object's bytes."""
        leaves: list[Json] = [leaf.entry().decode() for leaf in self.leaves]
        return format_json(
            {
                "schema": "attestlayer/batch/1",
                "sequence": self.sequence,
                "time": format_time(self.time),
                "tree_size_before": self.before.size,
                "root_hash_before": format_hash(self.before.root),
                "leaves": leaves,
                "notices": self.notices.members(),
                "notices_changed": int(self.notices_changed),
            }
        )


@dataclass(frozen=True, slots=True)
class SignedRound:
    """What was signed for a round: once stored, everything else follows from it and the batch."""

    checkpoint: Checkpoint
    note: Note

    def format(self) -> bytes:
        """The object's bytes."""
        return format_json(
            {
                "schema": "attestlayer/signed-round/1",
                "checkpoint": self.checkpoint.members(),
                "note": self.note.format(),
            }
        )


def parse_head(data: bytes) -> Head:
    """Head. Raises `LogHaltedError` if it is damaged."""
    names = [
        "origin",
        "sequence",
        "tree_size",
        "root_hash",
        "edge",
        "notices_hash",
        "batch_time",
        "batch",
        "oldest_issued_at",
        "prev_checkpoint_hash",
        "promise",
    ]
    with undamaged("head"):
        members = take_document(parse_json(data), "head", names)
        head = Head(
            origin=take_value(members, "origin", parse_origin),
            sequence=take_integer(members, "sequence"),
            tree=TreeHead(take_integer(members, "tree_size"), take_hash(members, "root_hash")),
            edge=tuple(parse_hash(_text(item)) for item in take_array(members, "edge")),
            notices_hash=take_hash(members, "notices_hash"),
            batch_time=take_time(members, "batch_time"),
            batch=take_optional(members, "batch", str),
            oldest=take_optional(members, "oldest_issued_at", parse_time),
            previous=take_optional(members, "prev_checkpoint_hash", parse_hash),
            promise=None if members["promise"] is None else take_promise(members["promise"]),
        )
        if Edge(head.tree.size, head.edge).head() != head.tree:
            raise ValueError("its edge does not make its root")
        if head.promise and head.promise.sequence != head.sequence - 1:
            raise ValueError(f"its promise is of round {head.promise.sequence}")
        return head


def parse_batch(data: bytes, name: str) -> Batch:
    """The batch stored as `name`. Raises `LogHaltedError` if it is damaged."""
    names = [
        "sequence",
        "time",
        "tree_size_before",
        "root_hash_before",
        "leaves",
        "notices",
        "notices_changed",
    ]
    with undamaged(name):
        members = take_document(parse_json(data, _MAX_BATCH), "batch", names)
        batch = Batch(
            sequence=take_integer(members, "sequence"),
            time=take_time(members, "time"),
            before=TreeHead(
                take_integer(members, "tree_size_before"), take_hash(members, "root_hash_before")
            ),
            leaves=tuple(parse_entry(_text(item).encode()) for item in take_array(members, "leaves")),
            notices=take_notices(members["notices"]),
            notices_changed=bool(take_integer(members, "notices_changed", 1)),
        )
        if batch.name != name:
            raise ValueError("its bytes do not hash to its name")
        return batch


def parse_signed(data: bytes, name: str) -> SignedRound:
    """The signed round stored as `name`. Raises `LogHaltedError` if it is damaged."""
    with undamaged(name):
        members = take_document(parse_json(data), "signed-round", ("checkpoint", "note"))
        return SignedRound(take_checkpoint(members["checkpoint"]), parse_note(take_string(members, "note")))


def with_queued(notices: Notices, at: int, queued: QueuedNotice) -> Notices:
    """The notices with one more, of time `at`. Raises `ValueError` if it can't be published there."""
    extended = notices.extended(at, [(NoticeType(queued.type), take_members(parse_json(queued.data)))])
    read_notices(extended)
    return extended


@contextmanager
def undamaged(name: str) -> Iterator[None]:
    """Where the private object `name` is read: what is wrong with it becomes a `LogHaltedError`."""
    try:
        yield
    except (ValueError, VerificationError) as error:
        raise LogHaltedError(
            f"the private object {name!r} is damaged: {error}. Nothing was signed."
        ) from error


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}, wanted a string")
    return value
