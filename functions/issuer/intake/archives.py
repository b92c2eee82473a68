"""ZIP archives and Office documents, which are ZIP archives: read through, within bounds."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from issuer.intake.media import Flaw, FlawKind, MediaType, Recognised
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
_CONTENT_TYPES = "[Content_Types].xml"
_CONTENT_TYPES_MAX = 1024 * 1024  # bytes; large workbooks have about 100 kB
_MAIN_PART = {
    f"{MediaType.DOCX}.main+xml": MediaType.DOCX,
    f"{MediaType.XLSX}.main+xml": MediaType.XLSX,
}
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f]")

Inspect = Callable[[str, bytes], Recognised]


class _ExpandsError(Exception):
    """An archive that unpacks to more than its bounds."""


class Budget:
    """The bytes that one file may still unpack to, its archives and their Office files together."""

    def __init__(self) -> None:
        self._left = MAX_EXPANDED

    def spend(self, length: int) -> None:
        """Take `length` bytes. Raises if there are not so many left."""
        self._left -= length
        if self._left < 0:
            raise _ExpandsError(f"unpacks to more than {MAX_EXPANDED} bytes")


@dataclass(frozen=True, slots=True)
class _Office:
    """What an Office document's content types say."""

    main_parts: dict[MediaType, str]
    macros: bool


def read_archive(data: bytes, inspect: Inspect, budget: Budget) -> Recognised:
    """What a file that begins as a ZIP archive is: an Office document, or an archive of files.

    Each member of an archive is handed to `inspect`, one in memory at a time. O(unpacked size), which is
    taken from `budget`. Never raises on hostile bytes.
    """
    try:
        # APPNOTE section 4.3.12: each entry of the directory begins with this mark.
        if data.count(b"PK\x01\x02") > _MAX_DIRECTORY_MARKS:  # before zipfile makes an object of each
            raise _ExpandsError(f"is an archive of more than {MAX_MEMBERS} files")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_open_archive(archive, inspect, budget)
    except _ExpandsError as error:
        return Recognised(None, (Flaw(FlawKind.EXPANDS, str(error)),))
    except Exception:  # zipfile raises whatever a hostile file makes it trip over
        return Recognised(
            None, (Flaw(FlawKind.UNREADABLE, "is a ZIP-based file that is damaged or cut off"),)
        )


def _read_open_archive(archive: zipfile.ZipFile, inspect: Inspect, budget: Budget) -> Recognised:
    # The directory at the end counts (APPNOTE section 4.3.6), as it does for whoever unpacks the archive.
    # What it declares is checked before a single byte is unpacked.
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check_declared(members)
    budget.spend(sum(member.file_size for member in members))
    flaws = tuple(flaw for member in members for flaw in _declared_flaws(member))
    if flaws:
        return Recognised(None, flaws)
    names = {member.filename for member in members}
    # Every package of ECMA-376 part 2 (Office documents among them) has this part.
    if _CONTENT_TYPES in names:
        return _read_office(archive, members, inspect)
    if "META-INF/MANIFEST.MF" in names:  # JAR file specification
        return Recognised(None, (Flaw(FlawKind.EXECUTABLE, "is a Java program (JAR)"),))
    if not members:
        return Recognised(MediaType.ZIP, (Flaw(FlawKind.EMPTY, "is an archive without any file"),))
    return Recognised(MediaType.ZIP, tuple(_member_flaws(archive, members, inspect)))


def _check_declared(members: list[zipfile.ZipInfo]) -> None:
    """Check the bounds against the sizes that the directory declares; `_read` holds the bytes to them."""
    packed = sum(member.compress_size for member in members)
    expanded = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise _ExpandsError(f"is an archive of {len(members)} files; at most {MAX_MEMBERS} are taken")
    if expanded > MAX_EXPANDED:
        raise _ExpandsError(f"unpacks to {expanded} bytes; at most {MAX_EXPANDED} are taken")
    if expanded > _RATIO_FREE and expanded > MAX_RATIO * packed:
        raise _ExpandsError(f"unpacks to more than {MAX_RATIO} times its size")


