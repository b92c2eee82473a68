"""/v1/packets: open, list, see, wait for, withdraw."""

from threading import BoundedSemaphore

from aws_lambda_powertools.event_handler import Request

from issuer.api.answers import attempt_answer, packet_summary, record_answer, record_type_answer
from issuer.api.bodies import PacketBody
from issuer.api.call import Call, Reply, call_of, format_shape, reply
from issuer.api.idempotency import carry_out_once
from issuer.api.paging import DEFAULT_LIMIT, Limit, Page, StartingAfter, unknown_cursor
from issuer.api.preferences import parse_wait
from issuer.api.shapes import PacketAnswer, PacketsAnswer
from issuer.errors import ServiceError
from issuer.kits.names import record_object
from issuer.model import OPEN_STATES, Answer, Claim, Packet, PacketState

PACKETS_PATH = "/v1/packets"

_POLL_S = 0.25
_FINAL = frozenset({PacketState.ISSUED, PacketState.WITHDRAWN})
_WAITERS = BoundedSemaphore(16)
"""Calls of this process that may wait at once: the others are answered at once, as Prefer allows."""


def open_packet(request: Request, body: PacketBody) -> Reply:
    """Open a packet for a client. The answer says which records it needs."""
    call = call_of(request)

    def carry_out(claim: Claim) -> Answer:
        packet = call.service.packets.open(
            call.workspace_id,
            body.lane_id,
            body.profile_id,
            body.reference,
            cohort=body.cohort,
            supersedes=body.supersedes,
        )
        headers = {"Location": f"{PACKETS_PATH}/{packet.packet_id}"}
        answer = Answer(201, format_shape(packet_answer(call, packet)), headers)
        call.service.packets.store(packet, claim, answer)
        return answer

    return carry_out_once(call, carry_out)


def list_packets(
    request: Request, starting_after: StartingAfter = None, limit: Limit = DEFAULT_LIMIT
) -> Reply:
    """The workspace's packets, newest first."""
    call, page = call_of(request), Page(starting_after, limit)
    ledger, workspace_id = call.service.ledger, call.workspace_id
    if starting_after is not None:
        try:
            call.service.packets.get(workspace_id, starting_after)
        except ServiceError as error:
            raise unknown_cursor(starting_after) from error
    found, has_more = page.read(lambda after, most: ledger.packets(workspace_id, after, most))
    headers = page.following(PACKETS_PATH, found[-1].packet_id if found else None, has_more=has_more)
    packets = [packet_summary(packet) for packet in found]
    return reply(PacketsAnswer(packets=packets, has_more=has_more), headers=headers)


def get_packet(request: Request, packet_id: str) -> Reply:
    """A packet. With `Prefer: wait=N` the answer waits up to N (25 at most) seconds for another state."""
    call = call_of(request)
    packet = call.service.packets.get(call.workspace_id, packet_id)
    wait_s = parse_wait(call.headers.get("prefer"))
    if not wait_s or packet.state in _FINAL or not _WAITERS.acquire(blocking=False):
        return reply(packet_answer(call, packet))
    try:
        packet = _wait(call, packet, wait_s)
    finally:
        _WAITERS.release()
    return reply(packet_answer(call, packet), headers={"Preference-Applied": f"wait={wait_s}"})


def withdraw_packet(request: Request, packet_id: str) -> Reply:
    """Give a packet up before it is issued. Its records are deleted."""
    call = call_of(request)
    return reply(packet_answer(call, call.service.packets.withdraw(call.workspace_id, packet_id)))


def packet_answer(call: Call, packet: Packet) -> PacketAnswer:
    """A packet with what it asks for and what was submitted."""
    private, changeable = call.service.private, packet.state in OPEN_STATES
    records = [
        record_answer(
            record,
            uploaded=private.exists(record_object(packet.packet_id, record))
            if changeable
            else packet.issued is not None,
        )
        for record in packet.records
    ]
    policy = call.service.packets.policy_of(packet)
    return PacketAnswer(
        **dict(packet_summary(packet)),
        record_types=[record_type_answer(each) for each in policy.record_types],
        records=records,
        attempts=[attempt_answer(attempt) for attempt in packet.attempts],
    )


def _wait(call: Call, packet: Packet, wait_s: int) -> Packet:
    clock, packets, state = call.service.clock, call.service.packets, packet.state
    until = clock.now() + wait_s
    while packet.state == state and (left := until - clock.now()) > 0:
        clock.sleep(min(_POLL_S, left))
        packet = packets.get(call.workspace_id, packet.packet_id)
    return packet
