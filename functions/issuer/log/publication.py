"""The objects that a round publishes: pure functions of its batch, signed round and previous tree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from attestlayer.canonical import Json, format_json
from attestlayer.encoding import Hash, format_hash, format_time
from attestlayer.log import layout
from attestlayer.log.leaf import RegistryReceipt
from attestlayer.log.merkle import HashReader, TreeHead, prove_consistency, prove_inclusion, root_hash
from attestlayer.log.notices import Role
from attestlayer.log.promises import MERGE_DELAY_S, renews_trust_root
from attestlayer.log.tiles import WIDTH, Tile, extend_tiles, format_bundle, format_tile, hash_reader
from attestlayer.log.tool_texts import log_list, policy_text, registry_vkeys
from attestlayer.log.trust import Keyring, make_trust_root
from issuer.errors import LogHaltedError
from issuer.log.promise import Promise, promise_after
from issuer.log.state import Batch, SignedRound


@dataclass(frozen=True, slots=True)
class EdgeOfTree:
    """Right edge of the tree before a round: partial tiles' hashes by level, the last bundle's entries."""

    size: int
    tiles: Mapping[int, Sequence[Hash]]
    entries: Sequence[bytes]


class Growth:
    """The tree with a batch, computed from the old tree's edge and the tiles that the batch adds.

    Raises `LogHaltedError` if the batch does not continue the tree that `edge` belongs to.
    """

    def __init__(self, edge: EdgeOfTree, batch: Batch) -> None:
        if batch.before.size != edge.size:
            raise LogHaltedError(f"batch {batch.sequence} follows size {batch.before.size}, not {edge.size}")
        self._edge = edge
        self._batch = batch
        self._tiles = extend_tiles(edge.size, edge.tiles, [leaf.hash() for leaf in batch.leaves])
        self._known = {(tile.level, tile.index): hashes for tile, hashes in self._tiles.items()}

    @property
    def size(self) -> int:
        """Number of leaves, those of the batch included."""
        return self._batch.size

    def head(self) -> TreeHead:
        """Size and root of the new tree, computed from tiles and so independently of `merkle.Edge`."""
        return TreeHead(self.size, root_hash(self.size, self.reader()))

    def reader(self) -> HashReader:
        """A reader of the complete subtrees that the new root and this batch's proofs need.

        A subtree outside the edge raises `LogHaltedError`: a round never fetches older tiles.
        """
        return hash_reader(self.size, self._read_tile)

    def objects(self) -> dict[str, bytes]:
        """The hash tiles and entry bundles that the batch adds or extends, by name (REG-1.0 section 10.2)."""
        objects = {tile.path: format_tile(hashes) for tile, hashes in self._tiles.items()}
        entries = [*self._edge.entries, *(leaf.entry() for leaf in self._batch.leaves)]
        # The first bundle repeats the entries of the partial one: wider, under another name. Without new
        # leaves there is nothing to widen, and the partial bundle keeps its name.
        if self._batch.leaves:
            for number, at in enumerate(range(0, len(entries), WIDTH), self._edge.size // WIDTH):
                part = entries[at : at + WIDTH]
                objects[Tile(0, number, len(part)).bundle_path] = format_bundle(part)
        return objects

    def _read_tile(self, tile: Tile) -> Sequence[Hash]:
        # By level and index alone: a wider tile begins with the hashes of every narrower one.
        hashes = self._known.get((tile.level, tile.index))
        if hashes is None and tile.index == (self._edge.size >> (8 * tile.level)) // WIDTH:
            hashes = list(self._edge.tiles.get(tile.level, ()))
        if hashes is None or len(hashes) < tile.width:
            raise LogHaltedError(f"{tile.path} lies outside the edge of a tree of size {self._edge.size}")
        return hashes[: tile.width]


def entry_objects(batch: Batch, signed: SignedRound, growth: Growth) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of each leaf's record and registry receipt (REG-1.0 sections 3 and 8)."""
    read = cache(growth.reader())  # the paths of a round share their subtrees
    for index, leaf in enumerate(batch.leaves, batch.before.size):
        record = leaf.record()
        path = prove_inclusion(index, growth.size, read)
        receipt = RegistryReceipt(record, index, path, signed.checkpoint, signed.note)
        yield layout.entry_path(record.leaf_hash), record.format()
        yield layout.inclusion_path(record.leaf_hash), receipt.format()


