"""C2SP tlog-tiles: coordinates, paths, entry bundles, reading hashes from tiles.

A tile holds up to 256 hashes of one level of every eighth level of the tree; an entry bundle the up
to 256 entries beneath a level-0 tile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from attestlayer.encoding import HASH_LENGTH, Hash
from attestlayer.errors import FormatError, Reason
from attestlayer.log.merkle import HashReader, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY = 65_535
"""Bytes of the longest entry: its length is a big-endian uint16."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile at `level` (0 holds leaf hashes), number `index`, with `width` hashes, 1 … 256."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The tile's object name (tlog-tiles, "Merkle Tree")."""
        return f"tile/{self.level}/{format_index(self.index)}{self._partial}"

    @property
    def bundle_path(self) -> str:
        """The object name of the entry bundle beneath this level-0 tile."""
        return f"tile/entries/{format_index(self.index)}{self._partial}"

    @property
    def _partial(self) -> str:
        return "" if self.width == WIDTH else f".p/{self.width}"


def format_index(index: int) -> str:
    """A tile number in groups of three digits, all but the last with `x`: 1234067 → `x001/x234/067`."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def level_width(size: int, level: int) -> int:
    """The number of hashes at tile level `level` in a tree of `size` leaves."""
    return size >> (HEIGHT * level)


def edge_tiles(size: int) -> Iterator[Tile]:
    """The partial tiles of a tree of `size`, one a level that has one, from level 0 up."""
    level = 0
    while hashes := level_width(size, level):
        if hashes % WIDTH:
            yield Tile(level, hashes // WIDTH, hashes % WIDTH)
        level += 1


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile number `index` of `level` as wide as a tree of `size` leaves makes it."""
    width = min(WIDTH, level_width(size, level) - index * WIDTH)
    if width <= 0:
        raise ValueError(f"a tree of size {size} has no tile {index} at level {level}")
    return Tile(level, index, width)


def extend_tiles(
    size: int, edge: Mapping[int, Sequence[Hash]], leaves: Sequence[Hash]
) -> dict[Tile, list[Hash]]:
    """The tiles that a tree of `size` gets or widens when `leaves` are appended.

    `edge`: the hashes of the tree's partial tiles, by level. Only full tiles are hashed upward.
    """
    written: dict[Tile, list[Hash]] = {}
    level, added = 0, list(leaves)
    while added:
        # The first tile that changes is the partial one, or a new one where the level ends in a full tile.
        index = level_width(size, level) // WIDTH
        hashes, full = [*edge.get(level, ()), *added], []
        for number, at in enumerate(range(0, len(hashes), WIDTH), index):
            tile = hashes[at : at + WIDTH]
            written[Tile(level, number, len(tile))] = tile
            # C2SP tlog-tiles: a tile of the next level holds the roots of full tiles only.
            if len(tile) == WIDTH:
                full.append(root_of(tile))
        level, added = level + 1, full
    return written


def format_tile(hashes: Sequence[Hash]) -> bytes:
    """A tile's bytes: its hashes, concatenated."""
    return b"".join(hashes)


def parse_tile(data: bytes, tile: Tile) -> list[Hash]:
    """The hashes of a tile. Raises `FormatError` unless there are exactly `tile.width`."""
    if len(data) != tile.width * HASH_LENGTH:
        raise FormatError(
            Reason.INCLUSION_PROOF_INVALID,
            f"{tile.path}: {len(data)} bytes, wanted {tile.width * HASH_LENGTH}",
        )
    return [Hash(data[at : at + HASH_LENGTH]) for at in range(0, len(data), HASH_LENGTH)]


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length as a big-endian uint16."""
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError(f"an entry of {len(entry)} bytes, at most {MAX_ENTRY} are allowed")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, count: int) -> list[bytes]:
    """The entries of a bundle. Raises `FormatError` unless there are exactly `count` and nothing else."""
    entries: list[bytes] = []
    at = 0
    # C2SP tlog-tiles, "Log Entries": a big-endian uint16 length, then the entry.
    while at + 2 <= len(data) and len(entries) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            break
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) != count or at != len(data):
        raise FormatError(
            Reason.INCLUSION_PROOF_INVALID,
            f"entry bundle: {len(entries)} entries and {len(data) - at} bytes more, wanted {count} and 0",
        )
    return entries


def hash_reader(size: int, read_tile: Callable[[Tile], Sequence[Hash]]) -> HashReader:
    """Reads the hash of any complete subtree of a tree of `size` from its tiles."""

    def read(level: int, index: int) -> Hash:
        # A tile stores every eighth level of the tree. Levels between are hashed from the tile below them.
        tile_level, height = divmod(level, HEIGHT)
        first = index << height  # the subtree's first hash at its tile level
        tile = tile_at(tile_level, first // WIDTH, size)
        at = first % WIDTH
        return root_of(read_tile(tile)[at : at + (1 << height)])

    return read
