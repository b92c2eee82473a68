"""Files that their program can't open, opens to less than it should, or that are not what they seem.

Each with the flaw that it has, and so with the rule and the words that a client reads.
"""

import io
import struct
import zipfile
from collections.abc import Callable

import pikepdf
import pytest

from issuer.intake import zipped as zipped_files
from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.recognise import recognise
from issuer.intake.rules import ONLY_NOTES, GeneralCheck

from . import makers
from .makers import DOCUMENT, OLE, PE, docx, jpeg, mail, open_document, part, pdf, pdf_with, png, pptx, zipped

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)
RAR = b"Rar!\x1a\x07\0" + bytes(50)
SEVEN = b"7z\xbc\xaf'\x1c" + bytes(100)
GZIP = b"\x1f\x8b\x08\0" + bytes(20)
MACRO_WORKBOOK = zipped({**makers.xlsx_parts(), "[Content_Types].xml": "<Types/>", "xl/vbaProject.bin": b"x"})
ENVELOPED = bytes.fromhex("308201000609") + bytes.fromhex("2a864886f70d010703") + bytes(200)
BOMB = '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>'


def packed_pdf_with(name: str, data: bytes) -> bytes:
    """An embedded file that is compressed, in a PDF whose objects are as well."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as paper:
        paper.attachments[name] = data
        paper.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)
    return out.getvalue()


def with_flate_hole() -> bytes:
    """A PDF whose pages are compressed, with zeros in the first page's contents."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(2))) as paper:
        text = " ".join(f"{at * 7919 % 100_003} 0 m" for at in range(9000)).encode()
        paper.pages[0].Contents = pikepdf.Stream(paper, text)
        paper.save(out, compress_streams=True)
    data = out.getvalue()
    start = data.index(b"stream", data.index(b"/FlateDecode")) + 9_000
    return data[:start] + bytes(4096) + data[start + 4096 :]


def with_scan_hole() -> bytes:
    """A scanned page whose picture has zeros in it."""
    picture = makers.with_hole(jpeg(), 0.4, 0.6)
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(1))) as paper:
        scan = pikepdf.Stream(
            paper,
            picture,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Filter=pikepdf.Name.DCTDecode,
            Width=320,
            Height=240,
        )
        paper.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=scan))
        paper.save(out)
    return out.getvalue()


def with_launching_link(target: str) -> bytes:
    note = f"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F ({target}) >> >>".encode()
    return pdf(objects=[note]).replace(b"/MediaBox", b"/Annots [6 0 R] /MediaBox")


def slow_catalogue() -> bytes:
    lists = (f"/X{number} [{'<</K[0 0 0 0 0 0 0 0 0 0]>>' * 65_000}]" for number in range(4))
    return pdf(catalog="".join(lists))


def workbook_with_cut_sheet() -> bytes:
    parts = makers.xlsx_parts()
    types = f'<Override PartName="/xl/workbook.xml" ContentType="{makers.X}"/>'
    sheet = "xl/worksheets/sheet1.xml"
    return zipped({**parts, "[Content_Types].xml": makers.types_of(types), sheet: parts[sheet][:60]})


def workbook_without_its_sheet() -> bytes:
    types = f'<Override PartName="/xl/workbook.xml" ContentType="{makers.X}"/>'
    parts = {name: part for name, part in makers.xlsx_parts().items() if "sheet1" not in name}
    return zipped({**parts, "[Content_Types].xml": makers.types_of(types)})


