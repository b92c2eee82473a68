"""Recognise a file by its content. Hostile bytes make a flaw, never an exception."""

from dataclasses import dataclass, replace

from issuer.intake.archives import read_archive
from issuer.intake.encodings import Encoding, decode_head, text_encoding
from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised, judged, refused
from issuer.intake.foreign import OLE_MAGIC, foreign_flaw, ole_flaws
from issuer.intake.mail import looks_like_mail, recognise_mail
from issuer.intake.markup import begins_as_xml, markup_flaw, recognise_xml
from issuer.intake.media import MAX_SIZE, MediaType, extension, named_type
from issuer.intake.pdfs import pdf_start, recognise_pdf
from issuer.intake.pictures import jpeg_flaw, png_flaw
from issuer.intake.programs import named_by_domain, program_flaw
from issuer.intake.tables import csv_flaw
from issuer.intake.texts import encrypted_flaw, guess_text_type, json_flaw
from issuer.intake.zipped import Budget

# PKWARE APPNOTE sections 4.3.7 and 4.3.16: a local file header, or the end of an empty archive's directory.
# An archive after other bytes (self-extracting) begins as a program, or as nothing known.
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"  # PNG (W3C) section 5.2
_JPEG_MAGIC = b"\xff\xd8\xff"  # ITU-T T.81 annex B: start of image, then a marker
_MAX_DEPTH = 4  # a document in an archive in a mail in an archive; below that only programs are looked for
_HEAD = 8192  # bytes of a text by which markup is told


@dataclass(frozen=True, slots=True)
class _Depth:
    """State of a nested inspection: bytes that may still be unpacked, and where this file is.

    All attachments and members of one file share one budget, so many small bombs count as one. `archives`:
    whether an archive may be here; `level`: how many files this one is inside of.
    """

    budget: Budget
    archives: bool = True
    level: int = 0


def recognise(name: str, data: bytes) -> Recognised:
    """What the file `name` with the bytes `data` is, and all that makes it unfit to be a record.

    The content decides; the extension tells texts apart (CSV, JSON, EML, TXT). O(size) and what
    its archives unpack to, which is bounded for the file as a whole. Raises nothing but `MemoryError`.
    """
    return _recognise(name, data, _Depth(Budget()))


def _recognise(name: str, data: bytes, depth: _Depth) -> Recognised:
    if not data:
        return refused(FlawKind.EMPTY)
    if len(data) > MAX_SIZE:
        return refused(FlawKind.TOO_LARGE, len(data))
    program = program_flaw(name, data)
    if program:
        return Recognised(None, (program,))
    if depth.level > _MAX_DEPTH:
        return Recognised(None)
    try:
        return _recognise_by_magic(name, data, depth)
    except MemoryError:  # whoever gave this process its limits says what that means
        raise
    except Exception:  # a library met bytes that it was not made for
        return refused(FlawKind.DAMAGED)


def _recognise_by_magic(name: str, data: bytes, depth: _Depth) -> Recognised:
    if data.startswith(_PNG_MAGIC):
        return judged(MediaType.PNG, png_flaw(data))
    if data.startswith(_JPEG_MAGIC):
        return judged(MediaType.JPEG, jpeg_flaw(data))
    if data.startswith(OLE_MAGIC):
        return Recognised(None, ole_flaws(name, data))
    if data.startswith(_ZIP_MAGIC):
        return _recognise_zip(data, depth)
    if _is_pdf(name, data):
        inside = replace(depth, level=depth.level + 1)
        return recognise_pdf(data, lambda part, content: _embedded(part, content, inside), depth.budget)
    return _recognise_text(name, data, depth)


def _is_pdf(name: str, data: bytes) -> bool:
    start = pdf_start(data)
    if start < 0:  # its beginning is lost, and the rest must not pass for a text
        return named_type(name) is MediaType.PDF and b"endobj" in data
    # A mail or text may speak of the header in its first lines; a PDF's is followed by its version.
    return start == 0 or (
        data[start + 5 : start + 6].isdigit() and b" obj" in data and not _is_mail(name, data)
    )


