"""/v1/packets: open, list, wait for and withdraw packets; their records, checks, kits."""

import hashlib
import math
import tempfile
from pathlib import Path
from threading import BoundedSemaphore

from attestlayer.encoding import format_base64, format_hash, format_time, parse_hash
from issuer.api.call import (
    DEFAULT_LIMIT,
    Call,
    Limit,
    Page,
    StartingAfter,
    carry_out_once,
    format_shape,
    shape_answer,
    text_answer,
    unknown_cursor,
)
from issuer.api.lanes import record_types_of
from issuer.api.shapes import (
    AttemptAnswer,
    IssueBody,
    IssuedAnswer,
    PacketAnswer,
    PacketBody,
    PacketsAnswer,
    PacketSummary,
    RecordAddedAnswer,
    RecordAnswer,
    RecordBody,
    UploadAnswer,
)
from issuer.errors import Code, ServiceError, StoreError
from issuer.intake.blocker_report import format_blocker_report, format_blocker_text
from issuer.kits.names import delivered_object, record_object
from issuer.kits.terms import KITS_KEPT
from issuer.model import OPEN_STATES, Answer, Claim, Packet, PacketState, Record

PACKETS_PATH = "/v1/packets"
TEXT = "text/plain"

UPLOAD_S = 3600
"""Seconds for which an upload form can be used."""
DOWNLOAD_S = 900
"""Seconds for which a download address can be used."""

_POLL_S = 0.25
_FINAL = frozenset({PacketState.ISSUED, PacketState.WITHDRAWN})
_WAITERS = BoundedSemaphore(16)
"""Calls of this process that may wait at the same time; RFC 7240 lets the others be answered at once."""


def open_packet(call: Call, body: PacketBody) -> Answer:
    """Open a packet for a client. The answer says which records it needs."""

    def carry_out(claim: Claim) -> Answer:
        packet = call.service.packets.open(
            call.workspace_id,
            body.lane_id,
            body.profile_id,
            body.reference,
            cohort=body.cohort,
            supersedes=body.supersedes,
        )
        # RFC 9110 section 15.3.2: a 201 names the resource that was created.
        location = {"Location": f"{PACKETS_PATH}/{packet.packet_id}"}
        answer = Answer(201, format_shape(_packet(call, packet)), location)
        call.service.packets.store(packet, claim, answer)
        return answer

    return carry_out_once(call, carry_out)


def list_packets(call: Call, starting_after: StartingAfter = None, limit: Limit = DEFAULT_LIMIT) -> Answer:
    """The workspace's packets, newest first."""
    page = Page(starting_after, limit)
    ledger, workspace_id = call.service.ledger, call.workspace_id
    if starting_after is not None:
        try:
            call.service.packets.get(workspace_id, starting_after)
        except ServiceError as error:
            raise unknown_cursor(starting_after) from error
    packets, has_more = page.read(lambda after, most: ledger.packets(workspace_id, after, most))
    headers = page.following(PACKETS_PATH, packets[-1].packet_id if packets else None, has_more=has_more)
    summaries = [_summary(packet) for packet in packets]
    return shape_answer(PacketsAnswer(packets=summaries, has_more=has_more), headers=headers)


def get_packet(call: Call, packet_id: str) -> Answer:
    """A packet. With `Prefer: wait=N` the answer waits up to N (25 at most) seconds for another state."""
    packet = call.service.packets.get(call.workspace_id, packet_id)
    wait_s = call.wait_s()
    if not wait_s or packet.state in _FINAL or not _WAITERS.acquire(blocking=False):
        return shape_answer(_packet(call, packet))
    try:
        packet = _wait(call, packet, wait_s)
    finally:
        _WAITERS.release()
    # RFC 7240 section 3: says which preference the answer honours.
    return shape_answer(_packet(call, packet), headers={"Preference-Applied": f"wait={wait_s}"})


