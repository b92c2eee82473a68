"""Kits: the canonical ZIP and its members (REG-1.0 section 6).

The ZIP is a pure function of its members, so the digest of the sealed kit can be recomputed from a
delivered one, from a folder, or from any tool's copy of the members.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from attestlayer.encoding import Hash, byte_order, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.manifest import (
    BINDER,
    DISCLOSURE,
    MAX_MEMBER_LENGTH,
    MAX_RECORDS,
    MAX_RECORDS_LENGTH,
    README,
    REGISTRY_RECEIPT,
    is_disclosed_member,
    is_member,
    is_record,
)

ZIP_START = b"PK\x03\x04"

# APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16, with REG-1.0's fixed values: version 20, flags 0, stored, 1980-01-01.
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_VERSION = 20
_DATE = 0x0021
_MAX_NAME = 128
_CHUNK = 1 << 20
_NOT_KEPT = frozenset({README, BINDER})
_MAX_OTHERS_LENGTH = 16 * MAX_MEMBER_LENGTH
"""Bytes of all members that are no records; a kit has at most nine. Keeps offsets far below 4 GiB."""
_HINT = "unpack it into an empty folder and check the folder instead"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a kit: its size in bytes, CRC-32 and SHA-256, and how to open its content."""

    name: str
    size: int
    crc32: int
    sha256: Hash
    open: Callable[[], BinaryIO]

    def chunks(self) -> Iterator[bytes]:
        """The content, up to 1 MiB at a time."""
        with self.open() as stream:
            yield from _chunks(stream, self.size)


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit's members by name, in byte order; `documents` holds the bytes of those that are parsed.

    `unexpected`: names that no kit has. `ignored`: what operating systems leave in folders.
    """

    members: Mapping[str, Member]
    documents: Mapping[str, bytes]
    unexpected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def is_disclosure(self) -> bool:
        """Whether this is no kit but a disclosed record: one record of a kit with its proofs."""
        return DISCLOSURE in self.members

    def sealed_digest(self) -> Hash:
        """SHA-256 of the canonical ZIP of all members but the registry receipt: `kit_digest`."""
        sink = _HashingSink()
        writer = KitWriter(sink)
        for name, member in self.members.items():
            if name != REGISTRY_RECEIPT:
                writer.copy(member)
        writer.finish()
        return sink.digest()


class Sink(Protocol):
    """Takes bytes, one after the other: a file, or a hash."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


class KitWriter:
    """Writes a canonical ZIP to `out`, member by member, in byte order of their names."""

    def __init__(self, out: "Sink") -> None:
        self._out = out
        self._central: list[bytes] = []
        self._offset = 0
        self._last = ""

    def add(self, name: str, data: bytes) -> None:
        """Write a member from memory."""
        self._start(name, len(data), zlib.crc32(data))
        self._write(data)

    def copy(self, member: Member) -> None:
        """Write a member of another kit."""
        self._start(member.name, member.size, member.crc32)
        for chunk in member.chunks():
            self._write(chunk)

    def finish(self) -> None:
        """Write the central directory. Nothing can follow."""
        directory = b"".join(self._central)
        count = len(self._central)
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), self._offset, 0)
        self._write(directory + end)

    def _start(self, name: str, size: int, crc32: int) -> None:
        if name <= self._last:
            raise ValueError(f"member {shown(name)} written behind {shown(self._last)}: not in byte order")
        self._last = name
        self._central.append(_central_header(name, size, crc32, self._offset))
        self._write(_local_header(name, size, crc32))

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._offset += len(data)


def read_zip(stream: BinaryIO) -> Kit:
    """The kit in a canonical ZIP, in one pass; `stream` is seekable and stays open as long as the kit.

    Raises `CouldNotCheckError` (input-not-a-kit), `VerificationError` (container-…).
    """
    if stream.read(len(ZIP_START)) != ZIP_START:
        raise CouldNotCheckError(
            Reason.INPUT_NOT_A_KIT,
            "neither a folder nor a ZIP file: it does not begin with PK\\3\\4",
        )
    stream.seek(0)
    builder = KitBuilder()
    central: list[bytes] = []
    last = ""
    # REG-1.0 section 12.2: one pass, each header compared with the one that its name, size and CRC-32 make.
    # What a ZIP could say twice (central directory, data descriptors, extra fields) has one value or is
    # refused.
    while header := _read_local(stream):
        name, size, crc32 = header
        if name <= last:
            raise _not_canonical(f"member {shown(name)} stands behind {shown(last)}")
        last = name
        # The member is hashed here, and read again through a window when its content is asked for.
        offset = stream.tell() - _LOCAL.size - len(name)
        member = builder.add(name, size, _window(stream, stream.tell(), size))
        if member.crc32 != crc32:
            raise _not_canonical(
                f"member {shown(name)} has CRC-32 {member.crc32:08x}, its header says {crc32:08x}"
            )
        central.append(_central_header(name, size, crc32, offset))
        stream.seek(offset + _LOCAL.size + len(name) + size)
    _check_directory(stream, central)
    return builder.finish()


