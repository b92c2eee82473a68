"""Ports: interfaces to the outside, split by guarantee. Adapters keep the guarantees stated here.

Any call may raise `StoreError`. Its effect is then unknown: read back before deciding. Absence is `None`,
never an error, and an error is never taken for absence.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from attestlayer.encoding import Hash, shown
from attestlayer.keys import PublicKey
from attestlayer.log.note import Note, Signature, WitnessPolicy
from issuer.model import Binder, Record

if TYPE_CHECKING:  # importing intake loads the record checkers, which most functions never need
    from issuer.intake.examine import Examined
    from issuer.intake.policy import Policy

T = TypeVar("T")

_PART = re.compile(r"[A-Za-z0-9._-]{1,255}")  # 255: NAME_MAX of POSIX file systems
_PREFIX = re.compile(r"[A-Za-z0-9._/-]*")
_NAME_MAX = 1024  # bytes; the longest key that S3 takes, so that any store can move there

ConsistencyProver = Callable[[int], tuple[Hash, ...]]
"""Maps an older tree size to the proof that the checkpoint extends that tree (RFC 9162 section 2.1.4)."""

WitnessAnswers = Mapping[str, Sequence[Signature]]
"""By the witness's name in the policy, the signature lines of its answer, unverified."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object's bytes, with the version tag that a compare-and-swap is based on."""

    data: bytes
    tag: str


class ObjectStore(Protocol):
    """Named bytes. Names are relative, `/`-separated, made of `A-Z a-z 0-9 . _ -`.

    When a write returns, the object is durable, complete and visible to every later read. A reader never sees
    part of an object.
    """

    def __str__(self) -> str:
        """Which store it is, for a message: `the folder …`, `the bucket …`."""

    def create(self, name: str, data: bytes) -> None:
        """Store `data` if there is no such object; the same bytes again change nothing.

        Raises `ObjectConflictError` if the object exists with other bytes, which stay.
        """

    def create_file(self, name: str, path: Path) -> None:
        """As `create`, with the content of a local file."""

    def create_many(self, objects: Mapping[str, bytes]) -> None:
        """As `create` for each, in any order and in parallel. All are durable when it returns.

        If it raises, any number of them may be stored.
        """

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        """Compare-and-swap: store `data` if the object's tag is `tag` (None: if there is no object).

        Otherwise raises `StaleTagError` and changes nothing.
        """

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None if there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object, without reading it."""

    def read_tagged(self, name: str) -> Tagged | None:
        """The object's bytes with their tag, or None."""

    def fetch(self, name: str, path: Path) -> bool:
        """Write the object's bytes to a new local file. False, and no file, if there is no object."""

    def fetch_many(self, files: Mapping[str, Path]) -> tuple[str, ...]:
        """As `fetch` for each name, in any order and in parallel. Returns the names that have no object."""

    def delete(self, name: str) -> None:
        """Remove the object, durably. One that does not exist is no error."""

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        """Names that begin with `prefix`, in byte order.

        `before`: only objects last written before that time, in POSIX seconds by the store's clock.
        """


def is_name(text: str) -> bool:
    """Whether an object may have this name."""
    # No empty part, and none of dots alone: `.` and `..` mean other folders on a file system.
    parts = text.split("/")
    return len(text) <= _NAME_MAX and all(_PART.fullmatch(part) and part.strip(".") for part in parts)


def check_name(text: str) -> None:
    """Check an object's name. Raises `ValueError`, an error of ours: no user chooses these names."""
    if not is_name(text):
        raise ValueError(f"{shown(text)} is not an object name")


def folder_of(prefix: str) -> str:
    """The prefix up to its last slash, which may be empty. Raises `ValueError` if no name begins with it."""
    folder, slash, _ = prefix.rpartition("/")
    if not _PREFIX.fullmatch(prefix) or (slash and not is_name(folder)):
        raise ValueError(f"{shown(prefix)} does not begin any object name")
    return folder + slash


@dataclass(frozen=True, slots=True)
class Key:
    """The place of a table's item: partition and sort key."""

    pk: str
    sk: str = "-"

    def fits(self) -> bool:
        """Whether a table can hold an item under this key: UTF-8, of at most 2,048 and 1,024 bytes."""
        try:
            lengths = len(self.pk.encode()), len(self.sk.encode())
        except UnicodeEncodeError:  # a lone surrogate
            return False
        return lengths[0] <= _PARTITION_KEY_MAX and lengths[1] <= _SORT_KEY_MAX


_PARTITION_KEY_MAX, _SORT_KEY_MAX = 2048, 1024  # bytes; DynamoDB's


@dataclass(frozen=True, slots=True)
class Span:
    """The items of one partition with sort keys from `low` to `high`, both included, in this direction."""

    pk: str
    low: str
    high: str
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item: a text of any length, and whether it was marked since it was written."""

    key: Key
    body: str
    marked: bool = False


Writes = Mapping[Key, str | None]
"""The new body of each item, or None to delete it."""


class Reader(Protocol):
    """Reads a table's items by key."""

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """The items that exist. Every key `fits`."""


