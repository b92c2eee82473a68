"""Business papers of fictional companies, made from words: the same bytes each run."""

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

import docx
import openpyxl  # type: ignore[import-untyped]
from openpyxl.styles import Font, PatternFill  # type: ignore[import-untyped]
from reportlab import platypus  # type: ignore[import-untyped]
from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

Rows = Sequence[tuple[str, ...]]
_ZIP_DATE = (2026, 1, 5, 9, 0, 0)
_MADE = datetime(2026, 1, 5, 9, 0, 0)  # noqa: DTZ001 - Office properties have no zone
_INK = colors.HexColor("#1c2b4a")
_LINE = colors.HexColor("#b9c0cc")
_SHADE = colors.HexColor("#eef1f6")
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9.6, leading=13.6, spaceAfter=6)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=8.6, leading=11.2, spaceAfter=0)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle(
    "title", parent=_BODY, fontName="Helvetica-Bold", fontSize=15, leading=19, textColor=_INK
)
_SECTION = ParagraphStyle("section", parent=_BODY, fontName="Helvetica-Bold", fontSize=10.6, spaceBefore=7)


@dataclass(frozen=True)
class Letterhead:
    """A fictional company as its paper shows it."""

    name: str
    line: str
    colour: str = "#1c2b4a"


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs, then a table: of pairs if its rows have two cells, else with a header."""

    heading: str = ""
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Signature:
    """Somebody who signed: name, role, date."""

    name: str
    role: str
    date: str


class _Strokes(platypus.Flowable):  # type: ignore[misc]
    """A signature's pen strokes, the same for the same name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.width, self.height, self._name = 42 * mm, 13 * mm, name

    def draw(self) -> None:
        pen = self.canv.beginPath()
        points = strokes(self._name, self.width, self.height)
        pen.moveTo(*points[0])
        for one, two, three in zip(points[1::3], points[2::3], points[3::3], strict=False):
            pen.curveTo(*one, *two, *three)
        self.canv.setStrokeColor(colors.HexColor("#20339a"))
        self.canv.setLineWidth(1.1)
        self.canv.drawPath(pen)


def pdf(
    head: Letterhead, title: str, sections: list[Section], signatures: tuple[Signature, ...] = ()
) -> bytes:
    """A letter-sized paper with letterhead, sections and signatures."""
    story: list[platypus.Flowable] = [platypus.Paragraph(escape(title), _TITLE), platypus.Spacer(1, 3 * mm)]
    for section in sections:
        if section.heading:
            story.append(platypus.Paragraph(escape(section.heading), _SECTION))
        story += [platypus.Paragraph(escape(text), _BODY) for text in section.paragraphs]
        if section.rows:
            story += [_table(section.rows), platypus.Spacer(1, 3 * mm)]
    if signatures:
        story += [platypus.Spacer(1, 5 * mm), _signature_block(signatures)]
    out = io.BytesIO()
    paper = platypus.SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=34 * mm,
        bottomMargin=22 * mm,
        title=title,
        author=head.name,
        invariant=1,
    )

    def frame(canvas: Canvas, _: object) -> None:
        _draw_frame(canvas, head)

    paper.build(story, onFirstPage=frame, onLaterPages=frame)
    return out.getvalue()


def document(head: Letterhead, title: str, sections: list[Section]) -> bytes:
    """The same as a Word document."""
    paper = docx.Document()
    paper.styles["Normal"].font.name = "Calibri"
    paper.sections[0].header.paragraphs[0].text = f"{head.name}  |  {head.line}"
    paper.add_heading(title, level=1)
    for section in sections:
        if section.heading:
            paper.add_heading(section.heading, level=2)
        for text in section.paragraphs:
            paper.add_paragraph(text)
        if section.rows:
            table = paper.add_table(rows=0, cols=len(section.rows[0]), style="Table Grid")
            for row in section.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
    properties = paper.core_properties
    properties.author, properties.title, properties.created, properties.modified = (
        head.name,
        title,
        _MADE,
        _MADE,
    )
    out = io.BytesIO()
    paper.save(out)
    return _dated(out.getvalue())


