"""Copies of a registry's objects: when one was seen, how long caches may still show it, how long it may be.

Pure: the readers of this package make copies, the audit judges them.
"""

from typing import NamedTuple, Protocol, runtime_checkable

from attestlayer.encoding import format_time
from attestlayer.errors import CouldNotCheckError, Reason

MAX_OBJECT = 32 * 1024 * 1024
"""Bytes of the longest object that is read: twice the longest entry bundle, 256 entries of 64 KiB."""

_MAX_SMALL = 1024 * 1024
"""Bytes of the longest object of one leaf, pair or checkpoint: over four times what a receipt can have."""

_SMALL = ("tile/", "v1/entries/", "v1/proofs/", "v1/checkpoints/")
_LARGE = ("tile/entries/", "v1/checkpoints/bundle/")


class Sighting(NamedTuple):
    """When a copy was seen, in POSIX seconds, and how.

    `stale_at`: when no cache that obeys the answer's header shows this copy any more. `age`: seconds that it
    had been in a cache, as the answer says. `past_caches`: asked for so that caches ask the
    registry, after waiting for `waited_s`.
    """

    at: float
    stale_at: float
    age: int = 0
    past_caches: bool = False
    waited_s: float = 0.0

    def __str__(self) -> str:
        cached = f", {self.age} s old in a cache" if self.age else ""
        return f"{format_time(int(self.at))}{cached}{', asked past caches' if self.past_caches else ''}"


class Copy(NamedTuple):
    """An object's bytes, or None if there was none. `sighting`: None where no cache is in between."""

    data: bytes | None
    sighting: Sighting | None


@runtime_checkable
class Cached(Protocol):
    """A registry that may be read through caches, which may show an older state of an object, or none."""

    def fetch(self, name: str) -> Copy:
        """The object as it is shown now. Raises `CouldNotCheckError`."""

    def fetch_again(self, name: str, sighting: Sighting, longest_s: float) -> Copy:
        """The object, asked for past caches, once the copy of `sighting` is stale or `longest_s` are over.

        Raises `CouldNotCheckError`.
        """


def bound_of(name: str) -> int:
    """The most bytes that are read of an object of this name."""
    return _MAX_SMALL if name.startswith(_SMALL) and not name.startswith(_LARGE) else MAX_OBJECT


def check_bound(name: str, length: int, bound: int) -> None:
    """Check that an object is not too long to be read. Raises `CouldNotCheckError`."""
    if length > bound:
        raise unreadable(f"{name} has over {bound} bytes")


def unreadable(message: str) -> CouldNotCheckError:
    """The error of a registry that could not be read."""
    return CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