def withdraw_packet(call: Call, packet_id: str) -> Answer:
    """Give a packet up before it is issued. Its records are deleted."""
    return shape_answer(_packet(call, call.service.packets.withdraw(call.workspace_id, packet_id)))


def add_record(call: Call, packet_id: str, body: RecordBody) -> Answer:
    """Announce a record: its name, type, exact size and SHA-256. The answer says how to upload it."""
    packets = call.service.packets
    record = packets.add_record(
        packets.get(call.workspace_id, packet_id),
        name=body.name,
        record_type=body.record_type,
        size=body.size,
        sha256=parse_hash(body.sha256),
        metadata=body.metadata,
    )
    expires_at = int(call.service.clock.now()) + UPLOAD_S
    name = record_object(packet_id, record)
    # The form is signed for this length and hash: storage itself refuses any other bytes.
    form = call.service.transfers.upload_form(name, record.size, record.sha256, expires_at)
    upload = UploadAnswer(url=form.url, fields=form.fields, expires_at=format_time(form.expires_at))
    return shape_answer(RecordAddedAnswer(record=_record(record, uploaded=False), upload=upload), 201)


def remove_record(call: Call, packet_id: str, record_id: str) -> Answer:
    """Take a record out again, with its bytes, before issuing."""
    call.service.packets.remove_record(call.workspace_id, packet_id, record_id)
    return Answer(204, b"")


def check(call: Call, packet_id: str) -> Answer:
    """Hold the records against the policy without issuing: free. The packet becomes ready or blocked."""
    packet, evaluation = call.service.packets.check(call.workspace_id, packet_id)
    policy, now = call.service.packets.policy_of(packet), int(call.service.clock.now())
    return Answer(200, format_blocker_report(evaluation, packet.packet_id, policy, now))


def issue(call: Call, packet_id: str, body: IssueBody) -> Answer:
    """Issue a kit. PASS takes one credit, FAIL none; either answer is bound to the Idempotency-Key."""
    packets, workspace_id = call.service.packets, call.workspace_id
    packets.get(workspace_id, packet_id)  # NOT_FOUND before the key is claimed: no key is bound to it

    def carry_out(claim: Claim) -> Answer:
        packet = packets.get(workspace_id, packet_id)
        return call.service.issuer.issue(packet, body.client_nonce.encode("utf-8"), claim)

    return carry_out_once(call, carry_out)


def get_blockers(call: Call, packet_id: str) -> Answer:
    """What blocks the packet, rule by rule; as text for the client if Accept prefers it. Changes nothing."""
    packets = call.service.packets
    packet = packets.get(call.workspace_id, packet_id)
    evaluation, at = packets.evaluation(packet)
    policy = packets.policy_of(packet)
    if call.prefers(TEXT):
        return text_answer(format_blocker_text(evaluation, policy, at), f"{TEXT}; charset=utf-8")
    return Answer(200, format_blocker_report(evaluation, packet.packet_id, policy, at))


def get_kit(call: Call, packet_id: str) -> Answer:
    """Redirect to the finished kit. `Repr-Digest` (RFC 9530) is the SHA-256 of its bytes."""
    packet = call.service.packets.get(call.workspace_id, packet_id)
    if packet.state != PacketState.ISSUED or packet.issued is None:
        raise _not_ready(call, packet)
    kit_id = packet.issued.kit_id
    if packet.deleted_at is not None:
        raise ServiceError(Code.KIT_DELETED, f"{kit_id} was kept for {KITS_KEPT.words}")
    digest = _kit_digest(call, packet, kit_id)
    expires_at = int(call.service.clock.now()) + DOWNLOAD_S
    url = call.service.transfers.download_url(delivered_object(kit_id), f"{kit_id}.zip", expires_at)
    # RFC 9110 section 15.4.4: 303 sends the client to another resource, with GET.
    # RFC 9530 section 3, with the byte sequence of RFC 8941 section 3.3.5: base64 between colons.
    headers = {"Content-Type": TEXT, "Location": url, "Repr-Digest": f"sha-256=:{format_base64(digest)}:"}
    return Answer(303, b"", headers)


