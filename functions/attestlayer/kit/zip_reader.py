"""Reads a kit from a ZIP, the canonical one or one that was packed again (REG-1.0 sections 6.5 and 6.8).

A ZIP says many things twice. It is read only if all it says agrees, so that there is one way to read it.
"""

import io
import zlib
from collections.abc import Callable
from typing import BinaryIO

from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import ZIP_START, Kit, ambiguous, collect
from attestlayer.kit.contents import File, arrange
from attestlayer.kit.zip_entry import DEFLATED, Entry, Place, read_directory, read_place
from attestlayer.kit.zip_frame import TAIL_LENGTH, Frame, read_frame
from attestlayer.kit.zip_names import name_text, read_paths

_PIECE = 1 << 16
"""Bytes that are inflated at a time."""


def read_zip(stream: BinaryIO) -> Kit:
    """The kit in a ZIP; `stream` is seekable and stays open as long as the kit.

    Raises `CouldNotCheckError` (input-not-a-kit, container-incomplete), `VerificationError` (container-…).
    """
    if stream.read(len(ZIP_START)) != ZIP_START:
        raise CouldNotCheckError(
            Reason.INPUT_NOT_A_KIT,
            "neither a folder nor a ZIP file: it does not begin with PK\\3\\4",
        )
    length = stream.seek(0, io.SEEK_END)
    stream.seek(max(length - TAIL_LENGTH, 0))
    frame = read_frame(stream.read(TAIL_LENGTH), length)
    stream.seek(frame.offset)
    entries = list(read_directory(stream.read(frame.size), frame.count))
    places = _read_places(stream, entries, frame)
    paths = read_paths([(entry.name, entry.host) for entry in entries])
    files = []
    for entry, place, path in zip(entries, places, paths):  # noqa: B905
        opener = _content_opener(stream, entry, place)
        if entry.is_folder:
            _check_folder(opener)
        else:
            files.append(File(name_text(path), entry.size, opener, entry.crc32))
    contents = arrange(files)
    whole = _is_canonical_zip(entries, places, frame) and not contents.ignored and not contents.is_moved
    return collect(contents, is_repacked=not whole)


def _read_places(stream: BinaryIO, entries: list[Entry], frame: Frame) -> list[Place]:
    """The place of each entry's data: the entries fill the file up to the directory, without a gap."""
    order = sorted(range(len(entries)), key=lambda n: (entries[n].start, n))
    ends = [*(entries[n].start for n in order[1:]), frame.offset]
    if not order or entries[order[0]].start:
        raise ambiguous("something precedes its first entry")
    places = {n: read_place(stream, entries[n], end) for n, end in zip(order, ends)}  # noqa: B905
    return [places[n] for n in range(len(entries))]


def _is_canonical_zip(entries: list[Entry], places: list[Place], frame: Frame) -> bool:
    """Whether these are the bytes that the members make: every header, their order, and no ZIP64 record."""
    names = [entry.name for entry in entries]
    in_order = all(one < other for one, other in zip(names, names[1:]))  # noqa: B905, RUF007
    starts = [entry.start for entry in entries]
    return (
        in_order
        and starts == sorted(starts)
        and not frame.is_zip64
        and all(entry.is_canonical for entry in entries)
        and all(place.is_canonical for place in places)
    )


def _content_opener(stream: BinaryIO, entry: Entry, place: Place) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        window = _Window(stream, place.start, entry.compressed)
        return window if entry.method != DEFLATED else _Inflated(window, entry)  # type: ignore[return-value]

    return opened


def _check_folder(opener: Callable[[], BinaryIO]) -> None:
    with opener() as stream:
        stream.read(1)


class _Window(io.RawIOBase):
    """A part of a seekable stream, read from its beginning; closing it leaves the stream open."""

    def __init__(self, stream: BinaryIO, offset: int, size: int) -> None:
        self._stream = stream
        self._at = offset
        self._end = offset + size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # The stream is shared by all windows of a kit: each read seeks first.
        self._stream.seek(self._at)
        left = self._end - self._at
        data = self._stream.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


class _Inflated(io.RawIOBase):
    """Deflated data, inflated while it is read, up to its stated size. Reading past the end checks it."""

    def __init__(self, window: _Window, entry: Entry) -> None:
        self._window = window
        self._entry = entry
        self._left = entry.size
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        data = self._inflate(_PIECE if size < 0 else min(size, _PIECE))
        self._left -= len(data)
        if self._left < 0 or (not data and self._left):
            raise self._wrong()
        return data

    def _inflate(self, size: int) -> bytes:
        data, inflater = b"", self._inflater
        while not data and not inflater.eof:
            packed = inflater.unconsumed_tail or self._window.read(_PIECE)
            try:
                data = inflater.decompress(packed, size)
            except zlib.error as error:
                raise self._wrong() from error
            if not (packed or data or inflater.eof):
                raise self._wrong()
        if inflater.eof and (inflater.unused_data or self._window.read(1)):
            raise self._wrong()
        return data

    def _wrong(self) -> VerificationError:
        name, size = self._entry.shown, self._entry.size
        return ambiguous(f"{name} does not inflate to just its {size} bytes")
