"""Answers from the service's records."""

from attestlayer.encoding import format_hash, format_time
from issuer.api.shapes import (
    AttemptAnswer,
    ContactAnswer,
    CreditAnswer,
    IssuedAnswer,
    PacketSummary,
    ProfileAnswer,
    QualificationAnswer,
    RecordAnswer,
    RecordTypeAnswer,
)
from issuer.intake.policy import Policy, RecordType
from issuer.model import Attempt, Contact, CreditEntry, Packet, Qualification, Record


def contact_answer(contact: Contact) -> ContactAnswer:
    """A contact."""
    return ContactAnswer(name=contact.name, email=contact.email, role=contact.role)


def qualification_answer(found: Qualification) -> QualificationAnswer:
    """A request to take part."""
    return QualificationAnswer(
        qualification_id=found.qualification_id,
        tier=found.tier,
        state=found.state.value,
        received_at=format_time(found.received_at),
    )


def credit_answer(entry: CreditEntry) -> CreditAnswer:
    """A ledger line."""
    return CreditAnswer(
        entry_id=entry.entry_id,
        at=format_time(entry.at),
        kind=entry.kind.value,
        amount=entry.amount,
        source=entry.source,
        target=entry.target,
        reference=entry.reference,
    )


def record_type_answer(found: RecordType) -> RecordTypeAnswer:
    """What a policy asks for."""
    return RecordTypeAnswer(
        record_type=found.type_id,
        title=found.title,
        description=found.description,
        min_count=found.min_count,
        max_count=found.max_count,
        media_types=[media_type.value for media_type in found.media_types],
        max_size=found.max_size,
        max_age_days=found.max_age_days,
        required_metadata=[one.name for one in found.metadata if one.required],
        optional_metadata=[one.name for one in found.metadata if not one.required],
    )


def profile_answer(policy: Policy) -> ProfileAnswer:
    """A profile."""
    return ProfileAnswer(
        lane_id=policy.lane_id,
        profile_id=policy.profile_id,
        version=policy.version,
        title=policy.title,
        summary=policy.summary,
        intake_policy_hash=format_hash(policy.intake_policy_hash),
    )


def record_answer(record: Record, *, uploaded: bool) -> RecordAnswer:
    """A record."""
    return RecordAnswer(
        record_id=record.record_id,
        name=record.name,
        record_type=record.record_type,
        size=record.size,
        sha256=format_hash(record.sha256),
        metadata=record.metadata,
        submitted_at=format_time(record.submitted_at),
        uploaded=uploaded,
    )


def packet_summary(packet: Packet) -> PacketSummary:
    """A packet without its records."""
    return PacketSummary(
        packet_id=packet.packet_id,
        lane_id=packet.lane_id,
        profile_id=packet.profile_id,
        intake_policy_hash=format_hash(packet.intake_policy_hash),
        reference=packet.reference,
        cohort=packet.cohort,
        supersedes=packet.supersedes,
        state=packet.state.value,
        opened_at=format_time(packet.opened_at),
        issued=_issued_answer(packet),
    )


def _issued_answer(packet: Packet) -> IssuedAnswer | None:
    issued, delivered_at = packet.issued, packet.delivered_at
    if issued is None:
        return None
    return IssuedAnswer(
        kit_id=issued.kit_id,
        kit_digest=format_hash(issued.kit_digest),
        leaf_hash=format_hash(issued.leaf_hash),
        issued_at=format_time(issued.issued_at),
        merge_by=format_time(issued.merge_by),
        delivered_at=None if delivered_at is None else format_time(delivered_at),
    )


def attempt_answer(attempt: Attempt) -> AttemptAnswer:
    """A try at issuing."""
    return AttemptAnswer(
        number=attempt.number,
        at=format_time(attempt.at),
        outcome=attempt.outcome,
        blockers=attempt.blockers,
    )
