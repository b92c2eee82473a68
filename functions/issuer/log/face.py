"""Reads the log's public face, believing nothing: newest checkpoint, right edge, trust root."""

from attestlayer.encoding import Hash
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.merkle import HashReader, TreeHead, leaf_hash, root_hash
from attestlayer.log.notices import parse_notices
from attestlayer.log.tiles import Tile, edge_tiles, hash_reader, parse_bundle, parse_tile
from attestlayer.log.trust import TrustRoot, make_trust_root
from issuer.errors import LogHaltedError
from issuer.log.publication import EdgeOfTree
from issuer.ports import ObjectStore


def read_latest(public: ObjectStore) -> Checkpoint | None:
    """The checkpoint in `latest.json`, or None. Raises `LogHaltedError` if it is damaged."""
    data = public.read(layout.LATEST)
    try:
        return parse_checkpoint(data) if data is not None else None
    except VerificationError as error:
        raise LogHaltedError(f"the public {layout.LATEST} is damaged: {error}") from error


def read_trust_root(public: ObjectStore) -> TrustRoot:
    """A trust root of the newest checkpoint and its notices. Raises `LogHaltedError`."""
    latest = read_latest(public)
    if latest is None:
        raise LogHaltedError("the registry has no checkpoint yet: run `issuer init` first")
    data = public.read(layout.notices_path(latest.notices_hash))
    if data is None:
        raise LogHaltedError("the notices of the newest checkpoint are missing")
    try:
        return make_trust_root(latest, parse_notices(data))
    except (ValueError, VerificationError) as error:
        raise LogHaltedError(f"the newest checkpoint or its notices are damaged: {error}") from error


def read_edge(public: ObjectStore, head: TreeHead) -> EdgeOfTree:
    """The partial tiles and the last bundle of a published tree.

    Raises `LogHaltedError` unless the tiles make `head`'s root and the bundle's entries the last tile:
    a flipped bit in storage must stop the log before it is signed over.
    """
    tiles = {tile.level: _read_tile(public, tile) for tile in edge_tiles(head.size)}

    def read(tile: Tile) -> list[Hash]:
        if tile.index == (head.size >> (8 * tile.level)) // 256 and tile.level in tiles:
            return tiles[tile.level][: tile.width]
        return _read_tile(public, tile)

    if root_hash(head.size, hash_reader(head.size, read)) != head.root:
        raise LogHaltedError(f"the stored tiles do not make the root of size {head.size}: storage is damaged")
    entries = _read_bundle(public, head.size)
    if [leaf_hash(entry) for entry in entries] != tiles.get(0, []):
        raise LogHaltedError(f"the stored entries do not make the last tile of size {head.size}")
    return EdgeOfTree(head.size, tiles, entries)


def tree_reader(public: ObjectStore, size: int) -> HashReader:
    """Reads any complete subtree of the published tree of `size`; each tile is fetched once."""
    seen: dict[Tile, list[Hash]] = {}

    def read(tile: Tile) -> list[Hash]:
        if tile not in seen:
            seen[tile] = _read_tile(public, tile)
        return seen[tile]

    return hash_reader(size, read)


def _read_tile(public: ObjectStore, tile: Tile) -> list[Hash]:
    data = public.read(tile.path)
    if data is None:
        raise LogHaltedError(f"{tile.path} is missing from the public store")
    try:
        return parse_tile(data, tile)
    except VerificationError as error:
        raise LogHaltedError(str(error)) from error


def _read_bundle(public: ObjectStore, size: int) -> list[bytes]:
    if size % 256 == 0:
        return []
    tile = Tile(0, size // 256, size % 256)
    data = public.read(tile.bundle_path)
    if data is None:
        raise LogHaltedError(f"{tile.bundle_path} is missing from the public store")
    try:
        return parse_bundle(data, tile.width)
    except VerificationError as error:
        raise LogHaltedError(f"{tile.bundle_path}: {error}") from error
