"""/v1/lanes: what a packet of each lane and profile needs, in words and as data."""

from aws_lambda_powertools.event_handler import Request

from attestlayer.canonical import parse_json, take_members
from issuer.api.answers import profile_answer, record_type_answer
from issuer.api.call import Reply, call_of, reply
from issuer.api.shapes import CheckAnswer, LaneAnswer, LanesAnswer, PolicyAnswer
from issuer.errors import Code, ServiceError
from issuer.intake.policy import Policy


def list_lanes(request: Request) -> Reply:
    """All lanes with their profiles, in their newest versions."""
    lanes: dict[str, list[Policy]] = {}
    for policy in call_of(request).service.catalogue.newest():
        lanes.setdefault(policy.lane_id, []).append(policy)
    found = [
        LaneAnswer(
            lane_id=lane_id,
            title=policies[0].lane_title,
            profiles=[profile_answer(policy) for policy in policies],
        )
        for lane_id, policies in lanes.items()
    ]
    return reply(LanesAnswer(lanes=found))


def get_profile(request: Request, lane_id: str, profile_id: str) -> Reply:
    """A profile's policy: record types, checks in words, and the document that kits carry."""
    try:
        policy = call_of(request).service.catalogue.find(lane_id, profile_id)
    except ServiceError as error:
        raise ServiceError(Code.NOT_FOUND, error.detail) from error  # here it is the path that is wrong
    checks = [
        CheckAnswer(rule=rule.rule_id, severity=rule.severity.value, sentence=rule.sentence, fix=rule.fix)
        for rule in policy.rules()
    ]
    return reply(
        PolicyAnswer(
            profile=profile_answer(policy),
            record_types=[record_type_answer(each) for each in policy.record_types],
            checks=checks,
            policy=take_members(parse_json(policy.document)),
        )
    )
