"""ZIP archives, and the documents that are ZIP archives: what each is, and what is wrong inside."""

import zipfile
import zlib
from collections.abc import Iterator

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised, refused
from issuer.intake.media import MediaType, is_left_by_system
from issuer.intake.office import CONTENT_TYPES, Inspect, part_name, read_office
from issuer.intake.programs import program_flaw
from issuer.intake.rules import GeneralCheck
from issuer.intake.values import show
from issuer.intake.zipped import Budget, ExpandsError, ZipReader

# What makes a file inside an archive or mail unfit. A type that no policy asks for, an empty file and a text
# that is not as its name says are none: whoever reads it has programs for more than the intake knows.
_COUNT_INSIDE = frozenset(
    {
        *(GeneralCheck.READABLE, GeneralCheck.NOT_ENCRYPTED, GeneralCheck.NO_EXECUTABLES),
        *(GeneralCheck.NO_MACROS, GeneralCheck.NO_NESTED_ARCHIVES, GeneralCheck.EXPANDS_WITHIN_BOUNDS),
    }
)
_FREE_INSIDE = frozenset(
    {
        *(FlawKind.NOT_AS_NAMED, FlawKind.JSON_BROKEN, FlawKind.JSON_LINES, FlawKind.JSON_TWICE),
        *(FlawKind.JSON_ENCODING, FlawKind.CSV_OPEN_QUOTE, FlawKind.XML_BROKEN, FlawKind.XML_EXPANDS),
        *(FlawKind.NO_MAIL, FlawKind.EMPTY_MAIL),
    }
)
_MIMETYPE_MAX = 200  # bytes; OpenDocument part 2 section 3.3: the first member says the media type
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OPEN_KINDS = {"text": "ODT", "spreadsheet": "ODS", "presentation": "ODP", "graphics": "ODG"}


def counts_inside(flaw: Flaw) -> bool:
    """Whether a flaw of a file inside an archive or mail is a flaw of the archive or mail."""
    return flaw.check in _COUNT_INSIDE and flaw.kind not in _FREE_INSIDE


def read_archive(data: bytes, inspect: Inspect, budget: Budget) -> Recognised:
    """What a file that begins as a ZIP archive is: a document, or an archive of files.

    Each member of an archive is handed to `inspect`, one in memory at a time. O(unpacked size), which is
    taken from `budget`. Never raises on hostile bytes.
    """
    try:
        return _read(ZipReader(data, budget), inspect)
    except ExpandsError as error:
        return refused(FlawKind.EXPANDS, error)
    except MemoryError:
        raise
    except Exception:  # zipfile raises whatever a hostile file makes it trip over
        return refused(FlawKind.ZIP_DAMAGED)


def _read(archive: ZipReader, inspect: Inspect) -> Recognised:
    flaws = tuple(archive.flaws())
    if flaws:
        return Recognised(None, flaws)
    names = {part_name(member.filename) for member in archive.members}
    # Every package of ECMA-376 part 2 (Office documents among them) has this part.
    if CONTENT_TYPES in names:
        return read_office(archive, inspect)
    foreign = _foreign_package(archive, names)
    if foreign is not None:
        return Recognised(None, (foreign,))
    if all(is_left_by_system(member.filename) for member in archive.members):
        return Recognised(MediaType.ZIP, (Flaw.of(FlawKind.EMPTY_ARCHIVE),))
    return Recognised(MediaType.ZIP, tuple(_member_flaws(archive, inspect)))


def _foreign_package(archive: ZipReader, names: set[str]) -> Flaw | None:
    """What the archive is, if it is a document or program of a type that no policy asks for, or None."""
    if "meta-inf/manifest.mf" in names or "androidmanifest.xml" in names:  # JAR file specification
        return Flaw.of(FlawKind.PROGRAM, "a program for Java or Android (JAR, APK)")
    if names & {"index/document.iwa", "index.zip", "index.apxl"}:
        return Flaw.of(FlawKind.IWORK)
    kind = _declared_kind(archive)
    if kind.startswith(_OPEN_DOCUMENT):
        return _open_document_flaw(archive, kind.removeprefix(_OPEN_DOCUMENT), names)
    return Flaw.of(FlawKind.OTHER_TYPE, "EPUB") if kind == "application/epub+zip" else None


def _declared_kind(archive: ZipReader) -> str:
    first = archive.members[0] if archive.members else None
    if first is None or first.filename != "mimetype" or first.file_size > _MIMETYPE_MAX:
        return ""
    return archive.read(first).decode("ascii", "replace").strip()


def _open_document_flaw(archive: ZipReader, kind: str, names: set[str]) -> Flaw:
    manifest = next(
        (one for one in archive.members if part_name(one.filename) == "meta-inf/manifest.xml"), None
    )
    # OpenDocument part 2 section 3.4.1: each encrypted file has this element in the manifest.
    if manifest is not None and b"encryption-data" in archive.read(manifest):
        return Flaw.of(FlawKind.OFFICE_ENCRYPTED)
    lists = ("script-lb.xml", "script-lc.xml")  # of the libraries of macros, which may be empty
    if any(name.startswith("basic/") and not name.endswith(lists) for name in names):
        return Flaw.of(FlawKind.MACROS)
    return Flaw.of(FlawKind.OPEN_DOCUMENT, _OPEN_KINDS.get(kind.partition("-")[0], kind))


def _member_flaws(archive: ZipReader, inspect: Inspect) -> Iterator[Flaw]:
    for member in archive.members:
        try:
            data = archive.read(member)
        except (zipfile.BadZipFile, zlib.error):
            yield Flaw.of(FlawKind.MEMBER_DAMAGED, show(member.filename))
            continue
        if is_left_by_system(member.filename):  # nobody opens it, but a program may be hidden under its name
            flaws = [flaw for flaw in [program_flaw("", data)] if flaw]
        else:
            flaws = [flaw for flaw in inspect(member.filename, data).flaws if counts_inside(flaw)]
        for flaw in flaws:
            yield flaw.in_archive(member.filename)
