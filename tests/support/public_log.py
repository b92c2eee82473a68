"""A `Log` of the builder as a registry's public objects: what `trust update` and `verify --registry` read."""

from collections.abc import Sequence
from pathlib import Path

from attestlayer.encoding import Hash
from attestlayer.log import layout
from attestlayer.log.tiles import Tile, extend_tiles, format_tile
from support.build import Log


def tiles_of(leaves: Sequence[Hash]) -> dict[Tile, bytes]:
    """All tiles of a tree with these leaves."""
    return {tile: format_tile(hashes) for tile, hashes in extend_tiles(0, {}, leaves).items()}


def publish(log: Log, folder: Path, *, trust: int = -1, newest: int = -1) -> Path:
    """Write the objects: the trust root and newest checkpoint of these rounds, the tiles of every size."""
    objects = {
        layout.TRUST: log.trust(trust).format(),
        layout.LATEST: log.rounds[newest].checkpoint.format(),
    }
    for published in log.rounds:
        objects[layout.notices_path(published.notices.hash())] = published.notices.format()
        leaves = log.leaves[: published.checkpoint.head.size]
        objects |= {tile.path: data for tile, data in tiles_of(leaves).items()}
    for name, data in objects.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
