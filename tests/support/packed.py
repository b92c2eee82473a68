"""ZIPs as programs and attackers pack them, laid out byte by byte: the same on every machine."""

import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

FILE = 0o100644 << 16
FOLDER = 0o040755 << 16 | 0x10
ONES = 0xFFFFFFFF


def deflated(data: bytes) -> bytes:
    """One block of literals with fixed codes (RFC 1951 section 3.2.6): what zlib makes differs by version."""
    return _bits([(1, 1), (1, 2), *(_literal(byte) for byte in data), (0, 7)])


def zeros(count: int) -> bytes:
    """Deflated zeros: one, then `count` times 258 more, each in 13 bits."""
    return _bits([(1, 1), (1, 2), _literal(0), *[(_turned(0b11000101, 8), 8), (0, 5)] * count, (0, 7)])


def stored_block(data: bytes) -> bytes:
    """Deflated data that is not compressed (RFC 1951 section 3.2.4)."""
    return b"\1" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data


def _literal(byte: int) -> tuple[int, int]:
    return (_turned(0x30 + byte, 8), 8) if byte < 144 else (_turned(0x190 + byte - 144, 9), 9)


def _turned(code: int, length: int) -> int:
    return int(f"{code:0{length}b}"[::-1], 2)


def _bits(parts: Iterable[tuple[int, int]]) -> bytes:
    value = length = 0
    out = bytearray()
    for part, bits in parts:
        value |= part << length
        length += bits
        while length >= 8:
            out.append(value & 0xFF)
            value, length = value >> 8, length - 8
    return bytes(out) + (bytes([value]) if length else b"")


@dataclass(frozen=True)
class Item:
    """An entry. `local` and `central` are fields that say something else than what is so.

    `descriptor`: the formats of what follows the data, "m" for the mark; `after`: bytes behind all that.
    """

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    made: int = 20
    attributes: int = 0
    extra: bytes = b""
    local_extra: bytes = b""
    descriptor: str = ""
    packed: bytes | None = None
    after: bytes = b""
    comment: bytes = b""
    local: Mapping[str, Any] = field(default_factory=dict)
    central: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The data as it is packed."""
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    def fields(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What a header says."""
        sizes = {"crc": zlib.crc32(self.data), "compressed": len(self.content), "size": len(self.data)}
        return {"name": self.name, "flags": self.flags, "method": self.method, **sizes, "disk": 0, **changes}

    def local_bytes(self) -> bytes:
        """Local header, data and descriptor."""
        f = self.fields(self.local)
        fixed = (f["flags"], f["method"], 0, 0x5C21, f["crc"], f["compressed"], f["size"])
        header = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, *fixed, len(f["name"]), len(self.local_extra))
        end = b"PK\7\x08" if self.descriptor.startswith("m") else b""
        if self.descriptor:
            true = self.fields({})
            sizes = self.descriptor.removeprefix("m")
            end += struct.pack(f"<L{sizes}", true["crc"], true["compressed"], true["size"])
        return header + bytes(f["name"]) + self.local_extra + self.content + end + self.after

    def central_bytes(self, offset: int) -> bytes:
        """Central header."""
        f = self.fields({"offset": offset, **self.central})
        fixed = (f["flags"], f["method"], 0, 0x5C21, f["crc"], f["compressed"], f["size"], len(f["name"]))
        rest = (len(self.extra), len(self.comment), f["disk"], 0, self.attributes, f["offset"])
        start = struct.pack("<4sHH", b"PK\1\2", self.made, 20)
        return (
            start
            + struct.pack("<HHHHLLLHHHHHLL", *fixed, *rest)
            + bytes(f["name"])
            + self.extra
            + self.comment
        )


