"""Audit of what follows from the rounds: the promises behind `/v1/stats`, and how far tiles are collected."""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.checkpoint import Checkpoint
from attestlayer.encoding import Hash, format_time
from attestlayer.errors import VerificationError
from attestlayer.leaf import Leaf, parse_entry
from attestlayer.merkle import TreeHead
from attestlayer.tiles import WIDTH, parse_bundle, tile_at
from issuer.audit.findings import Examiner, Word
from issuer.audit.head import Moment
from issuer.audit.rounds import Chain
from issuer.errors import LogHaltedError
from issuer.log.collected import COLLECTED, RETENTION_S, parse_collected
from issuer.log.promise import Promise, parse_promise, promise_after, promise_name

_WINDOW_S = 26 * 3600
"""More than a promise looks back on: 24 hours and the one that is not over."""


@dataclass(frozen=True)
class DerivedAudit:
    """Makes them anew, from the chain and the public entries, and compares."""

    examiner: Examiner
    moment: Moment
    chain: Chain

    def run(self) -> None:
        """Check both, if no round had to be left out."""
        if self.chain.whole:
            self._check_promises()
            self._check_collected()

    def _check_promises(self) -> None:
        """The promise of the newest public round, and the one before if it is kept."""
        last = self.moment.latest.sequence
        for promise in self._promises(last):
            name = promise_name(promise.sequence)
            if promise.sequence < last - 1 or (
                promise.sequence < last and not self.examiner.private.exists(name)
            ):
                continue
            data = self.examiner.need(name)
            if data is None:
                continue
            try:
                parse_promise(data, name)
            except LogHaltedError as error:
                self.examiner.find(name, Word.MALFORMED, error)
            else:
                self.examiner.compare(name, data, promise.format())

    def _promises(self, last: int) -> Iterator[Promise]:
        first = next(n for n in range(last + 1) if self.chain.times[n] >= self.chain.times[last] - _WINDOW_S)
        promise: Promise | None = None
        bundles = _Bundles(self.examiner, self.moment.latest.head.size)
        for sequence in range(max(0, first - 1), last + 1):
            before = self.chain.sizes[sequence - 1] if sequence else 0
            leaves = bundles.leaves(before, self.chain.sizes[sequence])
            if leaves is None:
                return  # the registry's audit says what is wrong with the entries
            promise = promise_after(promise, leaves, self._checkpoint(sequence))
            yield promise

    def _checkpoint(self, sequence: int) -> Checkpoint:
        """A checkpoint as far as a promise looks at it."""
        empty = Hash(bytes(32))
        head = TreeHead(self.chain.sizes[sequence], empty)
        log = self.examiner.ports.log
        return Checkpoint(log.origin, sequence, head, self.chain.times[sequence], None, empty, "")

    def _check_collected(self) -> None:
        if not self.examiner.private.exists(COLLECTED):
            return  # nothing was collected yet
        data = self.examiner.need(COLLECTED)
        if data is None:
            return
        try:
            found = parse_collected(data)
        except LogHaltedError as error:
            self.examiner.find(COLLECTED, Word.MALFORMED, error)
            return
        times, sizes = self.chain.times, self.chain.sizes
        settled = self.moment.latest.timestamp - RETENTION_S
        if found.sequence >= len(times) or times[found.sequence] > settled:
            at = format_time(settled)
            self.examiner.find(
                COLLECTED, Word.BYTES_DIFFER, f"checkpoint {found.sequence} is not before {at}"
            )
            return
        size = sizes[found.sequence]
        pending = sorted({each for each in sizes[: found.sequence + 1] if each // WIDTH == size // WIDTH})
        wanted = (size, tuple(each for each in pending if each % WIDTH))
        if (found.size, found.pending) != wanted:
            detail = f"found {(found.size, found.pending)}, checkpoints up to {found.sequence} make {wanted}"
            self.examiner.find(COLLECTED, Word.BYTES_DIFFER, detail)


@dataclass
class _Bundles:
    """Reads leaves by their places; each bundle once, if they are asked for in order."""

    examiner: Examiner
    size: int
    _number: int = -1
    _held: tuple[Leaf, ...] = ()

    def leaves(self, first: int, end: int) -> list[Leaf] | None:
        """The leaves from place `first` up to `end`, or None if they can't be read."""
        found: list[Leaf] = []
        while first < end:
            number = first // WIDTH
            if number != self._number and not self._hold(number):
                return None
            part = self._held[first - number * WIDTH : end - number * WIDTH]
            found += part
            first += len(part)
        return found

    def _hold(self, number: int) -> bool:
        tile = tile_at(0, number, self.size)
        try:
            entries = parse_bundle(self.examiner.public.read(tile.bundle_path) or b"", tile.width)
            self._held, self._number = tuple(parse_entry(entry) for entry in entries), number
        except (ValueError, VerificationError):
            return False
        return True