def _declared_flaws(member: zipfile.ZipInfo) -> Iterator[Flaw]:
    name = show(member.filename)
    if member.flag_bits & 0x1:  # APPNOTE 4.4.4: bit 0, the member is encrypted
        yield Flaw(FlawKind.ENCRYPTED, f"holds the encrypted file {name}")
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield Flaw(FlawKind.UNREADABLE, f"holds {name}, which is packed in an unusual way")
    # APPNOTE section 4.4.17: names are relative, with slashes. A Unix mode is in the upper half of the
    # external attributes (section 4.4.15).
    if _UNSAFE_NAME.search(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
        yield Flaw(FlawKind.UNREADABLE, f"holds {name}, which is a link or would unpack outside its folder")


def _member_flaws(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], inspect: Inspect
) -> Iterator[Flaw]:
    """Flaws of an archive's files. A type that no policy asks for and an empty file are no flaw here."""
    for member in members:
        try:
            recognised = inspect(member.filename, _read(archive, member))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
            yield Flaw(FlawKind.UNREADABLE, f"holds {show(member.filename)}, which is damaged")
            continue
        for flaw in recognised.flaws:
            if flaw.kind not in (FlawKind.UNRECOGNISED, FlawKind.EMPTY):
                yield Flaw(flaw.kind, f"holds {show(member.filename)}, which {flaw.found}")


def _read_office(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], inspect: Inspect) -> Recognised:
    office = _parse_content_types(archive, {member.filename for member in members})
    kinds = list(office.main_parts)
    # Macros: a part whose type says so, or one of the usual name whatever its type says.
    if office.macros or any(member.filename.lower().endswith("vbaproject.bin") for member in members):
        return Recognised(
            kinds[0] if kinds else None, (Flaw(FlawKind.MACROS, "is an Office file with macros"),)
        )
    if len(kinds) != 1:
        description = (
            "is an Office or similar package without the main part of a Word document or Excel workbook"
        )
        return Recognised(None, (Flaw(FlawKind.UNREADABLE, description),))
    flaws = [
        Flaw(flaw.kind, f"holds {show(member.filename)}, which {flaw.found}")
        for member in members
        for flaw in _embedded_flaws(member, _read(archive, member), inspect)
    ]
    return Recognised(kinds[0], tuple(flaws))


def _embedded_flaws(member: zipfile.ZipInfo, data: bytes, inspect: Inspect) -> tuple[Flaw, ...]:
    """Only programs count inside an Office document: its parts are XML, pictures and its own objects."""
    if member.filename.endswith((".xml", ".rels")):
        return ()
    return tuple(flaw for flaw in inspect(member.filename, data).flaws if flaw.kind is FlawKind.EXECUTABLE)


def _parse_content_types(archive: zipfile.ZipFile, names: set[str]) -> _Office:
    """Main parts that the package really has, and whether it declares macros.

    ECMA-376 part 2 section 10.1.2: the list maps parts, by name or by extension, to content types.
    """
    if archive.getinfo(_CONTENT_TYPES).file_size > _CONTENT_TYPES_MAX:
        raise _ExpandsError("is an Office file whose list of parts is too large")
    main_parts: dict[MediaType, str] = {}
    macros = False

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal macros
        content_type, part = attributes.get("ContentType", ""), attributes.get("PartName", "").lstrip("/")
        macros = macros or "macroenabled" in content_type.lower() or "vbaproject" in content_type.lower()
        if content_type in _MAIN_PART and part in names:
            main_parts[_MAIN_PART[content_type]] = part

    # No entity is declared in such a list: with one, a short text could expand without bound.
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = _refuse_entity
    parser.Parse(_read(archive, archive.getinfo(_CONTENT_TYPES)), True)
    return _Office(main_parts, macros)


def _refuse_entity(*_: object) -> None:
    raise ValueError("entities are not allowed")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes, held to its declared size and check sum (zipfile checks the sum at the end)."""
    blocks, size = [], 0
    with archive.open(member) as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > member.file_size:
                raise _ExpandsError(f"holds {show(member.filename)}, which is larger than it says")
            blocks.append(block)
    return b"".join(blocks)
