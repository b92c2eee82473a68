"""/v1/lanes: what a packet of each lane and profile needs, in words and as data."""

from attestlayer.canonical import parse_json, take_members
from attestlayer.encoding import format_hash
from issuer.api.call import Call, shape_answer
from issuer.api.shapes import (
    CheckAnswer,
    LaneAnswer,
    LanesAnswer,
    PolicyAnswer,
    ProfileAnswer,
    RecordTypeAnswer,
)
from issuer.errors import Code, ServiceError
from issuer.intake.policy import Policy, RecordType
from issuer.model import Answer


def list_lanes(call: Call) -> Answer:
    """All lanes with their profiles, in their newest versions."""
    by_lane: dict[str, list[Policy]] = {}
    for policy in call.service.catalogue.newest():
        by_lane.setdefault(policy.lane_id, []).append(policy)
    lanes = [
        LaneAnswer(
            lane_id=lane_id,
            title=policies[0].lane_title,
            profiles=[_profile(policy) for policy in policies],
        )
        for lane_id, policies in by_lane.items()
    ]
    return shape_answer(LanesAnswer(lanes=lanes))


def get_profile(call: Call, lane_id: str, profile_id: str) -> Answer:
    """A profile's policy: record types, checks in words, and the document that kits carry."""
    try:
        policy = call.service.catalogue.find(lane_id, profile_id)
    except ServiceError as error:
        raise ServiceError(Code.NOT_FOUND, error.detail) from error  # here it is the path that is wrong
    checks = [
        CheckAnswer(rule=rule.rule_id, severity=rule.severity.value, sentence=rule.sentence, fix=rule.fix)
        for rule in policy.rules()
    ]
    return shape_answer(
        PolicyAnswer(
            profile=_profile(policy),
            record_types=record_types_of(policy),
            checks=checks,
            policy=take_members(parse_json(policy.document)),
        )
    )


def record_types_of(policy: Policy) -> list[RecordTypeAnswer]:
    """The kinds of record that a policy asks for."""
    return [_record_type(record_type) for record_type in policy.record_types]


def _record_type(record_type: RecordType) -> RecordTypeAnswer:
    return RecordTypeAnswer(
        record_type=record_type.type_id,
        title=record_type.title,
        description=record_type.description,
        min_count=record_type.min_count,
        max_count=record_type.max_count,
        media_types=[media_type.value for media_type in record_type.media_types],
        max_size=record_type.max_size,
        max_age_days=record_type.max_age_days,
        required_metadata=[entry.name for entry in record_type.metadata if entry.required],
        optional_metadata=[entry.name for entry in record_type.metadata if not entry.required],
    )


def _profile(policy: Policy) -> ProfileAnswer:
    return ProfileAnswer(
        lane_id=policy.lane_id,
        profile_id=policy.profile_id,
        version=policy.version,
        title=policy.title,
        summary=policy.summary,
        intake_policy_hash=format_hash(policy.intake_policy_hash),
    )
