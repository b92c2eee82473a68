"""Writes the look-up index, off the log's commit path, from what is public (decision page "Look-up index").

Segments follow from the number of full groups alone. Any number may write at once: they write the same
bytes. What was written is noted in one private object; lose it, and indexing starts anew.
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
"""Shards written in one run: 48 MiB. The largest segment of ten million leaves takes eight runs."""

_TOGETHER = 256
"""Shards held in memory and handed to the store together: 3 MiB."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """What a run did: groups that are indexed now, shards written, whether there is more to do."""

    groups: int
    written: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Done:
    """`groups` are indexed, and `shards` of the segment that takes in the next one are written."""

    groups: int = 0
    shards: int = 0

    def format(self) -> bytes:
        return format_json({"schema": "attestlayer/indexed/1", "groups": self.groups, "shards": self.shards})


@dataclass(frozen=True)
class Indexer:
    """Keeps the index up with the newest public checkpoint."""

    public: ObjectStore
    private: ObjectStore
    at_once: int = _AT_ONCE

    def run(self) -> Indexing:
        """Go on from where the last run stopped. Writes at most `at_once` shards.

        Raises `LogHaltedError` if an entry, or a segment that was written, is missing or damaged.
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
        if done != before:
            try:
                self.private.replace(INDEXED, done.format(), stored.tag if stored else None)
            except StaleTagError:
                more = True  # another run was at it as well: what it noted counts
        return Indexing(done.groups, written, more)

    def _write(self, segment: Segment, shards: range) -> None:
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
            self.public.create_many(together)

    def _read_group(self, group: int) -> list[bytes]:
        """The records of one group. Its entries must be the ones that the tree commits to."""
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
    """A segment that is merged into a larger one: its shards are read once, one after the other."""

    public: ObjectStore
    segment: Segment
    into: Segment
    _shard: int = -1
    _held: list[bytes] | None = None

    def records(self, shard: int) -> list[bytes]:
        """The records of the shard in which those of the larger segment's `shard` lie."""
        wanted = shard >> (self.into.level - self.segment.level)
        if self._held is None or self._shard != wanted:
            name = self.segment.path(wanted)
            data = self.public.read(name)
            if data is None:
                raise LogHaltedError(
                    f"{name} is missing. The private object {INDEXED!r} may be deleted: indexing starts anew"
                )
            with undamaged(name):
                self._shard, self._held = wanted, parse_shard(data, self.segment, wanted)
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
