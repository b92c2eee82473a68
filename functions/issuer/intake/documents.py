"""PDF documents and pictures, read through with their libraries; any failure there is 'unreadable'."""

import io
import logging
import warnings

import pypdf
import pypdf.filters  # else it is imported at its first use, by several threads at once
from PIL import Image

from issuer.intake.media import Flaw, FlawKind

MAX_PIXELS = 100_000_000
"""Pixels of the largest picture: an A3 page scanned at 600 dpi has 70 million."""
MAX_PAGES = 20_000
"""Pages of the largest PDF."""
_FULLY_DECODED = 25_000_000  # pixels up to which a picture may be decoded at its full size
_TAIL = 65_536  # bytes at the end in which a PDF's or JPEG's end mark must stand; some writers pad

# A hostile file must not fill the log, and a picture over the limit is an error, not a warning.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
logging.getLogger("pypdf").propagate = False
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
Image.preinit()  # else Pillow loads its formats at the first use, likewise


def pdf_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no whole, open PDF with at least one page, or None."""
    # ISO 32000-2 section 7.5.5: the last line. pypdf would rebuild a cut-off file from what is there.
    if b"%%EOF" not in data[-_TAIL:]:
        return Flaw(FlawKind.UNREADABLE, "is a PDF that breaks off before its end")
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            # ISO 32000-2 section 7.6: with an empty user password it opens, with restricted permissions.
            opens = "opens but is encrypted: a password restricts its use"
            description = opens if reader.decrypt("") else "is encrypted or protected by a password"
            return Flaw(FlawKind.ENCRYPTED, f"is a PDF that {description}")
        pages = len(reader.pages)
        if not 1 <= pages <= MAX_PAGES:
            kind = FlawKind.EXPANDS if pages else FlawKind.UNREADABLE
            return Flaw(kind, f"is a PDF of {pages} pages; 1 to {MAX_PAGES} are taken")
        reader.pages[0].mediabox  # noqa: B018 - reading it resolves the first page
    except MemoryError:  # ours, and not the file's: an answer would be bound to the call for ever
        raise
    except Exception:  # pypdf raises whatever a hostile file makes it trip over
        if b"/Encrypt" in data:
            return Flaw(FlawKind.ENCRYPTED, "is a PDF that is encrypted or protected by a password")
        return Flaw(FlawKind.UNREADABLE, "is a PDF that is damaged and can't be read")
    return None


def picture_flaw(data: bytes, kind: str) -> Flaw | None:
    """Why `data` is no whole picture of `kind` (`PNG`, `JPEG`), or None. Memory is bounded by the size."""
    # ITU-T T.81 section B.1.1.3: end of image. Pillow decodes a file that lacks it, with grey for the rest.
    if kind == "JPEG" and b"\xff\xd9" not in data[-_TAIL:]:
        return Flaw(FlawKind.UNREADABLE, "is a JPEG that breaks off before its end")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                return _too_many_pixels(kind)
            _decode(picture, kind)
        # verify() checked the sums of the chunks (PNG section 5.3), not the picture in them.
        if kind == "PNG" and width * height <= _FULLY_DECODED:
            with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
                picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _too_many_pixels(kind)
    except MemoryError:
        raise
    except Exception:  # Pillow raises whatever a hostile file makes it trip over
        return Flaw(FlawKind.UNREADABLE, f"is a {kind} that is damaged or breaks off before its end")
    return None


def _decode(picture: Image.Image, kind: str) -> None:
    """Read a picture through, as far as memory allows. Raises whatever Pillow does."""
    width, height = picture.size
    if kind == "JPEG" and picture.info.get("progressive") and width * height > _FULLY_DECODED:
        return  # decoding it needs its whole size at once; its header and end are there
    if kind == "JPEG":
        picture.draft("RGB", (max(1, width // 8), max(1, height // 8)))  # an eighth of the memory
        picture.load()
    else:
        picture.verify()


def _too_many_pixels(kind: str) -> Flaw:
    return Flaw(FlawKind.EXPANDS, f"is a {kind} of more than {MAX_PIXELS} pixels")
