"""An entry of a ZIP: its central and its local header, which say the same (REG-1.0 section 6.8)."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from attestlayer.encoding import MAX_INTEGER, shown
from attestlayer.errors import VerificationError
from attestlayer.kit.container import CENTRAL, LOCAL, ZIP_START, ambiguous, central_header, local_header
from attestlayer.kit.zip_names import name_text

STORED, DEFLATED = 0, 8
_FLAGS = 0b1000_0000_1110
"""Bits 1 and 2 (how well it is packed), 3 (a descriptor follows), 11 (the name is UTF-8)."""
_DESCRIPTOR = 0b1000
_ALL_ONES = 0xFFFFFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_REFUSED = frozenset({0x6375, 0x6C78, 0x756E, 0x9901})
"""Extra fields that make a link or an encrypted file of an entry, or a comment."""
_TYPES = frozenset({0, 0o100000, 0o040000})
"""Unix file types: none stated, a file, a folder."""
_WIDTHS = (8, 8, 8, 4)
"""Bytes of a ZIP64 field's values: size, compressed size, offset, disk (APPNOTE.TXT 4.5.3)."""
_ONES = (_ALL_ONES, _ALL_ONES, _ALL_ONES, 0xFFFF)
"""Stated values that stand for those of a ZIP64 field."""

Values = tuple[int, int, int, int]
"""Size, compressed size, offset, disk."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry by its central header. `start`: where its local header begins; `host`: its maker's system."""

    name: bytes
    host: int
    flags: int
    method: int
    crc32: int
    compressed: int
    size: int
    start: int
    is_canonical: bool

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, of which no file is made."""
        return self.name.endswith((b"/", b"\\"))

    @property
    def shown(self) -> str:
        """Its name in a message."""
        return shown(name_text(self.name))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry's data is; `is_canonical`: its local header is the canonical one."""

    start: int
    is_canonical: bool


def read_directory(directory: bytes, count: int) -> Iterator[Entry]:
    """The entries of a central directory. Raises `VerificationError` (container-ambiguous)."""
    at = 0
    for _ in range(count):
        if len(directory) - at < CENTRAL.size or not directory.startswith(b"PK\x01\x02", at):
            raise ambiguous("its directory holds fewer entries than its end record says")
        lengths = struct.unpack_from("<HHH", directory, at + 28)
        end = at + CENTRAL.size + sum(lengths)
        if end > len(directory):
            raise ambiguous("its directory ends within an entry")
        if lengths[2]:
            raise ambiguous("an entry has a comment")
        yield _read_central(directory[at:end], lengths[0])
        at = end
    if at != len(directory):
        raise ambiguous("its directory holds more than its entries")


def _read_central(raw: bytes, name_length: int) -> Entry:
    _, made_by, _, flags, method, _, _, crc32, compressed, size, *rest = CENTRAL.unpack_from(raw)
    _, _, _, disk, _, attributes, offset = rest
    name = raw[CENTRAL.size : CENTRAL.size + name_length]
    extra = _read_extra(name, raw[CENTRAL.size + name_length :])
    size, compressed, offset, disk = _large_values(name, extra, (size, compressed, offset, disk))
    entry = Entry(
        name,
        made_by >> 8,
        flags,
        method,
        crc32,
        compressed,
        size,
        offset,
        _is_canonical(raw, name, size, crc32, offset),
    )
    _check_central(entry, attributes, disk)
    return entry


def _is_canonical(raw: bytes, name: bytes, size: int, crc32: int, offset: int) -> bool:
    small = name.isascii() and max(size, offset) < _ALL_ONES
    return small and raw == central_header(name.decode(), size, crc32, offset)


def _check_central(entry: Entry, attributes: int, disk: int) -> None:
    kind = attributes >> 16 & 0o170000
    if entry.method not in {STORED, DEFLATED} or entry.flags & ~_FLAGS:
        raise ambiguous(f"{entry.shown} has method {entry.method} and flags {entry.flags:#06x}")
    if disk or kind not in _TYPES or attributes & 0x08:
        raise ambiguous(f"{entry.shown} is a link, a device, or on another disk")
    if entry.method == STORED and entry.size != entry.compressed:
        raise ambiguous(f"{entry.shown} is stored and has two sizes")
    if not entry.is_folder and (attributes & 0x10 or kind == 0o040000):
        raise ambiguous(f"{entry.shown} is a folder by its attributes, and a file by its name")
    if entry.is_folder and (entry.size or entry.crc32 or kind == 0o100000):
        raise ambiguous(f"{entry.shown} is a folder by its name, and a file by its header")


