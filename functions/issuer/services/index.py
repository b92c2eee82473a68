"""Writes the look-up index from public entries, apart from the log's rounds (REG-1.0 section 10.5).

The segments follow from the number of full groups alone, so any number of writers may run at once: they write
the same bytes. Progress is noted in one private object; if it is lost, indexing starts over (decision page
"Look-up index").
"""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.canonical import format_json, parse_json, take_document, take_integer
from attestlayer.errors import VerificationError
from attestlayer.log.leaf import parse_entry
from attestlayer.log.lookup import (
    MAX_GROUPS,
    Segment,
    added_segment,
    merge_shard,
    merged_segments,
    parse_shard,
    records_of,
)
from attestlayer.log.merkle import leaf_hash
from attestlayer.log.tiles import WIDTH, Tile, parse_bundle, parse_tile
from issuer.errors import LogHaltedError, StaleTagError
from issuer.log import face
from issuer.log.state import undamaged
from issuer.ports import ObjectStore

INDEXED = "indexed"
_AT_ONCE = 4096
"""Shards written in one run: 48 MiB. For ten million leaves the largest segment takes eight runs."""

_TOGETHER = 256
"""Shards stored by one call of `create_many`: 3 MiB of memory."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """Result of a run: groups indexed so far, shards written by the run, whether more is to do."""

    groups: int
    written: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Done:
    """Progress: `groups` are indexed; of the segment that adds the next group, `shards` are written."""

    groups: int = 0
    shards: int = 0

    def format(self) -> bytes:
        return format_json({"schema": "attestlayer/indexed/1", "groups": self.groups, "shards": self.shards})


@dataclass(frozen=True)
class Indexer:
    """Brings the index up to the newest public checkpoint."""

    public: ObjectStore
    private: ObjectStore
    at_once: int = _AT_ONCE

    def run(self) -> Indexing:
        """Continue where the last run stopped. Writes at most `at_once` shards.

        Raises `LogHaltedError` if an entry or an earlier segment is missing or damaged.
        """
        latest = face.read_latest(self.public)
        groups = min(latest.head.size // WIDTH, MAX_GROUPS) if latest else 0
        stored = self.private.read_tagged(INDEXED)
        before = done = _parse_done(stored.data) if stored else _Done()
        written = 0
        while done.groups < groups and written < self.at_once:
            segment = added_segment(done.groups)
            until = min(segment.shards, done.shards + self.at_once - written)
            self._write(segment, range(done.shards, until))
            written += until - done.shards
            whole = until == segment.shards
            done = _Done(done.groups + 1) if whole else _Done(done.groups, until)
        more = done.groups < groups
        # After the shards, which are create-only: a run killed before this note writes the same bytes again.
        if done != before:
            try:
                self.private.replace(INDEXED, done.format(), stored.tag if stored else None)
            except StaleTagError:
                more = True  # a run at the same time noted its own progress, and that stands
        return Indexing(done.groups, written, more)

    def _write(self, segment: Segment, shards: range) -> None:
        """Write some shards of a segment, merged from the smaller live segments and the newest group."""
        # Adding a group is adding 1 to a binary number: the carry merges all segments of lower levels with
        # the new group, whose own segment (0, n) is never written if n is odd.
        last = Segment(0, ((segment.number + 1) << segment.level) - 1)
        newest = self._read_group(last.number)
        parts = [_Part(self.public, each, segment) for each in merged_segments(segment)]
        for at in range(shards.start, shards.stop, _TOGETHER):
            together = {
                segment.path(shard): merge_shard(
                    segment, shard, [*((part.segment, part.records(shard)) for part in parts), (last, newest)]
                )
                for shard in shards[at - shards.start : at - shards.start + _TOGETHER]
            }
            # Create-only and a pure function of the entries: an object stored by another writer is the same.
            self.public.create_many(together)

    def _read_group(self, group: int) -> list[bytes]:
        """The sorted records of one group. Its entries must hash to the public tile (`LogHaltedError`)."""
        tile = Tile(0, group)
        data, hashes = self.public.read(tile.bundle_path), self.public.read(tile.path)
        if data is None or hashes is None:
            raise LogHaltedError(f"{tile.bundle_path} or {tile.path} is missing from the public store")
        try:
            entries = parse_bundle(data, WIDTH)
            if [leaf_hash(entry) for entry in entries] != parse_tile(hashes, tile):
                raise LogHaltedError(f"{tile.bundle_path} does not hash to {tile.path}: storage is damaged")
            return list(_records(entries))
        except VerificationError as error:
            raise LogHaltedError(f"{tile.bundle_path}: {error}") from error


@dataclass
class _Part:
    """A segment that is merged into a larger one. Each of its shards is read once, in order."""

    public: ObjectStore
    segment: Segment
    into: Segment
    _shard: int = -1
    _held: list[bytes] | None = None

    def records(self, shard: int) -> list[bytes]:
        """The records of this segment's shard that covers `shard` of the larger segment."""
        # A shard is named by the first `level` bits of the hash: a smaller segment has fewer, wider shards.
        source = shard >> (self.into.level - self.segment.level)
        if self._held is None or self._shard != source:
            name = self.segment.path(source)
            data = self.public.read(name)
            if data is None:
                raise LogHaltedError(
                    f"{name} is missing. The private object '{INDEXED}' may be deleted: indexing starts anew"
                )
            with undamaged(name):
                self._shard, self._held = source, parse_shard(data, self.segment, source)
        return self._held


def _records(entries: list[bytes]) -> Iterator[bytes]:
    for offset, entry in enumerate(entries):
        yield from records_of(parse_entry(entry), offset)


def _parse_done(data: bytes) -> _Done:
    with undamaged(INDEXED):
        members = take_document(parse_json(data), "indexed", ("groups", "shards"))
        done = _Done(take_integer(members, "groups", MAX_GROUPS), take_integer(members, "shards"))
        if done.shards >= added_segment(done.groups).shards:
            raise ValueError("more shards than the next segment has")
        return done
