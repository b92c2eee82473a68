"""The progress of an audit: the document `attestlayer/audit-state/1` (decision page 0007).

It records what was checked, with the findings, and it is trusted: whoever can write it can hide a finding.
Its digest detects accidents, not attacks. Findings about views and strays are left out, since every run
checks those again. The number of the schema grows whenever the audit checks more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from attestlayer.audit.findings import AuditFinding, AuditReason
from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
    take_members,
    take_object,
    take_optional,
    take_string,
    take_time,
    take_word,
)
from attestlayer.encoding import Hash, format_hash, format_time, parse_hash, sha256, shown
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.tiles import WIDTH, level_width

MAX_STATE = 256 * 1024 * 1024
"""Bytes of the longest state: a million findings."""

MAX_STRETCHES = 64
"""Stretches of the chain in one state: a run that ends before it met the one before adds its own."""

_MEMBERS = (
    "registry",
    "trust",
    "checkpoint",
    "chain",
    "tree",
    "proofs",
    "finished",
    "findings",
    "objects",
    "bytes",
    "digest",
)
_TREE = ("before", "leaves", "windows", "records", "receipts", "delays", "all_read", "note")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Checkpoints that were checked: from the one with this hash down to sequence `low`."""

    sequence: int
    hash: Hash
    low: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the tree an audit is: everything of its first `leaves` leaves was checked.

    `before`: leaves under full tiles of level 0. `windows`: the hashes of the partial tiles of a tree of
    that size, from level 1 up. The rest is what the audit of leaves has gathered on the way.
    """

    before: int = 0
    leaves: int = 0
    windows: tuple[tuple[Hash, ...], ...] = ()
    records: int = 0
    receipts: int = 0
    delays: tuple[tuple[int, int], ...] = ()
    all_read: bool = True
    note: tuple[Hash, str] | None = None


@dataclass(frozen=True, slots=True)
class AuditState:
    """An audit of `registry`, a place as it was given, with a trust root of fingerprint `trust` or none.

    `checkpoint`: the newest one when this was written. `chain`: newest stretch first. `proofs`: the tree
    size up to which consistency proofs were checked. `findings`: of checkpoints, tree, leaves and proofs.
    """

    registry: str
    trust: Hash | None
    checkpoint: Checkpoint
    chain: tuple[Stretch, ...] = ()
    position: Position = field(default_factory=Position)
    proofs: int = 0
    findings: tuple[AuditFinding, ...] = ()
    objects: int = 0
    length: int = 0

    @property
    def finished(self) -> bool:
        """Whether everything that the checkpoint commits to was checked."""
        whole = [(each.sequence, each.low) for each in self.chain] == [(self.checkpoint.sequence, 0)]
        return whole and self.position.leaves == self.proofs == self.checkpoint.head.size

    def format(self) -> bytes:
        """The canonical bytes of the document, with its digest."""
        members = self._members()
        return format_json({**members, "digest": format_hash(sha256(format_json(members)))})

    def _members(self) -> Members:
        chain: list[Json] = [
            {"sequence": each.sequence, "hash": format_hash(each.hash), "low": each.low}
            for each in self.chain
        ]
        findings: list[Json] = [
            {"object": each.object, "reason": each.reason.value, "detail": each.detail}
            for each in self.findings
        ]
        return {
            "schema": "attestlayer/audit-state/1",
            "registry": self.registry,
            "trust": None if self.trust is None else format_hash(self.trust),
            "checkpoint": self.checkpoint.members(),
            "chain": chain,
            "tree": _position_members(self.position),
            "proofs": self.proofs,
            "finished": int(self.finished),
            "findings": findings,
            "objects": self.objects,
            "bytes": self.length,
        }


def parse_state(data: bytes) -> AuditState:
    """A state. Raises `ValueError`, `CouldNotCheckError` (schema-newer)."""
    members = take_document(parse_json(data, MAX_STATE), "audit-state", _MEMBERS)
    state = AuditState(
        registry=take_string(members, "registry"),
        trust=take_optional(members, "trust", parse_hash),
        checkpoint=take_checkpoint(members["checkpoint"]),
        chain=tuple(_take_stretch(item) for item in take_array(members, "chain")),
        position=_take_position(take_object(members["tree"], _TREE)),
        proofs=take_integer(members, "proofs"),
        findings=tuple(_take_finding(item) for item in take_array(members, "findings")),
        objects=take_integer(members, "objects"),
        length=take_integer(members, "bytes"),
    )
    _check_bounds(state)
    # Format again and compare: `finished` and the digest are derived, so that no other check of them is
    # needed.
    if state.format() != data:  # the digest, `finished`
        raise ValueError("its digest is not that of its members: it was damaged, or changed by hand")
    return state


def _check_bounds(state: AuditState) -> None:
    position, size = state.position, state.checkpoint.head.size
    if not position.before <= position.leaves <= size or state.proofs > size:
        raise ValueError(f"more was checked than the {size} leaves of its checkpoint")
    if position.leaves - position.before >= WIDTH or position.before % WIDTH:
        raise ValueError(f"before: {position.before} is not where the last full tile ends")
    widths = [level_width(position.before, level) % WIDTH for level in range(1, 1 + len(position.windows))]
    if [len(window) for window in position.windows] != widths:
        raise ValueError(f"windows: not those of a tree of size {position.before}")
    if level_width(position.before, 1 + len(position.windows)):
        raise ValueError(f"windows: too few for a tree of size {position.before}")
    ends = [end for each in state.chain for end in (each.sequence, each.low)]
    falls = all(one >= other for one, other in pairwise(ends))
    if not falls or len(state.chain) > MAX_STRETCHES or (ends and ends[0] > state.checkpoint.sequence):
        raise ValueError("chain: its stretches are not in order, or too many")


def _position_members(position: Position) -> Members:
    windows: list[Json] = [[format_hash(value) for value in window] for window in position.windows]
    delays: list[Json] = [{"hour": format_time(hour), "seconds": delay} for hour, delay in position.delays]
    note = position.note
    return {
        "before": position.before,
        "leaves": position.leaves,
        "windows": windows,
        "records": position.records,
        "receipts": position.receipts,
        "delays": delays,
        "all_read": int(position.all_read),
        "note": None if note is None else {"checkpoint": format_hash(note[0]), "text": note[1]},
    }


def _take_position(members: Members) -> Position:
    note = None if members["note"] is None else take_object(members["note"], ("checkpoint", "text"))
    delays = [take_object(item, ("hour", "seconds")) for item in take_array(members, "delays")]
    return Position(
        before=take_integer(members, "before"),
        leaves=take_integer(members, "leaves"),
        windows=tuple(tuple(_hashes(item)) for item in take_array(members, "windows")),
        records=take_integer(members, "records"),
        receipts=take_integer(members, "receipts"),
        delays=tuple((take_time(each, "hour"), take_integer(each, "seconds")) for each in delays),
        all_read=bool(take_integer(members, "all_read", 1)),
        note=None if note is None else (take_hash(note, "checkpoint"), take_string(note, "text")),
    )


def _hashes(value: Json) -> Iterable[Hash]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"windows: found {shown(value)}, wanted an array of hashes")
    return (parse_hash(str(item)) for item in value)


def _take_stretch(value: Json) -> Stretch:
    members = take_object(value, ("sequence", "hash", "low"))
    return Stretch(
        take_integer(members, "sequence"), take_hash(members, "hash"), take_integer(members, "low")
    )


def _take_finding(value: Json) -> AuditFinding:
    members = take_object(take_members(value), ("object", "reason", "detail"))
    reason = take_word(members, "reason", AuditReason)
    return AuditFinding(take_string(members, "object"), reason, take_string(members, "detail"))
