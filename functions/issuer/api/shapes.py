"""What the API answers: models that become canonical JSON, and schemas in OpenAPI."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(frozen=True)


class ContactAnswer(Shape):
    """A person of a partner."""

    name: str
    email: str
    role: str


class QualificationAnswer(Shape):
    """A request to take part, as it was received."""

    qualification_id: str
    tier: str
    state: str
    received_at: str


class ReserveAnswer(Shape):
    """Credits that only one cohort's packets can use."""

    cohort: str
    credits: int


class WorkspaceAnswer(Shape):
    """A workspace. `term_ends_at`: unused credits end then, unless the term is renewed before."""

    workspace_id: str
    name: str
    tier: str
    open_packets_limit: int
    credits_available: int
    credits_reserved: list[ReserveAnswer]
    created_at: str
    term_ends_at: str
    contacts: list[ContactAnswer]


class CreditAnswer(Shape):
    """One line of double entry: `amount` credits went from `source` to `target`."""

    entry_id: str
    at: str
    kind: str
    amount: int
    source: str
    target: str
    reference: str


class CreditsAnswer(Shape):
    """A page of the credit ledger, oldest line first."""

    credits: list[CreditAnswer]
    has_more: bool


class RecordTypeAnswer(Shape):
    """A kind of record that a policy asks for. `min_count` 0: optional."""

    record_type: str
    title: str
    description: str
    min_count: int
    max_count: int
    media_types: list[str]
    max_size: int
    max_age_days: int | None
    required_metadata: list[str]
    optional_metadata: list[str]


class ProfileAnswer(Shape):
    """A profile of a lane, in its newest version."""

    lane_id: str
    profile_id: str
    version: int
    title: str
    summary: str
    intake_policy_hash: str


class LaneAnswer(Shape):
    """A lane and its profiles."""

    lane_id: str
    title: str
    profiles: list[ProfileAnswer]


class LanesAnswer(Shape):
    """All lanes."""

    lanes: list[LaneAnswer]


class CheckAnswer(Shape):
    """One rule in words. `severity`: a `blocker` stops issuing, a `note` does not."""

    rule: str
    severity: str
    sentence: str
    fix: str


class PolicyAnswer(Shape):
    """An intake policy: in words, and as the document that kits carry."""

    profile: ProfileAnswer
    record_types: list[RecordTypeAnswer]
    checks: list[CheckAnswer]
    policy: dict[str, Any] = Field(description="attestlayer/intake-policy/1, the bytes of which are hashed")


class RecordAnswer(Shape):
    """A submitted record. `uploaded`: its bytes are stored."""

    record_id: str
    name: str
    record_type: str
    size: int
    sha256: str
    metadata: dict[str, str]
    submitted_at: str
    uploaded: bool


class UploadAnswer(Shape):
    """How to send the bytes: POST to `url`, multipart/form-data, all `fields` first, then `file`."""

    url: str
    fields: dict[str, str]
    expires_at: str


class RecordAddedAnswer(Shape):
    """A new record and the form that uploads it."""

    record: RecordAnswer
    upload: UploadAnswer


class AttemptAnswer(Shape):
    """One try at issuing."""

    number: int
    at: str
    outcome: str
    blockers: int


class IssuedAnswer(Shape):
    """What a PASS fixed."""

    kit_id: str
    kit_digest: str = Field(description="SHA-256 of the sealed kit, which the leaf names")
    leaf_hash: str
    issued_at: str
    merge_by: str
    delivered_at: str | None


class PacketSummary(Shape):
    """A packet without its records."""

    packet_id: str
    lane_id: str
    profile_id: str
    intake_policy_hash: str
    reference: str
    cohort: str | None
    supersedes: str | None
    state: str
    opened_at: str
    issued: IssuedAnswer | None


class PacketAnswer(PacketSummary):
    """A packet with what it asks for and what was submitted."""

    record_types: list[RecordTypeAnswer]
    records: list[RecordAnswer]
    attempts: list[AttemptAnswer]


class PacketsAnswer(Shape):
    """A page of packets, newest first."""

    packets: list[PacketSummary]
    has_more: bool


class IssueAnswer(Shape):
    """PASS: receipt, leaf and where to wait. FAIL: the blocker report."""

    outcome: str
    packet_id: str
    credits_consumed: int
    kit_id: str | None = None
    merge_by: str | None = None
    receipt: dict[str, Any] | None = None
    leaf: dict[str, Any] | None = None
    wait_at: str | None = None
    kit_at: str | None = None
    attempt: int | None = None
    blocker_report: dict[str, Any] | None = None


class BlockerReport(Shape):
    """attestlayer/blocker-report/1."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    packet_id: str
    outcome: str
    evaluated_at: str
    blockers: list[dict[str, Any]]
    notes: list[dict[str, Any]]


class FaultAnswer(Shape):
    """One thing wrong with a request."""

    pointer: str
    code: str
    detail: str
    fix: str


class Problem(Shape):
    """RFC 9457, application/problem+json."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FaultAnswer]
