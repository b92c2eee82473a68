"""A `Table` in one SQLite file, for any number of threads and processes of one machine.

A transaction has the file for itself from its first read on, so that what it read is still so when it writes.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from issuer.adapters.local.database import Database
from issuer.ports import Item, Key, Reader, Span, Writes

T = TypeVar("T")

_ONE = "SELECT body, marked FROM items WHERE pk = ? AND sk = ?"
_SPAN = "SELECT pk, sk, body, marked FROM items WHERE pk = ? AND sk BETWEEN ? AND ? ORDER BY sk"
_ALL = "SELECT pk, sk, body, marked FROM items"
_INSERT = "INSERT INTO items VALUES (?, ?, ?, 0)"
_UPDATE = "UPDATE items SET body = ?, marked = 0 WHERE pk = ? AND sk = ?"
_DELETE = "DELETE FROM items WHERE pk = ? AND sk = ?"
_MARK = "UPDATE items SET marked = 1 WHERE pk = ? AND sk = ?"

_REPORTED = 100
"""Lines of SQLite's report, at most: its default."""


class SqliteTable:
    """The table in the file at `path`, made if it is not there; `read_only`: read where it is or in a copy.

    Raises `StoreError` if the file is no ledger, or one of a newer program.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = 10.0, read_only: bool = False) -> None:
        self._database = Database(path, busy_timeout_s, read_only=read_only)

    def close(self) -> None:
        """Close the file. What was committed is safe without it."""
        self._database.close()

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """One state of these items."""
        with self._database.read() as connection:
            return _get_many(connection, keys)

    def query(self, span: Span, limit: int | None = None) -> Iterator[Item]:
        """One state of the span."""
        order = " DESC" if span.reverse else ""
        values = (span.pk, span.low, span.high, -1 if limit is None else limit)
        with self._database.read() as connection:
            rows = connection.execute(f"{_SPAN}{order} LIMIT ?", values).fetchall()
        return map(_item, rows)

    def gather(self, spans: Sequence[Span]) -> Iterator[Item]:
        """One state of the spans."""
        with self._database.read() as connection:
            for span in spans:
                yield from map(_item, connection.execute(_SPAN, (span.pk, span.low, span.high)))

    def scan(self) -> Iterator[Item]:
        """One state of the table."""
        with self._database.read() as connection:
            yield from map(_item, connection.execute(_ALL))

    def mark(self, keys: Iterable[Key]) -> None:
        """Mark them, all or none."""
        places = [(key.pk, key.sk) for key in keys]
        if places:
            with self._database.write() as connection:
                connection.executemany(_MARK, places)

    def transact(self, act: Callable[[Reader], tuple[T, Writes]]) -> T:
        """Carry `act` out, once and undisturbed. Its writes meet no limit."""
        with self._database.write() as connection:
            reader = _Exclusive(connection)
            result, writes = act(reader)
            for key, body in writes.items():
                if body is None:
                    connection.execute(_DELETE, (key.pk, key.sk))
                elif key in reader.items:
                    connection.execute(_UPDATE, (body, key.pk, key.sk))
                else:  # an item that is there by a bug, unread, is a conflict of the primary key
                    connection.execute(_INSERT, (key.pk, key.sk, body))
        return result

    def purge(self) -> None:
        """Write the file again without what was deleted, and empty its write-ahead log."""
        self._database.rewrite()

    def damage(self) -> Iterator[str]:
        """The lines of SQLite's integrity check, at most 100."""
        with self._database.read() as connection:
            for (text,) in connection.execute(f"PRAGMA integrity_check({_REPORTED})"):
                if text != "ok":
                    yield f"SQLite's integrity check: {text}"


class _Exclusive:
    """Reads inside a write transaction. `items`: those that it has read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.items: dict[Key, Item] = {}

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        items = _get_many(self._connection, keys)
        self.items |= items
        return items


def _get_many(connection: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, Item]:
    rows = ((key, connection.execute(_ONE, (key.pk, key.sk)).fetchone()) for key in keys)
    return {key: Item(key, row[0], bool(row[1])) for key, row in rows if row}


def _item(row: tuple[str, str, str, int]) -> Item:
    pk, sk, body, marked = row
    return Item(Key(pk, sk), body, bool(marked))
