"""Pictures read through: PNG by its chunks, JPEG by its markers and its decoder."""

import io
import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf
from PIL import Image

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw

MAX_PIXELS = 100_000_000
"""Pixels of the largest picture: an A3 page scanned at 600 dpi has 70 million."""
_MAX_SCANS = 100  # passes of a progressive JPEG; cameras and editors write at most about 20
_FULLY_DECODED = 25_000_000  # pixels up to which a picture may be decoded at its full size
_BLOCK = 256 * 1024
_HOLE = bytes(512)  # one sector: what a failed download or copy leaves
_FILL = b"\xff\0" * 16  # after a scan: a decoder looks so far ahead, and finds no whole row in it
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in a scan: a marker that is no stuffing, restart or fill
_PNG_START = 8
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # PNG section 11.2.1, by colour type
_PNG_BITS = {1, 2, 4, 8, 16}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""PNG section 8.2 (Adam7): first column and row of each pass, and the distance to the next."""

# A picture over the limit is an error, not a warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
Image.preinit()  # else Pillow loads its formats at the first use, by several threads at once


@dataclass(frozen=True, slots=True)
class _Jpeg:
    """A JPEG's frame and where its scans and end are. `end`: of the end mark, None if there is none."""

    width: int
    height: int
    sequential: bool
    scans: tuple[tuple[int, int], ...]
    end: int | None


def png_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no whole PNG, or None. Texts and profiles are not unpacked. O(pixels), in blocks."""
    try:
        width, height, expected = _png_size(data)
        if width * height > MAX_PIXELS:
            return Flaw.of(FlawKind.PICTURE_EXPANDS, "PNG", f"{MAX_PIXELS} pixels")
        unpacker, length = zlib.decompressobj(), 0
        for block in _png_pixels(data):
            rest = block
            while rest and not unpacker.eof and length < expected:
                length += len(unpacker.decompress(rest, _BLOCK))
                rest = unpacker.unconsumed_tail
        while length < expected and (more := unpacker.decompress(b"", _BLOCK)):
            length += len(more)
    except (ValueError, IndexError, KeyError, zlib.error):
        return Flaw.of(FlawKind.PICTURE_DAMAGED, "PNG")
    return None if length >= expected else Flaw.of(FlawKind.PICTURE_DAMAGED, "PNG")


def _png_size(data: bytes) -> tuple[int, int, int]:
    """Width, height and the bytes that the pixels have, unpacked. Raises `ValueError`, `KeyError`."""
    kind, head = next(_png_chunks(data))
    if kind != b"IHDR" or len(head) != 13:
        raise ValueError("no header")
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    bits, colour, interlaced = head[8], head[9], head[12]
    if not width or not height or bits not in _PNG_BITS or interlaced > 1:
        raise ValueError("header")
    pixel = bits * _PNG_CHANNELS[colour]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for left, top, right, down in passes:
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + -(-columns * pixel // 8))  # each row begins with its filter's number
    return width, height, expected


def _png_pixels(data: bytes) -> Iterator[bytes]:
    for kind, content in _png_chunks(data):
        if kind == b"IDAT":
            for start in range(0, len(content), _BLOCK):
                yield bytes(content[start : start + _BLOCK])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks up to the end. Raises `ValueError` where a critical one's check sum (PNG section 5.3) is wrong."""
    at, view = _PNG_START, memoryview(data)
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = view[at + 8 : at + 8 + length]
        checked = int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        # Section 5.4: a capital first letter is of a critical chunk; decoders pass over others that are damaged.
        if kind[:1].isupper() and zlib.crc32(content, zlib.crc32(kind)) != checked and len(content) == length:
            raise ValueError("check sum")
        yield kind, content
        if kind == b"IEND":
            return
        at += 12 + length


def jpeg_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no whole JPEG, or None. What follows its end (a film, a second picture) is not looked at."""
    try:
        jpeg = _read_jpeg(data)
        if jpeg.width * jpeg.height > MAX_PIXELS:
            return Flaw.of(FlawKind.PICTURE_EXPANDS, "JPEG", f"{MAX_PIXELS} pixels")
        if len(jpeg.scans) > _MAX_SCANS:
            return Flaw.of(FlawKind.PICTURE_EXPANDS, "JPEG", f"{_MAX_SCANS} passes")
        whole = _is_whole(data, jpeg)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Flaw.of(FlawKind.PICTURE_EXPANDS, "JPEG", f"{MAX_PIXELS} pixels")
    except MemoryError:
        raise
    except Exception:  # Pillow raises whatever a hostile file makes it trip over
        whole = False
    return None if whole else Flaw.of(FlawKind.PICTURE_DAMAGED, "JPEG")


def _read_jpeg(data: bytes) -> _Jpeg:
    """The markers (ITU-T T.81 annex B) up to the first picture's end. Raises `ValueError`, `IndexError`."""
    at, scans = 2, list[tuple[int, int]]()
    width = height = 0
    sequential = True
    end = None
    while end is None and at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise ValueError("no marker")
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:  # fill, or a marker without content
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            sequential = marker in (0xC0, 0xC1)
        at += 2 + length
        if marker == 0xDA:
            found = _SCAN_END.search(data, at)
            scans.append((at, found.start() if found else len(data)))
            at = scans[-1][1]
            if len(scans) > _MAX_SCANS:
                break
    if at + 2 <= len(data) and data[at : at + 2] == b"\xff\xd9":
        end = at
    if not scans or not width:
        raise ValueError("no picture")
    return _Jpeg(width, height, sequential, tuple(scans), end)


def _is_whole(data: bytes, jpeg: _Jpeg) -> bool:
    """Whether a decoder gets all of the picture. Raises whatever Pillow does."""
    large = jpeg.width * jpeg.height > _FULLY_DECODED
    one_scan = jpeg.sequential and len(jpeg.scans) == 1
    if jpeg.end is None and not one_scan:
        return False
    if large and not one_scan:
        return True  # decoding it needs its whole size at once; its header, scans and end are there
    # A decoder takes the end mark for leave to fill in grey: without it, it says that something is missing.
    end = jpeg.end if jpeg.end is not None else len(data)
    _decode(data[:end] + _FILL if one_scan else data[: end + 2], jpeg)
    if large or _decodes_strictly(data[:end] + b"\xff\xd9", jpeg):
        return True
    # The strict decoder also minds a few stray bytes before a marker, which cameras write and nobody sees.
    return jpeg.sequential and not any(data.find(_HOLE, start, stop) >= 0 for start, stop in jpeg.scans)


def _decode(picture: bytes, jpeg: _Jpeg) -> None:
    with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
        image.draft("RGB", (max(1, jpeg.width // 8), max(1, jpeg.height // 8)))  # an eighth of the memory
        image.load()


def _decodes_strictly(picture: bytes, jpeg: _Jpeg) -> bool:
    """Whether libjpeg decodes it without a warning; qpdf's filter makes an error of each."""
    with pikepdf.new() as paper:
        stream = pikepdf.Stream(
            paper, picture, Filter=pikepdf.Name.DCTDecode, Width=jpeg.width, Height=jpeg.height
        )
        try:
            stream.read_bytes(decode_level=pikepdf.StreamDecodeLevel.all)
        except pikepdf.DataDecodingError:
            return False
    return True
