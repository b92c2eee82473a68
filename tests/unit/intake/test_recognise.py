"""Recognising files: every accepted type, every refusal, and hostile bytes."""

import io
import stat
import struct
import zipfile
import zlib

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from issuer.intake.media import MediaType
from issuer.intake.recognise import recognise
from issuer.intake.rules import GeneralCheck

from .packets import SAMPLES

PDF = (SAMPLES / "PAY-01/wire-transfer/bank-execution-advice.pdf").read_bytes()
DOCX = (SAMPLES / "VENDOR/security-review/engagement-scope.docx").read_bytes()
XLSX = (SAMPLES / "VENDOR/security-review/vendor-profile.xlsx").read_bytes()
PNG = (SAMPLES / "AGENT-01/tool-action/purchase-order-released.png").read_bytes()
JPEG = (SAMPLES / "HUMAN-01/change-approval/signed-approval-nouri.jpg").read_bytes()
EML = (SAMPLES / "PAY-01/wire-transfer/first-approval-olsvik.eml").read_bytes()
PE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(64) + b"PE\0\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return out.getvalue()


def repacked(package: bytes, extra: dict[str, bytes] | None = None, *, without: str = "") -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        files = {name: source.read(name) for name in source.namelist() if name != without}
    return zipped({**files, **(extra or {})})


def encrypted_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as paper:
        paper.save(out, encryption=pikepdf.Encryption(owner="o", user="u", R=6))
    return out.getvalue()


def with_flag_bit_0(archive: bytes) -> bytes:
    changed = bytearray(archive)
    at = archive.index(b"PK\x01\x02")
    changed[at + 8] |= 1
    changed[6] |= 1
    return bytes(changed)


def linked() -> bytes:
    out = io.BytesIO()
    member = zipfile.ZipInfo("link.txt")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(out, "w") as target:
        target.writestr(member, "/etc/passwd")
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def attached(name: str, data: bytes) -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Date"] = (
        "a@example.com",
        "b@example.com",
        "Fri, 1 May 2026 08:00:00 +0000",
    )
    message.set_content("see attachment")
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("P", (4, 4)).save(out, "GIF")
    return out.getvalue()


