"""A `Table` in memory, as weak as the port allows: transactions run side by side, and are tried again."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from issuer.errors import StoreError
from issuer.ports import Item, Key, Reader, Span, Table, Writes

T = TypeVar("T")

_TRIES = 1000


class DictTable:
    """The table, for the threads of one process. `damaged`: what its own check is to find."""

    def __init__(self) -> None:
        self._items: dict[Key, Item] = {}
        self._lock = threading.Lock()
        self.damaged: list[str] = []

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        asked = list(keys)
        assert all(key.fits() for key in asked)
        with self._lock:
            return {key: self._items[key] for key in asked if key in self._items}

    def query(self, span: Span, limit: int | None = None) -> Iterator[Item]:
        low, high = span.low.encode(), span.high.encode()
        items = [
            each for each in self.scan() if each.key.pk == span.pk and low <= each.key.sk.encode() <= high
        ]
        items.sort(key=lambda item: item.key.sk.encode(), reverse=span.reverse)
        return iter(items[:limit])

    def gather(self, spans: Sequence[Span]) -> Iterator[Item]:
        return (item for span in reversed(spans) for item in self.query(span))

    def scan(self) -> Iterator[Item]:
        with self._lock:
            return iter(list(self._items.values()))

    def mark(self, keys: Iterable[Key]) -> None:
        with self._lock:
            self._items |= {key: _marked(self._items[key]) for key in keys if key in self._items}

    def transact(self, act: Callable[[Reader], tuple[T, Writes]]) -> T:
        for _ in range(_TRIES):
            reader = _Reading(self)
            result, writes = act(reader)
            time.sleep(0)  # another thread's turn
            if self._commit(writes, reader.items):
                return result
        raise StoreError("the items of a transaction changed every time")

    def purge(self) -> None:
        """Nothing to do: what is deleted is gone."""

    def damage(self) -> Iterator[str]:
        return iter(self.damaged)

    def put(self, key: Key, body: str | None) -> None:
        """Change an item behind everybody's back."""
        with self._lock:
            self._items.pop(key, None)
            if body is not None:
                self._items[key] = Item(key, body)

    def _commit(self, writes: Writes, read: dict[Key, Item]) -> bool:
        with self._lock:
            if any(_body(self._items.get(key)) is not _body(read.get(key)) for key in writes):
                return False
            for key, body in writes.items():
                self._items.pop(key, None)
                if body is not None:
                    # A text of its own, as a revision is: another write of the same text is a change.
                    self._items[key] = Item(key, "".join(list(body)))
            return True


class _Reading:
    def __init__(self, table: DictTable) -> None:
        self._table = table
        self.items: dict[Key, Item] = {}

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        items = self._table.get_many(keys)
        self.items |= items
        return items


def _body(item: Item | None) -> str | None:
    return item.body if item else None


def _marked(item: Item) -> Item:
    return Item(item.key, item.body, marked=True)


@cache
def dict_table(place: Path) -> DictTable:
    """The table that a test names by its folder."""
    del place
    return DictTable()


def overwrite(table: Table, writes: Writes) -> None:
    """Change items of any table behind the ledger's back: other bodies, or None to delete them."""
    table.transact(lambda reader: (len(reader.get_many(writes)), writes))
