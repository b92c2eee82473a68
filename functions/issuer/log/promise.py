"""The promise, a checkpoint each cadence and each leaf in one by its `merge_by`, and how well it was kept.

The record of a round is a pure function of the previous record, the round's leaves and its checkpoint. It is
stored in the head of the next round, so that all publishers write the same `/v1/stats` (REG-1.0 section 10.4,
decision page "Stats").
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attestlayer.canonical import Json, Members, take_array, take_integer, take_object, take_time
from attestlayer.encoding import format_hash, format_time
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from issuer.model import CreditEntry, CreditKind, WaitingLeaf
from issuer.ports import ObjectStore

if TYPE_CHECKING:  # its rows load pydantic, which the prover does not need
    from issuer.ledger.ledger import Ledger

DEBIT = "consume-"
_HOUR_S = 3600
_HOURS = 24
"""Whole hours that the statistics cover, in addition to the current one."""

_LOOKED_AT = 10_000
"""Unmerged leaves to examine. Up to 4,096 of them, those of the newest round, may be public already."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest value of each hour that has one: (start of the hour, seconds), ascending.

    At most 25 of them, however short the cadence: 24 whole hours and the current one.
    """

    hours: tuple[tuple[int, int], ...] = ()

    def since(self, now: int) -> "Peaks":
        """The peaks of the hour of `now` and of the 24 hours before it."""
        first = _hour(now) - _HOURS * _HOUR_S
        return Peaks(tuple(peak for peak in self.hours if peak[0] >= first))

    def noted(self, at: int, seconds: int) -> "Peaks":
        """With the value `seconds` at time `at`, which is in the last of these hours or later."""
        hours = dict(self.since(at).hours)
        hours[_hour(at)] = max(seconds, hours.get(_hour(at), 0))
        return Peaks(tuple(hours.items()))

    def highest(self) -> int | None:
        """The highest value in seconds, or None if no hour has one."""
        return max((seconds for _, seconds in self.hours), default=None)

    def members(self) -> list[Json]:
        """As a JSON array of `{hour, seconds}`."""
        return [{"hour": format_time(hour), "seconds": seconds} for hour, seconds in self.hours]


@dataclass(frozen=True, slots=True)
class Promise:
    """How the promise was kept up to checkpoint `sequence`, which has the time `timestamp`.

    `gaps`: seconds from one checkpoint to the next, in the hour of the later one. `delays`: seconds from a
    leaf's `issued_at` to its checkpoint, in the hour of that checkpoint.
    """

    sequence: int
    timestamp: int
    gaps: Peaks = Peaks()
    delays: Peaks = Peaks()

    def members(self) -> Members:
        """As the JSON object that `take_promise` reads."""
        return {
            "sequence": self.sequence,
            "timestamp": format_time(self.timestamp),
            "gaps": self.gaps.members(),
            "delays": self.delays.members(),
        }


def promise_after(before: Promise | None, oldest: int | None, checkpoint: Checkpoint) -> Promise:
    """The record after one more checkpoint. `before`: the record up to the previous one, None at the start.

    `oldest`: `issued_at` of the oldest leaf that the checkpoint merged, None if it merged none.
    """
    at = checkpoint.timestamp
    gaps = before.gaps.noted(at, at - before.timestamp) if before else Peaks()
    delays = before.delays.since(at) if before else Peaks()
    # The oldest leaf of a round waited longest, so it alone decides the hour's peak. A signer's clock may be
    # a little slower than the one that issued: a delay is never negative.
    if oldest is not None:
        delays = delays.noted(at, max(0, at - oldest))
    return Promise(checkpoint.sequence, at, gaps, delays)


def take_promise(value: Json) -> Promise:
    """The record in a JSON object. Raises `ValueError` for wrong members or hours out of order."""
    members = take_object(value, ("sequence", "timestamp", "gaps", "delays"))
    return Promise(
        take_integer(members, "sequence"),
        take_time(members, "timestamp"),
        _take_peaks(take_array(members, "gaps")),
        _take_peaks(take_array(members, "delays")),
    )


def oldest_waiting(ledger: "Ledger", public: ObjectStore, now: int) -> WaitingLeaf | None:
    """The oldest accepted leaf that is not public yet, or None. Alarms compare its age with `merge_by`."""
    # The ledger learns of merged leaves one round late, so each candidate is looked up in the public store.
    for waiting in ledger.unmerged_leaves(now, _LOOKED_AT):
        if not public.exists(layout.inclusion_path(waiting.leaf_hash)):
            return waiting
    return None


def debit_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that pays for a leaf: one leaf can be debited only once."""
    return f"{DEBIT}{format_hash(leaf_hash)}"


def return_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that returns a late leaf's credit: it can be returned only once."""
    return f"return-{format_hash(leaf_hash)}"


def returned(paid: CreditEntry | WaitingLeaf, leaf_hash: bytes, at: int) -> CreditEntry:
    """The ledger line that returns a late leaf's credit, at time `at`, to the account that paid.

    `paid`: the debit. If the ledger has none, a breach that `issuer reconcile` reports, the waiting leaf says
    whose credit it is: the promise to the partner is kept all the same.
    """
    return CreditEntry(
        entry_id=return_id(leaf_hash),
        workspace_id=paid.workspace_id,
        at=at,
        kind=CreditKind.RETURNED,
        amount=1,
        source="consumed",
        target=paid.source if isinstance(paid, CreditEntry) else "available",
        reference=f"late merge of leaf {format_hash(leaf_hash)}",
    )


def _hour(time: int) -> int:
    return time - time % _HOUR_S


def _take_peaks(items: list[Json]) -> Peaks:
    objects = [take_object(item, ("hour", "seconds")) for item in items]
    hours = tuple((take_time(each, "hour"), take_integer(each, "seconds")) for each in objects)
    starts = [hour for hour, _ in hours]
    if starts != sorted(set(starts)) or any(start % _HOUR_S for start in starts) or len(starts) > _HOURS + 1:
        raise ValueError("its hours are not whole, not in order, or too many")
    return Peaks(hours)
