"""The promise: a checkpoint each cadence, each leaf in one by its `merge_by`. How well it was kept of late.

It is a pure function of the one before, a round's leaves and its checkpoint, and stands in the next round's
head, so that all publishers of a round write the same `/v1/stats` (decision page "Stats").
"""

from dataclasses import dataclass

from attestlayer.canonical import Json, Members, take_array, take_integer, take_object, take_time
from attestlayer.encoding import format_hash, format_time
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from issuer.ledger.ledger import Ledger
from issuer.model import CreditEntry, CreditKind, WaitingLeaf
from issuer.ports import ObjectStore

DEBIT = "consume-"
_HOUR_S = 3600
_HOURS = 24
"""Whole hours looked back on, beside the one that is not over."""

_LOOKED_AT = 10_000
"""Leaves not noted as merged that are looked at: those of the newest round, 4,096 at most, are not yet."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest value, in seconds, of each hour that has one: (start of the hour, seconds), in order.

    At most 25 of them, however short the cadence: 24 hours and the one that is not over.
    """

    hours: tuple[tuple[int, int], ...] = ()

    def since(self, now: int) -> "Peaks":
        """Without what is older than the hour that began 24 hours before the one of `now`."""
        first = _hour(now) - _HOURS * _HOUR_S
        return Peaks(tuple(peak for peak in self.hours if peak[0] >= first))

    def noted(self, at: int, seconds: int) -> "Peaks":
        """With one more value, of time `at`, which is not before the hours that stand here."""
        hours = dict(self.since(at).hours)
        hours[_hour(at)] = max(seconds, hours.get(_hour(at), 0))
        return Peaks(tuple(hours.items()))

    def highest(self) -> int | None:
        """The highest of all, or None if there is none."""
        return max((seconds for _, seconds in self.hours), default=None)

    def members(self) -> list[Json]:
        """As an array of `{hour, seconds}`."""
        return [{"hour": format_time(hour), "seconds": seconds} for hour, seconds in self.hours]


@dataclass(frozen=True, slots=True)
class Promise:
    """How the promise was kept up to checkpoint `sequence` of time `timestamp`.

    `gaps`: seconds from one checkpoint to the next, noted at the later one. `delays`: seconds from a
    leaf's `issued_at` to the checkpoint that brought it in, noted at that checkpoint.
    """

    sequence: int
    timestamp: int
    gaps: Peaks = Peaks()
    delays: Peaks = Peaks()

    def members(self) -> Members:
        """As an object."""
        return {
            "sequence": self.sequence,
            "timestamp": format_time(self.timestamp),
            "gaps": self.gaps.members(),
            "delays": self.delays.members(),
        }


def promise_after(before: Promise | None, oldest: int | None, checkpoint: Checkpoint) -> Promise:
    """The promise with one more checkpoint. None before it: nothing is known.

    `oldest`: `issued_at` of the oldest leaf that it brought in, or None.
    """
    at = checkpoint.timestamp
    gaps = before.gaps.noted(at, at - before.timestamp) if before else Peaks()
    delays = before.delays.since(at) if before else Peaks()
    if oldest is not None:
        delays = delays.noted(at, max(0, at - oldest))
    return Promise(checkpoint.sequence, at, gaps, delays)


def take_promise(value: Json) -> Promise:
    """A promise from its object. Raises `ValueError`."""
    members = take_object(value, ("sequence", "timestamp", "gaps", "delays"))
    return Promise(
        take_integer(members, "sequence"),
        take_time(members, "timestamp"),
        _take_peaks(take_array(members, "gaps")),
        _take_peaks(take_array(members, "delays")),
    )


def oldest_waiting(ledger: Ledger, public: ObjectStore, now: int) -> WaitingLeaf | None:
    """The oldest accepted leaf that is in no round yet, or None. Its age is measured against `merge_by`."""
    for waiting in ledger.unmerged_leaves(now, _LOOKED_AT):
        if not public.exists(layout.inclusion_path(waiting.leaf_hash)):
            return waiting
    return None


def debit_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that paid for a leaf; issuing posts it."""
    return f"{DEBIT}{format_hash(leaf_hash)}"


def return_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that gives a late leaf's credit back."""
    return f"return-{format_hash(leaf_hash)}"


def returned(paid: CreditEntry | WaitingLeaf, leaf_hash: bytes, at: int) -> CreditEntry:
    """The line that gives a late leaf's credit back to the account that paid, at the time `at`.

    `paid`: the debit; or the waiting leaf if there is none, which breaks an invariant that `issuer
    reconcile` names: the promise to the partner is kept all the same.
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