ACCEPTED = {
    "a.pdf": (PDF, MediaType.PDF),
    "a.docx": (DOCX, MediaType.DOCX),
    "a.xlsx": (XLSX, MediaType.XLSX),
    "a.png": (PNG, MediaType.PNG),
    "a.jpg": (JPEG, MediaType.JPEG),
    "a.eml": (EML, MediaType.EML),
    "mail without an ending": (EML, MediaType.EML),
    "a.csv": (b"a,b\r\n1,2\r\n", MediaType.CSV),
    "semicolons.csv": ("\ufeffa;b\n1;2,5\n".encode(), MediaType.CSV),
    "a.json": (b'{"a": [1, 2.5, null]}', MediaType.JSON),
    "with a mark.json": (b'\xef\xbb\xbf{"a":1}', MediaType.JSON),
    "json without an ending": (b'{"a": 1}', MediaType.JSON),
    "a.txt": ("Größe, 数量\n".encode(), MediaType.TXT),
    "BM and MZ begin texts.txt": (b"MZ Logistics and BM Motors", MediaType.TXT),
    "log.log": (b"2026-01-01 started\n", MediaType.TXT),
    "a.zip": (zipped({"a.txt": b"one", "b.docx": DOCX, "old.doc": OLE, "none.txt": b""}), MediaType.ZIP),
    "pdf by content.txt": (PDF, MediaType.PDF),
    "png by content.pdf": (PNG, MediaType.PNG),
    "text by content.pdf": (b"no pdf at all", MediaType.TXT),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_recognised_by_its_content(name: str) -> None:
    data, wanted = ACCEPTED[name]
    found = recognise(name, data)
    assert (found.media_type, found.flaws) == (wanted, ())


BOMB = zipped({"zeros.txt": bytes(40 * 1024 * 1024)})
REFUSED = {
    "empty.pdf": (b"", GeneralCheck.NOT_EMPTY),
    "white space.txt": (b" \n\t", GeneralCheck.NOT_EMPTY),
    "archive without files.zip": (zipped({}), GeneralCheck.NOT_EMPTY),
    "windows program.pdf": (PE, GeneralCheck.NO_EXECUTABLES),
    "elf": (b"\x7fELF\x02\x01\x01", GeneralCheck.NO_EXECUTABLES),
    "mach-o": (b"\xcf\xfa\xed\xfe\x07\0\0\1", GeneralCheck.NO_EXECUTABLES),
    "fat mach-o": (b"\xca\xfe\xba\xbe\0\0\0\2", GeneralCheck.NO_EXECUTABLES),
    "script.txt": (b"#!/bin/sh\necho hello\n", GeneralCheck.NO_EXECUTABLES),
    "batch.bat": (b"echo hello", GeneralCheck.NO_EXECUTABLES),
    "java.zip": (zipped({"META-INF/MANIFEST.MF": b"x", "A.class": b"x"}), GeneralCheck.NO_EXECUTABLES),
    "program in archive.zip": (zipped({"doc/a.txt": b"x", "tool.pdf": PE}), GeneralCheck.NO_EXECUTABLES),
    "script in archive.zip": (zipped({"run": b"#!/bin/sh"}), GeneralCheck.NO_EXECUTABLES),
    "program in a document in an archive.zip": (
        zipped({"d.docx": repacked(DOCX, {"word/media/image1.png": PE})}),
        GeneralCheck.NO_EXECUTABLES,
    ),
    "program in a mail.eml": (attached("invoice.pdf", PE), GeneralCheck.NO_EXECUTABLES),
    "program in an archive in a mail.eml": (
        attached("a.zip", zipped({"x.exe": b"x"})),
        GeneralCheck.NO_EXECUTABLES,
    ),
    "encrypted.pdf": (encrypted_pdf(), GeneralCheck.NOT_ENCRYPTED),
    "encrypted.zip": (with_flag_bit_0(zipped({"a.txt": b"x"})), GeneralCheck.NOT_ENCRYPTED),
    "encrypted in archive.zip": (zipped({"a.pdf": encrypted_pdf()}), GeneralCheck.NOT_ENCRYPTED),
    "encrypted.docx": (OLE + "EncryptedPackage".encode("utf-16-le"), GeneralCheck.NOT_ENCRYPTED),
    "old with macros.xls": (OLE + "_VBA_PROJECT".encode("utf-16-le"), GeneralCheck.NO_MACROS),
    "macros.docx": (repacked(DOCX, {"word/vbaProject.bin": b"x"}), GeneralCheck.NO_MACROS),
    "old office.doc": (OLE, GeneralCheck.RECOGNISED),
    "truncated.pdf": (PDF[: len(PDF) // 2], GeneralCheck.READABLE),
    "rubbish inside.pdf": (b"%PDF-1.7\n rubbish\n%%EOF", GeneralCheck.READABLE),
    "truncated.png": (PNG[: len(PNG) // 2], GeneralCheck.READABLE),
    "truncated.jpg": (JPEG[: len(JPEG) // 2], GeneralCheck.READABLE),
    "truncated.zip": (BOMB[: len(BOMB) // 2], GeneralCheck.READABLE),
    "damaged member.zip": (zipped({"a.txt": b"abc"}, 0).replace(b"abc", b"abd"), GeneralCheck.READABLE),
    "no main part.docx": (repacked(DOCX, without="word/document.xml"), GeneralCheck.READABLE),
    "entities.docx": (
        zipped({"[Content_Types].xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
    ),
    "outside its folder.zip": (zipped({"../../etc/passwd": b"x"}), GeneralCheck.READABLE),
    "link.zip": (linked(), GeneralCheck.READABLE),
    "lzma.zip": (zipped({"a.txt": b"x"}, zipfile.ZIP_LZMA), GeneralCheck.READABLE),
    "open quote.csv": (b'a,b\n"1,2\n', GeneralCheck.READABLE),
    "control characters.txt": (b"a\x00b", GeneralCheck.READABLE),
    "broken.json": (b'{"a": 1', GeneralCheck.READABLE),
    "twice.json": (b'{"a": 1, "b": {"c": 1, "\\u0063": 2}}', GeneralCheck.READABLE),
    "not a number.json": (b'{"a": NaN}', GeneralCheck.READABLE),
    "deep.json": (b"[" * 100_000, GeneralCheck.READABLE),
    "no mail.eml": (b"hello there", GeneralCheck.READABLE),
    "archive in archive.zip": (
        zipped({"inner.zip": zipped({"a.txt": b"x"})}),
        GeneralCheck.NO_NESTED_ARCHIVES,
    ),
    "gzip in archive.zip": (zipped({"a.gz": b"\x1f\x8b\x08\0" + bytes(20)}), GeneralCheck.NO_NESTED_ARCHIVES),
    "archive in a mail in an archive.zip": (
        zipped({"m.eml": attached("i.zip", zipped({"a.txt": b"x"}))}),
        GeneralCheck.NO_NESTED_ARCHIVES,
    ),
    "bomb.zip": (BOMB, GeneralCheck.EXPANDS_WITHIN_BOUNDS),
    "bomb in archive.zip": (
        zipped({"d.docx": repacked(DOCX, {"x": bytes(40 * 1024 * 1024)})}),
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
    ),
    "many files.zip": (zipped({f"{n}.txt": b"" for n in range(2_001)}), GeneralCheck.EXPANDS_WITHIN_BOUNDS),
    "pixel bomb.png": (png_of(60_000, 60_000), GeneralCheck.EXPANDS_WITHIN_BOUNDS),
    "picture.gif": (gif(), GeneralCheck.RECOGNISED),
    "page.html": (b"<!DOCTYPE html><html></html>", GeneralCheck.RECOGNISED),
    "rich text.rtf": (b"{\\rtf1 hello}", GeneralCheck.RECOGNISED),
    "bytes.bin": (bytes(range(256)), GeneralCheck.RECOGNISED),
    "large.json": (b'"' + b"a" * (10 * 1024 * 1024) + b'"', GeneralCheck.NOT_TOO_LARGE),
    "large.eml": (EML + b"a" * (25 * 1024 * 1024), GeneralCheck.NOT_TOO_LARGE),
    "many lines.eml": (EML + b"\n" * 1_500_000, GeneralCheck.EXPANDS_WITHIN_BOUNDS),
    "many parts.eml": (
        b"From: a\nDate: b\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 501,
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(name: str) -> None:
    data, problem = REFUSED[name]
    flaws = recognise(name, data).flaws
    assert [flaw.check for flaw in flaws] == [problem], flaws


def test_a_record_over_100_mib_is_too_large() -> None:
    flaws = recognise("a.txt", b"a" * (100 * 1024 * 1024 + 1)).flaws
    assert [flaw.check for flaw in flaws] == [GeneralCheck.NOT_TOO_LARGE]


def test_every_flaw_of_an_archive_is_found_in_one_go() -> None:
    found = recognise("a.zip", zipped({"one.exe": PE, "two.pdf": encrypted_pdf(), "three.pdf": PDF[:900]}))
    assert [flaw.check for flaw in found.flaws] == [
        GeneralCheck.NO_EXECUTABLES,
        GeneralCheck.NOT_ENCRYPTED,
        GeneralCheck.READABLE,
    ]


def test_a_hostile_member_name_is_shown_escaped() -> None:
    (flaw,) = recognise("a.zip", zipped({"invoice\u202efdp.exe": b"x"})).flaws
    assert "\u202e" not in flaw.found
    assert "\\u202e" in flaw.found


NAMES = st.sampled_from(
    ["a.pdf", "a.docx", "a.csv", "a.json", "a.eml", "a.txt", "a.zip", "a.png", "a", "\ud800.x"]
)
STARTS = st.sampled_from(
    [b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"From: a\n", b"{"]
)


@given(NAMES, STARTS, st.binary(max_size=300))
def test_any_bytes_are_recognised_without_an_exception(name: str, start: bytes, rest: bytes) -> None:
    recognise(name, start + rest)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([PDF, DOCX, XLSX, EML, PNG]), st.data())
def test_a_damaged_file_is_recognised_without_an_exception(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    recognise("a", bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))


MAIL = b"From: a@example.org\r\nDate: Mon, 4 May 2026 10:00:00 +0000\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
ARMOUR = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA1\n-----END PGP MESSAGE-----\n"


def cms_mail(parameter: bytes, content: bytes = b"MIAGCSqGSIb3DQEHA6CA") -> bytes:
    header = b'Content-Type: application/pkcs7-mime%s; name="smime.p7m"\r\n' % parameter
    return MAIL + header + b"Content-Transfer-Encoding: base64\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", ARMOUR),
        ("a.txt", b"Please see below.\n" + ARMOUR),
        ("a.txt", b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"),
        ("a.eml", cms_mail(b"; smime-type=enveloped-data")),
        ("a.eml", cms_mail(b'; smime-type="authEnveloped-data"')),
        ("a.eml", cms_mail(b"")),
        ("a.eml", MAIL + b"Content-Type: text/plain\r\n\r\n" + ARMOUR),
        (
            "a.eml",
            MAIL
            + b'Content-Type: multipart/encrypted; boundary="b"\r\n\r\n--b\r\n\r\nVersion: 1\r\n--b--\r\n',
        ),
    ],
)
def test_an_encrypted_message_is_a_blocker(name: str, data: bytes) -> None:
    assert [flaw.check for flaw in recognise(name, data).flaws] == [GeneralCheck.NOT_ENCRYPTED]


def test_a_signed_message_and_a_word_about_encryption_are_taken() -> None:
    signed = b"MIAGCSqGSIb3DQEHAqCA"  # DER: 1.2.840.113549.1.7.2; the type above ends in 3, enveloped data
    assert recognise("a.eml", cms_mail(b"; smime-type=signed-data", signed)).flaws == ()
    assert recognise("a.eml", cms_mail(b"", signed)).flaws == ()
    assert recognise("a.txt", b"It began with -----BEGIN PGP MESSAGE----- and so on.\n").flaws == ()


def test_a_pdf_padded_with_zeros_is_whole() -> None:
    assert recognise("a.pdf", PDF + bytes(3000)).flaws == ()
