"""Audit of the tree: leaf hashes, tiles of every level, partial tiles and roots, recomputed in one stream.

Bundle and tile of each 256 leaves are read together. Where they differ, the tile above decides which one is
damaged, so that one flipped bit is one finding. Memory: the edge and one window of at most 256 hashes a
level, and one bundle.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from attestlayer.audit.chain import Chain, Stage
from attestlayer.audit.findings import AuditReason
from attestlayer.audit.index import IndexAudit, index_names
from attestlayer.audit.leaves import LeafAudit, Place
from attestlayer.audit.reader import RegistryReader
from attestlayer.audit.state import Position
from attestlayer.encoding import HASH_LENGTH, Hash, format_hash
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.merkle import Edge, Subtree, leaf_hash, root_of
from attestlayer.log.tiles import (
    HEIGHT,
    WIDTH,
    Tile,
    edge_tiles,
    format_bundle,
    format_tile,
    level_width,
    parse_bundle,
    parse_tile,
    tile_at,
)

KEPT_S = 24 * 60 * 60
"""Seconds that a partial tile stays after its full tile is public (REG-1.0 section 10.2)."""


def _nothing() -> None:
    pass


@dataclass
class TreeAudit:
    """Recomputes the tree of the newest checkpoint, from `start` leaves on or from a saved position.

    `mark` is called after each bundle.
    """

    reader: RegistryReader
    chain: Chain
    leaves: LeafAudit
    start: int = 0
    mark: Callable[[], None] = _nothing
    _index: IndexAudit = field(init=False)
    _edge: Edge = field(default_factory=Edge)
    _windows: list[list[Hash]] = field(default_factory=list)
    _full: Position = field(default_factory=Position)
    _expected: int = 0
    _entries: Sequence[bytes] | None = None

    def __post_init__(self) -> None:
        self._index = IndexAudit(self.reader, self.start // WIDTH)

    def resume(self, position: Position, unsound: frozenset[str]) -> None:
        """Go on from a saved position. `unsound`: the objects that the earlier audit found wrong."""
        self._full, self.start = position, position.leaves
        self._index = IndexAudit(self.reader, position.before // WIDTH, unsound)
        # Level 0 starts empty: a state is saved where a full tile of level 0 ends.
        self._windows = [[], *(list(window) for window in position.windows)]
        self._edge = Edge(position.before, _edge_hashes(self._windows))

    def position(self) -> Position:
        """How far the audit has come, as it can be saved after a bundle."""
        leaves = max(self.start, self._edge.size)
        return self.leaves.gathered(replace(self._full, leaves=leaves))

    def whole(self) -> Sequence[Sequence[Hash]] | None:
        """The partial tiles' hashes of the newest tree from level 0 up, if it was recomputed to its end."""
        return self._windows if self._edge.head() == self.chain.newest.head else None

    def run(self) -> None:
        """Stream through all bundles. Stops, with a finding, where neither bundle nor tile can be read."""
        size = self.chain.newest.head.size
        if self._edge.size == 0 and not self._take_up():
            return
        first = self._expected = self._edge.size // WIDTH
        self._check_stage(self._edge.size)
        for number in range(first, (size + WIDTH - 1) // WIDTH):
            self.reader.progress("entries", number * WIDTH, size)
            self._look_ahead(number)
            if not self._group(tile_at(0, number, size)):
                return
            self.mark()

    def _take_up(self) -> bool:
        """Take up the tree at the last full bundle before `start`, from the tiles above it."""
        size, before = self.chain.newest.head.size, self.start // WIDTH * WIDTH
        level = 1
        while width := level_width(before, level):
            tile = tile_at(level, width // WIDTH, size) if width % WIDTH else None
            window: list[Hash] = []
            if tile:
                length = tile.width * HASH_LENGTH
                data = self.reader.need(tile.path)
                data = self.reader.right(tile.path, data, lambda copy: len(copy or b"") == length)  # noqa: B023
                if data is None or len(data) != length:
                    self.reader.report(
                        tile.path, AuditReason.TREE_UNREADABLE, f"size {before} can't be taken up"
                    )
                    return False
                window = parse_tile(data, tile)[: width % WIDTH]
            self._windows = [*(self._windows or [[]]), window]
            level += 1
        self._edge = Edge(before, _edge_hashes(self._windows))
        return True

    def _look_ahead(self, number: int) -> None:
        """Have the objects of this group and the next one fetched, as the tiles of both name the leaves."""
        ahead, count = self.reader.ahead, (self.chain.newest.head.size + WIDTH - 1) // WIDTH
        while ahead and self._expected < min(count, number + 2):
            tile = tile_at(0, self._expected, self.chain.newest.head.size)
            data = ahead.peek(tile.path) or b""
            hashes = [data[at : at + HASH_LENGTH] for at in range(0, len(data), HASH_LENGTH)][:WIDTH]
            leaves = [path(each) for each in hashes for path in (layout.entry_path, layout.inclusion_path)]
            tiles = [tile.bundle_path]
            if tile.index + 1 < count:
                following = tile_at(0, tile.index + 1, self.chain.newest.head.size)
                tiles += [following.path, following.bundle_path]
            ahead.expect([*tiles, *leaves, *self._partial_names(tile), *index_names(tile)])
            self._expected += 1

    def _partial_names(self, tile: Tile) -> Iterator[str]:
        """The partial tiles of the trees that end under this tile."""
        stages, first = self.chain.stages, tile.index * WIDTH
        at = bisect_right(stages, first, key=lambda stage: stage.head.size)
        while at < len(stages) and stages[at].head.size <= first + tile.width:
            for partial in edge_tiles(stages[at].head.size):
                yield partial.path
                if partial.level == 0:
                    yield partial.bundle_path
            at += 1

    def _group(self, tile: Tile) -> bool:
        # The same leaves twice: once as entries to hash, once as hashes. They differ only if one object is
        # damaged.
        entries, computed, stored = self._read_group(tile)
        hashes = self._settle(tile, (entries or (), computed), stored)
        if hashes is None:
            self.reader.report(
                tile.bundle_path,
                AuditReason.TREE_UNREADABLE,
                f"nothing from leaf {self._edge.size} on can be checked",
            )
            return False
        self._entries = entries if computed == hashes else None
        self.leaves.enter(self._edge.size, hashes)
        for at, hashed in enumerate(hashes):
            index = self._edge.size
            if index >= self.start:
                entry = entries[at] if entries and computed and computed[at] == hashed else None
                self.leaves.check(Place(index, hashed, entry))
            # The edge yields the root at any size, the windows the tiles of every level; both grow by this
            # leaf.
            self._edge.append(hashed)
            self._push(0, hashed)
            self._check_stage(index + 1)
        if tile.width == WIDTH:
            self._index.check(tile.index, self._entries)
            windows = tuple(tuple(window) for window in self._windows[1:])
            self._full = Position(self._edge.size, self._edge.size, windows)
        return True

    def _read_group(self, tile: Tile) -> tuple[list[bytes] | None, list[Hash] | None, list[Hash] | None]:
        """A group's entries, their leaf hashes, and those of its tile; each None if it can't be read."""
        name = tile.bundle_path
        entries = self.reader.need_parsed(name, lambda data: _parse_bundle(data, tile.width))
        stored = self.reader.need_parsed(tile.path, lambda data: parse_tile(data, tile))
        computed = None if entries is None else [leaf_hash(entry) for entry in entries]
        if entries is None or stored is None or computed == stored:
            return entries, computed, stored
        # One of the two may be an older copy, or one that was damaged on the way.
        bundles, tiles = self.reader.other_copies(name), self.reader.other_copies(tile.path)
        for bundle, hashes in zip(bundles, tiles, strict=False):
            with suppress(VerificationError):
                entries = parse_bundle(bundle or b"", tile.width)
                computed = [leaf_hash(entry) for entry in entries]
            with suppress(VerificationError):
                stored = parse_tile(hashes or b"", tile)
            if computed == stored:
                break
        return entries, computed, stored

    def _settle(
        self, tile: Tile, bundle: tuple[Sequence[bytes], list[Hash] | None], stored: list[Hash] | None
    ) -> list[Hash] | None:
        """The leaf hashes of a group: the bundle's or the tile's, whichever the tree above confirms."""
        entries, computed = bundle
        if computed is None or stored is None:
            return stored if computed is None else computed
        if stored == computed:
            return computed
        at = next(i for i, (one, other) in enumerate(zip(stored, computed, strict=True)) if one != other)
        parted = f"leaf {tile.index * WIDTH + at}: tile {format_hash(stored[at])}, "
        parted += f"entry {format_hash(computed[at])}"
        # The tile above holds the root of this tile: it decides which of the two is damaged.
        if self._fits(tile, stored):
            self.reader.report(
                tile.bundle_path, AuditReason.ENTRY_MISMATCH, f"byte {_offset(entries, at)}, {parted}"
            )
            return stored
        where = f"byte {at * HASH_LENGTH}, {parted}"
        self.reader.report(tile.path, AuditReason.HASH_MISMATCH, where)
        if not self._fits(tile, computed):
            self.reader.report(
                tile.bundle_path, AuditReason.ENTRY_MISMATCH, f"byte {_offset(entries, at)}, {parted}"
            )
        return computed

    def _fits(self, tile: Tile, hashes: Sequence[Hash]) -> bool:
        """Whether the tile above, or the newest root, commits to these leaf hashes."""
        if tile.width == WIDTH:
            parent = tile_at(1, tile.index // WIDTH, self.chain.newest.head.size)
            # Full: its root is one hash of the tile above. Otherwise the group ends the tree, and the root
            # decides.
            at, root = tile.index % WIDTH * HASH_LENGTH, root_of(hashes)

            def fits(data: bytes | None) -> bool:
                return (data or b"")[at : at + HASH_LENGTH] == root

            return fits(self.reader.right(parent.path, self.reader.read(parent.path), fits))
        edge = Edge(self._edge.size, self._edge.hashes)
        for hashed in hashes:
            edge.append(hashed)
        return edge.head() == self.chain.newest.head

    def _push(self, level: int, hashed: Hash) -> None:
        """Add a hash to a level; a full tile goes up one level."""
        if level == len(self._windows):
            self._windows.append([])
        window = self._windows[level]
        window.append(hashed)
        if len(window) == WIDTH:
            # Compared when it fills up, since then its bytes are final.
            if level > 0:  # the full tile of level 0 was settled with its bundle
                self.reader.compare(self._tile(level).path, format_tile(window))
            full = Subtree(window).root
            window.clear()
            self._push(level + 1, full)

    def _tile(self, level: int) -> Tile:
        """The tile that the level's window is."""
        width = len(self._windows[level])
        return Tile(level, (level_width(self._edge.size, level) - width) // WIDTH, width)

    def _check_stage(self, size: int) -> None:
        """Where a published tree ends: its root and its partial tiles."""
        for stage in self._stages_of(size):
            head = self._edge.head()
            if head.root != stage.head.root:
                stated, wanted = format_hash(stage.head.root), format_hash(head.root)
                name = layout.checkpoint_path(stage.hash)
                self.reader.report(
                    name, AuditReason.ROOT_MISMATCH, f"size {size}: found root {stated}, wanted {wanted}"
                )
            if size >= self.start:
                self._check_partials(size)

    def _stages_of(self, size: int) -> list[Stage]:
        stages = self.chain.stages
        at = bisect_left(stages, size, key=lambda stage: stage.head.size)
        return stages[at : at + 1] if at < len(stages) and stages[at].head.size == size else []

    def _check_partials(self, size: int) -> None:
        newest = size == self.chain.newest.head.size
        for level, window in enumerate(self._windows):
            # Level by level the window is exactly the partial tile that a tree of this size has.
            if not window or (newest and level == 0):  # the newest group was settled
                continue
            tile = self._tile(level)
            needed = self._is_needed(tile)
            self.reader.compare(tile.path, format_tile(window), needed=needed)
            if level == 0:
                self._check_partial_bundle(tile, window, needed)

    def _check_partial_bundle(self, tile: Tile, window: Sequence[Hash], needed: bool) -> None:
        name = tile.bundle_path
        if self._entries is not None:
            self.reader.compare(name, format_bundle(self._entries[: tile.width]), needed=needed)
            return

        def is_right(data: bytes | None) -> bool:
            if data is None:
                return not needed
            with suppress(VerificationError):
                return list(map(leaf_hash, parse_bundle(data, tile.width))) == window
            return False

        data = self.reader.need(name) if needed else self.reader.read(name)
        data = self.reader.right(name, data, is_right) or data
        if data is None or is_right(data):
            return
        try:
            hashes = [leaf_hash(entry) for entry in parse_bundle(data, tile.width)]
        except VerificationError as error:
            self.reader.report(name, AuditReason.MALFORMED, f"{len(data)} bytes: {error}")
            return
        at = next(i for i, (one, other) in enumerate(zip(hashes, window, strict=True)) if one != other)
        computed, wanted = format_hash(hashes[at]), format_hash(window[at])
        self.reader.report(
            name, AuditReason.ENTRY_MISMATCH, f"entry {at} hashes to {computed}, wanted {wanted}"
        )

    def _is_needed(self, tile: Tile) -> bool:
        """Whether a partial tile must still be there: until a day after its full tile is public."""
        full = (tile.index + 1) << (HEIGHT * (tile.level + 1))
        stages = self.chain.stages
        # The first published size at which the tile is full; its time starts the day (REG-1.0 section 10.2).
        at = bisect_left(stages, full, key=lambda stage: stage.head.size)
        return at == len(stages) or self.chain.newest.timestamp - stages[at].timestamp < KEPT_S


def _edge_hashes(windows: Sequence[Sequence[Hash]]) -> list[Hash]:
    """The complete subtrees of a tree whose partial tiles these are, largest first."""
    hashes: list[Hash] = []
    # A window of w hashes stands for one complete subtree for each one bit of w, the smallest at its end.
    for window in windows:  # complete subtrees inside a window, smallest first
        left = list(window)
        while left:
            count = len(left) & -len(left)
            hashes.append(root_of(left[-count:]))
            del left[-count:]
    return hashes[::-1]


def _parse_bundle(data: bytes, width: int) -> list[bytes]:
    try:
        return parse_bundle(data, width)
    except VerificationError as error:
        raise ValueError(f"{len(data)} bytes: {error}") from error


def _offset(entries: Sequence[bytes], at: int) -> int:
    return sum(2 + len(entry) for entry in entries[:at])
