"""Frozen records that services, ports and adapters exchange. Times are POSIX seconds, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from attestlayer.encoding import Hash
from attestlayer.kit.intake import ReportCheck, ReportRecord


class PacketState(StrEnum):
    """`open → ready → sealed → issued`; `open ⇄ blocked`; `withdrawn` from any but the last two."""

    OPEN = "open"
    BLOCKED = "blocked"
    READY = "ready"
    SEALED = "sealed"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


OPEN_STATES = frozenset({PacketState.OPEN, PacketState.BLOCKED, PacketState.READY})
"""States of a packet that records can be added to, and that can be issued or withdrawn."""


@dataclass(frozen=True, slots=True)
class Record:
    """One submitted record of a packet. `name` is the client's file name: any Unicode, for people.

    `sha256` is of the bytes that are, or will be, uploaded; `size` is their number.
    """

    record_id: str
    name: str
    record_type: str
    metadata: dict[str, str]
    size: int
    sha256: Hash
    submitted_at: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at issuing. `blockers` is the number of failed rules; 0 for a PASS."""

    number: int
    at: int
    outcome: str
    blockers: int
    report: bytes


@dataclass(frozen=True, slots=True)
class Issued:
    """What a PASS fixed: ids, hashes (32 bytes) and the signed receipt's bytes."""

    kit_id: str
    kit_digest: bytes
    leaf_hash: bytes
    issued_at: int
    merge_by: int
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Packet:
    """A client's packet. `version` grows by one with each stored change (optimistic concurrency).

    `seed` is 32 random bytes from which the manifest's salts are derived.
    """

    packet_id: str
    workspace_id: str
    lane_id: str
    profile_id: str
    intake_policy_hash: bytes
    reference: str
    cohort: str | None
    supersedes: str | None
    state: PacketState
    version: int
    opened_at: int
    seed: bytes
    records: tuple[Record, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    issued: Issued | None = None
    delivered_at: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of a partner, for the operator and the partner only."""

    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A partner's workspace. `term_ends_at`: unused credits end then."""

    workspace_id: str
    name: str
    tier: str
    term_ends_at: int
    created_at: int
    contacts: tuple[Contact, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, known by the SHA-256 of its text (32 bytes); the text is shown once, never stored."""

    key_hash: bytes
    workspace_id: str
    label: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None


class CreditKind(StrEnum):
    """What a line of the ledger of credits does with them."""

    GRANTED = "granted"
    RESERVED = "reserved"
    CONSUMED = "consumed"
    RETURNED = "returned"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One line of double entry: `amount` credits (1 or more) go from `source` to `target`.

    Accounts: `granted`, `available`, `reserved:<cohort>`, `consumed`, `expired`. `entry_id` makes a
    line unique for ever: posting it again changes nothing. `reference` names what it is for.
    """

    entry_id: str
    workspace_id: str
    at: int
    kind: CreditKind
    amount: int
    source: str
    target: str
    reference: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored HTTP answer, replayed for the same Idempotency-Key."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out one idempotent request until `lease_until`. `token` is unique per claim."""

    workspace_id: str
    key: str
    request_hash: bytes
    token: str
    lease_until: int


@dataclass(frozen=True, slots=True)
class WaitingLeaf:
    """An accepted leaf on its way into the log; kept until its kit is delivered. `entry`: log entry bytes."""

    leaf_hash: bytes
    issued_at: int
    merge_by: int
    entry: bytes
    workspace_id: str
    packet_id: str
    kit_digest: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All that the one issuing transaction writes (`Ledger.accept`). `packet` is its sealed version."""

    claim: Claim
    packet: Packet
    nonce_hash: bytes
    leaf: WaitingLeaf
    debit: CreditEntry
    answer: Answer
    now: int


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice that waits for the next round. `data` is the notice's canonical JSON data member."""

    type: str
    data: bytes


class QualificationState(StrEnum):
    """Where a partner's qualification stands."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Qualification:
    """A partner's request to take part, and what the operator made of it."""

    qualification_id: str
    tier: str
    contact: Contact
    workflow: str
    received_at: int
    state: QualificationState = QualificationState.RECEIVED
    decided_at: int | None = None
    decided_by: str | None = None
    scope: str | None = None
    boundaries: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Binder:
    """What the binder says, for people: of the policy, of the issue, and of the intake report.

    `hashes` has the SHA-256 of each of `records`, in their order; `sentences` each rule's sentence by its
    id.
    """

    kit_id: str
    origin: str
    lane_id: str
    lane_title: str
    profile_id: str
    profile_title: str
    profile_summary: str
    intake_policy_hash: Hash
    issued_at: int
    issuer_kid: str
    client_nonce_hash: Hash
    nonce_checkpoint: Hash | None
    supersedes: str | None
    records: tuple[ReportRecord, ...]
    hashes: tuple[Hash, ...]
    checks: tuple[ReportCheck, ...]
    sentences: Mapping[str, str]
