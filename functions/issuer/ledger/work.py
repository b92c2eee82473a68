"""One transaction of the ledger in the making: the records it has read, and those it will write."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from issuer.errors import StoreError
from issuer.ledger.rows import Rows
from issuer.ports import Item, Key, Reader, Table, Writes

T = TypeVar("T")


class Work:
    """Reads and writes of one transaction. Each item is read and parsed once, and formatted once.

    Items that are read but not written are not protected against concurrent change.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._items: dict[Key, Item | None] = {}
        self._records: dict[Key, Any] = {}
        self._written: dict[Key, Rows[Any] | None] = {}

    def read(self, *keys: Key) -> None:
        """Read several items at once, for later `get`s."""
        items = read_items(self._reader, keys)
        self._items |= {key: items.get(key) for key in keys}

    def get(self, rows: Rows[T], key: Key) -> T | None:
        """The record under `key` as this transaction has left it, or None."""
        if key not in self._records:
            if key not in self._items:
                self.read(key)
            item = self._items[key]
            self._records[key] = rows.parse(item.body) if item else None
        record: T | None = self._records[key]
        return record

    def put(self, rows: Rows[T], key: Key, record: T) -> None:
        """Store a record in place of the one that was read; under a key that was not read, a new one."""
        if not key.fits():
            raise StoreError(
                f"the ledger has no place for a key of {len(key.pk)} characters or this spelling"
            )
        self._records[key] = record
        self._written[key] = rows

    def delete(self, key: Key) -> None:
        """Delete an item that was read."""
        self._records[key] = None
        self._written[key] = None

    def writes(self) -> Writes:
        """What the table is to carry out."""
        return {key: rows.format(self._records[key]) if rows else None for key, rows in self._written.items()}


def read_items(reader: Reader, keys: Iterable[Key]) -> dict[Key, Item]:
    """The items that exist. A key that no table can hold names nothing."""
    return reader.get_many([key for key in dict.fromkeys(keys) if key.fits()])


def carry_out(table: Table, act: Callable[[Work], T]) -> T:
    """Carry `act` out as one transaction; it may be called several times."""

    def attempt(reader: Reader) -> tuple[T, Writes]:
        work = Work(reader)
        return act(work), work.writes()

    return table.transact(attempt)
