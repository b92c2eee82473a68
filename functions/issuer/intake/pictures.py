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
_SCAN_END = re.compile(
    rb"\xff[^\x00\xd0-\xd7\xff]"
)  # in a scan: a marker that is no stuffing, restart or fill
_SCAN, _END = 0xDA, 0xD9  # T.81 table B.1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # but those without content: restart, start of image
_MAX_SEGMENTS = 20_000
_MAX_CHUNKS = 100_000  # a PNG of 100 MiB in chunks of 8 KiB has 12,800
_MAX_PASSED = 1_000_000_000  # pixels in all passes of a JPEG: 10 passes of a picture of MAX_PIXELS
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
    expected = 0
    for left, top, right, down in _PASSES if interlaced else ((0, 0, 1, 1),):
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
    """The chunks up to the end. Raises `ValueError` where a critical one's check sum is wrong (PNG 5.3)."""
    at, view = _PNG_START, memoryview(data)
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = view[at + 8 : at + 8 + length]
        checked = int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        # Section 5.4: a critical chunk has a capital first letter; decoders pass over others' damage.
        sound = zlib.crc32(content, zlib.crc32(kind)) == checked or len(content) < length
        if kind[:1].isupper() and not sound:
            raise ValueError("check sum")
        yield kind, content
        if kind == b"IEND":
            return
        at += 12 + length
    raise ValueError("too many chunks")


def jpeg_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no whole JPEG, or None. What follows its end, such as a film, is not looked at."""
    try:
        jpeg = _read_jpeg(data)
        if jpeg.width * jpeg.height > MAX_PIXELS:
            return Flaw.of(FlawKind.PICTURE_EXPANDS, "JPEG", f"{MAX_PIXELS} pixels")
        if len(jpeg.scans) > _MAX_SCANS or len(jpeg.scans) * jpeg.width * jpeg.height > _MAX_PASSED:
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
    for _ in range(_MAX_SEGMENTS):
        # Decoders pass over what stands before a marker: fill, and what a wrong length left over.
        found = _MARKER.search(data, at)
        if found is None or data[found.start() + 1] == _END or len(scans) > _MAX_SCANS:
            at = found.start() if found else len(data)
            break
        at = found.start()
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (5, 7))
            sequential = marker in _SEQUENTIAL
        at += 2 + length
        if marker == _SCAN:
            after = _SCAN_END.search(data, at)
            scans.append((at, after.start() if after else len(data)))
            at = scans[-1][1]
    if not scans or not width:
        raise ValueError("no picture")
    end = at if data[at : at + 2] == bytes((0xFF, _END)) else None
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
