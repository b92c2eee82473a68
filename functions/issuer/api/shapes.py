"""The JSON of the API as pydantic models: the bodies that callers send, and the answers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from attestlayer.encoding import parse_hash


class Body(BaseModel):
    """A request body: strict, so an unknown member or a value of another type is refused."""

    # `from_attributes` only for its words: "an object", where pydantic would name one of our classes.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, from_attributes=True)


def _check_hash(text: str) -> str:
    parse_hash(text)
    return text


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("wanted text that is not of blanks only")
    return text


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_check_not_blank)]
Sha256 = Annotated[
    str,
    AfterValidator(_check_hash),
    Field(
        description="SHA-256 of the file: 43 characters of base64url without padding",
        examples=["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"],
    ),
]


class ContactBody(Body):
    """A person of a partner."""

    name: ShortText
    # Whether an address works only a message shows: RFC 5321 section 4.5.3.1.3 gives the length.
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    role: ShortText = Field(description="what the person does, in your words", examples=["operations"])


class QualificationBody(Body):
    """A request to take part."""

    tier: Literal["starter", "growth", "portfolio"]
    contact: ContactBody
    workflow: Annotated[str, StringConstraints(min_length=1, max_length=4000)] = Field(
        description="the partner's workflow, in words"
    )


class ContactsBody(Body):
    """The whole contact list, in place of the old one."""

    contacts: Annotated[list[ContactBody], Field(max_length=50)]


class PacketBody(Body):
    """A new packet."""

    lane_id: ShortText = Field(examples=["PAY-01"])
    profile_id: ShortText = Field(examples=["wire-transfer"])
    reference: ShortText = Field(description="the partner's own reference; never public")
    cohort: ShortText | None = Field(default=None, description="whose reserved credits pay first")
    supersedes: ShortText | None = Field(
        default=None, description="the kit that this one replaces; its receipt names it"
    )


class RecordBody(Body):
    """A record that is to be uploaded: exactly these bytes and no others are taken."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="the client's file name, in any script"
    )
    record_type: ShortText
    size: Annotated[int, Field(ge=0, description="bytes")]
    sha256: Sha256
    # What a policy wants in it is checked against the record type; here only its size is bounded.
    metadata: Annotated[
        dict[ShortText, Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=50)
    ] = {}


class IssueBody(Body):
    """A request to issue."""

    client_nonce: Annotated[str, StringConstraints(max_length=1000)] = Field(
        description="the client's nonce file: three lines, each with a line feed behind it"
    )


class Shape(BaseModel):
    """The body of an answer, which is sent as canonical JSON."""

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
    withdrawn_at: str | None = Field(
        description="when AttestLayer withdrew the kit; a public notice says so from the next checkpoint on"
    )
    withdrawal_reason: str | None = Field(
        description="a word of REG-1.0 appendix A.4", examples=["issued-in-error"]
    )
    deleted_at: str | None = Field(
        description="when the kit was deleted at the end of its retention, with all data of its records"
    )


class PacketSummary(Shape):
    """A packet without its records."""

    packet_id: str
    lane_id: str
    profile_id: str
    intake_policy_hash: str
    reference: str
    cohort: str | None
    supersedes: str | None
    state: Literal["open", "blocked", "ready", "sealed", "issued", "withdrawn"] = Field(
        description="`withdrawn`: given up before it was issued; if `issued` is there, its kit was withdrawn"
    )
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
