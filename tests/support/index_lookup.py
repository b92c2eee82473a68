"""A client's look-up in the index, as the explorer does it in JavaScript."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from attestlayer.encoding import Hash
from attestlayer.log.lookup import KEY_LENGTH, Segment, live_segments, parse_shard


@dataclass(frozen=True, slots=True)
class Candidates:
    """Leaves that may name a hash, and the groups that no segment speaks of: their bundles tell."""

    indices: tuple[int, ...]
    unindexed: tuple[int, ...]


def look_up(hashed: Hash, groups: int, read: Callable[[str], bytes | None]) -> Candidates:
    """Ask the index of the first `groups` groups. One object a segment, O(log groups).

    Where a segment is not written yet, the smaller ones that it takes in are asked. Raises `FormatError`.
    """
    indices: list[int] = []
    unindexed: list[int] = []
    asked = list(live_segments(groups))
    while asked:
        segment = asked.pop(0)
        shard = segment.shard_of(hashed)
        data = read(segment.path(shard)) if segment.number % 2 == 0 else None
        if data is not None:
            indices += find_in(parse_shard(data, segment, shard), segment, hashed)
        elif segment.level:
            asked += [Segment(segment.level - 1, 2 * segment.number + half) for half in (0, 1)]
        else:
            unindexed.append(segment.number)
    return Candidates(tuple(sorted(indices)), tuple(sorted(unindexed)))


def find_in(records: Iterable[bytes], segment: Segment, hashed: Hash) -> Iterator[int]:
    """The indices of leaves that may name the hash: their entries tell."""
    return (
        segment.first + int.from_bytes(each[KEY_LENGTH:], "big")
        for each in records
        if each[:KEY_LENGTH] == hashed[:KEY_LENGTH]
    )
