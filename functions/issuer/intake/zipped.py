"""A ZIP file read member by member within bounds, and what two programs would read differently in it."""

import io
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw
from issuer.intake.values import show

MAX_MEMBERS = 2_000
"""Members of one archive."""
MAX_EXPANDED = 256 * 1024 * 1024
"""Bytes of all members of one archive, unpacked."""
MAX_RATIO = 200
"""Unpacked to packed size of an archive above `_RATIO_FREE`; text packs 10 to 30 times, a bomb 1000."""
_RATIO_FREE = 16 * 1024 * 1024  # bytes unpacked that are harmless at any ratio
_MAX_DIRECTORY_MARKS = 20_000  # marks of directory entries in the bytes; members may hold archives' marks
_BLOCK = 256 * 1024
_LOCAL_MARK = b"PK\x03\x04"  # PKWARE APPNOTE section 4.3.7
_LOCAL_LENGTH = 30  # bytes of a local header before its name
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f]")


class ExpandsError(Exception):
    """A file that unpacks to more than its bounds. The message completes "it …"."""


class Budget:
    """The bytes that one file may still unpack to, its archives and their Office files together."""

    def __init__(self) -> None:
        self._left = MAX_EXPANDED

    def spend(self, length: int) -> None:
        """Take `length` bytes. Raises if there are not so many left."""
        self._left -= length
        if self._left < 0:
            raise ExpandsError(f"unpacks to more than {MAX_EXPANDED} bytes")


class ZipReader:
    """A ZIP file in memory. `members`: its files in the order of its directory, no folders.

    Raises `ExpandsError` if it declares more than its bounds, `zipfile.BadZipFile` and others if it is none.
    """

    def __init__(self, data: bytes, budget: Budget) -> None:
        # APPNOTE section 4.3.12: each entry of the directory begins with this mark.
        if data.count(b"PK\x01\x02") > _MAX_DIRECTORY_MARKS:  # before zipfile makes an object of each
            raise ExpandsError(f"is an archive of more than {MAX_MEMBERS} files")
        self._data = data
        # The directory at the end counts (APPNOTE section 4.3.6), as it does for whoever unpacks the archive.
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self._entries = archive.infolist()
            self._end = archive.start_dir
        self.members = [member for member in self._entries if not member.is_dir()]
        # What the directory declares is checked before a byte is unpacked; `blocks` holds the bytes to it.
        self._check_declared()
        budget.spend(sum(member.file_size for member in self.members))

    def flaws(self) -> Iterator[Flaw]:
        """What is wrong with the archive itself, without unpacking anything."""
        for member in self.members:
            yield from _declared_flaws(member)
        names = Counter(member.filename.replace("\\", "/") for member in self.members)
        for name, times in names.items():
            if times > 1:
                yield Flaw.of(FlawKind.MEMBER_TWICE, show(name))
        yield from self._local_flaws()

    def blocks(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """A member's bytes in blocks, held to its declared size and check sum.

        Raises `zipfile.BadZipFile`, `zlib.error`.
        """
        start, length = self._extent(member)
        packed = memoryview(self._data)[start : start + length]
        if len(packed) < length:
            raise zipfile.BadZipFile("cut off")
        size = checksum = 0
        for block in _unpacked(packed, member.compress_type):
            size += len(block)
            checksum = zlib.crc32(block, checksum)
            if size > member.file_size:
                raise ExpandsError(f"holds {show(member.filename)}, which is larger than it says")
            yield block
        if size != member.file_size or checksum != member.CRC:
            raise zipfile.BadZipFile("length or check sum")

    def read(self, member: zipfile.ZipInfo) -> bytes:
        """A member's bytes. Raises as `blocks` does."""
        return b"".join(self.blocks(member))

    def _extent(self, member: zipfile.ZipInfo) -> tuple[int, int]:
        """Where a member's packed bytes begin, and how many they are (APPNOTE section 4.3.7)."""
        head = self._data[member.header_offset : member.header_offset + _LOCAL_LENGTH]
        if len(head) < _LOCAL_LENGTH or not head.startswith(_LOCAL_MARK):
            raise zipfile.BadZipFile("no local header")
        names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        return member.header_offset + _LOCAL_LENGTH + names, member.compress_size

    def _check_declared(self) -> None:
        packed = sum(member.compress_size for member in self.members)
        expanded = sum(member.file_size for member in self.members)
        if len(self.members) > MAX_MEMBERS:
            raise ExpandsError(f"is an archive of {len(self.members)} files; at most {MAX_MEMBERS} are taken")
        if expanded > MAX_EXPANDED:
            raise ExpandsError(f"unpacks to {expanded} bytes; at most {MAX_EXPANDED} are taken")
        if expanded > _RATIO_FREE and expanded > MAX_RATIO * packed:
            raise ExpandsError(f"unpacks to more than {MAX_RATIO} times its size")

    def _local_flaws(self) -> Iterator[Flaw]:
        """Files that the directory does not name, or names otherwise: a program that reads on shows these."""
        at = 0
        for member in sorted(self._entries, key=lambda one: one.header_offset):
            try:
                start, length = self._extent(member)
            except zipfile.BadZipFile:
                continue  # told as damaged when it is read
            if _LOCAL_MARK in self._data[at : member.header_offset] or member.header_offset < at:
                yield Flaw.of(FlawKind.MEMBER_HIDDEN)
                return
            local = self._local_name(member)
            if not _same_name(local, member):
                yield Flaw.of(FlawKind.MEMBER_TWO_NAMES, show(member.filename), show(_decoded(local)))
            at = start + length
        if _LOCAL_MARK in self._data[at : self._end]:
            yield Flaw.of(FlawKind.MEMBER_HIDDEN)

    def _local_name(self, member: zipfile.ZipInfo) -> bytes:
        at = member.header_offset
        length = int.from_bytes(self._data[at + 26 : at + 28], "little")
        return self._data[at + _LOCAL_LENGTH : at + _LOCAL_LENGTH + length]


def _unpacked(packed: memoryview, method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        for start in range(0, len(packed), _BLOCK):
            yield bytes(packed[start : start + _BLOCK])
        return
    unpacker = zlib.decompressobj(-15)  # RFC 1951, without zlib's header
    for start in range(0, len(packed), _BLOCK):
        rest: bytes | memoryview = packed[start : start + _BLOCK]
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, _BLOCK)
            rest = unpacker.unconsumed_tail
    while block := unpacker.decompress(b"", _BLOCK):
        yield block
    if not unpacker.eof:
        raise zipfile.BadZipFile("cut off")


def _declared_flaws(member: zipfile.ZipInfo) -> Iterator[Flaw]:
    name = show(member.filename)
    if member.flag_bits & 0x1:  # APPNOTE 4.4.4: bit 0, the member is encrypted
        yield Flaw.of(FlawKind.MEMBER_ENCRYPTED, name)
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield Flaw.of(FlawKind.MEMBER_PACKING, name)
    # APPNOTE section 4.4.17: names are relative, with slashes. A Unix mode is in the upper half of the
    # external attributes (section 4.4.15).
    if _UNSAFE_NAME.search(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
        yield Flaw.of(FlawKind.MEMBER_OUTSIDE, name)


def _same_name(local: bytes, member: zipfile.ZipInfo) -> bool:
    """Whether a local header names the member as the directory does, in whatever encoding."""
    encodings = ("utf-8", "cp437")
    return any(
        local.decode(encoding, "replace").replace("\\", "/") == member.orig_filename.replace("\\", "/")
        for encoding in encodings
    ) or local == member.orig_filename.encode("cp437", "replace")


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")
