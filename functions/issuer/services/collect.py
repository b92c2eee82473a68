"""Deletes partial tiles and entry bundles that nobody needs any more (C2SP tlog-tiles, "Partial Tiles").

What may go is decided by the chain of signed checkpoints alone: no clock, no file times, no listing.
Time is the newest public checkpoint's. *Settled* is the tree of which every later checkpoint was the
newest one during the last day, or came after. A tile that is full in the settled tree has its partial
forms deleted: no checkpoint that was the newest at any moment of that day has an edge there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.tiles import WIDTH, Tile, level_width
from issuer.errors import LogHaltedError, StaleTagError
from issuer.log import face
from issuer.log.collected import COLLECTED, RETENTION_S, Collected, parse_collected
from issuer.log.state import parse_signed, signed_name
from issuer.ports import ObjectStore, Tagged

_MARGIN = 2
"""Checkpoint n was the newest until n + 1 was public, at the latest when n + 2 was made: storage may have
been away between n's signature, which has its time, and its publication."""

_AT_ONCE = 10_000
"""Checkpoints read in one run: at one a minute, a week of them."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What a run did: the checkpoint up to which all is collected, names deleted, whether there is more."""

    sequence: int
    deleted: int
    more: bool


@dataclass(frozen=True)
class Collector:
    """Collects partial tiles. Any number may run at once; one that dies is done again by the next."""

    public: ObjectStore
    private: ObjectStore
    at_once: int = _AT_ONCE

    def run(self) -> Collection:
        """Go on from where the last run stopped. Reads at most `at_once` checkpoints.

        Raises `LogHaltedError` if a checkpoint or a full tile is missing or damaged: then a partial
        tile may be all there is, and stays.
        """
        latest = face.read_latest(self.public)
        if latest is None:
            raise LogHaltedError("the registry has no checkpoint yet: run `issuer init` first")
        stored = self.private.read_tagged(COLLECTED)
        done = self._where_it_stopped(stored)
        settled, more = self._settled(done.sequence + 1, latest)
        deleted = 0
        for checkpoint in settled:
            for name in self._superseded(done, checkpoint.head.size):
                self.public.delete(name)
                deleted += 1
            done = done.with_size(checkpoint)
        if settled:
            try:
                self.private.replace(COLLECTED, done.format(), stored.tag if stored else None)
            except StaleTagError:
                more = True  # another run was at it as well: what it noted counts
        return Collection(done.sequence, deleted, more)

    def _where_it_stopped(self, stored: Tagged | None) -> Collected:
        if stored is None:
            return Collected()
        done = parse_collected(stored.data)
        if self._checkpoint(done.sequence).head.size != done.size:
            raise LogHaltedError(f"{COLLECTED} is of another log. It may be deleted: collecting starts anew")
        return done

    def _settled(self, first: int, latest: Checkpoint) -> tuple[list[Checkpoint], bool]:
        """Checkpoints from `first` on that are settled, as many as a run takes; whether there may be more."""
        found: list[Checkpoint] = []
        for sequence in range(first, latest.sequence + 1):
            if len(found) == self.at_once + _MARGIN:
                return found[:-_MARGIN], True
            checkpoint = self._checkpoint(sequence)
            if checkpoint.timestamp > latest.timestamp - RETENTION_S:
                break
            found.append(checkpoint)
        return found[:-_MARGIN], False

    def _checkpoint(self, sequence: int) -> Checkpoint:
        name = signed_name(sequence)
        data = self.private.read(name)
        if data is None:
            raise LogHaltedError(f"{name} is missing")
        checkpoint = parse_signed(data, name).checkpoint
        if checkpoint.sequence != sequence:
            raise LogHaltedError(f"{name} is of checkpoint {checkpoint.sequence}")
        return checkpoint

    def _superseded(self, done: Collected, size: int) -> Iterator[str]:
        """Names that may go now that the tree of `size` is settled. What replaces them must be there."""
        level = 0
        while before := level_width(size, level) // WIDTH:
            for index in range(level_width(done.size, level) // WIDTH, before):
                full = Tile(level, index)
                widths = _widths(done, full)
                for name in (full.path, full.bundle_path) if level == 0 else (full.path,):
                    if widths and not self.public.exists(name):
                        raise LogHaltedError(
                            f"{name} is missing from the public store: nothing of it is deleted"
                        )
                for width in widths:
                    partial = Tile(level, index, width)
                    yield partial.path
                    if level == 0:
                        yield partial.bundle_path
            level += 1


def _widths(done: Collected, full: Tile) -> list[int]:
    """The widths in which a tile may have been published before it was full.

    Level 0: those of the checkpoints' sizes. Above, a tile is 65,536 leaves or more: every width.
    """
    if full.level:
        return list(range(1, WIDTH))
    return [size % WIDTH for size in done.pending if size // WIDTH == full.index]
