"""Files of types that no policy asks for, told by their first bytes: each has a name and a way out."""

import filetype  # type: ignore[import-untyped]

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw
from issuer.intake.media import extension
from issuer.intake.programs import held_program

_HEAD = 8192  # bytes that filetype looks at
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB section 2.2
# Names of streams in the compound file, in UTF-16LE (MS-OFFCRYPTO section 2.3, MS-OVBA section 2.2.1).
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")
_OLE_KINDS = (
    ("WordDocument", "Word, DOC"),  # MS-DOC section 2.1.1
    ("PowerPoint Document", "PowerPoint, PPT"),  # MS-PPT section 2.1.2
    ("Workbook", "Excel, XLS"),  # MS-XLS section 2.1.7.20
    ("Book", "Excel, XLS"),
    ("__properties_version1.0", "a message of Outlook, MSG"),  # MS-OXMSG section 2.2
    ("VisioDocument", "Visio, VSD"),
)
# ISO 14496-12 section 4.3: after a length, "ftyp" and the brand; HEIF (ISO 23008-12 annex B), AVIF.
_PHOTO_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
)
# RFC 5652 sections 5 and 6, RFC 5083: object identifiers in DER.
_SIGNED = bytes.fromhex("06092a864886f70d010702")
_ENVELOPED = (
    bytes.fromhex("06092a864886f70d010703"),  # enveloped data
    bytes.fromhex("06092a864886f70d010706"),  # encrypted data
    bytes.fromhex("060b2a864886f70d0109100117"),  # authenticated enveloped data
)
_OPEN = (_SIGNED, bytes.fromhex("060b2a864886f70d0109100109"))  # compressed data
_ARCHIVES = {
    "application/gzip": "GZIP",
    "application/vnd.ms-cab-compressed": "CAB",
    "application/x-7z-compressed": "7z",
    "application/x-brotli": "Brotli",
    "application/x-bzip2": "BZIP2",
    "application/x-lz4": "LZ4",
    "application/x-lzip": "LZIP",
    "application/x-rar-compressed": "RAR",
    "application/x-tar": "TAR",
    "application/x-xz": "XZ",
    "application/zstd": "Zstandard",
}
_ARCHIVE_MAGIC = ((b"Rar!\x1a\x07", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"MSCF\0\0\0\0", "CAB"))
_PICTURES = {"image/gif": "GIF", "image/webp": "WebP", "image/bmp": "BMP", "image/vnd.adobe.photoshop": "PSD"}


def cms_is_encrypted(data: bytes) -> bool | None:
    """Whether a CMS message (P7M, S/MIME) is encrypted, by the type that it begins with; None without one."""
    head = data[:64]
    if any(identifier in head for identifier in _ENVELOPED):
        return True
    return False if any(identifier in head for identifier in _OPEN) else None


def foreign_flaw(data: bytes, *, is_text: bool) -> Flaw | None:
    """What a file is that is of no accepted type, or None if that is not known.

    Of what reads as text only marks count that no text begins with: `filetype` takes "BM" for a picture.
    """
    if data[4:8] == b"ftyp":
        brands = {data[at : at + 4] for at in range(8, 64, 4)}
        return (
            Flaw.of(FlawKind.HEIC)
            if brands & _PHOTO_BRANDS
            else Flaw.of(FlawKind.FILM, "MP4, MOV or similar")
        )
    if data.startswith(b"\x78\x9f\x3e\x22"):  # MS-OXTNEF section 2.1.3.1
        return held_program(data) or Flaw.of(FlawKind.OTHER_TYPE, "Outlook's winmail.dat (TNEF)")
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):  # TIFF 6.0 section 2; BigTIFF
        return Flaw.of(FlawKind.TIFF)
    for magic, label in _ARCHIVE_MAGIC:
        if data.startswith(magic):
            return Flaw.of(FlawKind.OTHER_ARCHIVE, label)
    if data.startswith(b"0") and (encrypted := cms_is_encrypted(data)) is not None:
        return Flaw.of(FlawKind.ENCRYPTED_ENVELOPE if encrypted else FlawKind.SIGNED_ENVELOPE)
    kind = None if is_text else filetype.guess_mime(data[:_HEAD])
    return _named(kind) if kind is not None else None


def _named(kind: str) -> Flaw:
    if kind in _ARCHIVES:
        return Flaw.of(FlawKind.OTHER_ARCHIVE, _ARCHIVES[kind])
    if kind.startswith(("video/", "audio/")):
        return Flaw.of(FlawKind.FILM, kind.partition("/")[2].removeprefix("x-").upper())
    if kind.startswith("image/"):
        return Flaw.of(FlawKind.OTHER_PICTURE, _PICTURES.get(kind, kind))
    return Flaw.of(FlawKind.OTHER_TYPE, kind)


def ole_flaws(name: str, data: bytes) -> tuple[Flaw, ...]:
    """What is wrong with an OLE compound file: always something, for none is accepted."""
    # Anywhere in the bytes: either makes the file unfit, and no directory (MS-CFB section 2.6) of a hostile
    # file need be read. An encrypted DOCX or XLSX is a compound file too (MS-OFFCRYPTO section 2.3).
    flaws = [flaw for flaw in [held_program(data)] if flaw]
    if _OLE_MACROS in data:
        flaws.append(Flaw.of(FlawKind.MACROS))
    if _OLE_ENCRYPTED in data:
        flaws.append(Flaw.of(FlawKind.OFFICE_ENCRYPTED))
    return tuple(flaws) or (Flaw.of(FlawKind.OLD_OFFICE, _ole_kind(name, data)),)


def _ole_kind(name: str, data: bytes) -> str:
    for stream, label in _OLE_KINDS:
        if f"{stream}\0".encode("utf-16-le") in data:
            return label
    return f".{extension(name)}" if extension(name) else "DOC, XLS, PPT or MSG"
