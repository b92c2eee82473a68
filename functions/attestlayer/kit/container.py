"""Kits: the canonical ZIP and its members (REG-1.0 section 6).

The ZIP is a pure function of its members, so the digest of the sealed kit can be recomputed from a
delivered one, from a folder, or from any tool's copy of the members.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from attestlayer.encoding import Hash, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.contents import Contents, File
from attestlayer.kit.manifest import (
    BINDER,
    DISCLOSURE,
    MAX_RECORDS_LENGTH,
    README,
    REGISTRY_RECEIPT,
    is_record,
    member_limit,
)

ZIP_START = b"PK\x03\x04"
END_START = b"PK\x05\x06"

# APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16, with REG-1.0's fixed values: version 20, flags 0, stored, 2000-01-01.
LOCAL = struct.Struct("<4sHHHHHLLLHH")
CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
END = struct.Struct("<4sHHHHLLH")
_VERSION = 20
_DATE = 0x2821  # years since 1980, month, day. A time of 1980 is refused by some packers
_CHUNK = 1 << 20
_NOT_KEPT = frozenset({README, BINDER})
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
            yield from _chunks(self.name, stream, self.size)


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit's members by name, in byte order; `documents` holds the bytes of those that are parsed.

    `unexpected`: names that no kit has, never read. `ignored`: what systems leave in folders and ZIPs.
    `is_repacked`: it came as a ZIP that is not the canonical one of these members.
    """

    members: Mapping[str, Member]
    documents: Mapping[str, bytes]
    unexpected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    is_repacked: bool = False

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
        end = END.pack(END_START, 0, 0, count, count, len(directory), self._offset, 0)
        self._write(directory + end)

    def _start(self, name: str, size: int, crc32: int) -> None:
        if name <= self._last:
            raise ValueError(f"member {shown(name)} comes after {shown(self._last)}: not in byte order")
        self._last = name
        self._central.append(central_header(name, size, crc32, self._offset))
        self._write(local_header(name, size, crc32))

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._offset += len(data)


def ambiguous(detail: str) -> VerificationError:
    """The error of a ZIP that two readers could read differently."""
    return VerificationError(
        Reason.CONTAINER_AMBIGUOUS, f"the ZIP can be read in more than one way ({detail}); {_HINT}"
    )


def collect(contents: Contents, *, is_repacked: bool = False) -> Kit:
    """The kit that these files are, each read once, in byte order, after all were compared with the limits.

    Raises `VerificationError` (container-limit-exceeded, container-ambiguous), `CouldNotCheckError`.
    """
    _check_limits(contents.members)
    members: dict[str, Member] = {}
    documents: dict[str, bytes] = {}
    for name, file in contents.members.items():
        members[name], data = _read_member(name, file)
        if data is not None:
            documents[name] = data
    return Kit(members, documents, contents.unexpected, contents.ignored, is_repacked)


def _check_limits(members: Mapping[str, File]) -> None:
    """Compare stated sizes with the limits, before anything is read (REG-1.0 section 6.2)."""
    records = 0
    for name, file in members.items():
        if is_record(name):
            records += file.size
            found, limit = records, MAX_RECORDS_LENGTH
            message = f"with {name} the records have more than the {limit} bytes that are allowed in all"
        else:
            found, limit = file.size, member_limit(name)
            message = f"{name} has more than the {limit} bytes that are allowed"
        if found > limit:
            raise VerificationError(Reason.CONTAINER_LIMIT_EXCEEDED, message, (name,))


def _read_member(name: str, file: File) -> tuple[Member, bytes | None]:
    """One member, and its content if it is a document that is parsed."""
    kept = None if is_record(name) or name in _NOT_KEPT else io.BytesIO()
    digest, crc32 = hashlib.sha256(), 0
    with file.open() as stream:
        for chunk in _chunks(name, stream, file.size):
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            if kept:
                kept.write(chunk)
    if file.crc32 not in (None, crc32):
        raise ambiguous(f"{name} has CRC-32 {crc32:08x}, its header says {file.crc32:08x}")
    member = Member(name, file.size, crc32, Hash(digest.digest()), file.open)
    return member, kept.getvalue() if kept else None


class _HashingSink:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return len(data)

    def digest(self) -> Hash:
        return Hash(self._hash.digest())


def _chunks(name: str, stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The content of a stream that has just `size` bytes, up to 1 MiB at a time."""
    while size:
        chunk = stream.read(min(size, _CHUNK))
        if not chunk:
            break
        size -= len(chunk)
        yield chunk
    # Also where nothing is wanted: the end of inflated data is checked by reading past it.
    if size or stream.read(1):
        message = f"{name} was changed while it was read"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message, (name,))


def local_header(name: str, size: int, crc32: int) -> bytes:
    """The canonical local header with its name (APPNOTE.TXT 4.3.7)."""
    raw = name.encode("ascii")
    # Version, flags, method (stored), time, date, CRC-32, both sizes, name length, no extra field.
    return LOCAL.pack(ZIP_START, _VERSION, 0, 0, 0, _DATE, crc32, size, size, len(raw), 0) + raw


def central_header(name: str, size: int, crc32: int, offset: int) -> bytes:
    """The canonical central header with its name (APPNOTE.TXT 4.3.12)."""
    raw = name.encode("ascii")
    fixed = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, crc32, size, size, len(raw))
    return CENTRAL.pack(*fixed, 0, 0, 0, 0, 0, offset) + raw