def _embedded(name: str, data: bytes, depth: _Depth) -> Recognised:
    """A file inside a document: of pictures only the first bytes count, and archives are allowed."""
    if data.startswith((_PNG_MAGIC, _JPEG_MAGIC)):
        program = program_flaw(name, data)
        return Recognised(None, (program,) if program else ())
    return _recognise(name, data, depth)


def _recognise_zip(data: bytes, depth: _Depth) -> Recognised:
    members = replace(depth, archives=False, level=depth.level + 1)

    def inspect(name: str, content: bytes) -> Recognised:
        return _embedded(name, content, members) if depth.level else _recognise(name, content, members)

    recognised = read_archive(data, inspect, depth.budget)
    # An Office document is an archive too, but may be inside one: only what is no document is nested.
    if recognised.media_type is MediaType.ZIP and not depth.archives:
        programs = tuple(flaw for flaw in recognised.flaws if flaw.kind is FlawKind.PROGRAM)
        return Recognised(None, (*programs, Flaw.of(FlawKind.NESTED_ARCHIVE)))
    return recognised


def _recognise_text(name: str, data: bytes, depth: _Depth) -> Recognised:
    # Mail first: its body may be in any encoding, so a message need not be text in UTF-8.
    if _is_mail(name, data):
        inside = replace(depth, level=depth.level + 1)
        return recognise_mail(data, lambda part, content: _recognise(part, content, inside))
    encoding = text_encoding(data)
    foreign = foreign_flaw(data, is_text=encoding is not None)
    if foreign is not None or encoding is None:
        return _recognise_binary(name, foreign, depth)
    head = decode_head(data, encoding, _HEAD)
    if begins_as_xml(head):
        return recognise_xml(data)
    markup = markup_flaw(head)
    if markup is not None:
        return Recognised(None, (markup,))
    if _is_blank(data, encoding):
        return refused(FlawKind.BLANK)
    return _recognise_plain(name, data, encoding)


def _is_mail(name: str, data: bytes) -> bool:
    named = named_type(name)
    return named is MediaType.EML or (named is None and looks_like_mail(data))


def _is_blank(data: bytes, encoding: Encoding) -> bool:
    return not data.lstrip(b"\xef\xbb\xbf\xff\xfe").translate(None, b" \t\r\n\x0b\x0c\0") and encoding.known


def _recognise_plain(name: str, data: bytes, encoding: Encoding) -> Recognised:
    notes = () if encoding.is_utf_8 else (Flaw.of(FlawKind.ENCODING, encoding.label),)
    named = named_type(name) or guess_text_type(data, encoding)
    if named is MediaType.JSON:
        flaw = json_flaw(data, encoding)
    elif named is MediaType.CSV:
        flaw = csv_flaw(data)
    else:
        # A text by any other name is a text: that its name says otherwise is for the rule `name-agrees`.
        named, flaw = MediaType.TXT, encrypted_flaw(data)
    return Recognised(named, (flaw,) if flaw else (), notes)


def _recognise_binary(name: str, foreign: Flaw | None, depth: _Depth) -> Recognised:
    """Something that is no text: name it if it has a name."""
    if foreign is None and named_by_domain(name):
        return refused(FlawKind.NAMED_PROGRAM, extension(name))
    if foreign is None and named_type(name) is not None:
        return refused(FlawKind.NOT_AS_NAMED, extension(name))
    if foreign is None:
        return refused(FlawKind.UNKNOWN_TYPE)
    if foreign.kind is FlawKind.OTHER_ARCHIVE and depth.level:
        return refused(FlawKind.CLOSED_ARCHIVE, foreign.found.removeprefix("is an archive of type "))
    return Recognised(None, (foreign,))
