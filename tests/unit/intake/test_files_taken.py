"""Files that their ordinary program opens: none is a blocker, whatever its style."""

import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from issuer.intake.media import MediaType
from issuer.intake.recognise import recognise

from . import makers
from .makers import (
    docx,
    jpeg,
    mail,
    open_document,
    part,
    pdf,
    png,
    png_chunk,
    pptx,
    types_of,
    xlsx_parts,
    zipped,
)

DISTRIBUTED = types_of(
    f'<Default Extension="xml" ContentType="{makers.X}"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{makers.SHEET}"/>'
)
SIGNED = bytes.fromhex("308201000609") + bytes.fromhex("2a864886f70d010702") + bytes(200)
SIGNED_MAIL = (
    'application/x-pkcs7-mime; name="smime.p7m"\r\nContent-Transfer-Encoding: base64'  # no smime-type
)
ISO = b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:%s"><A/></Document>'
ENVELOPE = b'<Message xmlns="urn:bank:portal"><Head/>%s</Message>' % ISO[21:].replace(
    b"%s", b"pacs.008.001.08"
)


def text_part(charset: str, name: str, content: bytes) -> makers.Part:
    header = f'Content-Type: text/plain; charset="{charset}"; name="{name}"'
    return f'{header}\r\nContent-Disposition: inline; filename="{name}"', content


def motion_photo(seed: int) -> bytes:
    """A film behind the picture; its bytes must not decide."""
    return jpeg() + struct.pack(">I4s", 1_500_008, b"mdat") + random.Random(seed).randbytes(1_500_000)


def without_comments_end(data: bytes) -> bytes:
    """A JPEG without its end mark, as some webcams write: every row is there."""
    return data[:-2]


def workbook(**changes: bytes | str) -> bytes:
    return zipped({**xlsx_parts(), "[Content_Types].xml": DISTRIBUTED, **changes})


def workbook_in_other_case() -> bytes:
    parts = {name.replace("xl/", "XL/"): content for name, content in xlsx_parts().items()}
    return zipped({**parts, "[content_types].xml": DISTRIBUTED})


def workbook_with_backslashes() -> bytes:
    parts = {name.replace("/", "\\"): content for name, content in xlsx_parts().items()}
    return zipped({**parts, "[Content_Types].xml": DISTRIBUTED})


def absolute_target() -> bytes:
    parts = xlsx_parts("/xl/workbook.xml")
    return zipped(
        {name.lstrip("/"): content for name, content in parts.items()} | {"[Content_Types].xml": DISTRIBUTED}
    )


ICC = b"press\0\0" + zlib.compress(b"a" * 2_000_000)
XMP = b"Raw profile type xmp\0\0" + zlib.compress(b"a" * 2_000_000)

