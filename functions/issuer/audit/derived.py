"""Audit of what follows from the rounds: the promise behind `/v1/stats`, and how far tiles are collected."""

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
from issuer.audit.findings import Examiner, PrivateReason
from issuer.audit.head import Moment
from issuer.audit.rounds import Chain
from issuer.errors import LogHaltedError
from issuer.log.collected import COLLECTED, RETENTION_S, parse_collected
from issuer.log.promise import Promise, promise_after
from issuer.log.state import HEAD

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
            with suppress(VerificationError, ValueError):  # of entries: the registry's audit names them
                self._check_promise()
            self._check_collected()

    def _check_promise(self) -> None:
        """The promise in head, which is of the round before."""
        head = self.moment.head
        if head is None:
            return
        made = self._promise(head.sequence - 1)
        if made != head.promise:
            found, wanted = (format_json(each and each.members()) for each in (head.promise, made))
            self.examiner.find(HEAD, PrivateReason.HEAD_MISMATCH, f"promise: {difference(found, wanted)}")

    def _promise(self, last: int) -> Promise | None:
        """How the promise was kept up to round `last`. None for the round before the first one."""
        if last < 0:
            return None
        first = next(n for n in range(last + 1) if self.chain.times[n] >= self.chain.times[last] - _WINDOW_S)
        promise: Promise | None = None
        bundles = _Bundles(self.examiner, self.moment.latest.head.size)
        for sequence in range(max(0, first - 1), last + 1):
            before, after = self.chain.sizes[sequence - 1] if sequence else 0, self.chain.sizes[sequence]
            leaves = bundles.leaves(before, after)
            oldest = min((leaf.issued_at for leaf in leaves), default=None)
            promise = promise_after(promise, oldest, self._checkpoint(sequence))
        return promise

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
            self.examiner.find(COLLECTED, PrivateReason.MALFORMED, error)
            return
        times, sizes = self.chain.times, self.chain.sizes
        settled = self.moment.latest.timestamp - RETENTION_S
        if found.sequence >= len(times) or times[found.sequence] > settled:
            at = format_time(settled)
            self.examiner.find(
                COLLECTED, PrivateReason.BYTES_DIFFER, f"checkpoint {found.sequence} is not before {at}"
            )
            return
        size = sizes[found.sequence]
        pending = sorted({each for each in sizes[: found.sequence + 1] if each // WIDTH == size // WIDTH})
        wanted = (size, tuple(each for each in pending if each % WIDTH))
        if (found.size, found.pending) != wanted:
            detail = f"found {(found.size, found.pending)}, checkpoints up to {found.sequence} make {wanted}"
            self.examiner.find(COLLECTED, PrivateReason.BYTES_DIFFER, detail)


@dataclass
class _Bundles:
    """Reads leaves by their places; each bundle once, if they are asked for in order."""

    examiner: Examiner
    size: int
    _number: int = -1
    _held: tuple[Leaf, ...] = ()

    def leaves(self, first: int, end: int) -> list[Leaf]:
        """The leaves from place `first` up to `end`. Raises `VerificationError`, `ValueError`."""
        found: list[Leaf] = []
        while first < end:
            number = first // WIDTH
            if number != self._number:
                self._hold(number)
            part = self._held[first - number * WIDTH : end - number * WIDTH]
            found += part
            first += len(part)
        return found

    def _hold(self, number: int) -> None:
        tile = tile_at(0, number, self.size)
        entries = parse_bundle(self.examiner.public.read(tile.bundle_path) or b"", tile.width)
        self._held, self._number = tuple(parse_entry(entry) for entry in entries), number
