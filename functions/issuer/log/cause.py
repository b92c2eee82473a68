"""Why leaves came late: an outage, or witnesses that made no quorum. Who says it first, says it for all.

`cause/<sequence>` is a private create-only object. Whoever does not get a quorum for a round stores it; else
it is stored when leaves turn out late. It is never deleted: a publisher that wakes up long after must say
the same.
"""

from contextlib import suppress

from attestlayer.canonical import format_json, parse_json, take_document, take_integer, take_string
from attestlayer.log.notices import IncidentReason
from issuer.errors import ObjectConflictError, StoreError
from issuer.log.state import undamaged
from issuer.ports import ObjectStore

CAUSES = "cause/"
_REASONS = frozenset({IncidentReason.OUTAGE, IncidentReason.WITNESSES_UNAVAILABLE})


def cause_name(sequence: int) -> str:
    """The private object that says what held round `sequence` up."""
    return f"{CAUSES}{sequence}"


def settle_cause(private: ObjectStore, sequence: int, reason: IncidentReason) -> IncidentReason:
    """Say what held the round up, unless somebody has: what was said first. Raises `LogHaltedError`."""
    name = cause_name(sequence)
    document = {"schema": "attestlayer/cause/1", "sequence": sequence, "reason": reason.value}
    with suppress(ObjectConflictError):
        private.create(name, format_json(document))
    data = private.read(name)
    if data is None:
        raise StoreError(f"{name} was stored and is not there")
    return parse_cause(data, name)


def parse_cause(data: bytes, name: str) -> IncidentReason:
    """The cause stored as `name`. Raises `LogHaltedError` if it is damaged."""
    with undamaged(name):
        members = take_document(parse_json(data), "cause", ("sequence", "reason"))
        reason = IncidentReason(take_string(members, "reason"))
        if cause_name(take_integer(members, "sequence")) != name or reason not in _REASONS:
            raise ValueError("it is of another round, or says what nobody says here")
        return reason
