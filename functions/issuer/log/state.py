"""The log's private documents: head, batches, signed rounds.

REG-1.0 does not define them, since only the log reads them. They are canonical JSON (REG-1.0 section 2.4),
parsed strictly: a damaged document stops the writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from attestlayer.canonical import (
    Json,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
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
from attestlayer.log.notices import Notices, take_notices
from issuer.errors import LogHaltedError
from issuer.log.promise import Promise, take_promise

HEAD = "head"
BATCHES = "batch/"
SIGNED = "signed/"
_MAX_BATCH = 1 << 30
"""Bytes of a batch: far above 4,096 leaves and any list of notices. The log wrote the object itself."""


def signed_name(sequence: int) -> str:
    """The private object that holds the signed round `sequence`: `signed/<sequence>`."""
    return f"{SIGNED}{sequence}"


@dataclass(frozen=True, slots=True)
class Head:
    """The one small object that decides which batch is round `sequence`. Changed by compare-and-swap only.

    `tree`: size and root with this round's leaves. `edge`: roots of its complete subtrees, largest first.
    `batch`: the batch's object, or None for a round without leaves or new notices, which head describes in
    full. `oldest`: `issued_at` of the round's oldest leaf. `previous`: hash of checkpoint `sequence` − 1.
    `promise`: how the promise was kept up to that checkpoint. Times are POSIX seconds.
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
        """The bytes of the object `head`: canonical JSON."""
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


@dataclass(frozen=True)
class Batch:
    """A round's content: the leaves to append to the tree `before`, in order, and the whole notices document.

    `time`: POSIX seconds, an instant of the cadence's grid. The checkpoint's timestamp is this or a later
    one.
    """

    sequence: int
    time: int
    before: TreeHead
    leaves: tuple[Leaf, ...]
    notices: Notices
    notices_changed: bool

    @property
    def size(self) -> int:
        """Size of the tree after this batch, in leaves."""
        return self.before.size + len(self.leaves)

    @property
    def oldest(self) -> int | None:
        """The smallest `issued_at` of its leaves, or None without leaves."""
        return min((leaf.issued_at for leaf in self.leaves), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether it adds no leaves and no notices: then it is not stored, as head describes it in full."""
        return not self.leaves and not self.notices_changed

    @property
    def name(self) -> str:
        """The batch's private object, `batch/<sequence>-<SHA-256>`: two writers never collide."""
        return f"{BATCHES}{self.sequence}-{sha256(self.format()).hex()}"

    def format(self) -> bytes:
        """The bytes of the batch's object: canonical JSON, leaves as log entries (REG-1.0 section 3)."""
        return self._data

    @cached_property
    def _data(self) -> bytes:
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
    """A round's checkpoint and note with all their signatures.

    Once it is stored, every other object of the round is a pure function of it and the batch.
    """

    checkpoint: Checkpoint
    note: Note

    def format(self) -> bytes:
        """The bytes of `signed/<sequence>`: the checkpoint's members and the note's text."""
        return format_json(
            {
                "schema": "attestlayer/signed-round/1",
                "checkpoint": self.checkpoint.members(),
                "note": self.note.format(),
            }
        )


def parse_head(data: bytes) -> Head:
    """The head in `data`. Raises `LogHaltedError` if it is damaged."""
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
        # The next root is computed from this edge: a flipped bit in it must not reach a signature.
        if Edge(head.tree.size, head.edge).head() != head.tree:
            raise ValueError("its edge does not make its root")
        if head.promise and head.promise.sequence != head.sequence - 1:
            raise ValueError(f"its promise is of round {head.promise.sequence}")
        return head


def parse_batch(data: bytes, name: str, known: Notices | None = None) -> Batch:
    """The batch stored as `name`. Raises `LogHaltedError` if it is damaged.

    `known`: notices that were checked before: if the batch has the same, they are not checked again.
    """
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
            notices=known
            if known and known.members() == members["notices"]
            else take_notices(members["notices"]),
            notices_changed=bool(take_integer(members, "notices_changed", 1)),
        )
        # Formatted again and hashed: the stored bytes are the one spelling of this batch, and undamaged.
        if batch.name != name:
            raise ValueError("its bytes do not hash to its name")
        return batch


def parse_signed(data: bytes, name: str) -> SignedRound:
    """The signed round stored as `name`. Raises `LogHaltedError` if it is damaged."""
    with undamaged(name):
        members = take_document(parse_json(data), "signed-round", ("checkpoint", "note"))
        return SignedRound(take_checkpoint(members["checkpoint"]), parse_note(take_string(members, "note")))


@contextmanager
def undamaged(name: str) -> Iterator[None]:
    """Turn any error in parsing the private object `name` into a `LogHaltedError`."""
    try:
        yield
    except (ValueError, VerificationError) as error:
        raise LogHaltedError(
            f"the private object {shown(name)} is damaged: {error}. Nothing was signed."
        ) from error


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}, wanted a string")
    return value
