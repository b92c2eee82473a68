"""The look-up index: from the hashes that a leaf names to the leaf's place in the log (REG-1.0 section 10).

Full *groups* of 256 leaves are indexed in *segments* of 2^level groups, made as a binary counter
carries: the segments of a log are the one bits of its number of full groups. A segment is a pure
function of its entries, cut by the first bits of the key into 2^level shards of about 12 KiB.

An index is a hint. What it answers is compared with the entry; that it answers nothing proves nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from attestlayer.errors import FormatError, Reason
from attestlayer.log import layout
from attestlayer.log.leaf import Leaf
from attestlayer.log.tiles import WIDTH

KEY_LENGTH = 8
"""Bytes of a hash that are stored: among 40 million keys two agree with a chance of 1 in 20,000."""

RECORD_LENGTH = KEY_LENGTH + 4
"""A key, then the leaf's offset from the segment's first leaf as big-endian uint32."""

MAX_GROUPS = 1 << 24
"""Groups that an offset reaches, 4 billion leaves: one a second for 136 years."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """Groups number·2^level … (number + 1)·2^level − 1. Only even numbers are ever written."""

    level: int
    number: int

    @property
    def first(self) -> int:
        """The index of its first leaf."""
        return (self.number << self.level) * WIDTH

    @property
    def shards(self) -> int:
        """How many objects it is cut into."""
        return 1 << self.level

    def shard_of(self, hashed: bytes) -> int:
        """The shard that a hash falls into."""
        return int.from_bytes(hashed[:KEY_LENGTH], "big") >> (8 * KEY_LENGTH - self.level)

    def path(self, shard: int) -> str:
        """The object name of one shard."""
        return layout.index_path(self.level, self.number, shard)


def live_segments(groups: int) -> tuple[Segment, ...]:
    """The segments that index the first `groups` groups, largest (and oldest) first."""
    # One segment for each one bit of the number of groups, as the edge of a Merkle tree.
    levels = reversed(range(groups.bit_length()))
    return tuple(Segment(level, (groups >> level) - 1) for level in levels if groups >> level & 1)


def added_segment(group: int) -> Segment:
    """The segment that is written when group number `group` is full: it takes in all that carry."""
    # The trailing one bits of the group number are the segments that carry, as in a binary counter.
    level = (~group & group + 1).bit_length() - 1
    return Segment(level, (group + 1 >> level) - 1)


def merged_segments(segment: Segment) -> tuple[Segment, ...]:
    """The segments that a new one takes in, in addition to its last group, largest first."""
    groups = ((segment.number + 1) << segment.level) - 1
    return tuple(each for each in live_segments(groups) if each.level < segment.level)


def keys_of(leaf: Leaf) -> tuple[bytes, ...]:
    """The keys under which a leaf is found. Its leaf hash is none of them: it names the entry's object."""
    hashes = (leaf.kit_digest, leaf.statement_hash, leaf.manifest_root, leaf.client_nonce_hash)
    return tuple(value[:KEY_LENGTH] for value in hashes)


def records_of(leaf: Leaf, offset: int) -> Iterator[bytes]:
    """The records of one leaf at `offset` in its segment."""
    return (key + offset.to_bytes(4, "big") for key in keys_of(leaf))


def format_shard(records: Iterable[bytes]) -> bytes:
    """A shard's bytes: its records in byte order, none twice."""
    return b"".join(sorted(set(records)))


def parse_shard(data: bytes, segment: Segment, shard: int) -> list[bytes]:
    """The records of a shard. Raises `FormatError` unless they belong there and are in order."""
    records = [data[at : at + RECORD_LENGTH] for at in range(0, len(data), RECORD_LENGTH)]
    whole = len(data) % RECORD_LENGTH == 0 and records == sorted(set(records))
    limit = WIDTH << segment.level
    if not whole or any(segment.shard_of(each) != shard or _offset(each) >= limit for each in records):
        raise FormatError(Reason.LEAF_MALFORMED, f"{segment.path(shard)}: not a shard of the look-up index")
    return records


def merge_shard(segment: Segment, shard: int, sources: Iterable[tuple[Segment, Iterable[bytes]]]) -> bytes:
    """A shard's bytes out of the records of smaller segments, each with its own offsets."""
    merged: list[bytes] = []
    for source, records in sources:
        # Offsets count from a segment's own first leaf; the larger segment begins earlier.
        shift = source.first - segment.first
        merged += (
            each[:KEY_LENGTH] + (_offset(each) + shift).to_bytes(4, "big")
            for each in records
            if segment.shard_of(each) == shard
        )
    return format_shard(merged)


def _offset(record: bytes) -> int:
    return int.from_bytes(record[KEY_LENGTH:], "big")
