"""The table of the API: which function answers which method and path, who may call it, what it answers."""

from issuer.api import lanes, packets, shapes, workspace
from issuer.api.call import JSON, Call, text_answer
from issuer.api.openapi import format_openapi
from issuer.api.routing import OPENAPI_PATH, Endpoint
from issuer.errors import Code
from issuer.model import Answer
from issuer.services.workspace import WRITE

_PACKET = "/v1/packets/<packet_id>"
_CHANGING = (Code.NOT_FOUND, Code.WRONG_STATE, Code.CHANGED_MEANWHILE)
_ONCE = (Code.IDEMPOTENCY_KEY_MISSING, Code.IDEMPOTENCY_MISMATCH, Code.IN_PROGRESS)
_ISSUING = (
    *(Code.NONCE_MALFORMED, Code.NONCE_USED, Code.NONCE_CHECKPOINT_UNKNOWN, Code.NO_CREDITS),
    *(Code.LOG_STALLED, Code.KEY_UNUSABLE),
)
_EXAMINING = (Code.RATE_LIMITED,)
_KEY = {"Idempotency-Key": "unique for this request; the same key answers the same again"}
_WAIT = {"Prefer": "`wait=N`: wait up to N seconds, 25 at most, for another state"}


def get_openapi(call: Call) -> Answer:
    """This description of the API: OpenAPI 3.1."""
    del call
    return text_answer(format_openapi(ENDPOINTS), JSON)


ENDPOINTS = (
    Endpoint(
        *("POST", "/v1/qualifications", workspace.receive),
        answers={201: shapes.QualificationAnswer},
        scope=None,
    ),
    Endpoint("GET", "/v1/workspace", workspace.get_workspace, {200: shapes.WorkspaceAnswer}),
    Endpoint(
        *("PUT", "/v1/workspace/contacts", workspace.put_contacts),
        answers={200: shapes.WorkspaceAnswer},
        codes=(Code.CHANGED_MEANWHILE,),
        scope=WRITE,
    ),
    Endpoint(
        *("GET", workspace.CREDITS_PATH, workspace.get_credits),
        answers={200: shapes.CreditsAnswer},
        headers={"Accept": "`text/csv` for a table"},
        also=(workspace.CSV,),
    ),
    Endpoint("GET", "/v1/lanes", lanes.list_lanes, {200: shapes.LanesAnswer}),
    Endpoint(
        *("GET", "/v1/lanes/<lane_id>/<profile_id>", lanes.get_profile),
        answers={200: shapes.PolicyAnswer},
        codes=(Code.NOT_FOUND,),
    ),
    Endpoint(
        *("POST", packets.PACKETS_PATH, packets.open_packet),
        answers={201: shapes.PacketAnswer},
        codes=(*_ONCE, Code.UNKNOWN_LANE, Code.PACKET_LIMIT),
        scope=WRITE,
        headers=_KEY,
    ),
    Endpoint("GET", packets.PACKETS_PATH, packets.list_packets, {200: shapes.PacketsAnswer}),
    Endpoint(
        *("GET", _PACKET, packets.get_packet),
        answers={200: shapes.PacketAnswer},
        codes=(Code.NOT_FOUND,),
        headers=_WAIT,
    ),
    Endpoint(
        *("DELETE", _PACKET, packets.withdraw_packet),
        answers={200: shapes.PacketAnswer},
        codes=_CHANGING,
        scope=WRITE,
    ),
    Endpoint(
        *("POST", f"{_PACKET}/records", packets.add_record),
        answers={201: shapes.RecordAddedAnswer},
        codes=(*_CHANGING, Code.RECORD_REFUSED),
        scope=WRITE,
    ),
    Endpoint(
        *("DELETE", f"{_PACKET}/records/<record_id>", packets.remove_record),
        answers={204: None},
        codes=_CHANGING,
        scope=WRITE,
    ),
    Endpoint(
        *("POST", f"{_PACKET}/check", packets.check),
        answers={200: shapes.BlockerReport},
        codes=(*_CHANGING, *_EXAMINING),
        scope=WRITE,
    ),
    Endpoint(
        *("POST", f"{_PACKET}/issue", packets.issue),
        answers={200: shapes.IssueAnswer, 202: shapes.IssueAnswer},
        codes=(*_ONCE, *_CHANGING, *_ISSUING, *_EXAMINING),
        scope=WRITE,
        headers=_KEY,
    ),
    Endpoint(
        *("GET", f"{_PACKET}/blockers", packets.get_blockers),
        answers={200: shapes.BlockerReport},
        codes=(Code.NOT_FOUND, Code.WRONG_STATE, *_EXAMINING),
        headers={"Accept": "`text/plain` for a text to hand to the client"},
        also=(packets.TEXT,),
    ),
    Endpoint(
        *("GET", f"{_PACKET}/kit", packets.get_kit),
        answers={303: None},
        codes=(Code.NOT_FOUND, Code.NOT_READY, Code.WRONG_STATE, Code.KIT_DELETED),
    ),
    Endpoint("GET", OPENAPI_PATH, get_openapi, {200: None}, scope=None),
)
