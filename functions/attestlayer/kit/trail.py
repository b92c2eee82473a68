"""The hash trail: what happened to a packet, each event bound to the one before (REG-1.0 section 7)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from attestlayer.canonical import (
    Json,
    Members,
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
)
from attestlayer.encoding import Hash, format_hash, format_time, parse_hash, parse_kit_id, sha256
from attestlayer.errors import Reason, malformed
from attestlayer.kit.manifest import HASH_TRAIL, ManifestFile


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
        """The event's members."""
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
        """The file's bytes."""
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
    """The data of `record.submitted`."""
    return {"sha256": format_hash(sha), "size": size}


def accepted(file: ManifestFile) -> Members:
    """The data of `record.accepted`."""
    return {"path": file.path, "sha256": format_hash(file.sha256), "size": file.size}


def evaluated(policy_hash: Hash, report_hash: Hash) -> Members:
    """The data of `intake.evaluated`."""
    return {"intake_policy_hash": format_hash(policy_hash), "report_sha256": format_hash(report_hash)}


def rendered(binder_hash: Hash) -> Members:
    """The data of `binder.rendered`."""
    return {"sha256": format_hash(binder_hash)}


def sealed(manifest_hash: Hash, manifest_root: Hash) -> Members:
    """The data of `manifest.sealed`."""
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
    kind = take_value(members, "type", EventType)
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
