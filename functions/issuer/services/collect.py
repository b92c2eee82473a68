"""Deletes partial tiles and entry bundles that nobody needs any more (C2SP tlog-tiles, "Partial Tiles").

The chain of signed checkpoints alone decides which may go: no clock, no file times, no listing of the store.
The time is that of the newest public checkpoint. A checkpoint is *settled* if a later one had already taken
its place as the newest a day before that time. A tile that is full in the tree of a settled checkpoint loses
its partial forms: every checkpoint that was the newest at any moment of that day has a tree in which it is
full, and a client that still asks for a partial form takes the full tile instead (REG-1.0 section 10.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.tiles import WIDTH, Tile, level_width
from issuer.errors import LogHaltedError, StaleTagError
from issuer.log import face
from issuer.log.collected import COLLECTED, RETENTION_S, CollectionProgress, parse_collected
from issuer.log.state import parse_signed, signed_name
from issuer.ports import ObjectStore, Tagged

_MARGIN = 2
"""Newest checkpoints of those a day old that are not settled yet. Checkpoint n stays the newest until n + 1
is public. That may be long after the timestamp of n + 1, if storage failed after its signature, but it is
certain once n + 2 exists."""

_AT_ONCE = 10_000
"""Checkpoints that one run reads at most: a week of them, at one a minute."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Result of a run: checkpoint up to which tiles are collected, objects deleted, whether more is due."""

    sequence: int
    deleted: int
    more: bool


@dataclass(frozen=True)
class Collector:
    """Deletes partial tiles.

    Any number may run at once; the next run repeats what a killed one did not note.
    """

    public: ObjectStore
    private: ObjectStore
    at_once: int = _AT_ONCE

    def run(self) -> Collection:
        """Continue where the last run stopped. Reads about `at_once` checkpoints at most.

        Raises `LogHaltedError` if a checkpoint is missing or damaged, or a full tile is missing: then the
        partial tile may be the only copy of its hashes, and it stays.
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
        # Noted after the deletions: a run killed in between is repeated, and deleting twice is harmless.
        # Noted first, the partial tiles would stay for good, since nothing lists the store.
        if settled:
            try:
                self.private.replace(COLLECTED, done.format(), stored.tag if stored else None)
            except StaleTagError:
                more = True  # a run at the same time noted its own progress, and that stands
        return Collection(done.sequence, deleted, more)

    def _where_it_stopped(self, stored: Tagged | None) -> CollectionProgress:
        """The progress that the last run noted.

        Raises `LogHaltedError` if it is damaged or of another log.
        """
        if stored is None:
            return CollectionProgress()
        done = parse_collected(stored.data)
        if self._checkpoint(done.sequence).head.size != done.size:
            raise LogHaltedError(f"{COLLECTED} is of another log. It may be deleted: collecting starts anew")
        return done

    def _settled(self, first: int, latest: Checkpoint) -> tuple[list[Checkpoint], bool]:
        """Settled checkpoints from `first` on, as many as a run handles, and whether there may be more."""
        old: list[Checkpoint] = []  # at least a day, of which the last `_MARGIN` are not settled
        for sequence in range(first, latest.sequence + 1):
            if len(old) == self.at_once + _MARGIN:
                return old[:-_MARGIN], True
            checkpoint = self._checkpoint(sequence)
            if checkpoint.timestamp > latest.timestamp - RETENTION_S:
                break
            old.append(checkpoint)
        return old[:-_MARGIN], False

    def _checkpoint(self, sequence: int) -> Checkpoint:
        name = signed_name(sequence)
        data = self.private.read(name)
        if data is None:
            raise LogHaltedError(f"{name} is missing")
        checkpoint = parse_signed(data, name).checkpoint
        if checkpoint.sequence != sequence:
            raise LogHaltedError(f"{name} is of checkpoint {checkpoint.sequence}")
        return checkpoint

    def _superseded(self, done: CollectionProgress, size: int) -> Iterator[str]:
        """Names to delete now that the tree of `size` is settled.

        Raises `LogHaltedError` without a full tile.
        """
        level = 0
        while before := level_width(size, level) // WIDTH:
            # Only tiles that became full since the last settled size.
            for index in range(level_width(done.size, level) // WIDTH, before):
                full = Tile(level, index)
                widths = _widths(done, full)
                for name in (full.path, full.bundle_path) if level == 0 else (full.path,):
                    # Publishing stored it long ago, but a restored backup may lack it: look before deleting.
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


def _widths(done: CollectionProgress, full: Tile) -> list[int]:
    """The widths in which a tile may have been published before it was full.

    At level 0 these follow from the checkpoints' sizes. Higher tiles span 65,536 leaves or more and get
    full so rarely that deleting every possible width is cheaper than keeping track.
    """
    if full.level:
        return list(range(1, WIDTH))
    return [size % WIDTH for size in done.pending if size // WIDTH == full.index]
