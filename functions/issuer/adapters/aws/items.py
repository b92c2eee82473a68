"""Items of a DynamoDB table on the wire: a revision, and a compressed body that may be in parts.

DynamoDB counts writes by the kilobyte, so bodies are compressed. An item takes 400 KB: the rest of a longer
body is kept in further items of its partition, named by the revision of the item that they belong to.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from issuer.ports import Item, Key

REVISION, MARKED = "revision", "marked"
_BODY, _PARTS = "body", "parts"
PART_LENGTH = 350_000
"""Bytes of a compressed body that one item holds, which leaves room for its keys."""
_PART = "part#"


@dataclass(frozen=True, slots=True)
class Stored:
    """An item as stored: its revision is a random token that each write changes. `data`: the first part."""

    key: Key
    revision: str
    data: bytes
    parts: int = 0
    marked: bool = False

    def part_keys(self) -> list[Key]:
        """Where the rest of the body is."""
        return [Key(self.key.pk, f"{_PART}{self.revision}#{n:03}") for n in range(1, self.parts + 1)]

    def item(self, parts: Mapping[Key, Mapping[str, Any]]) -> Item:
        """The item, its body joined and unpacked. Raises `KeyError` for a part that is missing."""
        data = self.data + b"".join(bytes(parts[key][_BODY]["B"]) for key in self.part_keys())
        return Item(self.key, _unpacked(data), self.marked)


def is_part(key: Key) -> bool:
    """Whether an item is a part of another one's body."""
    return key.sk.startswith(_PART)


def parse_stored(raw: Mapping[str, Any]) -> Stored:
    """An item from the wire, without its further parts."""
    key = Key(raw["pk"]["S"], raw["sk"]["S"])
    revision, data = raw.get(REVISION, {}).get("S", ""), bytes(raw.get(_BODY, {}).get("B", b""))
    return Stored(key, revision, data, int(raw.get(_PARTS, {}).get("N", 0)), MARKED in raw)


def format_items(key: Key, body: str, revision: str) -> dict[Key, dict[str, Any]]:
    """An item for the wire, with the further parts of its body."""
    data = zlib.compress(body.encode(), 6)
    pieces = [data[at : at + PART_LENGTH] for at in range(0, len(data), PART_LENGTH)]
    stored = Stored(key, revision, data, len(pieces) - 1)
    raw = {
        place: {**format_key(place), REVISION: {"S": revision}, _BODY: {"B": piece}}
        for place, piece in zip([key, *stored.part_keys()], pieces, strict=True)
    }
    if stored.parts:
        raw[key][_PARTS] = {"N": str(stored.parts)}
    return raw


def format_key(key: Key) -> dict[str, Any]:
    """A key for the wire."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def length_of(raw: Mapping[str, Any]) -> int:
    """Bytes of the body in an item for the wire."""
    return len(raw[_BODY]["B"])


def _unpacked(data: bytes) -> str:
    """The body, or an empty one, which is no record, if it is damaged."""
    try:
        return zlib.decompress(data).decode()
    except (zlib.error, UnicodeDecodeError):
        return ""