def lay_out(
    items: Iterable[Item],
    *,
    before: bytes = b"",
    between: bytes = b"",
    zip64: bool = False,
    end: Mapping[str, int] | None = None,
    large: Mapping[str, int] | None = None,
    comment: bytes = b"",
    order: Callable[[list[bytes]], list[bytes]] = list,
) -> bytes:
    """A ZIP of these entries; `end` and `large` change what its end records say, `order` the directory's."""
    body, headers = before, []
    for item in items:
        headers.append(item.central_bytes(len(body)))
        body += item.local_bytes()
    directory = b"".join(order(headers))
    offset = len(body) + len(between)
    body += between + directory
    f = {"disk": 0, "here": len(headers), "count": len(headers), "size": len(directory), "offset": offset}
    if zip64:
        f64 = {**f, "mark": len(body), "length": 44, "disks": 1, **(large or {})}
        values = (f64["disk"], f64["disk"], f64["here"], f64["count"], f64["size"], f64["offset"])
        body += struct.pack("<4sQHHLLQQQQ", b"PK\6\6", f64["length"], 45, 45, *values)
        body += struct.pack("<4sLQL", b"PK\6\7", 0, f64["mark"], f64["disks"])
    f |= {"comment": len(comment), **(end or {})}
    values16 = (f["disk"], f["disk"], f["here"], f["count"])
    return (
        body + struct.pack("<4sHHHHLLH", b"PK\5\6", *values16, f["size"], f["offset"], f["comment"]) + comment
    )


