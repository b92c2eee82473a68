"""Small made-up files of every kind, whole and broken. Nothing is copied from a real file."""

import base64
import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import pikepdf
from PIL import Image

PE = (
    b"MZ\x90\0\x03\0\0\0" + bytes(52) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0" + bytes(200)
)  # the header points at PE, at byte 128
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
W = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
X = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
P = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
DOCUMENT = (
    '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body><w:p><w:r><w:t>Board minutes</w:t></w:r></w:p></w:body></w:document>"
)
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{}'
    "</Types>"
)
_RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="{}"/></Relationships>'
)
Files = Mapping[str, bytes | str]


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return out.getvalue()


def zipped_twice(name: str, *contents: bytes) -> bytes:
    """An archive with several members of one name."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as target:
        warnings.simplefilter("ignore")
        for data in contents:
            target.writestr(name, data)
    return out.getvalue()


def with_hidden_member() -> bytes:
    """An archive with a program before the first member that its directory names."""
    program = zipped({"setup.exe": PE}, zipfile.ZIP_STORED)
    return program[: program.index(b"PK\x01\x02")] + zipped({"a.txt": b"hello"})


def with_two_names() -> bytes:
    """An archive whose member has one name in the directory, and another at its own place."""
    return zipped({"amount-1.txt": b"hello"}, zipfile.ZIP_STORED).replace(b"amount-1", b"amount-9", 1)


def pdf(
    pages: int = 1,
    *,
    catalog: str = "",
    objects: Sequence[bytes] = (),
    head: bytes = b"",
    end: bytes = b"%%EOF\n",
) -> bytes:
    """A whole PDF 1.4 with a text on each page and a right cross-reference table.

    Objects 1 to 3 are catalogue, page tree and font; page n is 2n + 2, its text 2n + 3; `objects` follow.
    """
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(pages))
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(pages):
        text = f"BT /F1 24 Tf 72 700 Td (Page {page + 1}) Tj ET".encode()
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * page)
        )
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
    bodies += objects
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n" % (len(bodies) + 1, table)
    return head + bytes(out) + end


def pdf_with(name: str, data: bytes) -> bytes:
    """A PDF with an embedded file."""
    return pdf(
        objects=[
            b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (len(data), data),
            f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F 6 0 R >> >>".encode(),
        ],
        catalog=f"/Names << /EmbeddedFiles << /Names [({name}) 7 0 R] >> >>",
    )


def encrypted_pdf(user: str, owner: str = "o", revision: int = 6) -> bytes:
    out = io.BytesIO()
    older = {"aes": False, "metadata": False} if revision == 3 else {}
    encryption = pikepdf.Encryption(owner=owner, user=user, R=revision, **older)  # type: ignore[arg-type]
    with pikepdf.open(io.BytesIO(pdf(2))) as paper:
        paper.save(out, encryption=encryption)
    return out.getvalue()


def with_hole(data: bytes, start: float, stop: float) -> bytes:
    """Zeros in place of a part, as a failed download or copy leaves them."""
    first, last = int(len(data) * start), int(len(data) * stop)
    return data[:first] + bytes(last - first) + data[last:]


def types_of(entries: str) -> str:
    """The list of content types of a package."""
    return _TYPES.format(entries)


def docx(extra: Files | None = None, document: bytes | str = DOCUMENT) -> bytes:
    return zipped(
        {
            "[Content_Types].xml": types_of(
                f'<Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/word/document.xml" ContentType="{W}"/>'
            ),
            "_rels/.rels": _RELATIONSHIPS.format("word/document.xml"),
            "word/document.xml": document,
            **(extra or {}),
        }
    )


def pptx() -> bytes:
    namespace = "http://schemas.openxmlformats.org/presentationml/2006/main"
    return zipped(
        {
            "[Content_Types].xml": types_of(
                f'<Override PartName="/ppt/presentation.xml" ContentType="{P}"/>'
            ),
            "_rels/.rels": _RELATIONSHIPS.format("ppt/presentation.xml"),
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{namespace}"/>',
        }
    )


def xlsx_parts(main: str = "xl/workbook.xml") -> dict[str, str]:
    """The parts of a workbook with one cell, without its list of content types."""
    sheets = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return {
        "_rels/.rels": _RELATIONSHIPS.format(main),
        main: f'<workbook xmlns="{sheets}" xmlns:r="{relationships}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="rId1" Type="{relationships}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheets}"><sheetData><row r="1"><c r="A1">'
        "<v>1</v></c></row></sheetData></worksheet>",
    }


def open_document(kind: str = "text", extra: Files | None = None) -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    return zipped(
        {"mimetype": mimetype, "content.xml": "<x/>", "META-INF/manifest.xml": "<m/>", **(extra or {})},
        zipfile.ZIP_STORED,
    )


def apple_double() -> bytes:
    """What Finder's Compress writes beside a file with extended attributes: AppleDouble with 2 entries."""
    attributes = b"ATTR" + bytes(116)
    head = struct.pack(">II16sH", 0x00051607, 0x00020000, b"Mac OS X        ", 2)
    entries = struct.pack(">III", 9, 50, 32 + len(attributes)) + struct.pack(
        ">III", 2, 82 + len(attributes), 0
    )
    return head + entries + bytes(32) + attributes


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(extra: bytes = b"", *, width: int = 40, height: int = 30) -> bytes:
    """A grey picture; `extra` chunks follow the header."""
    rows = b"".join(b"\0" + bytes((x * y) & 255 for x in range(width)) for y in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + extra
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def jpeg(width: int = 320, height: int = 240, **options: object) -> bytes:
    """A JPEG of noise: its bytes have no runs of zeros."""
    noise = random.Random(1).randbytes(width * height * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(out, "JPEG", **options)
    return out.getvalue()


Part = tuple[str, bytes]


def mail(
    parts: Sequence[Part] = (),
    *,
    body: str = "Approved.",
    body_type: str = "text/plain; charset=utf-8",
    without: Sequence[str] = (),
) -> bytes:
    """A message. `parts`: header lines, and the body's bytes as they stand."""
    fields = {
        "From": "Ana Ruiz <ana@client.example>",
        "To": "b@bank.example",
        "Subject": "Payment 17",
        "Date": "Fri, 01 May 2026 08:00:00 +0000",
        "Message-ID": "<17@client.example>",
    }
    top = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if name not in without)
    top += "MIME-Version: 1.0\r\n"
    if not parts:
        return f"{top}Content-Type: {body_type}\r\n\r\n{body}\r\n".encode()
    out = f'{top}Content-Type: multipart/mixed; boundary="b1"\r\n\r\n'.encode()
    out += f"--b1\r\nContent-Type: {body_type}\r\n\r\n{body}\r\n".encode()
    for header, content in parts:
        out += b"--b1\r\n" + header.encode() + b"\r\n\r\n" + content + b"\r\n"
    return out + b"--b1--\r\n"


def part(name: str, data: bytes, media_type: str = "application/octet-stream") -> Part:
    """An attachment in base64. Without a name, a mail program shows it all the same."""
    named = f'; name="{name}"' if name else ""
    disposition = f'\r\nContent-Disposition: attachment; filename="{name}"' if name else ""
    header = f"Content-Type: {media_type}{named}\r\nContent-Transfer-Encoding: base64{disposition}"
    return header, base64.encodebytes(data).replace(b"\n", b"\r\n")
