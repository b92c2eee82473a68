"""/v1/packets/{id}/records: announce a record, upload it by the form that is answered, remove it."""

from aws_lambda_powertools.event_handler import Request

from attestlayer.encoding import format_time, parse_hash
from issuer.api.answers import record_answer
from issuer.api.bodies import RecordBody
from issuer.api.call import Reply, call_of, reply, reply_nothing
from issuer.api.shapes import RecordAddedAnswer, UploadAnswer
from issuer.kits.names import record_object

UPLOAD_S = 3600
"""Seconds for which an upload form can be used."""


def add_record(request: Request, packet_id: str, body: RecordBody) -> Reply:
    """Announce a record: its name, type, exact size and SHA-256. The answer says how to upload it."""
    call = call_of(request)
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
    form = call.service.transfers.upload_form(name, record.size, record.sha256, expires_at)
    upload = UploadAnswer(url=form.url, fields=form.fields, expires_at=format_time(form.expires_at))
    answer = RecordAddedAnswer(record=record_answer(record, uploaded=False), upload=upload)
    return reply(answer, 201)


def remove_record(request: Request, packet_id: str, record_id: str) -> Reply:
    """Take a record out again, with its bytes, before issuing."""
    call = call_of(request)
    call.service.packets.remove_record(call.workspace_id, packet_id, record_id)
    return reply_nothing()