def extra(number: int, data: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<HH", number, len(data)) + data


def large(*values: int) -> bytes:
    """A ZIP64 field of 8-byte values."""
    return extra(1, struct.pack(f"<{len(values)}Q", *values))


def unicode_path(header: bytes, name: bytes) -> bytes:
    """A Unicode path field (APPNOTE.TXT 4.6.9)."""
    return extra(0x7075, struct.pack("<BL", 1, zlib.crc32(header)) + name)


Members = Mapping[str, bytes]


def items(members: Members, prefix: str = "", **common: Any) -> list[Item]:
    """An entry a member, in order of names."""
    return [Item((prefix + name).encode(), members[name], **common) for name in sorted(members)]


def stating(name: str, size: int) -> "Maker":
    """A member that states `size` bytes: a verifier stops before it reads any."""
    sizes = {"size": size}
    return lambda members: lay_out(
        replace(item, method=8, local=sizes, central=sizes) if item.name == name.encode() else item
        for item in items(members)
    )


def _folders(members: Members, prefix: str = "", **common: Any) -> list[Item]:
    names = {prefix + name.rpartition("/")[0] + "/" for name in members if "/" in name} | ({prefix} - {""})
    return [Item(name.encode(), **common) for name in sorted(names)]


_UX = extra(0x7875, b"\1\4\xe8\3\0\0\4\xe8\3\0\0")


def _info_zip(members: Members) -> bytes:
    times = b"\3" + struct.pack("<LL", 1769860890, 1769860890)
    common: dict[str, Any] = {
        "made": 0x31E,
        "extra": extra(0x5455, times[:5]) + _UX,
        "local_extra": extra(0x5455, times) + _UX,
    }
    files = items(members, attributes=FILE, method=8, **common)
    return lay_out([*_folders(members, attributes=FOLDER, **common), *files])


def _seven_zip(members: Members) -> bytes:
    ntfs = extra(0x000A, bytes(4) + struct.pack("<HH", 1, 24) + bytes(24))
    files = items(members, made=0x3F, attributes=0x20, method=8, extra=ntfs)
    return lay_out([*files, *_folders(members, made=0x3F, attributes=0x10, extra=ntfs)])


def _streamed(item: Item, descriptor: str = "mLL") -> Item:
    """Sizes and checksum behind the data."""
    nothing = {"crc": 0, "compressed": 0, "size": 0}
    return replace(item, flags=item.flags | 8, descriptor=descriptor, local={**nothing, **item.local})


def _mac_os(members: Members) -> bytes:
    """Finder's Compress: a top folder, `__MACOSX` with resource forks, sizes behind the data."""
    times = extra(0x5855, struct.pack("<LL", 1769860890, 1769860890))
    common: dict[str, Any] = {"made": 0x315, "extra": times, "local_extra": times}
    files = [_streamed(item) for item in items(members, "kit/", method=8, attributes=FILE, **common)]
    fork = _streamed(Item(b"__MACOSX/kit/._receipt.json", b"\0\5\x16\7", method=8, attributes=FILE, **common))
    store = _streamed(Item(b"kit/.DS_Store", b"\0\0\0\1Bud1", method=8, attributes=FILE, **common))
    icon = Item(b"kit/Icon\r", attributes=FILE, **common)
    folders = _folders(members, "kit/", attributes=FOLDER, **common)
    return lay_out([*folders, store, icon, *files, Item(b"__MACOSX/", attributes=FOLDER, **common), fork])


def _java(members: Members) -> bytes:
    files = [_streamed(replace(item, flags=0x800)) for item in items(members, method=8)]
    return lay_out([replace(files[0], local_extra=extra(0xCAFE, b""), extra=extra(0xCAFE, b"")), *files[1:]])


def _zip64(members: Members) -> bytes:
    """Every size all ones in the local headers, and ZIP64 end records whose values are all ones before."""
    files = [
        replace(
            item,
            local={"compressed": ONES, "size": ONES},
            local_extra=large(len(item.data), len(item.content)),
        )
        for item in items(members, method=8, made=0x32D, attributes=FILE)
    ]
    ones = {"here": 0xFFFF, "count": 0xFFFF, "size": ONES, "offset": ONES, "disk": 0xFFFF}
    return lay_out(files, zip64=True, end=ones)


def _zip64_central(members: Members) -> bytes:
    """Sizes and offsets all ones in the directory too, descriptors of 24 bytes, local values of 0."""
    made, at = [], 0
    for item in items(members, method=8):
        ones = {"compressed": ONES, "size": ONES}
        one = _streamed(replace(item, local=ones, local_extra=large(0, 0)), "mQQ")
        values = large(len(item.data), len(item.content), at)
        made.append(replace(one, central={**ones, "offset": ONES}, extra=values))
        at += len(one.local_bytes())
    return lay_out(made, zip64=True)


def _zip64_first_values(members: Members) -> bytes:
    """A ZIP64 field of the first values in order, though none is all ones; an empty one beside."""
    files = items(members)
    first = files[0]
    return lay_out(
        [
            replace(first, extra=large(len(first.data), len(first.data), 0)),
            replace(files[1], extra=large()),
            *files[2:],
        ]
    )


def _dotted(members: Members) -> bytes:
    return lay_out(
        [Item(b"./", attributes=FOLDER, made=0x31E), *items(members, "./", made=0x31E, attributes=FILE)]
    )


def _backslashes(members: Members) -> bytes:
    files = [replace(item, name=item.name.replace(b"/", b"\\")) for item in items(members, "kit/", method=8)]
    return lay_out([Item(b"kit\\empty\\", attributes=0x10), *files])


LEFTOVERS = (
    "Thumbs.db", "ehthumbs.db", "desktop.ini", ".localized", ".directory", "records/~$1-a.docx",
    "records/Icon\r",
    ".~lock.binder.pdf#", "receipt.json:Zone.Identifier", "@eaDir/binder.pdf@SynoEAStream",
    "records/@eaDir/x/SYNOINDEX_MEDIA_INFO", "registry/._x", ".DS_Store", "DESKTOP.INI.d/DESKTOP.INI",
)  # fmt: skip
"""A name of each kind that is ignored."""


def _leftovers(members: Members) -> bytes:
    """What systems and programs leave behind, beside the kit and in its folders."""
    return lay_out([*items(members), *(Item(name.encode(), b"x") for name in LEFTOVERS)])


def _other_encoding(members: Members) -> bytes:
    """A name in a system's own encoding, with the same in UTF-8 beside."""
    cp437, utf8 = b"kit/~$r\x82sum\x82.docx", "kit/~$résumé.docx".encode()
    path = unicode_path(cp437, utf8)
    return lay_out([*items(members, "kit/"), Item(cp437, b"x", extra=path, local_extra=path)])


def _descriptors(members: Members) -> bytes:
    """Each form of a descriptor."""
    forms = ("LL", "mLL", "QQ", "mQQ")
    return lay_out([_streamed(item, forms[n % 4]) for n, item in enumerate(items(members, method=8))])


Maker = Callable[[Members], bytes]

HONEST: dict[str, tuple[str, Maker]] = {
    "by-info-zip": (
        "Packed again as Info-ZIP does: times and owners in extra fields, folders, deflated.",
        _info_zip,
    ),
    "by-7-zip": ("Packed again as 7-Zip does on Windows: NTFS times, folders at the end.", _seven_zip),
    "by-macos": ("Packed again by macOS: one top folder, __MACOSX, sizes behind the data.", _mac_os),
    "by-windows": (
        "Packed again by Windows Explorer: one top folder, no entry for it.",
        lambda members: lay_out(items(members, "kit_01J9ZX3A8B5C6D7E8F9GAHBKCM/", method=8, attributes=0x20)),
    ),
    "by-java": ("Packed again by Java: sizes behind the data, UTF-8 names, 0xCAFE.", _java),
    "by-go": (
        "Packed again by Go: sizes behind the data.",
        lambda members: lay_out(_streamed(item) for item in items(members, method=8)),
    ),
    "by-python": (
        "Packed again by Python: stored, mode 0600.",
        lambda members: lay_out(items(members, made=0x314, attributes=0o600 << 16)),
    ),
    "zip64": ("ZIP64 records and fields that no file needs.", _zip64),
    "zip64-in-the-directory": ("ZIP64 fields in the directory, descriptors of 8-byte sizes.", _zip64_central),
    "zip64-first-values": (
        "A ZIP64 field of values that are there already, and an empty one.",
        _zip64_first_values,
    ),
    "leading-dot": ("Names that begin with ./, and an entry ./ itself.", _dotted),
    "backslashes": ("Names with backslashes, as old Windows programs wrote.", _backslashes),
    "with-leftovers": ("Files that systems leave behind.", _leftovers),
    "name-in-another-encoding": (
        "A leftover's name in code page 437, with its UTF-8 form beside.",
        _other_encoding,
    ),
    "descriptors-of-each-form": ("Data descriptors of 12, 16, 20 and 24 bytes.", _descriptors),
    "in-another-order": (
        "The directory in another order than the files.",
        lambda members: lay_out(items(members), order=lambda headers: headers[::-1]),
    ),
    "deflated-blocks": (
        "Deflated without being compressed.",
        lambda members: lay_out(
            replace(item, packed=stored_block(item.data), method=8) for item in items(members)
        ),
    ),
    "folder-deflated": (
        "A folder whose nothing is deflated.",
        lambda members: lay_out([*items(members), Item(b"records/", method=8, attributes=FOLDER)]),
    ),
}
"""Ways in which people pack a kit again: all hold the same members."""

WITH_LEFTOVERS = frozenset({"by-macos", "with-leftovers", "name-in-another-encoding"})
"""Those that hold files which are ignored."""


def _on_receipt(**changes: Any) -> Maker:
    """The members stored, and the receipt's entry with something changed."""
    return lambda members: lay_out(
        replace(item, **changes) if item.name == b"receipt.json" else item for item in items(members)
    )


def _more(*added: Item, **options: Any) -> Maker:
    """The members stored, and entries more."""
    return lambda members: lay_out([*items(members), *added], **options)


def _second_directory(members: Members) -> bytes:
    """Two directories, each with an end record; readers that look for the last find the second."""
    one = lay_out(items(members))
    return lay_out(items({**members, "README.txt": b"Another."}), before=one)


def _overlap(members: Members) -> bytes:
    """Two entries of one place: README.txt again under another name."""
    start = Item(b"._x", members["README.txt"], central={"offset": 0})
    whole = lay_out(items(members))
    mark = whole.index(b"PK\1\2")
    directory = whole[mark:-22] + start.central_bytes(0)
    count = len(members) + 1
    return (
        whole[:mark]
        + directory
        + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(directory), mark, 0)
    )