TAKEN: dict[str, tuple[str, Callable[[], bytes], MediaType]] = {
    # texts in the encodings of Windows
    "bank export in windows-1252": (
        "umsatz.csv",
        lambda: "Datum;Empfänger;Betrag\r\n02.04.2026;Müller GmbH;12,00\r\n".encode("cp1252"),
        MediaType.CSV,
    ),
    "note in windows-1252": ("note.txt", lambda: "Rückruf bestätigt".encode("cp1252"), MediaType.TXT),
    "note that begins as a bitmap would": (
        "n.txt",
        lambda: "BMW Händler, München".encode("cp1252"),
        MediaType.TXT,
    ),
    "JSON in windows-1252": ("a.json", lambda: '{"a": "Größe"}'.encode("cp1252"), MediaType.JSON),
    "note in Cyrillic": ("n.txt", lambda: "Оплата подтверждена, Иванов".encode("cp1251"), MediaType.TXT),
    "note in Shift JIS": ("n.txt", lambda: "支払いを承認しました".encode("shift_jis"), MediaType.TXT),
    "table in GBK": ("t.csv", lambda: "日期,金额\n四月,12\n".encode("gbk"), MediaType.CSV),
    "log in UTF-16": ("log.txt", lambda: "done\r\n".encode("utf-16"), MediaType.TXT),
    "log in UTF-16 without a mark": (
        "log.txt",
        lambda: "done, all of it\r\n".encode("utf-16-le"),
        MediaType.TXT,
    ),
    "big-endian UTF-16": ("log.txt", lambda: b"\xfe\xff" + "done".encode("utf-16-be"), MediaType.TXT),
    "UTF-32": ("log.txt", lambda: "done".encode("utf-32"), MediaType.TXT),
    "Unicode text of Excel": ("e.csv", lambda: "a\tb\r\n1\t2\r\n".encode("utf-16"), MediaType.CSV),
    "JSON in UTF-16": ("config.json", lambda: '{"a": 1}'.encode("utf-16"), MediaType.JSON),
    # tables as banks and programs write them
    "preamble": (
        "e.csv",
        lambda: (
            b"Account;DE00 1234\r\nPeriod;01.04. - 30.04.\r\n\r\nDate;Text;Amount\r\n02.04.;Fee;-3,00\r\n"
        ),
        MediaType.CSV,
    ),
    "title row": ("e.csv", lambda: b"Statement of April\ndate,amount\n2026-04-02,3.00\n", MediaType.CSV),
    "delimiter at the end of lines": ("e.csv", lambda: b"date;text;\r\n2026-04-02;fee;\r\n", MediaType.CSV),
    "footer": ("e.csv", lambda: b"date,amount\n2026-04-02,3.00\nTotal 3.00\n", MediaType.CSV),
    "sep line": ("e.csv", lambda: b"sep=;\r\ndate;amount\r\n2026-04-02;3.00\r\n", MediaType.CSV),
    "column that occurs twice": (
        "e.csv",
        lambda: b"date,fee,currency,currency\n1,2,EUR,EUR\n",
        MediaType.CSV,
    ),
    "long cell": ("t.csv", lambda: b'id,text\n1,"' + b"long text " * 15_000 + b'"\n', MediaType.CSV),
    "inch marks": ("t.csv", lambda: b'id,text\n1,5" pipe\n2,"a ""b"" c"\n', MediaType.CSV),
    # PDF
    **{
        f"owner password, revision {revision}": (
            "statement.pdf",
            lambda revision=revision: makers.encrypted_pdf("", "o", revision),  # type: ignore[misc]
            MediaType.PDF,
        )
        for revision in (3, 4, 6)
    },
    "blank line before the header": ("scan.pdf", lambda: b"\r\n" + pdf(), MediaType.PDF),
    "byte order mark before the header": ("bom.pdf", lambda: b"\xef\xbb\xbf" + pdf(), MediaType.PDF),
    "PJL before the header": (
        "pjl.pdf",
        lambda: b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n" + pdf(),
        MediaType.PDF,
    ),
    "text before a PDF of ASCII": (
        "a.pdf",
        lambda: b"printed 2026-04-02\n" + pdf().replace(b"%\xe2\xe3\xcf\xd3\n", b""),
        MediaType.PDF,
    ),
    "PDF without its last line": ("a.pdf", lambda: pdf(end=b""), MediaType.PDF),
    "PDF before a web server's footer": (
        "a.pdf",
        lambda: pdf() + b"<!-- served by web7 -->\n",
        MediaType.PDF,
    ),
    "PDF whose table of objects is wrong": (
        "a.pdf",
        lambda: pdf(3).replace(b"0000000015", b"0000000019"),
        MediaType.PDF,
    ),
    "link to a document": (
        "a.pdf",
        lambda: with_link("/S /Launch /F (annex.xlsx)"),
        MediaType.PDF,
    ),
    "invoice with its XML inside": (
        "zugferd.pdf",
        lambda: makers.pdf_with("factur-x.xml", b"<a/>"),
        MediaType.PDF,
    ),
    # pictures
    **{
        f"motion photo {seed}": ("PXL.MP.jpg", lambda seed=seed: motion_photo(seed), MediaType.JPEG)  # type: ignore[misc]
        for seed in range(6)
    },
    "two pictures in one": ("IMG.jpg", lambda: jpeg() + jpeg(40, 30), MediaType.JPEG),
    "no end mark": ("cam.jpg", lambda: without_comments_end(jpeg()), MediaType.JPEG),
    "progressive": ("web.jpg", lambda: jpeg(progressive=True), MediaType.JPEG),
    "stray bytes before the end": ("cam.jpg", lambda: jpeg()[:-2] + b"\0" * 8 + b"\xff\xd9", MediaType.JPEG),
    "PNG with a large text": ("a.png", lambda: png(png_chunk(b"zTXt", XMP)), MediaType.PNG),
    "PNG with a large colour profile": ("b.png", lambda: png(png_chunk(b"iCCP", ICC)), MediaType.PNG),
    "PNG with a damaged comment": (
        "c.png",
        lambda: png(png_chunk(b"tEXt", b"a\0b")[:-1] + b"!"),
        MediaType.PNG,
    ),
    "bytes behind a PNG": ("d.png", lambda: png() + b"trailer", MediaType.PNG),
    # Office
    "main part by its ending": ("report.xlsx", workbook, MediaType.XLSX),
    "part names in other case": ("report.xlsx", workbook_in_other_case, MediaType.XLSX),
    "part names with backslashes": ("report.xlsx", workbook_with_backslashes, MediaType.XLSX),
    "main part by an absolute target": ("report.xlsx", absolute_target, MediaType.XLSX),
    # archives
    "archive made on a Mac": (
        "records.zip",
        lambda: zipped(
            {
                "records/invoice.pdf": pdf(),
                "__MACOSX/records/._invoice.pdf": makers.apple_double(),
                "records/.DS_Store": b"\0\0\0\1Bud1" + bytes(40),
            }
        ),
        MediaType.ZIP,
    ),
    "archive made on Windows": (
        "r.zip",
        lambda: zipped({"a.pdf": pdf(), "Thumbs.db": makers.OLE, "~$minutes.docx": b"\x05Ana" + bytes(50)}),
        MediaType.ZIP,
    ),
    "presentation in an archive": (
        "d.zip",
        lambda: zipped({"deck.pptx": pptx(), "a.pdf": pdf()}),
        MediaType.ZIP,
    ),
    "OpenDocument in an archive": (
        "p.zip",
        lambda: zipped({"m.odt": open_document(), "a.pdf": pdf()}),
        MediaType.ZIP,
    ),
    "texts of any kind in an archive": (
        "t.zip",
        lambda: zipped(
            {
                "a.csv": "ä;b".encode("cp1252"),
                "b.json": b'{"a": NaN}',
                "c.html": b"<html></html>",
                "d.xml": b"<invoice/>",
                "e.pdf": b"\x00\x01 not known",
                "f.eml": b"no mail",
            }
        ),
        MediaType.ZIP,
    ),
    "signed invoice in an archive": ("f.zip", lambda: zipped({"fattura.xml.p7m": SIGNED}), MediaType.ZIP),
    "member whose names differ by their encoding": (
        "u.zip",
        lambda: zipped({"größe.txt": b"hello"}, zipfile.ZIP_STORED),
        MediaType.ZIP,
    ),
    # mail
    "presentation in a mail": ("fw.eml", lambda: mail([part("deck.pptx", pptx())]), MediaType.EML),
    "OpenDocument in an archive in a mail": (
        "fw.eml",
        lambda: mail([part("p.zip", zipped({"m.odt": open_document()}))]),
        MediaType.EML,
    ),
    "attached text in Latin 1": (
        "a.eml",
        lambda: mail([text_part("iso-8859-1", "footer.txt", "Grüße".encode("latin-1"))]),
        MediaType.EML,
    ),
    "attached table in Shift JIS": (
        "a.eml",
        lambda: mail([text_part("shift_jis", "t.csv", "支払".encode("shift_jis"))]),
        MediaType.EML,
    ),
    "signed invoice in a mail": (
        "pec.eml",
        lambda: mail([part("fattura.xml.p7m", SIGNED, "application/pkcs7-mime")]),
        MediaType.EML,
    ),
    "opaque signed mail": (
        "m.eml",
        lambda: mail(body="MIIBAAYJKoZIhvcNAQcCAAAA", body_type=SIGNED_MAIL),
        MediaType.EML,
    ),
    "mail saved as text": (
        "approval.txt",
        lambda: b"From: Ana\r\nTo: Bo\r\nSubject: Payment\r\nDate: today\r\n\r\nYes.",
        MediaType.TXT,
    ),
    "draft without a date": ("m.eml", lambda: mail(without=["Date"]), MediaType.EML),
    "approval in the subject alone": ("m.eml", lambda: mail(body=""), MediaType.EML),
    "forwarded web page": ("m.eml", lambda: mail([part("page.html", b"<html>x</html>")]), MediaType.EML),
    # names
    "company's name on a PDF": ("Statement acme.com", pdf, MediaType.PDF),
    "company's name on a letter": ("letter to acme.com", lambda: b"Dear all", MediaType.TXT),
    "company's name on an attachment": (
        "fw.eml",
        lambda: mail([part("www.client.com", png(), "image/png")]),
        MediaType.EML,
    ),
    "company's name in an archive": ("s.zip", lambda: zipped({"terms of acme.com": pdf()}), MediaType.ZIP),
    "name of an app": ("contract for payday.app", pdf, MediaType.PDF),
    # control characters
    "MT103": (
        "mt103.txt",
        lambda: b"\x01{1:F01BANKBEBBAXXX0000000000}{4:\r\n:20:REF\r\n-}\x03",
        MediaType.TXT,
    ),
    "colours of a terminal": ("deploy.txt", lambda: b"\x1b[32mok\x1b[0m\n", MediaType.TXT),
    "end mark of DOS": ("old.txt", lambda: b"paid\r\n\x1a", MediaType.TXT),
    "form feeds": ("print.txt", lambda: b"page 1\n\x0cpage 2\n", MediaType.TXT),
    "DEL in JSON": ("a.json", lambda: b'{"a": "\x7f"}', MediaType.JSON),
    # JSON
    "half a surrogate pair": ("chat.json", lambda: b'{"text": "cut \\ud83d"}', MediaType.JSON),
    "half a pair after a backslash": ("c.json", lambda: b'{"a": "\\\\ud83d \\udc00"}', MediaType.JSON),
    "whole pair": ("chat.json", lambda: b'{"text": "\\ud83d\\ude00"}', MediaType.JSON),
    # ISO 20022
    "pain.001": ("order.xml", lambda: ISO % b"pain.001.001.09", MediaType.ISO_20022),
    "camt.053 by another name": ("statement.camt053", lambda: ISO % b"camt.053.001.08", MediaType.ISO_20022),
    "message in a bank's envelope": ("pacs.xml", lambda: ENVELOPE, MediaType.ISO_20022),
    "message of before 2009": (
        "old.xml",
        lambda: b'<Document xmlns="urn:swift:xsd:$pain.001.001.02"><a/></Document>',
        MediaType.ISO_20022,
    ),
    "message in UTF-16": (
        "m.xml",
        lambda: ('<?xml version="1.0" encoding="UTF-16"?>' + (ISO % b"camt.054.001.08").decode()[21:]).encode(
            "utf-16"
        ),
        MediaType.ISO_20022,
    ),
}


