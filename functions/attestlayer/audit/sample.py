"""Looks again at a random sample of the leaves that earlier runs of an audit have checked.

A state file is believed, so that what changes after it was checked would never be found. Each run therefore
looks again at some groups of 256 leaves: bundle, tile, and each leaf's record and receipt. All groups come
up once in a cycle, in an order that is drawn anew for each cycle: a changed leaf is found before the next
cycle ends, and nobody knows when. Checkpoints, proofs and the look-up index are not sampled.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from attestlayer.audit.chain import Chain
from attestlayer.audit.findings import AuditReason
from attestlayer.audit.leaves import LeafAudit, Place
from attestlayer.audit.reader import RegistryReader
from attestlayer.audit.state import Sampling
from attestlayer.encoding import Hash, sha256
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.merkle import leaf_hash, root_of
from attestlayer.log.tiles import WIDTH, Tile, level_width, parse_bundle, parse_tile, tile_at

GROUPS = 8
"""Groups of 256 leaves that a run looks at: 4,112 objects. Of 100,000 leaves, which are 391 groups, a cycle
takes 49 runs, so that a change is found within 98 runs."""

_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """How many groups a run looks at, and where the order of a cycle comes from: so many random bytes."""

    groups: int = GROUPS
    draw: Callable[[int], bytes] = secrets.token_bytes

    def next(self, before: Sampling | None, leaves: int) -> tuple[Sampling, list[int]]:
        """The groups of this run, and the sampling after it. `leaves`: those that were checked before."""
        if before is None or before.done >= before.groups:
            before = Sampling(Hash(self.draw(_KEY_LENGTH)), (leaves + WIDTH - 1) // WIDTH, 0)
        key, done = before.key, min(before.done + self.groups, before.groups)
        order = sorted(range(before.groups), key=lambda group: sha256(key + group.to_bytes(8, "big")))
        return replace(before, done=done), sorted(order[before.done : done])


Hashes = Callable[[bytes], list[Hash]]


@dataclass
class SampleAudit:
    """Checks groups against the tree of the newest checkpoint, whose edge was recomputed.

    `windows`: the hashes of the tree's partial tiles from level 0 up. A receipt whose round the chain was not
    followed back to is compared with the checkpoint that it holds, whose signature is checked.
    """

    reader: RegistryReader
    chain: Chain
    windows: Sequence[Sequence[Hash]]
    leaves: int = 0
    _leaf_audit: LeafAudit = field(init=False)

    def __post_init__(self) -> None:
        # The audit of leaves may put stages in: into a list of its own.
        known = self.chain.whole and self.chain.lowest == 0
        chain = replace(self.chain, whole=known, stages=list(self.chain.stages))
        self._leaf_audit = LeafAudit(self.reader, chain)

    def run(self, groups: Sequence[int]) -> None:
        """Check these groups, in ascending order."""
        for number, group in enumerate(groups):
            self.reader.progress("groups again", number, len(groups))
            self._check(tile_at(0, group, self.chain.newest.head.size))

    def _check(self, tile: Tile) -> None:
        if self.reader.ahead:
            self.reader.ahead.expect([tile.bundle_path, tile.path])
        bundle = self._sound(tile, tile.bundle_path, AuditReason.ENTRY_MISMATCH, self._entry_hashes(tile))
        data = self._sound(tile, tile.path, AuditReason.HASH_MISMATCH, lambda each: parse_tile(each, tile))
        if bundle is None and data is None:
            return
        entries = None if bundle is None else parse_bundle(bundle, tile.width)
        hashes = parse_tile(data, tile) if data is not None else list(map(leaf_hash, entries or ()))
        self._look_ahead(hashes)
        first = tile.index * WIDTH
        self._leaf_audit.enter(first, hashes)
        for at, hashed in enumerate(hashes):
            self._leaf_audit.check(Place(first + at, hashed, entries[at] if entries else None))
            self.leaves += 1

    def _look_ahead(self, hashes: Sequence[Hash]) -> None:
        if self.reader.ahead:
            paths = (layout.entry_path, layout.inclusion_path)
            self.reader.ahead.expect([path(hashed) for hashed in hashes for path in paths])

    def _entry_hashes(self, tile: Tile) -> Hashes:
        return lambda data: list(map(leaf_hash, parse_bundle(data, tile.width)))

    def _sound(self, tile: Tile, name: str, reason: AuditReason, hashes_of: Hashes) -> bytes | None:
        """The object if the tree commits to the leaf hashes that it yields; else None, with a finding."""

        def is_right(data: bytes | None) -> bool:
            with suppress(VerificationError):
                return data is not None and self._is_committed(tile, hashes_of(data))
            return False

        data = self.reader.need(name)
        if data is None:
            return None
        data = self.reader.right(name, data, is_right)
        if is_right(data):
            return data
        self.reader.report(name, reason, "its leaf hashes are not those of the tree that was audited before")
        return None

    def _is_committed(self, tile: Tile, hashes: Sequence[Hash]) -> bool:
        if tile.width < WIDTH:  # the edge of the tree, recomputed in this run
            return list(hashes) == list(self.windows[0])
        return self._commits(1, tile.index, root_of(hashes))

    def _commits(self, level: int, index: int, root: Hash) -> bool:
        """Whether the tree has this hash at a tile level. Follows full tiles up to the recomputed edge."""
        number, at = divmod(index, WIDTH)
        if number == level_width(self.chain.newest.head.size, level) // WIDTH:
            return self.windows[level][at] == root
        name = Tile(level, number).path

        def is_right(data: bytes | None) -> bool:
            with suppress(VerificationError):
                hashes = parse_tile(data or b"", Tile(level, number))
                return hashes[at] == root and self._commits(level + 1, number, root_of(hashes))
            return False

        return is_right(self.reader.right(name, self.reader.look(name), is_right))
