"""Office documents (ECMA-376): which kind a package is, its macros, and whether its parts are whole."""

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.parsers import expat

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw, Recognised, refused
from issuer.intake.markup import DoctypeError
from issuer.intake.media import MediaType, is_left_by_system
from issuer.intake.rules import GeneralCheck
from issuer.intake.values import show
from issuer.intake.zipped import ExpandsError, ZipReader

CONTENT_TYPES = "[content_types].xml"
_RELATIONSHIPS = "_rels/.rels"
_LIST_MAX = 4 * 1024 * 1024  # bytes of the list of parts; large workbooks have about 100 kB
_XML_READ = 64 * 1024 * 1024  # bytes of XML of one document that are parsed; the check sums cover the rest
_MAIN_PART = "/relationships/officedocument"  # ECMA-376 part 1 section 11.3.10, transitional and strict
_CONTENT = ("/relationships/worksheet", "/relationships/sharedstrings", "/relationships/image")
_MACRO_TYPES = ("macroenabled", "vbaproject", "macrosheet")  # the last: macros of Excel 4
_OPENXML = "application/vnd.openxmlformats-officedocument."
_KINDS = {
    f"{MediaType.DOCX}.main+xml": MediaType.DOCX,
    f"{MediaType.XLSX}.main+xml": MediaType.XLSX,
}
_REFUSED = {
    f"{_OPENXML}presentationml.presentation.main+xml": (FlawKind.PRESENTATION,),
    f"{_OPENXML}presentationml.slideshow.main+xml": (FlawKind.PRESENTATION,),
    f"{_OPENXML}presentationml.template.main+xml": (FlawKind.PRESENTATION,),
    f"{_OPENXML}wordprocessingml.template.main+xml": (FlawKind.OTHER_OFFICE, "a template, DOTX"),
    f"{_OPENXML}spreadsheetml.template.main+xml": (FlawKind.OTHER_OFFICE, "a template, XLTX"),
    "application/vnd.ms-excel.sheet.binary.macroenabled.main": (
        FlawKind.OTHER_OFFICE,
        "a workbook of type XLSB",
    ),
    "application/vnd.ms-visio.drawing.main+xml": (FlawKind.OTHER_OFFICE, "a drawing of Visio"),
}
_EMBEDDED = (GeneralCheck.NO_EXECUTABLES, GeneralCheck.NO_MACROS)
"""What counts inside an Office document: its other parts are XML, pictures and its own objects."""

Inspect = Callable[[str, bytes], Recognised]


@dataclass(slots=True)
class _Types:
    """The content types of a package (ECMA-376 part 2 section 10.1.2): by part, else by ending."""

    parts: dict[str, str] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)

    def of(self, part: str) -> str:
        return self.parts.get(part) or self.endings.get(part.rpartition(".")[2], "")

    def macros(self) -> bool:
        # A binary workbook's type says "macroEnabled" whether it has macros or not.
        types = {*self.parts.values(), *self.endings.values()} - set(_REFUSED)
        return any(word in one for one in types for word in _MACRO_TYPES)


def read_office(archive: ZipReader, inspect: Inspect) -> Recognised:
    """What an Office package is, and its flaws. Embedded files are handed to `inspect`. O(unpacked size)."""
    parts = {part_name(member.filename): member for member in archive.members}
    types, targets = _Types(), list[str]()
    try:
        _read_list(archive, parts[CONTENT_TYPES], lambda _, values: _add_type(types, values))
        if _RELATIONSHIPS in parts:
            _read_list(archive, parts[_RELATIONSHIPS], lambda _, values: _add_main_part(targets, values))
    except DoctypeError:
        return refused(FlawKind.XML_EXPANDS)
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error):
        return refused(FlawKind.OFFICE_DAMAGED, "package", show("[Content_Types].xml"))
    main = next((target for target in targets if target in parts), None) or _main_by_type(types, parts)
    kind = types.of(main) if main else ""
    if types.macros() or any(part.endswith("vbaproject.bin") for part in parts):
        return Recognised(_KINDS.get(kind), (Flaw.of(FlawKind.MACROS),))
    if kind not in _KINDS:
        return _refuse(kind, parts)
    media_type = _KINDS[kind]
    return Recognised(media_type, tuple(_part_flaws(archive, parts, str(main), media_type, inspect)))