def read_place(stream: BinaryIO, entry: Entry, end: int) -> Place:
    """Where the entry's data is; `end`: where the next entry or the directory begins.

    Raises `VerificationError` (container-ambiguous).
    """
    stream.seek(entry.start)
    raw = stream.read(LOCAL.size)
    if len(raw) < LOCAL.size or not raw.startswith(ZIP_START):
        raise ambiguous(f"{entry.shown} has no local header where its entry says")
    _, _, flags, method, _, _, crc32, compressed, size, name_length, extra_length = LOCAL.unpack(raw)
    rest = stream.read(name_length + extra_length)
    start = entry.start + LOCAL.size + name_length + extra_length
    if (rest[:name_length], flags, method) != (entry.name, entry.flags, entry.method):
        raise ambiguous(f"the local header of {entry.shown} has another name, method or flags")
    if start + entry.compressed > end:
        raise ambiguous(f"{entry.shown} overlaps with what follows it")
    extra = _read_extra(entry.name, rest[name_length:])
    _check_local(entry, extra, (crc32, compressed, size))
    gap = end - start - entry.compressed
    if entry.flags & _DESCRIPTOR:
        stream.seek(start + entry.compressed)
        _check_descriptor(entry, stream.read(min(gap, 25)), bool(extra.get(_ZIP64)))
    elif gap:
        raise ambiguous(f"{gap} bytes follow {entry.shown}")
    return Place(start, entry.is_canonical and _is_canonical_local(raw + rest, entry))


def _is_canonical_local(raw: bytes, entry: Entry) -> bool:
    return raw == local_header(entry.name.decode(), entry.size, entry.crc32)


def _check_local(entry: Entry, extra: Mapping[int, bytes], stated: tuple[int, int, int]) -> None:
    crc32, compressed, size = stated
    follows = bool(entry.flags & _DESCRIPTOR)
    if _ZIP64 in extra:
        true = (entry.size, entry.compressed, entry.start, 0)
        for n, value in _zip64_values(entry.name, extra[_ZIP64], (size, compressed, 0, 0)).items():
            if value != true[n] and not (follows and value == 0):
                raise _other_value(entry.name)
        size = entry.size if size == _ALL_ONES else size
        compressed = entry.compressed if compressed == _ALL_ONES else compressed
    others = ({0} if _ZIP64 in extra else {0, _ALL_ONES}) if follows else set()
    pairs = ((crc32, entry.crc32), (compressed, entry.compressed), (size, entry.size))
    if any(local != central and local not in others for local, central in pairs):
        raise ambiguous(f"the local header of {entry.shown} has another size or CRC-32")


def _check_descriptor(entry: Entry, raw: bytes, is_large: bool) -> None:
    """Check the data descriptor (APPNOTE.TXT 4.3.9): with or without its mark, of 4 or 8 bytes a size."""
    sizes = "QQ" if is_large or len(raw) >= 20 else "LL"
    content = struct.pack(f"<L{sizes}", entry.crc32, entry.compressed, entry.size)
    if raw not in (content, b"PK\x07\x08" + content):
        raise ambiguous(f"what follows {entry.shown} is not its data descriptor")


def _read_extra(name: bytes, raw: bytes) -> dict[int, bytes]:
    """The extra fields by their numbers; of those that may occur twice, one."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(raw):
        number, length = struct.unpack_from("<HH", raw, at) if len(raw) - at >= 4 else (0, len(raw))
        data = raw[at + 4 : at + 4 + length]
        is_again = number in {_ZIP64, _UNICODE_PATH} and number in fields
        if len(data) != length or number in _REFUSED or is_again:
            raise ambiguous(f"an extra field of {shown(name_text(name))} is cut, refused or there twice")
        fields[number] = data
        at += 4 + length
    if _UNICODE_PATH in fields and not _repeats(fields[_UNICODE_PATH], name):
        raise ambiguous(f"{shown(name_text(name))} has a second name")
    return fields


def _repeats(data: bytes, name: bytes) -> bool:
    """Whether a Unicode path field (APPNOTE.TXT 4.6.9) repeats the name, in whichever encoding that is."""
    return data[:5] == struct.pack("<BL", 1, zlib.crc32(name)) and _outline(data[5:]) == _outline(name)


def _outline(name: bytes) -> bytes:
    """A name in which each run of bytes beyond ASCII is one, for its encoding is not known."""
    return re.sub(rb"[\x80-\xff]+", b"\xff", name)


def _large_values(name: bytes, extra: Mapping[int, bytes], stated: Values) -> list[int]:
    """Size, compressed size, offset and disk, each out of the ZIP64 field where it is all ones."""
    values = list(stated)
    for n, value in _zip64_values(name, extra.get(_ZIP64, b""), stated).items():
        if stated[n] not in (value, _ONES[n]):
            raise _other_value(name)
        values[n] = value
    return values


def _zip64_values(name: bytes, data: bytes, stated: Values) -> dict[int, int]:
    """The values of the field by their place: of those stated as all ones, or of the first ones in order."""
    needed = [n for n in range(4) if stated[n] == _ONES[n]]
    choices = [needed, *(list(range(count)) for count in range(1, 5))]
    held = next((places for places in choices if sum(_WIDTHS[n] for n in places) == len(data)), None)
    if held is None or not set(needed) <= set(held):
        raise ambiguous(f"the ZIP64 field of {shown(name_text(name))} does not hold the values it should")
    ends = [sum(_WIDTHS[n] for n in held[: place + 1]) for place in range(len(held))]
    values = {n: int.from_bytes(data[end - _WIDTHS[n] : end], "little") for n, end in zip(held, ends)}  # noqa: B905
    if max(values.values(), default=0) > MAX_INTEGER:
        raise _other_value(name)
    return values


def _other_value(name: bytes) -> VerificationError:
    return ambiguous(f"the ZIP64 field of {shown(name_text(name))} has another value than its header")
