"""A packet's way to a kit: the intake report and the hash trail (REG-1.0 sections 6.4 and 7).

The report `intake_report.json` holds policy, records and checks. The trail `hash_trail.json` tells what
happened, each event bound to the one before.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from attestlayer.canonical import (
    Json,
    Members,
    check_schema,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
    take_object,
    take_optional,
    take_string,
    take_time,
    take_value,
    take_word,
)
from attestlayer.encoding import (
    Hash,
    format_hash,
    format_time,
    parse_hash,
    parse_kit_id,
    parse_lane_id,
    parse_profile_id,
    sha256,
    shown,
)
from attestlayer.errors import Reason, malformed
from attestlayer.kit.manifest import HASH_TRAIL, INTAKE_REPORT, ManifestFile

STATEMENTS = (
    "The type of each record and the values stated for it are the client's own words. The checks compare "
    "these statements with each other; a record is read to confirm them only where a check says so."
)
"""What the checks of an intake report rest on; every list of their results for people says it."""


class CheckResult(StrEnum):
    """The result of a rule's check in an issued kit; blockers never get that far."""

    PASS = "pass"  # noqa: S105
    NOTE = "note"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A record of the report. `name` is the client's file name, `metadata` the client's words."""

    path: str
    name: str
    record_type: str
    media_type: str
    size: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """A rule, the paths it is about, its result and what was found."""

    rule: str
    records: tuple[str, ...]
    result: CheckResult
    found: str


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """An intake report. `policy` is the whole policy document as JSON."""

    kit_id: str
    policy: Members
    records: tuple[ReportRecord, ...]
    checks: tuple[ReportCheck, ...]

    def intake_policy_hash(self) -> Hash:
        """`intake_policy_hash`: SHA-256 of the policy's canonical bytes."""
        return sha256(format_json(self.policy))

    def format(self) -> bytes:
        """The canonical bytes of the document."""
        records: list[Json] = [
            {
                "path": record.path,
                "name": record.name,
                "record_type": record.record_type,
                "media_type": record.media_type,
                "size": record.size,
                "metadata": dict(record.metadata),
            }
            for record in self.records
        ]
        checks: list[Json] = [
            {
                "rule": check.rule,
                "records": list(check.records),
                "result": check.result.value,
                "found": check.found,
            }
            for check in self.checks
        ]
        return format_json(
            {
                "schema": "attestlayer/intake-report/1",
                "kit_id": self.kit_id,
                "policy": self.policy,
                "records": records,
                "checks": checks,
            }
        )


def parse_report(data: bytes) -> IntakeReport:
    """An intake report. Of the policy only schema, lane and profile are read.

    Raises `FormatError` (report-malformed), `CouldNotCheckError`.
    """
    with malformed(Reason.REPORT_MALFORMED, INTAKE_REPORT):
        members = take_document(parse_json(data), "intake-report", ("kit_id", "policy", "records", "checks"))
        return IntakeReport(
            kit_id=take_value(members, "kit_id", parse_kit_id),
            policy=_take_policy(members["policy"]),
            records=tuple(_take_record(item) for item in take_array(members, "records")),
            checks=tuple(_take_check(item) for item in take_array(members, "checks")),
        )


def _take_policy(value: Json) -> Members:
    check_schema(value, "intake-policy")
    if not isinstance(value, dict) or not {"lane_id", "profile_id"} <= value.keys():
        raise ValueError("policy: names no lane or no profile")
    take_value(value, "lane_id", parse_lane_id)
    take_value(value, "profile_id", parse_profile_id)
    return value


def _take_record(value: Json) -> ReportRecord:
    members = take_object(value, ("path", "name", "record_type", "media_type", "size", "metadata"))
    metadata = members["metadata"]
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata: found {shown(metadata)}, wanted an object")
    return ReportRecord(
        path=take_string(members, "path"),
        name=take_string(members, "name"),
        record_type=take_string(members, "record_type"),
        media_type=take_string(members, "media_type"),
        size=take_integer(members, "size"),
        metadata={name: take_string(metadata, name) for name in metadata},
    )


def _take_check(value: Json) -> ReportCheck:
    members = take_object(value, ("rule", "records", "result", "found"))
    paths = take_array(members, "records")
    texts = tuple(path for path in paths if isinstance(path, str))
    if len(texts) != len(paths):
        raise ValueError("checks: a record's path is no string")
    return ReportCheck(
        rule=take_string(members, "rule"),
        records=texts,
        result=take_word(members, "result", CheckResult),
        found=take_string(members, "found"),
    )


