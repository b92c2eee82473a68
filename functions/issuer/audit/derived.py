"""Audit of state derived from rounds: the promise's record for `/v1/stats`, progress of collection."""

from contextlib import suppress
from dataclasses import dataclass

from attestlayer.audit.findings import difference
from attestlayer.canonical import format_json
from attestlayer.encoding import Hash, format_time
from attestlayer.errors import VerificationError
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.merkle import TreeHead
from attestlayer.log.tiles import WIDTH, parse_bundle, tile_at
from issuer.audit.findings import Inspection, PrivateReason
from issuer.audit.head import Moment
from issuer.audit.rounds import RoundHistory
from issuer.errors import LogHaltedError
from issuer.log.collected import COLLECTED, RETENTION_S, parse_collected
from issuer.log.promise import Promise, promise_after
from issuer.log.state import HEAD

_WINDOW_S = 26 * 3600
"""Seconds to recompute: more than the 24 whole hours and the current one that the record covers."""


@dataclass(frozen=True)
class DerivedAudit:
    """Computes both again from the rounds and the public entries, and compares them with the stored ones."""

    inspection: Inspection
    moment: Moment
    history: RoundHistory

    def run(self) -> None:
        """Check both, unless a round is missing in the history: then nothing can be computed."""
        if self.history.whole:
            with suppress(VerificationError, ValueError):  # damaged entries: the core's audit reports them
                self._check_promise()
            self._check_collected()

    def _check_promise(self) -> None:
        """Compare the record in head, which covers the rounds before head's."""
        head = self.moment.head
        if head is None:
            return
        promise = self._promise(head.sequence - 1)
        if promise != head.promise:
            found, wanted = (format_json(each and each.members()) for each in (head.promise, promise))
            self.inspection.find(HEAD, PrivateReason.HEAD_MISMATCH, f"promise: {difference(found, wanted)}")

    def _promise(self, last: int) -> Promise | None:
        """The record up to round `last`, computed again. None for −1: genesis has no round before it."""
        if last < 0:
            return None
        # Older rounds leave no trace in the record, so computing can start inside the history. One round
        # more, as the first gap of the window begins there.
        times, sizes = self.history.times, self.history.sizes
        first = next(n for n in range(last + 1) if times[n] >= times[last] - _WINDOW_S)
        promise: Promise | None = None
        bundles = _Bundles(self.inspection, self.moment.latest.head.size)
        for sequence in range(max(0, first - 1), last + 1):
            before, after = sizes[sequence - 1] if sequence else 0, sizes[sequence]
            leaves = bundles.leaves(before, after)
            oldest = min((leaf.issued_at for leaf in leaves), default=None)
            promise = promise_after(promise, oldest, self._checkpoint(sequence))
        return promise

    def _checkpoint(self, sequence: int) -> Checkpoint:
        """A checkpoint with the members that the record depends on; the others are empty."""
        empty = Hash(bytes(32))
        head = TreeHead(self.history.sizes[sequence], empty)
        log = self.inspection.ports.log
        return Checkpoint(log.origin, sequence, head, self.history.times[sequence], None, empty, "")

    def _check_collected(self) -> None:
        if not self.inspection.private.exists(COLLECTED):
            return  # nothing was collected yet
        data = self.inspection.need(COLLECTED)
        if data is None:
            return
        try:
            progress = parse_collected(data)
        except LogHaltedError as error:
            self.inspection.find(COLLECTED, PrivateReason.MALFORMED, error)
            return
        times, sizes = self.history.times, self.history.sizes
        # Partial tiles of the last day must still be there (REG-1.0 section 10.2).
        settled = self.moment.latest.timestamp - RETENTION_S
        if progress.sequence >= len(times) or times[progress.sequence] > settled:
            at = format_time(settled)
            self.inspection.find(
                COLLECTED, PrivateReason.BYTES_DIFFER, f"checkpoint {progress.sequence} is not before {at}"
            )
            return
        size, last = sizes[progress.sequence], progress.sequence
        pending = sorted({each for each in sizes[: last + 1] if each // WIDTH == size // WIDTH})
        found = (progress.size, progress.pending)
        wanted = (size, tuple(each for each in pending if each % WIDTH))
        if found != wanted:
            detail = f"found {found}, checkpoints up to {last} make {wanted}"
            self.inspection.find(COLLECTED, PrivateReason.BYTES_DIFFER, detail)


@dataclass
class _Bundles:
    """Reads leaves by their indexes. Keeps one bundle, so reading in order fetches each bundle once."""

    inspection: Inspection
    size: int
    _number: int = -1
    _held: tuple[Leaf, ...] = ()

    def leaves(self, first: int, end: int) -> list[Leaf]:
        """The leaves from index `first` up to, not including, `end`.

        Raises `VerificationError`, `ValueError`.
        """
        leaves: list[Leaf] = []
        while first < end:
            number = first // WIDTH
            if number != self._number:
                self._hold(number)
            part = self._held[first - number * WIDTH : end - number * WIDTH]
            leaves += part
            first += len(part)
        return leaves

    def _hold(self, number: int) -> None:
        tile = tile_at(0, number, self.size)
        entries = parse_bundle(self.inspection.public.read(tile.bundle_path) or b"", tile.width)
        self._held, self._number = tuple(parse_entry(entry) for entry in entries), number
