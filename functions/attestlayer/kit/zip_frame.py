"""The frame of a ZIP: its end record, and so the place of its central directory (REG-1.0 section 6.8)."""

import struct
from dataclasses import dataclass

from attestlayer.encoding import MAX_INTEGER
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import END, END_START, ambiguous
from attestlayer.kit.contents import MAX_ENTRIES

MAX_ZIP_LENGTH = 192 * 1024 * 1024
"""Bytes of a ZIP: the largest canonical kit has 137 MiB."""
MAX_DIRECTORY_LENGTH = 4 * 1024 * 1024
"""Bytes of a central directory: 1,353 for each of the most entries."""

_REACH = END.size + 0xFFFF
"""Bytes from the end in which an end record begins: behind it comes a comment of at most 65,535."""
_ZIP64_END = struct.Struct("<4sQHHLLQQQQ")  # APPNOTE.TXT 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # APPNOTE.TXT 4.3.15
_ZIP64_LENGTH = _ZIP64_END.size + _LOCATOR.size
TAIL_LENGTH = _REACH + _ZIP64_LENGTH
"""Bytes from the end that hold everything that is said of the frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of the central directory, in bytes from the beginning, and how many entries it has."""

    offset: int
    size: int
    count: int
    comment: int = 0
    is_zip64: bool = False


def read_frame(tail: bytes, length: int) -> Frame:
    """The frame of a ZIP of `length` bytes; `tail` is its last `TAIL_LENGTH` bytes, or all of it.

    Raises `VerificationError` (container-ambiguous, container-limit-exceeded), `CouldNotCheckError`.
    """
    if length > MAX_ZIP_LENGTH:
        message = f"the ZIP has {length} bytes, where at most {MAX_ZIP_LENGTH} are allowed"
        raise VerificationError(Reason.CONTAINER_LIMIT_EXCEEDED, message)
    start, last = length - len(tail), len(tail) - END.size
    if last < 0 or not tail.startswith(END_START, last):
        raise _without_end(tail, start)
    frame = _frame_at(tail, last, start)
    if frame is None:
        raise ambiguous("its end record does not say where its directory is")
    if frame.comment:
        raise ambiguous("its end record has a comment")
    if frame.count > MAX_ENTRIES or frame.size > MAX_DIRECTORY_LENGTH:
        message = (
            f"the ZIP has more than {MAX_ENTRIES} entries, or over {MAX_DIRECTORY_LENGTH} bytes about them"
        )
        raise VerificationError(Reason.CONTAINER_LIMIT_EXCEEDED, message)
    return frame


def _without_end(tail: bytes, start: int) -> VerificationError:
    """The error of a file that does not end in an end record: something follows one, or it was cut."""
    at = tail.find(END_START, max(len(tail) - _REACH, 0))
    while at >= 0:
        if at + END.size <= len(tail) and _frame_at(tail, at, start):
            return ambiguous("bytes or a comment follow its end record")
        at = tail.find(END_START, at + 1)
    message = "the ZIP has no end: it was cut, as by an interrupted download"
    return CouldNotCheckError(Reason.CONTAINER_INCOMPLETE, message)


def _frame_at(tail: bytes, at: int, start: int) -> Frame | None:
    """The frame by the end record there, if its directory is right before it."""
    _, disk, directory_disk, here, count, size, offset, comment = END.unpack_from(tail, at)
    stated = (disk, directory_disk, here, count, size, offset)
    values, end, is_zip64 = stated, at, False
    if at >= _LOCATOR.size and tail.startswith(b"PK\x06\x07", at - _LOCATOR.size):
        end, is_zip64 = at - _ZIP64_LENGTH, True
        large = _large_end_values(tail, end, start)
        if large is None or not all(map(_agrees, stated, large, (0xFFFF,) * 4 + (0xFFFFFFFF,) * 2)):
            return None
        values = large
    disk, directory_disk, here, count, size, offset = values
    if disk or directory_disk or here != count or offset + size != start + end:
        return None
    return Frame(offset, size, count, comment, is_zip64)


def _agrees(stated: int, value: int, all_ones: int) -> bool:
    return stated in (value, all_ones)


def _large_end_values(tail: bytes, at: int, start: int) -> tuple[int, int, int, int, int, int] | None:
    """Disks, counts, size and offset by the ZIP64 end record there; None unless its locator agrees."""
    if at < 0:
        return None
    signature, length, _, _, *values = _ZIP64_END.unpack_from(tail, at)
    mark, disk, place, disks = _LOCATOR.unpack_from(tail, at + _ZIP64_END.size)
    if (signature, length) != (b"PK\x06\x06", _ZIP64_END.size - 12):
        return None
    if (mark, disk, place, disks) != (b"PK\x06\x07", 0, start + at, 1):
        return None
    if max(values) > MAX_INTEGER:
        return None
    disk_number, directory_disk, here, count, size, offset = values
    return disk_number, directory_disk, here, count, size, offset