@dataclass
class KitBuilder:
    """Collects members, holding each against the limits before its content is read."""

    members: dict[str, Member] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    records_length: int = 0
    others_length: int = 0

    def add(self, name: str, size: int, open_content: Callable[[], BinaryIO]) -> Member:
        """Read one member's content once. Raises `VerificationError` (container-limit-exceeded)."""
        # Before the content is read: a declared size can't make the verifier use memory or time for it.
        self._check_limits(name, size)
        kept = io.BytesIO() if _is_kept(name) else None
        digest, crc32 = hashlib.sha256(), 0
        with open_content() as stream:
            for chunk in _chunks(stream, size):
                digest.update(chunk)
                crc32 = zlib.crc32(chunk, crc32)
                if kept:
                    kept.write(chunk)
        if kept:
            self.documents[name] = kept.getvalue()
        member = Member(name, size, crc32, Hash(digest.digest()), open_content)
        self.members[name] = member
        return member

    def finish(self, ignored: tuple[str, ...] = ()) -> Kit:
        """The kit, members in byte order."""
        members = {name: self.members[name] for name in sorted(self.members, key=byte_order)}
        # disclosure.json makes a container a disclosed record, whatever else is in it (REG-1.0 section 13).
        belongs = is_disclosed_member if DISCLOSURE in members else is_member
        return Kit(members, self.documents, tuple(name for name in members if not belongs(name)), ignored)

    def _check_limits(self, name: str, size: int) -> None:
        if is_record(name):
            # Counted even if refused: the limits are of all members together (REG-1.0 section 6.2).
            limit = MAX_RECORDS_LENGTH - self.records_length
            self.records_length += size
        else:
            limit = min(MAX_MEMBER_LENGTH, _MAX_OTHERS_LENGTH - self.others_length)
            self.others_length += size
        if size > limit or len(self.members) >= MAX_RECORDS + 16:
            raise VerificationError(
                Reason.CONTAINER_LIMIT_EXCEEDED,
                f"{shown(name)} has {size} bytes where {max(limit, 0)} may stand, or is one member too many",
                (name,),
            )


def _is_kept(name: str) -> bool:
    """Whether a member is a document that is parsed."""
    return (is_member(name) or name == DISCLOSURE) and not is_record(name) and name not in _NOT_KEPT


class _HashingSink:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return len(data)

    def digest(self) -> Hash:
        return Hash(self._hash.digest())


class _Window(io.RawIOBase):
    """A part of a seekable stream, read from its beginning; closing it leaves the stream open."""

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        self._stream = stream
        self._at = offset

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # The stream is shared by all windows of a kit: each read seeks first.
        self._stream.seek(self._at)
        data = self._stream.read(size)
        self._at += len(data)
        return data


def _window(stream: BinaryIO, offset: int, size: int) -> Callable[[], BinaryIO]:
    return lambda: _Window(stream, offset)  # type: ignore[return-value]


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes of `stream`. Raises `VerificationError` if there are fewer."""
    while size:
        chunk = stream.read(min(size, _CHUNK))
        if not chunk:
            raise _not_canonical(f"{size} bytes of a member are missing")
        size -= len(chunk)
        yield chunk


def _read_local(stream: BinaryIO) -> tuple[str, int, int] | None:
    """Name, size and CRC-32 of the next local header, or None where the central directory begins."""
    raw = stream.read(_LOCAL.size)
    if not raw.startswith(ZIP_START):
        stream.seek(-len(raw), io.SEEK_CUR)
        return None
    if len(raw) < _LOCAL.size:
        raise _not_canonical("it ends within a header")
    *_, crc32, _, size, name_length, _ = _LOCAL.unpack(raw)
    # One byte more than the longest name tells a name that is too long, without reading 64 KiB of it.
    name = stream.read(min(name_length, _MAX_NAME + 1)).decode("ascii", "replace")
    if not name.isascii() or not name.isprintable() or len(name) > _MAX_NAME:
        raise _not_canonical(f"member name {shown(name)}")
    if raw + name.encode() != _local_header(name, size, crc32):
        raise _not_canonical(f"the header of member {shown(name)} is not the canonical one")
    return name, size, crc32


def _check_directory(stream: BinaryIO, central: list[bytes]) -> None:
    """The rest of the file is exactly the central directory that the members make."""
    offset = stream.tell()
    directory = b"".join(central)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(central), len(central), len(directory), offset, 0)
    expected = directory + end
    # One byte more than expected, so that trailing data is seen.
    if stream.read(len(expected) + 1) != expected:
        raise _not_canonical("its directory is not the canonical one, or something follows it")


def _local_header(name: str, size: int, crc32: int) -> bytes:
    raw = name.encode("ascii")
    # Version, flags, method (stored), time, date, CRC-32, both sizes, name length, no extra field.
    return _LOCAL.pack(ZIP_START, _VERSION, 0, 0, 0, _DATE, crc32, size, size, len(raw), 0) + raw


def _central_header(name: str, size: int, crc32: int, offset: int) -> bytes:
    raw = name.encode("ascii")
    fixed = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, crc32, size, size, len(raw))
    return _CENTRAL.pack(*fixed, 0, 0, 0, 0, 0, offset) + raw


def _not_canonical(detail: str) -> VerificationError:
    return VerificationError(
        Reason.CONTAINER_NOT_CANONICAL, f"not the ZIP that was issued ({detail}); {_HINT}"
    )