def _inside(members: Members) -> bytes:
    """An entry within another's data."""
    inner = Item(b"._x", b"y").local_bytes()
    outer = Item(b"._outer", inner)
    listed = [*items(members), outer]
    at = sum(len(item.local_bytes()) for item in listed[:-1]) + len(outer.local_bytes()) - len(inner)
    hidden = Item(b"._x", b"y").central_bytes(at)
    whole = lay_out(listed)
    mark = len(whole) - 22 - sum(len(item.central_bytes(0)) for item in listed)
    directory = whole[mark:-22] + hidden
    count = len(listed) + 1
    return (
        whole[:mark]
        + directory
        + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(directory), mark, 0)
    )


def _bomb(members: Members) -> bytes:
    """A megabyte of zeros that states one byte."""
    return lay_out(
        replace(item, method=8, packed=zeros(4065), local={"size": 1}, central={"size": 1})
        if item.name == b"receipt.json"
        else item
        for item in items(members)
    )


def _packed(change: Callable[[bytes], bytes]) -> Maker:
    """The receipt deflated, and what was packed changed."""
    return lambda members: lay_out(
        replace(item, method=8, packed=change(deflated(item.data))) if item.name == b"receipt.json" else item
        for item in items(members)
    )


def _descriptor(**changes: Any) -> Maker:
    """Every entry with its sizes behind the data, the receipt's with something changed."""
    return lambda members: lay_out(
        replace(_streamed(item), **changes) if item.name == b"receipt.json" else _streamed(item)
        for item in items(members, method=8)
    )