class EventType(StrEnum):
    """The kinds of events, in the order in which they happen."""

    PACKET_OPENED = "packet.opened"
    RECORD_SUBMITTED = "record.submitted"
    INTAKE_EVALUATED = "intake.evaluated"
    RECORD_ACCEPTED = "record.accepted"
    BINDER_RENDERED = "binder.rendered"
    MANIFEST_SEALED = "manifest.sealed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `at`: POSIX seconds; `data`: its members; `prev`: hash of the event before, None first."""

    n: int
    at: int
    type: EventType
    data: Members
    prev: Hash | None

    def members(self) -> Members:
        """The event as a JSON object, over which its hash is taken."""
        return {
            "n": self.n,
            "at": format_time(self.at),
            "type": self.type.value,
            "data": self.data,
            "prev": None if self.prev is None else format_hash(self.prev),
        }

    def hash(self) -> Hash:
        """SHA-256 of the event's canonical bytes."""
        return sha256(format_json(self.members()))


@dataclass(frozen=True, slots=True)
class Trail:
    """A hash trail with at least one event."""

    kit_id: str
    events: tuple[Event, ...]

    def head(self) -> Hash:
        """The hash of the last event."""
        return self.events[-1].hash()

    def format(self) -> bytes:
        """The canonical bytes of the document."""
        events: list[Json] = [event.members() for event in self.events]
        return format_json({"schema": "attestlayer/hash-trail/1", "kit_id": self.kit_id, "events": events})


def chain_events(kit_id: str, events: Iterable[tuple[int, EventType, Members]]) -> Trail:
    """A trail from (at, type, data), numbered and chained; `at` never falls behind the event before."""
    chained: list[Event] = []
    for at, kind, data in events:
        last = chained[-1] if chained else None
        earliest = last.at if last else at
        chained.append(Event(len(chained), max(at, earliest), kind, data, last.hash() if last else None))
    return Trail(kit_id, tuple(chained))


def submitted(sha: Hash, size: int) -> Members:
    """The data of a `record.submitted` event: hash and size of an uploaded record."""
    return {"sha256": format_hash(sha), "size": size}


def accepted(file: ManifestFile) -> Members:
    """The data of a `record.accepted` event: path, hash and size of a record in the kit."""
    return {"path": file.path, "sha256": format_hash(file.sha256), "size": file.size}


def evaluated(intake_policy_hash: Hash, report_hash: Hash) -> Members:
    """The data of an `intake.evaluated` event: hashes of policy and report."""
    return {"intake_policy_hash": format_hash(intake_policy_hash), "report_sha256": format_hash(report_hash)}


def rendered(binder_hash: Hash) -> Members:
    """The data of a `binder.rendered` event: the binder's hash."""
    return {"sha256": format_hash(binder_hash)}


def sealed(manifest_hash: Hash, manifest_root: Hash) -> Members:
    """The data of a `manifest.sealed` event: the manifest's hash and Merkle root."""
    return {"manifest_sha256": format_hash(manifest_hash), "manifest_root": format_hash(manifest_root)}


def parse_trail(data: bytes) -> Trail:
    """A hash trail, chain unchecked. Raises `FormatError` (trail-malformed), `CouldNotCheckError`."""
    with malformed(Reason.TRAIL_MALFORMED, HASH_TRAIL):
        members = take_document(parse_json(data), "hash-trail", ("kit_id", "events"))
        events = tuple(_take_event(item) for item in take_array(members, "events"))
        if not events:
            raise ValueError("events: there is none")
        return Trail(take_value(members, "kit_id", parse_kit_id), events)


_HASHES_OF: dict[EventType, tuple[str, ...]] = {
    EventType.PACKET_OPENED: (),
    EventType.RECORD_SUBMITTED: ("sha256",),
    EventType.INTAKE_EVALUATED: ("intake_policy_hash", "report_sha256"),
    EventType.RECORD_ACCEPTED: ("sha256",),
    EventType.BINDER_RENDERED: ("sha256",),
    EventType.MANIFEST_SEALED: ("manifest_sha256", "manifest_root"),
}
_OTHERS_OF: dict[EventType, dict[str, Callable[[Members, str], object]]] = {
    EventType.RECORD_SUBMITTED: {"size": take_integer},
    EventType.RECORD_ACCEPTED: {"size": take_integer, "path": take_string},
}


def _take_event(value: Json) -> Event:
    members = take_object(value, ("n", "at", "type", "data", "prev"))
    kind = take_word(members, "type", EventType)
    others = _OTHERS_OF.get(kind, {})
    data = take_object(members["data"], (*_HASHES_OF[kind], *others))
    for name in _HASHES_OF[kind]:
        take_hash(data, name)
    for name, take in others.items():
        take(data, name)
    return Event(
        n=take_integer(members, "n"),
        at=take_time(members, "at"),
        type=kind,
        data=data,
        prev=take_optional(members, "prev", parse_hash),
    )
