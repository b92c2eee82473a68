"""What a DynamoDB table holds: items with a revision, whose body may be in parts; and their wire form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | bytes | dict[str, int]

REVISION = "revision"
_BODY, _PARTS = "body", "parts"
PART_LENGTH = 350_000
"""Bytes of a body that one item holds: DynamoDB takes 400 KB with the attributes."""
_PARTITION_KEY_MAX, _SORT_KEY_MAX = 2048, 1024  # bytes; DynamoDB's


@dataclass(frozen=True, slots=True)
class Key:
    """An item's place: partition and sort key."""

    pk: str
    sk: str = "-"

    def fits(self) -> bool:
        """Whether an item can have this key: what can't be one names nothing that is there."""
        try:
            lengths = len(self.pk.encode()), len(self.sk.encode())
        except UnicodeEncodeError:
            return False
        return lengths[0] <= _PARTITION_KEY_MAX and lengths[1] <= _SORT_KEY_MAX


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item: attributes, a body of any length, and the revision that a write names.

    A body over 350 KB is kept in parts beside its item, named by the item's revision.
    """

    key: Key
    attributes: Mapping[str, Value]
    body: bytes
    revision: str
    parts: int = 0

    def text(self, name: str) -> str | None:
        """A string attribute, or None."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str, otherwise: int = 0) -> int:
        """An integer attribute."""
        value = self.attributes.get(name, otherwise)
        assert isinstance(value, int)
        return value

    def part_keys(self) -> list[Key]:
        """Where the rest of the body is."""
        return [Key(self.key.pk, f"part#{self.revision}#{n:03}") for n in range(1, self.parts + 1)]


@dataclass(frozen=True, slots=True)
class Write:
    """Store `item` (None: delete), if what is there has revision `expected` (None: if nothing is there)."""

    key: Key
    item: Mapping[str, Value] | None
    expected: str | None


def flat(item: Item, part: int) -> dict[str, Value]:
    """The attributes under which an item (part 0) or one of its further parts is stored."""
    body = item.body[part * PART_LENGTH : (part + 1) * PART_LENGTH]
    stored: dict[str, Value] = {REVISION: item.revision, **({_BODY: body} if body else {})}
    if part == 0:
        stored |= item.attributes
        if item.parts:
            stored[_PARTS] = item.parts
    return stored


def joined(item: Item, parts: Mapping[Key, Mapping[str, Any]]) -> Item:
    """The item with its whole body. Raises `KeyError` for a part that is missing."""
    if not item.parts:
        return item
    body = item.body + b"".join(parts[key][_BODY]["B"] for key in item.part_keys())
    return Item(item.key, item.attributes, body, item.revision, item.parts)


def is_part(key: Key) -> bool:
    """Whether an item is a part of another's body."""
    return key.sk.startswith("part#")


def parse_item(raw: Mapping[str, Any]) -> Item:
    """An item from the wire, without its further parts."""
    attributes = {name: _decode(value) for name, value in raw.items()}
    key = Key(str(attributes.pop("pk")), str(attributes.pop("sk")))
    body, parts = attributes.pop(_BODY, b""), attributes.pop(_PARTS, 0)
    revision = str(attributes.pop(REVISION, ""))
    assert isinstance(body, bytes)
    assert isinstance(parts, int)
    return Item(key, attributes, body, revision, parts)


def format_item(key: Key, attributes: Mapping[str, Value]) -> dict[str, Any]:
    """An item for the wire."""
    return format_key(key) | {name: _encode(value) for name, value in attributes.items()}


def format_key(key: Key) -> dict[str, Any]:
    """A key for the wire."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _encode(value: Value) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"M": {name: {"N": str(number)} for name, number in value.items()}}


def _decode(value: Mapping[str, Any]) -> Value:
    ((kind, found),) = value.items()
    if kind == "N":
        return int(found)
    if kind == "M":
        return {name: int(number["N"]) for name, number in found.items()}
    return bytes(found) if kind == "B" else str(found)