def part_name(name: str) -> str:
    """A part's name as packages compare them (ECMA-376 part 2 section 6.2.2): without case and escapes."""
    return unquote(name.replace("\\", "/")).lstrip("/").lower()


def _refuse(kind: str, parts: dict[str, zipfile.ZipInfo]) -> Recognised:
    if kind in _REFUSED:
        flaw_kind, *details = _REFUSED[kind]
        return refused(FlawKind(flaw_kind), *details)
    if any(part.endswith(".fdseq") for part in parts):
        return refused(FlawKind.OTHER_OFFICE, "XPS")
    return refused(FlawKind.OFFICE_NO_MAIN_PART)


def _main_by_type(types: _Types, parts: dict[str, zipfile.ZipInfo]) -> str | None:
    """The main part of a package without relationships: the one part whose type is a main part's."""
    return next(
        (part for part, kind in types.parts.items() if part in parts and kind in {*_KINDS, *_REFUSED}), None
    )


def _part_flaws(
    archive: ZipReader, parts: dict[str, zipfile.ZipInfo], main: str, media_type: MediaType, inspect: Inspect
) -> Iterator[Flaw]:
    for part in _lost_parts(archive, parts, main):
        yield Flaw.of(FlawKind.OFFICE_DAMAGED, media_type.label, show(part))
    left = _XML_READ
    # The main part first: what is left unread of a large document is less.
    for member in sorted(archive.members, key=lambda one: part_name(one.filename) != main):
        part = part_name(member.filename)
        try:
            if not part.endswith((".xml", ".rels")):
                yield from _embedded_flaws(member.filename, archive.read(member), inspect)
            elif left > 0 and not is_left_by_system(part):
                left -= member.file_size
                _check_part(archive, member)
        except DoctypeError:
            yield Flaw.of(FlawKind.XML_EXPANDS)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, ValueError, LookupError):
            yield Flaw.of(FlawKind.OFFICE_DAMAGED, media_type.label, show(member.filename))


def _embedded_flaws(name: str, data: bytes, inspect: Inspect) -> Iterator[Flaw]:
    for flaw in inspect(name, data).flaws:
        if flaw.check in _EMBEDDED:
            yield flaw.in_document(name)


def _lost_parts(archive: ZipReader, parts: dict[str, zipfile.ZipInfo], main: str) -> Iterator[str]:
    """Sheets, texts and pictures that the main part has by its relationships, and that are not there."""
    folder, _, name = main.rpartition("/")
    relationships = parts.get(f"{folder}/_rels/{name}.rels".lstrip("/"))
    targets = list[str]()

    def take(_: str, values: dict[str, str]) -> None:
        inside = values.get("TargetMode", "").lower() != "external"
        if inside and values.get("Type", "").lower().endswith(_CONTENT):
            targets.append(values.get("Target", ""))

    if relationships is not None:
        with suppress(
            expat.ExpatError, zipfile.BadZipFile, zlib.error, DoctypeError
        ):  # told where it is read
            _read_list(archive, relationships, take)
    for target in dict.fromkeys(targets):
        # ECMA-376 part 2 section 6.5.2: a target is relative to the main part's folder, or has a slash first.
        path = target if target.startswith("/") else posixpath.join("/", folder, target)
        if part_name(posixpath.normpath(path)) not in parts:
            yield target


def _check_part(archive: ZipReader, member: zipfile.ZipInfo) -> None:
    """Check that an XML part is well-formed, in blocks."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    for block in archive.blocks(member):
        parser.Parse(block, False)
    parser.Parse(b"", True)


def _read_list(
    archive: ZipReader, member: zipfile.ZipInfo, take: Callable[[str, dict[str, str]], None]
) -> None:
    if member.file_size > _LIST_MAX:
        raise ExpandsError("is an Office file whose list of parts is too large")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = take
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.Parse(archive.read(member), True)


def _add_type(types: _Types, values: dict[str, str]) -> None:
    content_type = values.get("ContentType", "").lower()
    if "PartName" in values:
        types.parts[part_name(values["PartName"])] = content_type
    elif "Extension" in values:
        types.endings[values["Extension"].lower()] = content_type


def _add_main_part(targets: list[str], values: dict[str, str]) -> None:
    if values.get("Type", "").lower().endswith(_MAIN_PART):
        targets.append(part_name(values.get("Target", "")).removeprefix("./"))


def _refuse_doctype(*_: object) -> None:
    raise DoctypeError
