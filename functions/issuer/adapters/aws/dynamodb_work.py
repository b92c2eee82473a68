"""One transaction being made: what it reads, and what it will write if that is still so then."""

import secrets
from collections.abc import Mapping

from issuer.adapters.aws.dynamodb_items import PART_LENGTH, Item, Key, Value, Write, flat
from issuer.adapters.aws.dynamodb_table import Table


class Work:
    """Reads and writes of one transaction. What it read and does not write is not guarded."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._read: dict[Key, Item | None] = {}
        self._written: dict[Key, Item | None] = {}
        self._revision = secrets.token_hex(16)

    def read(self, *keys: Key) -> None:
        """Read several items in one request."""
        found = self._table.get_many(keys)
        self._read |= {key: found.get(key) for key in keys}

    def get(self, key: Key) -> Item | None:
        """The item as this work has it: as it wrote it, else as it was read."""
        if key in self._written:
            return self._written[key]
        if key not in self._read:
            self.read(key)
        return self._read[key]

    def put(self, key: Key, attributes: Mapping[str, Value], body: bytes = b"") -> None:
        """Store an item in place of what was read; of one that was not read: a new one."""
        parts = max(0, (len(body) - 1) // PART_LENGTH)
        self._written[key] = Item(key, dict(attributes), body, self._revision, parts)

    def delete(self, key: Key) -> None:
        """Delete an item that was read."""
        self._written[key] = None

    def commit(self) -> None:
        """Carry it out. Raises `ChangedError` if something that was read and is written has changed."""
        writes: list[Write] = []
        for key, item in self._written.items():
            before = self._read.get(key)
            writes.append(Write(key, flat(item, 0) if item else None, before.revision if before else None))
            if before:
                writes += [Write(part, None, before.revision) for part in before.part_keys()]
            if item:
                writes += [
                    Write(part, flat(item, n), None) for n, part in enumerate(item.part_keys(), start=1)
                ]
        if writes:
            self._table.commit(writes, self._revision)