REFUSED: dict[str, tuple[str, Callable[[], bytes], FlawKind]] = {
    # cut off, or with a hole
    "PDF with zeros in the middle": (
        "a.pdf",
        lambda: makers.with_hole(pdf(40), 0.25, 0.5),
        FlawKind.PDF_PAGES_LOST,
    ),
    "PDF that lost a page": (
        "b.pdf",
        lambda: pdf(5).replace(b"8 0 obj", b"88 0 ob"),
        FlawKind.PDF_PAGES_LOST,
    ),
    "PDF that lost a page's text": (
        "b.pdf",
        lambda: pdf(3).replace(b"7 0 obj", b"77 0 ob"),
        FlawKind.PDF_PAGES_LOST,
    ),
    "PDF with a hole in its text": ("c.pdf", with_flate_hole, FlawKind.PDF_PAGES_LOST),
    "PDF with a hole in its scan": ("s.pdf", with_scan_hole, FlawKind.PDF_PAGES_LOST),
    "PDF that breaks off": ("d.pdf", lambda: pdf(40)[:9000], FlawKind.PDF_CUT),
    "PDF cut in its last revision": ("e.pdf", lambda: pdf(2) + b"\n2 0 obj\n<< /Type", FlawKind.PDF_CUT),
    "PDF whose beginning is gone": ("f.pdf", lambda: pdf(2)[9:], FlawKind.PDF_DAMAGED),
    "PDF without pages": ("g.pdf", lambda: pdf(0), FlawKind.PDF_NO_PAGES),
    "JPEG with a hole": ("a.jpg", lambda: makers.with_hole(jpeg(), 0.4, 0.5), FlawKind.PICTURE_DAMAGED),
    "JPEG that ends too early": ("b.jpg", lambda: jpeg()[:-9000] + b"\xff\xd9", FlawKind.PICTURE_DAMAGED),
    "progressive JPEG with a hole": (
        "c.jpg",
        lambda: makers.with_hole(jpeg(progressive=True), 0.4, 0.5),
        FlawKind.PICTURE_DAMAGED,
    ),
    "cut JPEG before a film": ("d.jpg", lambda: jpeg()[:-9000] + bytes(9000), FlawKind.PICTURE_DAMAGED),
    "PNG with a hole": ("a.png", lambda: makers.with_hole(png(), 0.5, 0.7), FlawKind.PICTURE_DAMAGED),
    "PNG without its last rows": (
        "b.png",
        lambda: png(width=40, height=30).replace(struct.pack(">II", 40, 30), struct.pack(">II", 40, 31)),
        FlawKind.PICTURE_DAMAGED,
    ),
    "Word document whose main part is cut": (
        "a.docx",
        lambda: docx(document=DOCUMENT[:80]),
        FlawKind.OFFICE_DAMAGED,
    ),
    "Word document whose main part is empty": ("b.docx", lambda: docx(document=""), FlawKind.OFFICE_DAMAGED),
    "Word document whose main part is zeros": (
        "c.docx",
        lambda: docx(document=bytes(500)),
        FlawKind.OFFICE_DAMAGED,
    ),
    "workbook whose sheet is cut": ("d.xlsx", workbook_with_cut_sheet, FlawKind.OFFICE_DAMAGED),
    "workbook that lost a sheet": ("e.xlsx", workbook_without_its_sheet, FlawKind.OFFICE_DAMAGED),
    "table that ends in a quoted cell": ("t.csv", lambda: b'a,b\n1,"2\n3,4\n', FlawKind.CSV_OPEN_QUOTE),
    "mail that ends in its header": ("m.eml", lambda: b"From: a@b.example\r\nTo: c", FlawKind.EMPTY_MAIL),
    "ISO 20022 message that is cut": (
        "m.xml",
        lambda: b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><A>',
        FlawKind.XML_BROKEN,
    ),
    # shows two reviewers two things
    "two members of one name": (
        "a.zip",
        lambda: makers.zipped_twice("limit.txt", b"limit 10000", b"limit 90000"),
        FlawKind.MEMBER_TWICE,
    ),
    "member that the directory does not name": ("a.zip", makers.with_hidden_member, FlawKind.MEMBER_HIDDEN),
    "member with two names": ("a.zip", makers.with_two_names, FlawKind.MEMBER_TWO_NAMES),
    "JSON that names a member twice": ("a.json", lambda: b'{"limit": 1, "limit": 9}', FlawKind.JSON_TWICE),
    "JSON Lines": ("a.json", lambda: b'{"a": 1}\n{"a": 2}\n', FlawKind.JSON_LINES),
    # not what they seem
    "web page called XLS": ("export.xls", lambda: b"<table><tr><td>1</td></tr></table>", FlawKind.HTML),
    "web page called TXT": ("page.txt", lambda: b"<meta charset=utf-8><script>x()</script>", FlawKind.HTML),
    "web page called CSV": ("t.csv", lambda: b"\n <!-- x -->\n<html><table></table>", FlawKind.HTML),
    "web page in UTF-16": ("t.txt", lambda: "<html><body>x".encode("utf-16"), FlawKind.HTML),
    "HTML application": ("a.txt", lambda: b"<HTA:APPLICATION>", FlawKind.HTML),
    # programs
    "program in a mail without a name": ("m.eml", lambda: mail([part("", PE)]), FlawKind.PROGRAM),
    "program in a PDF": ("a.pdf", lambda: pdf_with("setup.exe", PE), FlawKind.PROGRAM),
    "program in a packed PDF": ("a.pdf", lambda: packed_pdf_with("setup.bin", PE), FlawKind.PROGRAM),
    "script in a PDF": ("a.pdf", lambda: packed_pdf_with("run.js", b"WScript.Run()"), FlawKind.NAMED_PROGRAM),
    "program in an archive in a PDF": (
        "a.pdf",
        lambda: pdf_with("a.zip", zipped({"a": PE})),
        FlawKind.PROGRAM,
    ),
    "PDF that starts a program": (
        "b.pdf",
        lambda: pdf(catalog="/OpenAction << /S /Launch /F (cmd.exe) >>"),
        FlawKind.STARTS_PROGRAM,
    ),
    "PDF that starts one after another action": (
        "b.pdf",
        lambda: pdf(catalog="/OpenAction << /S /GoTo /Next << /S /Launch /Win << /F (cmd) >> >> >>"),
        FlawKind.STARTS_PROGRAM,
    ),
    "PDF with a link that starts a program": (
        "b.pdf",
        lambda: with_launching_link("setup.exe"),
        FlawKind.STARTS_PROGRAM,
    ),
    "program packed into a Word document": (
        "a.docx",
        lambda: docx({"word/embeddings/oleObject1.bin": OLE + b"\x02\0setup.exe\0C:\\setup.exe\0" + PE}),
        FlawKind.HOLDS_PROGRAM,
    ),
    "script packed into a Word document": (
        "a.docx",
        lambda: docx(
            {
                "word/embeddings/oleObject1.bin": OLE
                + "\1Ole10Native".encode("utf-16-le")
                + b"\x02\0run.vbs\0x"
            }
        ),
        FlawKind.HOLDS_PROGRAM,
    ),
    "program in a workbook in a Word document": (
        "a.docx",
        lambda: docx({"word/embeddings/a.docx": docx({"word/media/image1.png": PE})}),
        FlawKind.PROGRAM,
    ),
    "program under a system's name": (
        "a.zip",
        lambda: zipped({"a.txt": b"x", "__MACOSX/._a.txt": PE}),
        FlawKind.PROGRAM,
    ),
    "unknown bytes called .com": ("a.com", lambda: b"\xb8\0\x4c\xcd\x21\0\x01\x02", FlawKind.NAMED_PROGRAM),
    "shortcut": ("a.zip", lambda: zipped({"x": b"\x4c\0\0\0\x01\x14\x02\0" + bytes(60)}), FlawKind.PROGRAM),
    "macro workbook in a Word document": (
        "a.docx",
        lambda: docx({"word/embeddings/Book.xlsm": MACRO_WORKBOOK}),
        FlawKind.MACROS,
    ),
    "macros of Excel 4": (
        "a.xlsx",
        lambda: zipped(
            {
                **makers.xlsx_parts(),
                "xl/macrosheets/sheet1.xml": "<x/>",
                "[Content_Types].xml": makers.types_of(
                    f'<Override PartName="/xl/workbook.xml" ContentType="{makers.X}"/>'
                    '<Override PartName="/xl/macrosheets/sheet1.xml" '
                    'ContentType="application/vnd.ms-excel.macrosheet+xml"/>'
                ),
            }
        ),
        FlawKind.MACROS,
    ),
    "OpenDocument with macros in an archive": (
        "a.zip",
        lambda: zipped({"a.ods": open_document("spreadsheet", {"Basic/Standard/Module1.xml": "<m/>"})}),
        FlawKind.MACROS,
    ),
    # archives that are not looked into
    "RAR in a mail": ("m.eml", lambda: mail([part("x.rar", RAR)]), FlawKind.CLOSED_ARCHIVE),
    "7z in a mail": ("m.eml", lambda: mail([part("x.7z", SEVEN)]), FlawKind.CLOSED_ARCHIVE),
    "GZIP in a mail": ("m.eml", lambda: mail([part("x.tar.gz", GZIP)]), FlawKind.CLOSED_ARCHIVE),
    "RAR in an archive": ("a.zip", lambda: zipped({"x.rar": RAR}), FlawKind.CLOSED_ARCHIVE),
    # what expands, or is slow
    "PDF with a large catalogue": ("a.pdf", slow_catalogue, FlawKind.PDF_EXPANDS),
    "XML bomb": ("a.xml", BOMB.encode, FlawKind.XML_EXPANDS),
    "XML bomb in a Word document": ("a.docx", lambda: docx(document=BOMB), FlawKind.XML_EXPANDS),
    "XML bomb in the list of parts": (
        "a.docx",
        lambda: zipped({"[Content_Types].xml": BOMB}),
        FlawKind.XML_EXPANDS,
    ),
    "XML bomb as a payment": (
        "a.xml",
        lambda: BOMB.replace("<a>", '<a xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">').encode(),
        FlawKind.XML_EXPANDS,
    ),
    # encrypted
    "PDF with a password": ("a.pdf", lambda: makers.encrypted_pdf("u"), FlawKind.PDF_ENCRYPTED),
    "PDF with a password for its embedded files": (
        "a.pdf",
        lambda: makers.encrypted_pdf("u").replace(b"/AuthEvent /DocOpen", b"/AuthEvent /EFOpen "),
        FlawKind.PDF_FILES_ENCRYPTED,
    ),
    "encrypted envelope": ("a.p7m", lambda: ENVELOPED, FlawKind.ENCRYPTED_ENVELOPE),
    "encrypted envelope in an archive": (
        "a.zip",
        lambda: zipped({"a.p7m": ENVELOPED}),
        FlawKind.ENCRYPTED_ENVELOPE,
    ),
    # of a type that no policy asks for: each has a name and a way out
    "photo of an iPhone": ("IMG_0417.HEIC", lambda: HEIC, FlawKind.HEIC),
    "photo of an iPhone called JPG": ("IMG_0418.jpg", lambda: HEIC, FlawKind.HEIC),
    "TIFF": ("scan.tif", lambda: b"II*\0\x08\0\0\0" + bytes(100), FlawKind.TIFF),
    "presentation": ("deck.pptx", pptx, FlawKind.PRESENTATION),
    "OpenDocument": ("minutes.odt", open_document, FlawKind.OPEN_DOCUMENT),
    "Pages": ("a.pages", lambda: zipped({"Index/Document.iwa": b"x"}), FlawKind.IWORK),
    "old Word": ("a.doc", lambda: OLE + "WordDocument\0".encode("utf-16-le"), FlawKind.OLD_OFFICE),
    "other XML": ("a.xml", lambda: b'<?xml version="1.0"?><Invoice/>', FlawKind.XML),
    "RTF": ("a.rtf", lambda: b"{\\rtf1 hello}", FlawKind.MARKUP),
    "film": ("a.mp4", lambda: b"\0\0\0\x18ftypisom\0\0\0\0isom" + bytes(100), FlawKind.FILM),
    "RAR": ("a.rar", lambda: RAR, FlawKind.OTHER_ARCHIVE),
    "signed envelope": (
        "a.p7m",
        lambda: ENVELOPED.replace(b"\x0d\x01\x07\x03", b"\x0d\x01\x07\x02"),
        FlawKind.SIGNED_ENVELOPE,
    ),
    "picture in SVG": ("a.svg", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', FlawKind.OTHER_PICTURE),
    "GIF": ("a.gif", lambda: b"GIF89a" + bytes(20), FlawKind.OTHER_PICTURE),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_is_refused_for_what_it_is(kind: str) -> None:
    name, make, flaw_kind = REFUSED[kind]
    flaws = recognise(name, make()).flaws
    assert [flaw.kind for flaw in flaws] == [flaw_kind], flaws


def test_every_flaw_has_words_of_its_own() -> None:
    for kind in FlawKind:
        words = kind.value
        assert words.wanted and words.fix.endswith("."), kind
        assert len(words.fix) <= 300, kind
    shared = [kind for kind in FlawKind if kind.check is GeneralCheck.READABLE]
    assert len({kind.value.found for kind in shared}) == len(shared)


def test_a_flaw_is_a_note_only_by_a_rule_that_may_be_one() -> None:
    noted = {kind for kind in FlawKind if kind.check in ONLY_NOTES}
    assert noted == {FlawKind.ENCODING, FlawKind.DOCUMENT_SCRIPT}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("IMG_0417.HEIC", HEIC, ["JPEG", "PNG", "Most Compatible"]),
        ("deck.pptx", pptx(), ["PDF", "PowerPoint"]),
        ("a.odt", open_document(), ["LibreOffice", "DOCX"]),
        ("a.tif", b"II*\0\x08\0\0\0" + bytes(100), ["PDF", "scanner"]),
    ],
)
def test_the_way_out_is_named(name: str, data: bytes, words: list[str]) -> None:
    (flaw,) = recognise(name, data).flaws
    assert all(word in flaw.fix for word in words), flaw.fix


