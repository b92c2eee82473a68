"""Reads the log's public face: newest checkpoint, right edge, trust root. Everything read is checked."""

from attestlayer.encoding import Hash
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.merkle import HashReader, TreeHead, leaf_hash, root_hash
from attestlayer.log.notices import parse_notices
from attestlayer.log.tiles import WIDTH, Tile, edge_tiles, hash_reader, parse_bundle, parse_tile
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
    """A trust root made from the newest checkpoint and its notices. Raises `LogHaltedError`.

    It is not the stored `/v1/trust.json`, which is older unless the last round changed the notices.
    """
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
    """The partial tiles and the last bundle of a published tree. O(log n) objects.

    Raises `LogHaltedError` unless the tiles hash to `head`'s root and the bundle's entries to the last tile:
    a bit that flipped in storage must stop the log before a signature covers it.
    """
    tiles = {tile.level: _read_tile(public, tile) for tile in edge_tiles(head.size)}

    def read(tile: Tile) -> list[Hash]:
        # A level holds size / 256^level hashes, rounded down (REG-1.0 section 10.2); its last tile, which may
        # be partial, is read already and may hold more hashes than this narrower one.
        if tile.index == (head.size >> (8 * tile.level)) // WIDTH and tile.level in tiles:
            return tiles[tile.level][: tile.width]
        return _read_tile(public, tile)

    if root_hash(head.size, hash_reader(head.size, read)) != head.root:
        raise LogHaltedError(f"the stored tiles do not make the root of size {head.size}: storage is damaged")
    # The root covers leaf hashes alone: the entries of the next bundle need a check of their own.
    entries = _read_bundle(public, head.size)
    if [leaf_hash(entry) for entry in entries] != tiles.get(0, []):
        raise LogHaltedError(f"the stored entries do not make the last tile of size {head.size}")
    return EdgeOfTree(head.size, tiles, entries)


def tree_reader(public: ObjectStore, size: int) -> HashReader:
    """A reader of complete subtrees of the published tree of `size`. It fetches each tile once."""
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
    """The entries of the partial last bundle; none if the tree ends with a full one."""
    if size % WIDTH == 0:
        return []
    tile = Tile(0, size // WIDTH, size % WIDTH)
    data = public.read(tile.bundle_path)
    if data is None:
        raise LogHaltedError(f"{tile.bundle_path} is missing from the public store")
    try:
        return parse_bundle(data, tile.width)
    except VerificationError as error:
        raise LogHaltedError(f"{tile.bundle_path}: {error}") from error
