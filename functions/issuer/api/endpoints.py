"""The table of the API: which function answers which method and path, who may call it, what it answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from issuer.api import issuing, kits, lanes, packets, paging, qualifications, records, shapes, workspace
from issuer.api.call import JSON, Reply
from issuer.errors import Code, ServiceError
from issuer.problem import MethodNotAllowedError
from issuer.services.workspace import READ, WRITE

OPENAPI_PATH = "/v1/openapi.json"

_PACKET = "/v1/packets/<packet_id>"
_FOR_ALL = (Code.MALFORMED_REQUEST, Code.INTERNAL, Code.STORAGE_FAILED)
_CHANGING = (Code.NOT_FOUND, Code.WRONG_STATE, Code.CHANGED_MEANWHILE)
_ONCE = (Code.IDEMPOTENCY_KEY_MISSING, Code.IDEMPOTENCY_MISMATCH, Code.IN_PROGRESS)
_ISSUING = (
    *(Code.NONCE_MALFORMED, Code.NONCE_USED, Code.NONCE_CHECKPOINT_UNKNOWN, Code.NO_CREDITS),
    *(Code.LOG_STALLED, Code.KEY_UNUSABLE),
)


@dataclass(frozen=True)
class Endpoint:
    """One call. `scope` None: public. `answers` by status: the JSON's shape, or None for no JSON.

    `headers`: request headers that it reads, with what they are for. `also`: media types beside JSON.
    """

    method: str
    path: str
    function: Callable[..., Reply]
    answers: Mapping[int, type[shapes.Shape] | None]
    codes: tuple[Code, ...] = ()
    scope: str | None = READ
    query: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the paths look like."""
        return re.compile(re.sub(r"<\w+>", "[^/]+", self.path))

    @property
    def all_codes(self) -> tuple[Code, ...]:
        """Every code that it may answer."""
        auth = (Code.UNAUTHENTICATED, Code.FORBIDDEN) if self.scope else ()
        body = (Code.INVALID_REQUEST, Code.TOO_LARGE) if self.method in ("POST", "PUT") else ()
        query = (Code.INVALID_REQUEST,) if self.query else ()
        return tuple(dict.fromkeys((*self.codes, *auth, *body, *query, *_FOR_ALL)))


_KEY = {"Idempotency-Key": "unique for this request; the same key answers the same again"}
_WAIT = {"Prefer": "`wait=N`: wait up to N seconds, 25 at most, for another state"}

ENDPOINTS = (
    Endpoint(
        *("POST", "/v1/qualifications", qualifications.receive),
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
        query=paging.QUERY,
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
    Endpoint(
        *("GET", packets.PACKETS_PATH, packets.list_packets),
        answers={200: shapes.PacketsAnswer},
        query=paging.QUERY,
    ),
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
        *("POST", f"{_PACKET}/records", records.add_record),
        answers={201: shapes.RecordAddedAnswer},
        codes=(*_CHANGING, Code.RECORD_REFUSED),
        scope=WRITE,
    ),
    Endpoint(
        *("DELETE", f"{_PACKET}/records/<record_id>", records.remove_record),
        answers={204: None},
        codes=_CHANGING,
        scope=WRITE,
    ),
    Endpoint(
        *("POST", f"{_PACKET}/check", issuing.check),
        answers={200: shapes.BlockerReport},
        codes=_CHANGING,
        scope=WRITE,
    ),
    Endpoint(
        *("POST", f"{_PACKET}/issue", issuing.issue),
        answers={200: shapes.IssueAnswer, 202: shapes.IssueAnswer},
        codes=(*_ONCE, *_CHANGING, *_ISSUING),
        scope=WRITE,
        headers=_KEY,
    ),
    Endpoint(
        *("GET", f"{_PACKET}/blockers", issuing.get_blockers),
        answers={200: shapes.BlockerReport},
        codes=(Code.NOT_FOUND, Code.WRONG_STATE),
        headers={"Accept": "`text/plain` for a text to hand to the client"},
        also=(issuing.TEXT,),
    ),
    Endpoint(
        *("GET", f"{_PACKET}/kit", kits.get_kit),
        answers={303: None},
        codes=(Code.NOT_FOUND, Code.NOT_READY, Code.WRONG_STATE, Code.KIT_DELETED),
    ),
)


def describe_media_types(endpoint: Endpoint) -> tuple[str, ...]:
    """What a success may look like."""
    return (JSON, *endpoint.also)


def find_endpoint(endpoints: tuple[Endpoint, ...], method: str, path: str) -> Endpoint:
    """The call that method and path name. Raises NOT_FOUND, `MethodNotAllowedError`."""
    found = {each.method: each for each in endpoints if each.pattern.fullmatch(path)}
    if not found:
        raise ServiceError(Code.NOT_FOUND, f"found {method} {path!a}; {OPENAPI_PATH} lists what there is")
    if method not in found:
        raise MethodNotAllowedError(method, found)
    return found[method]
