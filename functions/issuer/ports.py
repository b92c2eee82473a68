"""What the services need from the outside, split by guarantee. Adapters keep these promises.

Everything may raise `StoreError` when the outside fails; then nothing is known to have happened, and
the caller reads back. Absence is `None`, never an error, and an error is never taken for absence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attestlayer.encoding import Hash
from attestlayer.keys import PublicKey
from attestlayer.log.note import Note, Signature, WitnessPolicy
from issuer.model import (
    Acceptance,
    Answer,
    ApiKey,
    Binder,
    Claim,
    CreditEntry,
    Packet,
    Qualification,
    QueuedNotice,
    WaitingLeaf,
    Workspace,
)

if TYPE_CHECKING:  # intake loads what checks records, which most functions never do
    from issuer.intake.policy import Policy

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


class Ledger(Protocol):
    """Workspaces, credits, packets, idempotency, waiting leaves.

    Every call is one atomic, durable transaction.
    """

    def add_workspace(self, workspace: Workspace) -> None:
        """Raises `ServiceError` (ALREADY_EXISTS) if the id is taken."""

    def replace_workspace(self, workspace: Workspace) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""

    def workspace(self, workspace_id: str) -> Workspace | None:
        """The workspace, or None."""

    def workspaces(self) -> tuple[Workspace, ...]:
        """All of them, by id."""

    def put_api_key(self, key: ApiKey) -> None:
        """Store or update a key, found by its hash."""

    def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key, or None."""

    def api_keys(self, workspace_id: str) -> tuple[ApiKey, ...]:
        """A workspace's keys, by time of making."""

    def post_credits(self, entry: CreditEntry) -> None:
        """Add one ledger line; a line whose `entry_id` is there already changes nothing.

        Raises NO_CREDITS if account `source` (any but `granted` and `consumed`) would go below zero.
        """

    def balance(self, workspace_id: str, account: str = "available") -> int:
        """Credits in an account: what went in less what went out."""

    def credit_entries(self, workspace_id: str, after: str | None, limit: int) -> tuple[CreditEntry, ...]:
        """Lines in order of posting, at most `limit`, after the line with id `after`."""

    def credit_entry(self, entry_id: str) -> CreditEntry | None:
        """The line with this id, whatever its workspace, or None."""

    def create_packet(self, packet: Packet, claim: Claim, answer: Answer, open_limit: int) -> None:
        """Store a new packet and the claim's answer. Nothing is stored if it raises.

        Raises IN_PROGRESS if the claim was lost, PACKET_LIMIT if the workspace has `open_limit` packets
        that are open, blocked or ready.
        """

    def replace_packet(self, packet: Packet) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""

    def packet(self, packet_id: str) -> Packet | None:
        """The packet, or None."""

    def packet_of_kit(self, workspace_id: str, kit_id: str) -> Packet | None:
        """The workspace's packet that was sealed as `kit_id`, or None."""

    def packets(self, workspace_id: str, after: str | None, limit: int) -> tuple[Packet, ...]:
        """A workspace's packets, newest first, at most `limit`, after (older than) id `after`."""

    def claim(self, claim: Claim, now: int) -> Answer | None:
        """Claim an idempotency key (bound for ever). None: go on; an answer: it was carried out before.

        A claim without an answer whose lease is over is taken over; the same claim (by its token) again
        renews its lease. Raises IDEMPOTENCY_MISMATCH if the
        key was used with another `request_hash`, IN_PROGRESS while another holds the lease.
        """

    def settle(self, claim: Claim, answer: Answer) -> None:
        """Bind the answer to the claim. Raises IN_PROGRESS if the claim was lost to another."""

    def release(self, claim: Claim) -> None:
        """Give an unanswered claim up, so that the next call need not wait for its lease to end.

        The key stays bound to its `request_hash`. A claim that was lost or answered is left alone.
        """

    def accept(self, acceptance: Acceptance) -> None:
        """The issuing transaction: debit, packet to `sealed`, nonce, waiting leaf, answer; all or nothing.

        Raises, in this order of checks and changing nothing: IN_PROGRESS if the claim is lost or its lease
        ended before `now`; CHANGED_MEANWHILE unless the stored packet is `ready` in `packet.version` − 1;
        NONCE_USED; NO_CREDITS if `debit.source` holds none; ALREADY_EXISTS if the leaf is there.
        """

    def nonce_used(self, nonce_hash: bytes) -> bool:
        """Whether a kit was accepted with this nonce."""

    def waiting_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """Undelivered leaves with `issued_at` ≤ `until`, by (`issued_at`, `leaf_hash`), at most `limit`."""

    def unmerged_leaves(self, until: int, limit: int) -> tuple[WaitingLeaf, ...]:
        """As `waiting_leaves`, without those that `note_merged` was told of."""

    def note_merged(self, leaf_hashes: Sequence[bytes]) -> None:
        """Note that these leaves, up to some thousand, are in the public log; their kits still wait.

        Each by itself: of a call that fails, some may be noted. A leaf that does not wait is passed over.
        """

    def waiting_leaf(self, leaf_hash: bytes) -> WaitingLeaf | None:
        """The leaf if its kit is not delivered yet, else None."""

    def finish(self, leaf_hash: bytes, packet: Packet) -> None:
        """Store the packet's next version (`issued`) and drop its waiting leaf. Again: changes nothing.

        Raises CHANGED_MEANWHILE if the stored packet is another version and the leaf still waits.
        """

    def queue_notice(self, notice: QueuedNotice) -> None:
        """Queue a notice; the same one again changes nothing."""

    def queued_notices(self) -> tuple[QueuedNotice, ...]:
        """Queued notices, in order of queueing."""

    def drop_notice(self, notice: QueuedNotice) -> None:
        """Take a notice out of the queue, once it is public."""

    def note_round(self, sequence: int) -> None:
        """Note that round `sequence` of the log is about to be committed; the largest number stays."""

    def noted_round(self) -> int:
        """The largest number noted, or −1: a ledger behind the log's head came from a backup."""

    def add_qualification(self, qualification: Qualification) -> None:
        """Store a new qualification."""

    def replace_qualification(self, qualification: Qualification) -> None:
        """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is `version` − 1."""

    def qualification(self, qualification_id: str) -> Qualification | None:
        """The qualification, or None."""

    def qualifications(self) -> tuple[Qualification, ...]:
        """All of them, oldest first."""

    def damage(self) -> tuple[str, ...]:
        """What is wrong with the stored records themselves, a sentence each; nothing if all are whole.

        Reads all of them. What they say of each other and of the log is not looked at.
        """


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
