"""What the services need from the outside, split by guarantee. Adapters keep these promises.

Everything may raise `StoreError` when the outside fails; then nothing is known to have happened, and
the caller reads back. Absence is `None`, never an error, and an error is never taken for absence.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from attestlayer.encoding import Hash
from attestlayer.keys import PublicKey
from attestlayer.log.note import Note, Signature, WitnessPolicy
from issuer.model import Binder

if TYPE_CHECKING:  # intake loads what checks records, which most functions never do
    from issuer.intake.policy import Policy

T = TypeVar("T")

ConsistencyProver = Callable[[int], tuple[Hash, ...]]
"""From an older size to the proof that the checkpoint at hand extends it."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object's bytes and the version tag that a compare-and-swap names."""

    data: bytes
    tag: str


class ObjectStore(Protocol):
    """Named bytes. Names are relative, `/`-separated, of `A-Z a-z 0-9 . _ -`. Reads see earlier writes.

    What a write call returned for is durable, whole and visible; a reader never sees part of an object.
    """

    def create(self, name: str, data: bytes) -> None:
        """Store `data` if there is no such object. The same bytes again are fine.

        Raises `ObjectConflictError` if other bytes are there; they stay.
        """

    def create_file(self, name: str, path: Path) -> None:
        """As `create`, with the content of a local file."""

    def create_many(self, objects: Mapping[str, bytes]) -> None:
        """As `create` for each, in any order and at once; durable together when it returns."""

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        """Compare-and-swap: store `data` if the object's tag is `tag` (None: if there is no object).

        Raises `StaleTagError` otherwise, having changed nothing.
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
        """As `fetch` for each name, in any order and at once. The names of which there is no object."""

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        """Names that begin with `prefix`, in byte order.

        With `before`: only what was last written before then (POSIX seconds, by the store's clock).
        """


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

    def damage(self) -> Iterator[str]:
        """What the store itself finds wrong with its files, a sentence each. Reads all of them."""


@dataclass(frozen=True, slots=True)
class UploadForm:
    """Where and how to send a record's bytes: POST, multipart/form-data, `fields` first, then `file`."""

    url: str
    fields: dict[str, str]
    expires_at: int


class Transfers(Protocol):
    """Bytes that go around the API: uploads and downloads at short-lived addresses of the private store."""

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A form that stores exactly these bytes as object `name`, and nothing else."""

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """An address that answers the object's bytes, as a file of that name, until `expires_at`."""


class Signer(Protocol):
    """One Ed25519 key that signs; the private part never leaves."""

    @property
    def public(self) -> PublicKey:
        """The public key."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message` (RFC 8032, pure)."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """POSIX seconds, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Entropy(Protocol):
    """Unpredictable bytes."""

    def token(self, length: int) -> bytes:
        """`length` random bytes."""


class BinderRenderer(Protocol):
    """Makes the binder PDF: PDF/A-3a and PDF/UA-1, the same bytes for the same input."""

    def render(self, binder: Binder) -> bytes:
        """The PDF. Never fails because of a character in a name."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the site's pages say that does not change from round to round.

    `policies`: the newest version of each profile, `policy_paths` their public objects in the same order.
    `tiers`: name, credits a term, open packets. `retention`: what, and how long. `trust`: the trust root that
    is served now, and its fingerprint; `verify_kit`: the kit's SHA-256, hexadecimal; None where there is none
    yet. `expires`: when security.txt must be looked at again.
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
    fingerprint: str | None
    verify_kit: str | None
    expires: str


class PageRenderer(Protocol):
    """Makes the site's pages."""

    def render(self, facts: SiteFacts) -> Mapping[str, bytes]:
        """The site's objects by name."""


@dataclass(frozen=True, slots=True)
class ReleaseParts:
    """What a release is made of: the core's modules by name with their stand-ins, the page and its parts.

    `vectors`: known kits and what has to be said of them, canonical JSON.
    """

    sources: Mapping[str, str]
    page: str
    style: str
    modules: Mapping[str, str]
    specification: bytes
    vectors: bytes


class ReleaseReader(Protocol):
    """Reads the parts of this release."""

    def read(self) -> ReleaseParts:
        """The parts. Raises `StoreError` if one can't be read."""


class Witnesses(Protocol):
    """Asks witnesses to cosign (C2SP tlog-witness)."""

    def cosign(self, note: Note, policy: WitnessPolicy, prove: ConsistencyProver) -> tuple[Signature, ...]:
        """Cosignature lines for a signed checkpoint, unverified, from the policy's witnesses that answered.

        `prove` gives the consistency proof from the size that a witness names. Raises `LogHaltedError`
        if a witness knows a larger size than the checkpoint's.
        """
