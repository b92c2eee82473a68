"""ZIPs packed as nobody packs them: odd names, headers and fields, drawn at random or chosen."""

import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.build import make_zip
from support.cases import small
from support.packed import FILE, FOLDER, ONES, Item, Maker, Members, items, large, lay_out, unicode_path

NAMES = (
    b"a", b"A", b"a/", b"A/", b"a/b", b"a//", b"./", b"./a", b"././", b"././a", b".", b"..", b"/", b"",
    b"icon\r", b"ICON\r/", b"._Icon\r", b"._icon\r/x", b"x/Icon\r", b"Icon\r\r",
    b"a:Zone.Identifier", b":zone.identifier", b"b:c:zone.identifier", b"x:zone.identifier/",
    b"@eaDir/x", b"@eaDir/x@SynoY", b"@EADIR/SYNOx", b"a/@eaDir/.DS_Store", b"@eaDir", b"@eaDir/._a",
    b"__MACOSX/", b"__MACOSX/._a", b".DS_Store", b".ds_store/", b".DS_Store/x", b"~$a", b"~$\xff",
    b".~lock.#", b".~lock.a", b"kit.zip", b"KIT.ZIP", b"k/kit.zip", b".zip", b"\xff", b"\xff/x", b"\xff.zip",
    b"q/receipt.json", b"q/disclosure.json", b"q/r/receipt.json", b"disclosure.json", b"receipt.json",
    b"r\\x", b"a\\", b"README.txt", b"readme.txt", b"records/", b"records/000-x.txt", b"kit/", b"kit/a",
    b"a\x7f", b"a\0", b"k", "\N{KELVIN SIGN}".encode(), b"registry/registry_receipt.json",
)  # fmt: skip

TYPES = (FILE, FOLDER, 0x10, 0x08, 0x20, 0o120777 << 16, 0x80000000, 0x40000000)


def oddly_packed(seed: str, count: int) -> Iterator[bytes]:
    """The small kit, or part of it, with entries of odd names and headers that say odd things."""
    chance = random.Random(seed)
    for _ in range(count):
        top = chance.choice(("", "", "kit/", "./", "a/b/", "./kit/"))
        kept = chance.choice((1, 1, 1, 0.5, 0))
        entries = items({n: d for n, d in small().members.items() if chance.random() < kept}, top)
        for name in chance.sample(NAMES, chance.choice((0, 1, 1, 2))):
            data = (
                b"" if name.endswith((b"/", b"\\")) else chance.choice((b"", b"x", bytes(4096), bytes(4097)))
            )
            entries.append(Item(name if chance.randrange(3) else top.encode() + name, data))
        changed = [_odd(entry, chance) for entry in entries]
        yield lay_out(changed, zip64=chance.randrange(8) == 0)


def _odd(entry: Item, chance: random.Random) -> Item:
    if chance.randrange(4) == 0:
        entry = replace(entry, method=8, made=chance.choice((20, 0x31E)))
    if chance.randrange(40) == 0:
        entry = replace(entry, attributes=chance.choice(TYPES))
    if chance.randrange(60) == 0:
        named = chance.choice((entry.name, entry.name + b"\xff"))
        entry = replace(entry, local_extra=unicode_path(entry.name, named))
    return _said_oddly(entry, chance) if chance.randrange(15) == 0 else entry


def _said_oddly(entry: Item, chance: random.Random) -> Item:
    """Values of the local header that are 0 or all ones, a ZIP64 field or none, a descriptor or none."""
    true = {"crc": zlib.crc32(entry.data), "compressed": len(entry.content), "size": len(entry.data)}
    local = {name: chance.choice((value, value, 0, ONES)) for name, value in true.items()}
    wide = [chance.choice((true["size"], 0)), chance.choice((true["compressed"], 0)), 0]
    field = large(*wide[: chance.randrange(4)]) if chance.randrange(2) else b""
    if chance.randrange(4) == 0:
        return replace(entry, local=local, local_extra=field)
    descriptor = chance.choice(("QQ", "mQQ") if field else ("LL", "mLL", "QQ"))
    return replace(entry, flags=entry.flags | 8, descriptor=descriptor, local=local, local_extra=field)


def _first(**changes: Any) -> Maker:
    """The first entry, which begins at byte 0, or the second, with other headers."""
    at = changes.pop("at", 0)

    def made(members: Members) -> bytes:
        entries = items(members, method=8)
        return lay_out([*entries[:at], replace(entries[at], **changes), *entries[at + 1 :]])

    return made


def _local(*wide: int, **local: int) -> dict[str, Any]:
    return {"flags": 8, "descriptor": "mQQ", "local": local, "local_extra": large(*wide)}


def _ignored(count: int, *beside: Item) -> Maker:
    return lambda _: lay_out([*beside, *(Item(b"x/._%d" % n) for n in range(count))])


CHOSEN: dict[str, tuple[Maker, str]] = {
    "the-field-alone-is-0": (_first(**_local(0, 0)), "accepted"),
    "the-header-alone-is-0": (
        lambda m: _first(**_local(*_sizes(m, 0), size=0, compressed=0, crc=0))(m),
        "accepted",
    ),
    "the-field's-offset-is-0": (lambda m: _first(at=1, **_local(*_sizes(m, 1), 0))(m), "accepted"),
    "the-same-without-bit-3": (
        lambda m: _first(at=1, local_extra=large(*_sizes(m, 1), 0))(m),
        "container-ambiguous",
    ),
    "all-ones-beside-an-empty-field": (_first(**_local(size=ONES)), "container-ambiguous"),
    "too-many-leftovers-beside-a-kit": (_ignored(2001, Item(b"kit.zip")), "container-limit-exceeded"),
    "many-leftovers-beside-a-kit": (_ignored(2000, Item(b"kit.zip")), "input-not-a-kit"),
    "canonical-but-for-a-name": (lambda m: _renamed(make_zip({**m, "zz": b""})), "file-unexpected"),
    "canonical-but-for-a-checksum": (lambda m: _miscounted(make_zip({**m, "zz": b"zz"})), "file-unexpected"),
}
"""Each with what is said first."""


def _sizes(members: Members, at: int) -> tuple[int, int]:
    entry = items(members, method=8)[at]
    return len(entry.data), len(entry.content)


def _renamed(data: bytes) -> bytes:
    """With a name that is no UTF-8."""
    return data.replace(b"zz", b"z\xff")


def _miscounted(data: bytes) -> bytes:
    """With another CRC-32 of a file that is not read."""
    return data.replace(zlib.crc32(b"zz").to_bytes(4, "little"), bytes(4))
