"""The cause of late leaves: an outage, or witnesses that made no quorum. The first statement stored is final.

`cause/<sequence>` is a create-only private object. It is stored by the publisher that misses the quorum of a
round, or else by the first one that sees late leaves in it. It is never deleted: a publisher that wakes up
much later must state the same cause.
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
    """The private object that holds the cause of round `sequence`: `cause/<sequence>`."""
    return f"{CAUSES}{sequence}"


def settle_cause(private: ObjectStore, sequence: int, reason: IncidentReason) -> IncidentReason:
    """Store `reason` as the round's cause unless it has one, and return the stored cause.

    Raises `LogHaltedError` if the stored object is damaged, `StoreError` if it can't be read back.
    """
    name = cause_name(sequence)
    document = {"schema": "attestlayer/cause/1", "sequence": sequence, "reason": reason.value}
    # All publishers of a round must queue the same late-merge notice, or one leaf would have two incidents.
    # So a conflict is no error, and even the writer of the object takes its answer from the store.
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
        reason = IncidentReason(take_string(members, "reason"))  # REG-1.0 appendix A.6
        if cause_name(take_integer(members, "sequence")) != name or reason not in _REASONS:
            raise ValueError("it is of another round, or says what nobody says here")
        return reason