def _shifted(members: Members) -> bytes:
    """Something before the ZIP, whose offsets don't know of it."""
    return Item(b"._x", b"y").local_bytes() + lay_out(items(members))


_TWO_NAMES = unicode_path(b"receipt.json", b"other.json")
_RAW_LINK = extra(0x756E, struct.pack("<LHLHH", 0, 0o120777, 7, 0, 0) + b"../kits")

AMBIGUOUS: dict[str, tuple[str, Maker]] = {
    # The frame.
    "bytes-behind": ("One byte behind the end.", lambda members: lay_out(items(members)) + b"\0"),
    "archive-comment": (
        "A comment of the archive.",
        lambda members: lay_out(items(members), comment=b"hello"),
    ),
    "comment-cut": (
        "An end record that states a comment which is not there.",
        lambda members: lay_out(items(members), end={"comment": 5}),
    ),
    "entry-before-the-zip": ("Another entry before the ZIP, whose offsets don't count it.", _shifted),
    "entry-before-unlisted": (
        "An entry that the directory doesn't list, before the first one.",
        lambda members: lay_out(items(members), before=Item(b"._x", b"y").local_bytes()),
    ),
    "bytes-before-the-directory": (
        "Bytes between the last entry and the directory.",
        lambda members: lay_out(items(members), between=b"????"),
    ),
    "bytes-between-entries": ("Bytes between two entries.", _on_receipt(after=b"????")),
    "two-directories": ("Two directories and two end records.", _second_directory),
    "overlapping-entries": ("Two entries of one place.", _overlap),
    "entry-in-an-entry": ("An entry within the data of another.", _inside),
    "counts-differ": (
        "The end record's two counts differ.",
        lambda members: lay_out(items(members), end={"here": 1}),
    ),
    "count-too-small": (
        "The end record counts an entry less.",
        lambda members: lay_out(items(members), end={"here": len(members) - 1, "count": len(members) - 1}),
    ),
    "count-too-large": (
        "The end record counts an entry more.",
        lambda members: lay_out(items(members), end={"here": len(members) + 1, "count": len(members) + 1}),
    ),
    "directory-elsewhere": (
        "The end record names another place for the directory.",
        lambda members: lay_out(items(members), end={"offset": 0}),
    ),
    "end-record-on-a-second-disk": (
        "The end record is of disk 1.",
        lambda members: lay_out(items(members), end={"disk": 1}),
    ),
    "zip64-end-differs": (
        "The ZIP64 end record counts fewer entries than the end record.",
        lambda members: lay_out(items(members), zip64=True, large={"here": 1, "count": 1}),
    ),
    "zip64-locator-elsewhere": (
        "The ZIP64 locator names another place.",
        lambda members: lay_out(items(members), zip64=True, large={"mark": 0}),
    ),
    "zip64-end-of-another-length": (
        "The ZIP64 end record is longer than it is.",
        lambda members: lay_out(items(members), zip64=True, large={"length": 50}),
    ),
    "zip64-of-two-disks": (
        "The ZIP64 locator counts two disks.",
        lambda members: lay_out(items(members), zip64=True, large={"disks": 2}),
    ),
    "zip64-count-past-integers": (
        "ZIP64 counts of 2^63.",
        lambda members: lay_out(
            items(members),
            zip64=True,
            large={"here": 1 << 63, "count": 1 << 63},
            end={"here": 0xFFFF, "count": 0xFFFF},
        ),
    ),
    "all-ones-without-zip64": (
        "The end record is all ones, and there is no ZIP64 end record.",
        lambda members: lay_out(items(members), end={"offset": ONES, "size": ONES}),
    ),
    # Headers.
    "local-name-differs": ("A local header has another name.", _on_receipt(local={"name": b"receipt.JSON"})),
    "local-method-differs": ("A local header has another method.", _on_receipt(local={"method": 8})),
    "local-flags-differ": ("A local header has other flags.", _on_receipt(local={"flags": 0x800})),
    "local-size-differs": ("A local header has another size.", _on_receipt(local={"size": 1})),
    "local-size-zero": (
        "A local header says nothing of its size, and no descriptor follows.",
        _on_receipt(local={"size": 0, "compressed": 0, "crc": 0}),
    ),
    "local-checksum-differs": ("A local header has another CRC-32.", _on_receipt(local={"crc": 1})),
    "checksum-differs": (
        "Both headers have a CRC-32 that is not the content's.",
        _on_receipt(local={"crc": 1}, central={"crc": 1}),
    ),
    "stored-with-two-sizes": (
        "A stored entry with two sizes.",
        _on_receipt(local={"size": 1}, central={"size": 1}),
    ),
    "method-of-deflate64": ("Method 9.", _on_receipt(method=9)),
    "encrypted": ("The flag of encryption.", _on_receipt(flags=1)),
    "strongly-encrypted": ("The flag of strong encryption.", _on_receipt(flags=0x40)),
    "patched": ("The flag of patched data.", _on_receipt(flags=0x20)),
    "masked-header": ("The flag of masked local headers.", _on_receipt(flags=0x2000)),
    "entry-comment": ("A comment of an entry.", _on_receipt(comment=b"hello")),
    "entry-on-a-second-disk": ("An entry of disk 1.", _on_receipt(central={"disk": 1})),
    "extra-field-cut": (
        "An extra field that is longer than there is room for.",
        _on_receipt(extra=b"\1\0\xff\0"),
    ),
    "extra-field-of-three-bytes": (
        "Three bytes where an extra field begins.",
        _on_receipt(local_extra=b"\0\0\0"),
    ),
    "unicode-name-differs": ("A Unicode path field with another name.", _on_receipt(extra=_TWO_NAMES)),
    "local-unicode-name-differs": (
        "The same in the local header alone.",
        _on_receipt(local_extra=_TWO_NAMES),
    ),
    "unicode-name-of-another": (
        "A Unicode path field with the CRC-32 of another name.",
        _on_receipt(extra=unicode_path(b"x", b"receipt.json")),
    ),
    "unicode-name-twice": (
        "Two Unicode path fields.",
        _on_receipt(extra=unicode_path(b"receipt.json", b"receipt.json") * 2),
    ),
    "zip64-field-twice": ("Two ZIP64 fields.", _on_receipt(extra=large() * 2)),
    "zip64-value-differs": ("A ZIP64 field with another size than the header.", _on_receipt(extra=large(1))),
    "zip64-local-value-differs": (
        "A local ZIP64 field with another size.",
        _on_receipt(local={"size": ONES, "compressed": ONES}, local_extra=large(1, 1)),
    ),
    "zip64-value-missing": ("A size of all ones, and no ZIP64 field.", _on_receipt(central={"size": ONES})),
    "zip64-field-of-five-bytes": ("A ZIP64 field of five bytes.", _on_receipt(extra=extra(1, bytes(5)))),
    "zip64-value-past-integers": (
        "A ZIP64 size of 2^63.",
        _on_receipt(central={"size": ONES}, extra=large(1 << 63)),
    ),
    "unix-link": ("A symbolic link by its attributes.", _on_receipt(attributes=0o120777 << 16)),
    "unix-device": ("A device by its attributes.", _on_receipt(attributes=0o020666 << 16)),
    "unix-link-by-extra-field": ("A symbolic link by ASi's extra field.", _on_receipt(extra=_RAW_LINK)),
    "aes-extra-field": ("The extra field of AES.", _on_receipt(extra=extra(0x9901, b"\2\0AE\3\0\0"))),
    "volume-label": ("A volume label by its attributes.", _on_receipt(attributes=8)),
    "folder-by-its-attributes": (
        "A folder by its attributes, a file by its name.",
        _on_receipt(attributes=0x10),
    ),
    "folder-with-content": ("A folder with a byte in it.", _more(Item(b"records/", b"x"))),
    "folder-that-inflates": (
        "A folder that states nothing and inflates to a byte.",
        _more(Item(b"records/", method=8, packed=deflated(b"x"))),
    ),
    "folder-that-is-a-file": (
        "A folder by its name, a file by its attributes.",
        _more(Item(b"records/", attributes=FILE)),
    ),
    # Data.
    "descriptor-differs": (
        "A data descriptor with another CRC-32.",
        _descriptor(descriptor="", after=b"PK\7\x08" + bytes(12)),
    ),
    "descriptor-missing": (
        "A flag that says that a descriptor follows, and none.",
        _descriptor(descriptor=""),
    ),
    "descriptor-without-its-flag": ("A descriptor that no flag announces.", _on_receipt(descriptor="mLL")),
    "descriptor-too-short-for-zip64": (
        "A descriptor of 4-byte sizes where 8 bytes were announced.",
        _descriptor(local={"size": ONES, "compressed": ONES, "crc": 0}, local_extra=large(0, 0)),
    ),
    "inflates-to-less": (
        "Deflated data of a byte less than stated.",
        _packed(lambda data: stored_block(b"x")),
    ),
    "inflating-bomb": ("A megabyte that states one byte.", _bomb),
    "bytes-behind-the-deflated-data": (
        "A byte behind the end of deflated data.",
        _packed(lambda data: data + b"\0"),
    ),
    "deflated-data-cut": ("Deflated data without its end.", _packed(lambda data: data[:-1])),
    "no-deflated-data": ("Deflated data of no bytes.", _packed(lambda data: b"")),
    "broken-deflated-data": ("A block of the reserved type.", _packed(lambda data: b"\7")),
    # Names.
    "name-twice": ("A name twice.", _more(Item(b"receipt.json", b"{}"))),
    "name-twice-in-another-case": ("A name twice, in another case.", _more(Item(b"RECEIPT.json", b"{}"))),
    "leftover-twice": ("An ignored name twice.", _more(Item(b"._x"), Item(b"._X", b"x"))),
    "name-twice-with-a-dot": ("A name twice, once with ./ before it.", _more(Item(b"./receipt.json", b"{}"))),
    "file-and-folder": ("A name that is a file and a folder.", _more(Item(b"receipt.json/"))),
    "file-and-implied-folder": ("A file that another name makes a folder.", _more(Item(b"REGISTRY", b"x"))),
    "name-with-nul": ("A NUL in a name.", _more(Item(b"._x\0y"))),
    "name-with-a-control-character": ("An escape character in a name.", _more(Item(b"._\x1b[2J"))),
    "name-with-delete": ("U+007F in a name.", _more(Item(b"._\x7f"))),
    "name-with-return": ("A carriage return in a name that is not Icon's.", _more(Item(b"._x\r"))),
    "name-that-climbs": ("A name with .. in it.", _more(Item(b"records/../._x"))),
    "name-with-a-dot-segment": ("A name with . in it.", _more(Item(b"records/./._x"))),
    "name-with-two-slashes": ("A name with an empty segment.", _more(Item(b"records//._x"))),
    "absolute-name": ("A name that begins with a slash.", _more(Item(b"/._x"))),
    "name-of-a-drive": ("A name with a drive.", _more(Item(b"C:/._x"))),
    "name-of-a-stream": ("A name of another stream than Windows' mark.", _more(Item(b"receipt.json:x"))),
    "empty-name": ("An entry without a name.", _more(Item(b""))),
    "backslash-beside-slashes": (
        "A backslash in a name, where others have slashes.",
        _more(Item(b"records\\._x")),
    ),
    "backslash-by-unix": (
        "A backslash in a name that was packed on Unix.",
        lambda members: lay_out(
            [*[replace(i, name=i.name.replace(b"/", b"\\"), made=0x31E) for i in items(members)]]
        ),
    ),
}
"""ZIPs that two programs could read differently, or that hide something: each holds a whole kit."""
