"""The public store as the registry that the core's audit reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.errors import CouldNotCheckError, Reason
from issuer.errors import StoreError
from issuer.ports import ObjectStore


@dataclass(frozen=True)
class StoreRegistry:
    """A `Registry` over the public store."""

    public: ObjectStore

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None. Raises `CouldNotCheckError`."""
        try:
            return self.public.read(name)
        except StoreError as error:
            raise CouldNotCheckError(Reason.INPUT_UNREADABLE, error.detail) from error

    def names(self) -> Iterator[str]:
        """The names of all objects, in byte order, for the search for stray ones."""
        return self.public.list("")