def consistency_object(batch: Batch, growth: Growth) -> dict[str, bytes]:
    """The consistency proof from the previous size to this one, by name; empty if the size did not change."""
    old = batch.before  # RFC 9162 section 2.1.4
    if old.size == growth.size:
        return {}
    new = growth.head()
    proof = prove_consistency(old.size, new.size, growth.reader())
    return {layout.consistency_path(old.size, new.size): format_consistency(old, new, proof)}


def format_consistency(old: TreeHead, new: TreeHead, proof: Sequence[Hash]) -> bytes:
    """The answer to a consistency query as canonical JSON (REG-1.0 section 10.3)."""
    hashes: list[Json] = [format_hash(value) for value in proof]
    return format_json(
        {
            "from_size": old.size,
            "to_size": new.size,
            "from_root": format_hash(old.root),
            "to_root": format_hash(new.root),
            "proof": hashes,
        }
    )


def views(
    batch: Batch, signed: SignedRound, keyring: Keyring, before: Promise | None, cadence_s: int
) -> dict[str, bytes]:
    """The mutable objects of a round, in the order of their replacement; `latest.json` is last.

    `before`: how the promise was kept up to the checkpoint before, None at genesis.
    """
    checkpoint = signed.checkpoint
    promise = promise_after(before, batch.oldest, checkpoint)
    objects = {
        layout.REGISTRY_JWKS: format_json(keyring.jwks(Role.REGISTRY)),
        layout.ISSUER_JWKS: format_json(keyring.jwks(Role.ISSUER)),
        layout.REGISTRY_VKEY: registry_vkeys(keyring, checkpoint.timestamp).encode(),
        layout.POLICY: policy_text(keyring, checkpoint.timestamp).encode(),
        layout.LOG_LIST: log_list(keyring, checkpoint.timestamp, cadence_s).encode(),
        layout.STATS: _stats(batch, signed, promise, cadence_s),
    }
    # Daily even without new notices: whoever updates learns what was not withdrawn until then (REG-1.0
    # section 9.6). Not each round: mirrors and verify-kit.zip follow it.
    earlier = before.timestamp if before else None
    if renews_trust_root(earlier, checkpoint.timestamp, notices_changed=batch.notices_changed):
        objects[layout.TRUST] = make_trust_root(checkpoint, batch.notices, keyring).format()
    # Both checkpoints come after all else that they speak of, and `latest.json` after the note: a round
    # counts as public once `latest.json` has its sequence (REG-1.0 section 11, rule 10).
    objects[layout.CHECKPOINT] = signed.note.format().encode()
    objects[layout.LATEST] = checkpoint.format()
    return objects


def _stats(batch: Batch, signed: SignedRound, promise: Promise, cadence_s: int) -> bytes:
    checkpoint = signed.checkpoint
    return format_json(
        {
            "origin": checkpoint.origin,
            "tree_size": checkpoint.head.size,
            "root_hash": format_hash(checkpoint.head.root),
            "checkpoint_sequence": checkpoint.sequence,
            "checkpoint_hash": format_hash(checkpoint.hash()),
            "checkpoint_timestamp": format_time(checkpoint.timestamp),
            "notices": len(batch.notices.notices),
            "cadence_seconds": cadence_s,
            "max_merge_delay_seconds": MERGE_DELAY_S,
            "longest_gap_seconds_24h": promise.gaps.highest(),
            "worst_merge_delay_seconds_24h": promise.delays.highest(),
        }
    )
