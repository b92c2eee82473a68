"""How far partial tiles are collected: one private object, which `services.collect` keeps."""

from dataclasses import dataclass

from attestlayer.canonical import Json, format_json, parse_json, take_array, take_document, take_integer
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.tiles import WIDTH
from issuer.log.state import undamaged

COLLECTED = "collected"
RETENTION_S = 86_400
"""A partial tile outlives its full tile by a day (REG-1.0 section 10)."""


@dataclass(frozen=True, slots=True)
class Collected:
    """All is collected up to checkpoint `sequence`; `pending`: sizes that left a partial level-0 tile, all
    in the one that is not full in the tree of `size`."""

    sequence: int = -1
    size: int = 0
    pending: tuple[int, ...] = ()

    def format(self) -> bytes:
        """The object's bytes."""
        pending: list[Json] = list(self.pending)
        return format_json(
            {
                "schema": "attestlayer/collected/1",
                "sequence": self.sequence,
                "tree_size": self.size,
                "pending": pending,
            }
        )

    def with_size(self, checkpoint: Checkpoint) -> "Collected":
        """With one more checkpoint."""
        size = checkpoint.head.size
        sizes = sorted({*self.pending, size}) if size % WIDTH else list(self.pending)
        pending = tuple(each for each in sizes if each // WIDTH == size // WIDTH)
        return Collected(checkpoint.sequence, size, pending)


def parse_collected(data: bytes) -> Collected:
    """What is stored as `collected`. Raises `LogHaltedError` if it is damaged."""
    with undamaged(COLLECTED):
        members = take_document(parse_json(data), "collected", ("sequence", "tree_size", "pending"))
        found = Collected(
            take_integer(members, "sequence"),
            take_integer(members, "tree_size"),
            tuple(take_integer({"size": item}, "size") for item in take_array(members, "pending")),
        )
        sizes = list(found.pending)
        inside = all(size // WIDTH == found.size // WIDTH and size % WIDTH for size in sizes)
        if sizes != sorted(set(sizes)) or not inside or any(size > found.size for size in sizes):
            raise ValueError("its sizes are not in order, or not of the last tile")
        return found
