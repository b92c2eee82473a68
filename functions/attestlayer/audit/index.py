"""Audit of the look-up index: each segment is recomputed from smaller segments, and these from the entries.

The index is a hint and is written after the leaves: a missing shard is no finding, an existing one must be
right. Memory: a hash for each live shard, 256 leaves and one shard of each level.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from attestlayer.audit.findings import AuditReason
from attestlayer.audit.forms import read_leaf
from attestlayer.audit.reader import RegistryReader
from attestlayer.encoding import Hash, sha256
from attestlayer.errors import VerificationError
from attestlayer.log.lookup import (
    Segment,
    added_segment,
    merge_shard,
    merged_segments,
    parse_shard,
    records_of,
)
from attestlayer.log.tiles import WIDTH, Tile, parse_bundle

_REPAIRS = 64
"""Shards whose sources are gone or damaged, which are computed by reading a whole segment's entries."""


@dataclass
class IndexAudit:
    """Given each full group in the log's order, checks the segment that it completes. `first`: the group
    at which the audit began; what was written before is taken as it is, unless it is `unsound`."""

    reader: RegistryReader
    first: int = 0
    unsound: frozenset[str] = frozenset()
    _sound: dict[tuple[Segment, int], Hash] = field(default_factory=dict)
    _repairs: int = 0

    def check(self, group: int, entries: Sequence[bytes] | None) -> None:
        """Check the segment that group number `group` completes. `entries`: None if they are damaged."""
        segment = added_segment(group)
        newest: list[bytes] | None = None
        for shard in range(segment.shards):
            name = segment.path(shard)
            data = self.reader.read(name)
            if data is None:
                continue
            newest = newest or _records(entries)
            wanted = self._wanted(segment, shard, newest)
            if wanted is None:
                self.reader.report(
                    name, AuditReason.TREE_UNREADABLE, "too much that it follows from is damaged"
                )
                continue
            # What it should be counts from here on, even if what is stored is wrong: one damaged shard is one
            # finding.
            self._sound[segment, shard] = sha256(wanted)
            if data != wanted:
                self.reader.compare(name, wanted)
        for each in merged_segments(segment):  # taken in: nothing will follow from them any more
            for shard in range(each.shards):
                self._sound.pop((each, shard), None)

    def _wanted(self, segment: Segment, shard: int, newest: list[bytes] | None) -> bytes | None:
        if newest is None:
            return None
        last = Segment(0, ((segment.number + 1) << segment.level) - 1)
        sources = [(last, newest)]
        # Built from the shards of smaller segments that were checked; if one is gone or changed, from the
        # entries.
        for each in merged_segments(segment):
            records = self._records_of(each, shard >> (segment.level - each.level))
            if records is None:
                return self._repaired(segment, shard)
            sources.append((each, records))
        return merge_shard(segment, shard, sources)

    def _records_of(self, segment: Segment, shard: int) -> list[bytes] | None:
        """The records of a smaller segment's shard, if it is still the one that was checked."""
        name, known = segment.path(shard), self._sound.get((segment, shard))
        earlier = (segment.number + 1) << segment.level <= self.first and name not in self.unsound

        def is_right(data: bytes | None) -> bool:
            return data is not None and (earlier or known == sha256(data))

        data = self.reader.look(name)
        if known is not None or earlier:  # else no copy of it can be right
            data = self.reader.right(name, data, is_right)
        if data is None or not is_right(data):
            return None
        try:
            return parse_shard(data, segment, shard)
        except VerificationError:
            return None

    def _repaired(self, segment: Segment, shard: int) -> bytes | None:
        """The shard computed from all of the segment's entries: O(segment) reads, so only so often."""
        self._repairs += 1
        if self._repairs > _REPAIRS:
            return None
        sources = []
        for group in range(segment.number << segment.level, (segment.number + 1) << segment.level):
            name = Tile(0, group).bundle_path
            data = self.reader.right(name, self.reader.look(name), lambda copy: _indexed(copy) is not None)
            records = _indexed(data)
            if records is None:
                return None
            sources.append((Segment(0, group), records))
        return merge_shard(segment, shard, sources)


def index_names(tile: Tile) -> list[str]:
    """The objects of the segment that a level-0 tile completes if it is full."""
    segment = added_segment(tile.index)
    return [segment.path(shard) for shard in range(segment.shards)] if tile.width == WIDTH else []


def judge_index(match: re.Match[str], size: int) -> str | None:
    """Why a name of the form `v1/index/<level>/<number>/<shard>` is nobody's in a log of `size`, or None."""
    level, number, shard = int(match[1]), _number(match[2]), _number(match[3])
    segment = Segment(level, number)
    if segment.path(shard) != match[0] or number % 2 or shard >= segment.shards:
        return "not the one spelling of a shard of the look-up index"
    inside = ((number + 1) << level) * WIDTH <= size
    return None if inside else f"outside the {size // WIDTH} full groups of the log"


INDEX = re.compile(r"v1/index/([0-9]|1[0-9]|2[0-4])/((?:x[0-9]{3}/)*[0-9]{3})/((?:x[0-9]{3}/)*[0-9]{3})")


def _number(path: str) -> int:
    return int(path.replace("x", "").replace("/", ""))


def _indexed(data: bytes | None) -> list[bytes] | None:
    """The records of a group's bundle, or None if it or an entry can't be read."""
    try:
        return _records(parse_bundle(data or b"", WIDTH))
    except VerificationError:
        return None


def _records(entries: Sequence[bytes] | None) -> list[bytes] | None:
    """The records of a group; None if an entry can't be read, which its own check reports."""
    records: list[bytes] = []
    try:
        for offset, entry in enumerate(entries or ()):
            records += records_of(read_leaf(entry), offset)
    except VerificationError:
        return None
    return None if entries is None else records
