"""Recognise a file by its content. Hostile bytes make a flaw, never an exception."""

from dataclasses import dataclass

import filetype  # type: ignore[import-untyped]

from issuer.intake.archives import Budget, read_archive
from issuer.intake.documents import pdf_flaw, picture_flaw
from issuer.intake.media import MAX_SIZE, Flaw, FlawKind, MediaType, Recognised, extension, named_type
from issuer.intake.texts import (
    attachments,
    csv_flaw,
    encrypted_flaw,
    guess_text_type,
    json_flaw,
    looks_like_mail,
    mail_flaw,
    text_flaw,
)
from issuer.intake.values import show

_HEAD = 8192  # bytes that filetype looks at
# The first bytes of what a computer would run. They prove no whole program, but no accepted type begins so.
_PROGRAM_MAGIC = (
    (b"\x7fELF", "is a program (ELF)"),  # System V ABI, chapter 4, e_ident
    # Mach-O (mach-o/loader.h): 32 and 64 bit, in either byte order; then archives for several processors
    # (mach-o/fat.h), the first of whose magics Java class files share (JVM specification section 4.1).
    (b"\xfe\xed\xfa\xce", "is a program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "is a program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "is a program (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "is a program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "is a program (Mach-O or Java class)"),
    (b"\xca\xfe\xba\xbf", "is a program (Mach-O)"),
    (b"\0asm", "is a program (WebAssembly)"),  # WebAssembly core specification section 5.5.16
    (b"dex\n", "is a program (Android)"),
    # "#!" of execve(2); editors on Windows write a byte order mark before it, which a shell may still take.
    (b"#!", "is a script that a computer would run"),
    (b"\xef\xbb\xbf#!", "is a script that a computer would run"),
)
_PROGRAM_EXTENSIONS = frozenset(
    (
        *("apk", "app", "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "jar", "js", "jse", "lnk", "msi"),
        *("ps1", "psm1", "reg", "scr", "sh", "sys", "vb", "vbe", "vbs", "wsf", "wsh"),
    )
)
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB section 2.2
# Names of streams in the compound file, in UTF-16LE (MS-OFFCRYPTO section 2.3, MS-OVBA section 2.2.1).
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")
# PKWARE APPNOTE sections 4.3.7 and 4.3.16: a local file header, or the end of an empty archive's directory.
# An archive after other bytes (self-extracting) begins as a program, or as nothing known.
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_MARKUP = (b"{\\rtf", b"%!ps", b"<!doctype", b"<html", b"<?xml", b"<svg")
_ARCHIVES = frozenset(
    f"application/{kind}"
    for kind in (
        *("gzip", "vnd.ms-cab-compressed", "x-7z-compressed", "x-brotli", "x-bzip2", "x-lz4", "x-lzip"),
        *("x-rar-compressed", "x-tar", "x-xz", "zstd"),
    )
)


@dataclass(frozen=True, slots=True)
class _Depth:
    """State of a nested inspection: bytes that may still be unpacked, and whether an archive may be here.

    All attachments and members of one file share one budget, so many small bombs count as one.
    """

    budget: Budget
    archives: bool


def recognise(name: str, data: bytes) -> Recognised:
    """What the file `name` with the bytes `data` is, and all that makes it unfit to be a record.

    The content decides; the extension tells texts apart (CSV, JSON, EML, TXT). O(size) and what
    its archives unpack to, which is bounded for the file as a whole. Never raises.
    """
    return _recognise(name, data, _Depth(Budget(), archives=True))


def _recognise(name: str, data: bytes, depth: _Depth) -> Recognised:
    if not data:
        return Recognised(None, (Flaw(FlawKind.EMPTY, "is empty (0 bytes)"),))
    if len(data) > MAX_SIZE:
        return Recognised(
            None, (Flaw(FlawKind.TOO_LARGE, f"has {len(data)} bytes; at most {MAX_SIZE} are taken"),)
        )
    program = _program_flaw(name, data)
    if program:
        return Recognised(None, (program,))
    try:
        return _recognise_by_magic(name, data, depth)
    except Exception:  # a library met bytes that it was not made for
        return Recognised(None, (Flaw(FlawKind.UNREADABLE, "is damaged and can't be read"),))


def _program_flaw(name: str, data: bytes) -> Flaw | None:
    for magic, description in _PROGRAM_MAGIC:
        if data.startswith(magic):
            return Flaw(FlawKind.EXECUTABLE, description)
    # "MZ" alone may begin a text; a Windows program has zero bytes in its header (PE format, MS-DOS stub).
    if data.startswith(b"MZ") and b"\0" in data[:1024]:
        return Flaw(FlawKind.EXECUTABLE, "is a program (Windows)")
    if extension(name) in _PROGRAM_EXTENSIONS:
        return Flaw(FlawKind.EXECUTABLE, f"is named as a program or script (.{extension(name)})")
    return None


def _recognise_by_magic(name: str, data: bytes, depth: _Depth) -> Recognised:
    # ISO 32000-2 section 7.5.2. Many readers look for it in the first 1024 bytes; here it must come first.
    if data.startswith(b"%PDF-"):
        return _judged(MediaType.PDF, pdf_flaw(data))
    # PNG (W3C) section 5.2; JPEG (ITU-T T.81) annex B: start of image, then a marker.
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _judged(MediaType.PNG, picture_flaw(data, "PNG"))
    if data.startswith(b"\xff\xd8\xff"):
        return _judged(MediaType.JPEG, picture_flaw(data, "JPEG"))
    if data.startswith(_OLE_MAGIC):
        return Recognised(None, (_ole_flaw(data),))
    if data.startswith(_ZIP_MAGIC):
        return _recognise_zip(data, depth)
    return _recognise_text(name, data, depth)


def _recognise_zip(data: bytes, depth: _Depth) -> Recognised:
    inside = _Depth(depth.budget, archives=False)

    def inspect(name: str, content: bytes) -> Recognised:
        if depth.archives:
            return _recognise(name, content, inside)
        program = _program_flaw(name, content)  # two levels deep only programs are looked for
        return Recognised(None, (program,) if program else ())

    recognised = read_archive(data, inspect, depth.budget)
    # An Office document is an archive too, but may be inside one: only what is no document is nested.
    if recognised.media_type is MediaType.ZIP and not depth.archives:
        return Recognised(None, (Flaw(FlawKind.NESTED_ARCHIVE, "is an archive itself"),))
    return recognised


def _recognise_text(name: str, data: bytes, depth: _Depth) -> Recognised:
    # Mail first: its body may be in any encoding, so a message need not be text in UTF-8.
    if _is_mail(name, data):
        return _recognise_mail(data, depth)
    unreadable = text_flaw(data)
    if unreadable:
        return _recognise_binary(name, data, unreadable, depth)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower().startswith(_MARKUP):
        return _unrecognised("is a marked-up text (HTML, XML, RTF or PostScript)")
    named = named_type(name) or guess_text_type(data)
    if named is MediaType.JSON:
        return _judged(named, json_flaw(data))
    if named is MediaType.CSV:
        return _judged(named, csv_flaw(data))
    # A text by any other name is a text: that its name says otherwise is for the rule `name-agrees`.
    return _judged(MediaType.TXT, encrypted_flaw(data))


def _is_mail(name: str, data: bytes) -> bool:
    named = named_type(name)
    return named is MediaType.EML or (named is None and looks_like_mail(data))


def _recognise_mail(data: bytes, depth: _Depth) -> Recognised:
    flaw = mail_flaw(data)
    if flaw:
        return Recognised(MediaType.EML, (flaw,))
    flaws = [
        Flaw(flaw.kind, f"has the attachment {show(name)}, which {flaw.found}")
        for name, content in attachments(data)
        for flaw in _recognise(name, content, depth).flaws
        if flaw.kind not in (FlawKind.UNRECOGNISED, FlawKind.EMPTY)
    ]
    return Recognised(MediaType.EML, tuple(flaws))


def _recognise_binary(name: str, data: bytes, unreadable: Flaw, depth: _Depth) -> Recognised:
    """Something that is no text: name it if it has a name."""
    if unreadable.kind is FlawKind.EMPTY:
        return Recognised(None, (unreadable,))
    kind = filetype.guess_mime(data[:_HEAD])
    if kind in _ARCHIVES and not depth.archives:
        return Recognised(None, (Flaw(FlawKind.NESTED_ARCHIVE, f"is an archive itself ({kind})"),))
    if kind is not None:
        return _unrecognised(f"holds {kind}")
    if named_type(name) is not None:
        wanted = f"is named .{extension(name)} and is neither that nor any other accepted type"
        return Recognised(None, (Flaw(FlawKind.UNREADABLE, f"{wanted}: it {unreadable.found}"),))
    return _unrecognised("is of a type that is not known")


def _ole_flaw(data: bytes) -> Flaw:
    # Anywhere in the bytes: either makes the file unfit, and no directory (MS-CFB section 2.6) of a hostile
    # file need be read. An encrypted DOCX or XLSX is a compound file too (MS-OFFCRYPTO section 2.3).
    if _OLE_ENCRYPTED in data:
        return Flaw(FlawKind.ENCRYPTED, "is an Office file that is protected by a password")
    if _OLE_MACROS in data:
        return Flaw(FlawKind.MACROS, "is an old Office file with macros")
    return Flaw(FlawKind.UNRECOGNISED, "is an Office file of the old kind (DOC, XLS, PPT, MSG or MSI)")


def _judged(media_type: MediaType, flaw: Flaw | None) -> Recognised:
    return Recognised(media_type, (flaw,) if flaw else ())


def _unrecognised(description: str) -> Recognised:
    return Recognised(None, (Flaw(FlawKind.UNRECOGNISED, description),))