class Table(Reader, Protocol):
    """Items by key, read in order of their sort keys (as UTF-8), written in atomic and durable transactions.

    A read sees every write that returned before it began. Each item is whole; several that are read together
    are not one state of the table.
    """

    def query(self, span: Span, limit: int | None = None) -> Iterator[Item]:
        """The span's items in order, at most `limit`."""

    def gather(self, spans: Sequence[Span]) -> Iterator[Item]:
        """The items of several spans, in any order: the spans may be read at once."""

    def scan(self) -> Iterator[Item]:
        """All items, in any order."""

    def mark(self, keys: Iterable[Key]) -> None:
        """Mark the items that exist. Each on its own: of a call that fails, some may be marked.

        A mark is not a change to a transaction that read the item, and lasts until the item is written again.
        """

    def transact(self, act: Callable[[Reader], tuple[T, Writes]]) -> T:
        """Carry out all the writes that `act` decides on from what it reads, or none; return its result.

        The writes happen only if none of the items that `act` read *and* writes has changed in between, and
        none that it writes unread exists. If one has changed, `act` is called again, with a new reader. Items
        that are read but not written are not protected. What `act` raises is raised, and nothing is written.

        Raises `ServiceError` (TOO_LARGE) for more than the store takes at once.
        """

    def purge(self) -> None:
        """Overwrite deleted and replaced bodies, as far as the store's own files still hold them. Slow.

        Backups are out of its reach. Raises `StoreError` if others hinder it; it may be called again.
        """

    def damage(self) -> Iterator[str]:
        """What the store itself finds wrong with its files, a sentence each. Reads all of them."""


@dataclass(frozen=True, slots=True)
class UploadForm:
    """Where and how to send a record's bytes: POST, multipart/form-data (RFC 7578), `fields`, then `file`."""

    url: str
    fields: dict[str, str]
    expires_at: int


class Transfers(Protocol):
    """Uploads and downloads that bypass the API, at short-lived addresses of the private store."""

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A form that stores the bytes of this size and SHA-256 as object `name`, and nothing else."""

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """An address that serves the object as file `filename` until `expires_at` (POSIX seconds)."""


class Signer(Protocol):
    """One Ed25519 key pair that signs. The private key never leaves the adapter."""

    @property
    def public(self) -> PublicKey:
        """The public key; the same as long as the signer exists."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message` (RFC 8032, pure Ed25519): deterministic."""


class Clock(Protocol):
    """This machine's clock. It may step back: callers that need order compare with stored times."""

    def now(self) -> float:
        """The time now, in POSIX seconds."""

    def monotonic(self) -> float:
        """Seconds since some instant of this process's: never steps, but may stand still while it sleeps."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` or later, at once if it is 0 or less."""


class Entropy(Protocol):
    """Random bytes that nobody can predict, fit for keys and tokens."""

    def token(self, length: int) -> bytes:
        """`length` random bytes; `length` is 1 or more."""


class BinderRenderer(Protocol):
    """Makes the binder PDF: PDF/A-3a and PDF/UA-1, the same bytes for the same input."""

    def render(self, binder: Binder) -> bytes:
        """The PDF's bytes. No character in a name makes it fail."""


class Examiner(Protocol):
    """Examines records as `issuer.intake.examine.examine` does, in a process that has nothing to lose.

    Each record has a budget of CPU time and memory, their packet one of time (`issuer.intake.budget`), that
    are enforced from outside of whatever reads the bytes: no file can take more, end this process or run code
    in it. A record that passes a budget has failed the check `read-within-budget`, and the next is examined.
    """

    def examine(self, policy: "Policy", files: Sequence[tuple[Record, Path]]) -> "tuple[Examined, ...]":
        """Each record with the local file that has its bytes, in this order.

        Raises `ServiceError` (RATE_LIMITED) while so many packets are being examined as this machine can.
        """


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Facts on the site's pages, none of which changes from round to round.

    `policies`: the newest version of each profile; `policy_paths`: their public objects, in the same order.
    `tiers`: name, credits a term, open packets. `retention`: kind of data, and how long it is kept. `trust`:
    the public trust root; `identity`: the registry key that signed it, as verifier key; `verify_kit`: SHA-256
    of verify-kit.zip in hexadecimal; None if there is none yet. `expires`: when security.txt ends (RFC 9116).
    """

    origin: str
    cadence_s: int
    merge_delay_s: int
    boundary: str
    proves: tuple[str, ...]
    does_not_prove: tuple[str, ...]
    uses: tuple[str, ...]
    objects: tuple[tuple[str, str], ...]
    policies: "tuple[Policy, ...]"
    policy_paths: tuple[str, ...]
    tiers: tuple[tuple[str, int, int], ...]
    term_days: int
    retention: tuple[tuple[str, str], ...]
    trust: bytes | None
    identity: str | None
    verify_kit: str | None
    expires: str


class PageRenderer(Protocol):
    """Makes the site's pages from templates. The same facts make the same bytes."""

    def render(self, facts: SiteFacts) -> Mapping[str, bytes]:
        """The bytes of every object of the site, by its name in the public store."""


@dataclass(frozen=True, slots=True)
class ReleaseParts:
    """The parts of a release.

    `sources`: texts of the core's modules and their stand-ins, by dotted name. `page`, `style`, `modules`:
    the browser verifier. `vectors`: known kits and the results that are expected for them, canonical JSON.
    """

    sources: Mapping[str, str]
    page: str
    style: str
    modules: Mapping[str, str]
    specification: bytes
    vectors: bytes


class ReleaseReader(Protocol):
    """Reads the parts of the release that is running."""

    def read(self) -> ReleaseParts:
        """The parts. Raises `StoreError` if one can't be read."""


class Witnesses(Protocol):
    """Asks witnesses to cosign checkpoints (C2SP tlog-witness, tlog-cosignature)."""

    def cosign(self, note: Note, policy: WitnessPolicy, prove: ConsistencyProver) -> WitnessAnswers:
        """All signature lines in each answer, by the witness's name in the policy; the caller verifies them.

        `prove`: gives the consistency proof from the size that a witness names. Raises `LogHaltedError` if a
        witness has seen a larger tree than the checkpoint's.
        """
