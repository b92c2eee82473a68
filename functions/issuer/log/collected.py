"""Progress of tile collection: the private object `collected`, which `services.collect` keeps."""

from dataclasses import dataclass

from attestlayer.canonical import Json, format_json, parse_json, take_array, take_document, take_integer
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.tiles import WIDTH
from issuer.log.state import undamaged

COLLECTED = "collected"
RETENTION_S = 86_400
"""Seconds that a partial tile outlives its full tile: a day (REG-1.0 section 10.2)."""


@dataclass(frozen=True, slots=True)
class CollectionProgress:
    """Partial tiles are collected up to checkpoint `sequence`, whose tree has `size` leaves.

    `pending`: the tree sizes whose partial level-0 tile is still stored, ascending. They are all in the last
    tile of the tree of `size`, which is not full yet; their partial tiles may go once it is.
    """

    sequence: int = -1
    size: int = 0
    pending: tuple[int, ...] = ()

    def format(self) -> bytes:
        """The bytes of the object `collected`: canonical JSON."""
        pending: list[Json] = list(self.pending)
        return format_json(
            {
                "schema": "attestlayer/collected/1",
                "sequence": self.sequence,
                "tree_size": self.size,
                "pending": pending,
            }
        )

    def with_size(self, checkpoint: Checkpoint) -> "CollectionProgress":
        """The progress after `checkpoint`, the one that follows `sequence`, has been collected."""
        size = checkpoint.head.size
        # A size divisible by 256 leaves no partial tile. Sizes in a tile that is full now are done with: the
        # caller has deleted their partial tiles.
        sizes = sorted({*self.pending, size}) if size % WIDTH else list(self.pending)
        pending = tuple(each for each in sizes if each // WIDTH == size // WIDTH)
        return CollectionProgress(checkpoint.sequence, size, pending)


def parse_collected(data: bytes) -> CollectionProgress:
    """The progress from the bytes of `collected`. Raises `LogHaltedError` if they are damaged."""
    with undamaged(COLLECTED):
        members = take_document(parse_json(data), "collected", ("sequence", "tree_size", "pending"))
        progress = CollectionProgress(
            take_integer(members, "sequence"),
            take_integer(members, "tree_size"),
            tuple(take_integer({"size": item}, "size") for item in take_array(members, "pending")),
        )
        sizes = list(progress.pending)
        inside = all(size // WIDTH == progress.size // WIDTH and size % WIDTH for size in sizes)
        if sizes != sorted(set(sizes)) or not inside or any(size > progress.size for size in sizes):
            raise ValueError("its sizes are not in order, or not of the last tile")
        return progress
