"""Frozen records that services, ports and adapters exchange. Times are POSIX seconds, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from attestlayer.encoding import Hash
from attestlayer.kit.intake import ReportCheck, ReportRecord


class PacketState(StrEnum):
    """`open → ready → sealed → issued`; `open ⇄ blocked`; `withdrawn` from any state before `sealed`.

    A packet whose kit is withdrawn stays `issued` here, with its `withdrawal`: the log and the books need it.
    """

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
    """One submitted record of a packet. `name`: the client's file name, any Unicode, only shown to people.

    `size` in bytes and `sha256` are as announced; the bytes themselves may not be uploaded yet.
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
    """One attempt at issuing.

    `blockers`: number of failed rules, 0 for a PASS; `report`: the blocker report, None once a record that
    it may name was deleted.
    """

    number: int
    at: int
    outcome: str
    blockers: int
    report: bytes | None


@dataclass(frozen=True, slots=True)
class Issued:
    """Facts that a PASS fixes for good: ids, hashes (32 bytes) and the signed receipt's bytes."""

    kit_id: str
    kit_digest: bytes
    leaf_hash: bytes
    issued_at: int
    merge_by: int
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The operator's withdrawal of a delivered kit: when, and the reason (REG-1.0 appendix A.4).

    The public notice follows with the next round.
    """

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Packet:
    """A client's packet. `version` grows by one with each stored change (optimistic concurrency).

    `seed`: 32 random bytes, from which the manifest's salts are derived (REG-1.0 section 6.3). `deleted_at`:
    when the kit's retention ended. Then, and once a packet is withdrawn, the seed is empty, and records and
    reports are gone.
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
    deleted_at: int | None = None
    withdrawal: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of a partner, for the operator and the partner only."""

    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A partner's workspace. `term_ends_at`: when unused credits expire."""

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
    """Why credits move from one account to another: the kind of a ledger line."""

    GRANTED = "granted"
    RESERVED = "reserved"
    CONSUMED = "consumed"
    RETURNED = "returned"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One line of double entry: `amount` credits (1 or more) go from `source` to `target`.

    Accounts: `granted`, `available`, `reserved:<cohort>`, `consumed`, `expired`. `entry_id` is unique for
    good: posting the line again changes nothing. `reference`: its occasion, in words.
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
    """A stored HTTP answer, sent again for the same Idempotency-Key.

    `report_of`: the packet and the number of its attempt whose blocker report is the body's `blocker_report`.
    The ledger keeps the report with the attempt alone, so that it goes with the records that it names.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    report_of: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out one idempotent request until `lease_until`. `token`: unique to the claim."""

    workspace_id: str
    key: str
    request_hash: bytes
    token: str
    lease_until: int


@dataclass(frozen=True, slots=True)
class WaitingLeaf:
    """An accepted leaf on its way into the log, kept until its kit is delivered.

    `entry`: the log entry's bytes.
    """

    leaf_hash: bytes
    issued_at: int
    merge_by: int
    entry: bytes
    workspace_id: str
    packet_id: str
    kit_digest: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Everything that the one issuing transaction writes (`Ledger.accept`). `packet`: its sealed version."""

    claim: Claim
    packet: Packet
    nonce_hash: bytes
    leaf: WaitingLeaf
    debit: CreditEntry
    answer: Answer
    now: int


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A notice that waits for the next round. `data`: the notice's member `data`, canonical JSON."""

    type: str
    data: bytes


class QualificationState(StrEnum):
    """The state of a request to take part. It is decided once."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Qualification:
    """A partner's request to take part, and the operator's decision about it."""

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
class KitRegistry:
    """The registry that a kit is of: its origin, and the address of the page that verifies kits."""

    origin: str
    verify_page: str


@dataclass(frozen=True, slots=True)
class Binder:
    """The content of the binder PDF: facts about policy and issue, and the intake report.

    `hashes`: SHA-256 of each of `records`, in their order. `sentences`: each rule's sentence by its id.
    """

    kit_id: str
    origin: str
    verify_page: str
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