def with_link(action: str) -> bytes:
    note = f"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << {action} >> >>".encode()
    return pdf(objects=[note]).replace(b"/MediaBox", b"/Annots [6 0 R] /MediaBox")


@pytest.mark.parametrize("kind", TAKEN)
def test_is_taken(kind: str) -> None:
    name, make, media_type = TAKEN[kind]
    found = recognise(name, make())
    assert (found.media_type, [flaw.found for flaw in found.flaws]) == (media_type, [])


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Größe".encode("cp1252"), "windows-1252"),
        ("Größe".encode("utf-16"), "UTF-16"),
        ("für uns".encode("cp437"), "other than UTF-8"),
    ],
)
def test_the_encoding_of_a_text_is_stated_in_a_note(data: bytes, encoding: str) -> None:
    (note,) = recognise("a.txt", data).notes
    assert encoding in note.found


def test_text_in_utf_8_needs_no_note() -> None:
    assert recognise("a.txt", "Größe".encode()).notes == recognise("a.txt", b"\xef\xbb\xbfa").notes == ()


def test_javascript_in_a_pdf_is_a_note() -> None:
    found = recognise("form.pdf", pdf(catalog="/OpenAction << /S /JavaScript /JS (calc) >>"))
    assert found.flaws == ()
    assert [note.found for note in found.notes] == ["is a PDF with JavaScript, as forms have it"]


def test_a_docx_of_the_makers_is_whole() -> None:
    assert recognise("a.docx", docx()).flaws == ()