def test_nobody_is_told_to_put_a_received_mail_right() -> None:
    (flaw,) = recognise("m.eml", mail([part("a.pdf", makers.encrypted_pdf("u"))])).flaws
    assert "A received mail can't be changed" in flaw.fix
    assert flaw.found.startswith('has the attachment "a.pdf", which is a PDF that opens only with a password')


def test_each_part_of_a_document_that_is_broken_is_named() -> None:
    flaws = recognise("a.docx", docx({"word/a.xml": "<a>", "word/b.xml": "<b>"})).flaws
    assert [flaw.found.partition("part ")[2].split()[0] for flaw in flaws] == ['"word/a.xml"', '"word/b.xml"']


def test_what_a_pdf_unpacks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped_files, "MAX_EXPANDED", 1024 * 1024)  # 256 MiB would take seconds to make
    packed = packed_pdf_with("a.bin", bytes(2 * 1024 * 1024))
    assert [flaw.kind for flaw in recognise("a.pdf", packed).flaws] == [FlawKind.EXPANDS]


def test_a_stored_archive_in_an_archive_is_no_hidden_member() -> None:
    inner = zipped({"a.docx": docx()}, zipfile.ZIP_STORED)
    outer = zipped({"inner.zip": inner, "b.txt": b"x"}, zipfile.ZIP_STORED)
    assert [flaw.kind for flaw in recognise("a.zip", outer).flaws] == [FlawKind.NESTED_ARCHIVE]