def _wait(call: Call, packet: Packet, wait_s: int) -> Packet:
    clock, packets, state = call.service.clock, call.service.packets, packet.state
    # Polled: rounds and deliveries run in other threads or functions, which can't wake this one.
    until = clock.now() + wait_s
    while packet.state == state and (left := until - clock.now()) > 0:
        clock.sleep(min(_POLL_S, left))
        packet = packets.get(call.workspace_id, packet.packet_id)
    return packet


def _not_ready(call: Call, packet: Packet) -> ServiceError:
    if packet.state == PacketState.WITHDRAWN:
        return ServiceError(Code.WRONG_STATE, "the packet is withdrawn: there will be no kit")
    if packet.issued is None:
        detail = f"the packet is {packet.state}: it is to be issued first"
    else:
        detail = (
            f"the packet is {packet.state}: its kit is finished with the checkpoint that holds its leaf, "
            f"by {format_time(packet.issued.merge_by)} at the latest"
        )
    return ServiceError(Code.NOT_READY, detail, retry_after_s=call.service.settings.cadence_s)


def _kit_digest(call: Call, packet: Packet, kit_id: str) -> bytes:
    """The SHA-256 of the delivered kit, read from the store. O(size)."""
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=call.service.scratch_path) as folder:
        path = Path(folder, "kit.zip")
        if not call.service.private.fetch(delivered_object(kit_id), path):
            # Gone because its retention ended, or lost? Before the end it must be there.
            if (packet.delivered_at or math.inf) < KITS_KEPT.sure(call.service.clock.now()):
                raise ServiceError(Code.KIT_DELETED, f"{kit_id} was kept for {KITS_KEPT.words}")
            raise StoreError(f"the delivered kit {kit_id} is missing")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()


def _packet(call: Call, packet: Packet) -> PacketAnswer:
    return PacketAnswer(
        **dict(_summary(packet)),
        record_types=record_types_of(call.service.packets.policy_of(packet)),
        records=[_record(record, uploaded=_uploaded(call, packet, record)) for record in packet.records],
        attempts=[
            AttemptAnswer(
                number=attempt.number,
                at=format_time(attempt.at),
                outcome=attempt.outcome,
                blockers=attempt.blockers,
            )
            for attempt in packet.attempts
        ],
    )


def _uploaded(call: Call, packet: Packet, record: Record) -> bool:
    """Whether the record's bytes came. Once a packet is sealed they did, and are in the store no more."""
    if packet.state in OPEN_STATES:
        return call.service.private.exists(record_object(packet.packet_id, record))
    return packet.issued is not None


def _summary(packet: Packet) -> PacketSummary:
    return PacketSummary(
        packet_id=packet.packet_id,
        lane_id=packet.lane_id,
        profile_id=packet.profile_id,
        intake_policy_hash=format_hash(packet.intake_policy_hash),
        reference=packet.reference,
        cohort=packet.cohort,
        supersedes=packet.supersedes,
        state=_state(packet).value,
        opened_at=format_time(packet.opened_at),
        issued=_issued(packet),
    )


def _issued(packet: Packet) -> IssuedAnswer | None:
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
        withdrawn_at=format_time(packet.withdrawal.at) if packet.withdrawal else None,
        withdrawal_reason=packet.withdrawal.reason if packet.withdrawal else None,
        deleted_at=None if packet.deleted_at is None else format_time(packet.deleted_at),
    )


def _state(packet: Packet) -> PacketState:
    """The state that partners see: a withdrawn kit is not shown as one that is issued."""
    return PacketState.WITHDRAWN if packet.withdrawal else packet.state


def _record(record: Record, *, uploaded: bool) -> RecordAnswer:
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
