"""/v1/packets/{id}/check, /issue, /blockers: what is missing, and the issuing of a kit."""

from aws_lambda_powertools.event_handler import Request

from issuer.api.bodies import IssueBody
from issuer.api.call import JSON, Reply, call_of, reply_bytes, reply_text
from issuer.api.idempotency import carry_out_once
from issuer.api.preferences import choose_media_type
from issuer.intake.blocker_report import format_blocker_report, format_blocker_text
from issuer.model import Answer, Claim

TEXT = "text/plain"


def check(request: Request, packet_id: str) -> Reply:
    """Hold the records against the policy without issuing: free. The packet becomes ready or blocked."""
    call = call_of(request)
    packet, evaluation = call.service.packets.check(call.workspace_id, packet_id)
    policy, now = call.service.packets.policy_of(packet), int(call.service.clock.now())
    return reply_bytes(format_blocker_report(evaluation, packet.packet_id, policy, now))


def issue(request: Request, packet_id: str, body: IssueBody) -> Reply:
    """Issue a kit. PASS takes one credit, FAIL none; either answer is bound to the Idempotency-Key."""
    call = call_of(request)
    packets, workspace_id = call.service.packets, call.workspace_id
    packets.get(workspace_id, packet_id)  # what is not there binds no key

    def carry_out(claim: Claim) -> Answer:
        packet = packets.get(workspace_id, packet_id)
        return call.service.issuer.issue(packet, body.client_nonce.encode("utf-8"), claim)

    return carry_out_once(call, carry_out)


def get_blockers(request: Request, packet_id: str) -> Reply:
    """What blocks the packet, rule by rule; as text for the client if Accept prefers it. Changes nothing."""
    call = call_of(request)
    packets = call.service.packets
    packet = packets.get(call.workspace_id, packet_id)
    evaluation, at = packets.evaluation(packet)
    policy = packets.policy_of(packet)
    if choose_media_type(call.headers.get("accept"), (JSON, TEXT)) == TEXT:
        return reply_text(format_blocker_text(evaluation, policy, at), f"{TEXT}; charset=utf-8")
    return reply_bytes(format_blocker_report(evaluation, packet.packet_id, policy, at))