def workbook(head: Letterhead, sheets: dict[str, Rows]) -> bytes:
    """An Excel workbook; the first row of each sheet is its header."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cell in sheet[1]:
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE3EE")
        for number, column in enumerate(zip(*rows, strict=True)):
            letter = openpyxl.utils.get_column_letter(number + 1)
            sheet.column_dimensions[letter].width = min(60, 3 + max(len(text) for text in column))
    book.properties.creator, book.properties.created = head.name, _MADE
    out = io.BytesIO()
    book.save(out)
    return _dated(out.getvalue())


def mail(sender: str, to: str, subject: str, date: str, body: str) -> bytes:
    """A mail message as a mail program saves it."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"], message["Date"] = sender, to, subject, date
    mark = random.Random(subject + date).randrange(16**12)
    message["Message-ID"] = f"<{mark:012x}@mail.example.com>"
    message.set_content(body, cte="quoted-printable")
    return message.as_bytes()


def table(header: tuple[str, ...], rows: Rows) -> bytes:
    """A CSV file with CRLF lines (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def data(value: object) -> bytes:
    """An indented JSON file, as systems export it."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def archive(files: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(_member(name), content)
    return out.getvalue()


def strokes(name: str, width: float, height: float) -> list[tuple[float, float]]:
    """Points of a signature, the same for the same name: each three after the first make a curve."""
    dice = random.Random(name)
    number = 3 * (4 + len(name) // 4) + 1
    step = width / number
    return [(step * (n + dice.uniform(-0.9, 1.6)), height * dice.uniform(0.05, 0.95)) for n in range(number)]


def _draw_frame(canvas: Canvas, head: Letterhead) -> None:
    width, height = A4
    canvas.setFillColor(colors.HexColor(head.colour))
    canvas.rect(0, height - 6 * mm, width, 6 * mm, stroke=0, fill=1)
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(22 * mm, height - 18 * mm, head.name)
    canvas.setFillColor(colors.HexColor("#5a6475"))
    canvas.setFont("Helvetica", 8)
    canvas.drawString(22 * mm, height - 23 * mm, head.line)
    canvas.setStrokeColor(_LINE)
    canvas.line(22 * mm, height - 27 * mm, width - 22 * mm, height - 27 * mm)
    canvas.drawString(22 * mm, 12 * mm, f"{head.name}. Fictional sample record.")
    canvas.drawRightString(width - 22 * mm, 12 * mm, f"Page {canvas.getPageNumber()}")


def _table(rows: tuple[tuple[str, ...], ...]) -> platypus.Table:
    pairs = len(rows[0]) == 2
    cells = [
        [
            platypus.Paragraph(escape(text), _HEAD if (not x if pairs else not y) else _CELL)
            for x, text in enumerate(row)
        ]
        for y, row in enumerate(rows)
    ]
    width = 166 * mm
    widths = [52 * mm, width - 52 * mm] if pairs else _widths(rows, width)
    shade = (0, 0), (0, -1) if pairs else (-1, 0)
    style = [("GRID", (0, 0), (-1, -1), 0.5, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return platypus.Table(
        cells, colWidths=widths, style=platypus.TableStyle([*style, ("BACKGROUND", *shade, _SHADE)])
    )


def _widths(rows: tuple[tuple[str, ...], ...], width: float) -> list[float]:
    """Columns as wide as their longest cells ask for, within bounds."""
    lengths = [min(60, max(9, *map(len, column))) for column in zip(*rows, strict=True)]
    return [width * length / sum(lengths) for length in lengths]


def _signature_block(signatures: tuple[Signature, ...]) -> platypus.Table:
    columns = [
        [
            _Strokes(one.name),
            platypus.Paragraph(escape(one.name), _HEAD),
            platypus.Paragraph(escape(f"{one.role}, {one.date}"), _CELL),
        ]
        for one in signatures
    ]
    return platypus.Table(
        [columns], colWidths=[166 * mm / max(2, len(columns))] * len(columns), hAlign="LEFT"
    )


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _ZIP_DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _dated(package: bytes) -> bytes:
    """An Office package with every date set: its members' and that of its last change."""
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    core = "docProps/core.xml"
    stamp = rf"\g<1>{_MADE:%Y-%m-%dT%H:%M:%SZ}<".encode()
    members[core] = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*<", stamp, members[core])
    return archive(members)
