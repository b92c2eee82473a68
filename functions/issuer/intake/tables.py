"""CSV tables: whole, and the header that a rule's columns name, wherever in the file it is."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from issuer.intake.encodings import Encoding, decode_head, text_encoding
from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw

_HEAD = 256 * 1024  # bytes in which the delimiter and the header are looked for
_PREAMBLE = 100  # rows in which the header is looked for: bank, account and period come before it
_DELIMITERS = (",", ";", "\t", "|")
"""RFC 4180 knows the comma alone; Excel writes semicolons where the comma is the decimal point."""
_END = "\x1eend of table\x1e"  # a row after the last one: if a quoted cell swallows it, that cell is open

# A cell may be as long as the file; the module's own limit is 128 KiB.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a rule reads it. `header`: the best row for its columns; `number`: which row that is.

    `rows`: how many rows below the header have a value in each of the columns.
    """

    header: tuple[str, ...]
    number: int
    rows: int


def csv_flaw(data: bytes) -> Flaw | None:
    """Why `data` is no whole table, or None. Rows may be of any length: Excel opens them. O(size)."""
    encoding = text_encoding(data)
    if encoding is None:
        return Flaw.of(FlawKind.DAMAGED)
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding.codec, errors="replace", newline="")
    lines = _and_end(text)
    last: list[str] = []
    for row in csv.reader(lines, delimiter=_delimiter(data, encoding)):
        last = row
    return None if last == [_END] else Flaw.of(FlawKind.CSV_OPEN_QUOTE)


def read_table(data: bytes, columns: tuple[str, ...]) -> Table:
    """The table in a CSV record that has no flaw, by the delimiter that shows most of `columns`. O(size)."""
    encoding = text_encoding(data)
    if encoding is None:
        raise ValueError("no text")
    sep = _declared_delimiter(decode_head(data, encoding, 64))
    delimiters = (sep,) if sep else _DELIMITERS
    best = max(
        ((_find_header(data, encoding, mark, columns), mark) for mark in delimiters),
        key=lambda found: found[0][0],
    )
    (_, _, number, header), delimiter = best
    places = [header.index(column) for column in columns if column in header]
    rows = _rows(data, encoding, delimiter)
    full = sum(
        1
        for at, row in enumerate(rows, 1)
        if at > number and places and all(place < len(row) and row[place].strip() for place in places)
    )
    return Table(header, number, full)


def _find_header(
    data: bytes, encoding: Encoding, delimiter: str, columns: tuple[str, ...]
) -> tuple[tuple[int, int], int, int, tuple[str, ...]]:
    """The row that has most of the columns; of several, or of none, the first with most cells."""
    best: tuple[tuple[int, int], int, int, tuple[str, ...]] = ((-1, 0), 0, 0, ())
    for number, row in enumerate(_rows(data[:_HEAD], encoding, delimiter), 1):
        cells = tuple(cell.strip() for cell in row)
        score = (sum(column in cells for column in columns), len(cells))
        if score > best[0]:
            best = (score, len(cells), number, cells)
        if number == _PREAMBLE or score[0] == len(columns):
            break
    return best


def _rows(data: bytes, encoding: Encoding, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not blank."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding.codec, errors="replace", newline="")
    for row in csv.reader(text, delimiter=delimiter):
        if any(cell.strip() for cell in row):
            yield row


def _and_end(lines: io.TextIOWrapper) -> Iterator[str]:
    last = "\n"
    for line in lines:
        yield line
        last = line
    if not last.endswith(("\n", "\r")):
        yield "\n"
    yield _END


def _delimiter(data: bytes, encoding: Encoding) -> str:
    """The delimiter that Excel was told (`sep=`), or the commonest in the first rows; else the comma."""
    head = decode_head(data, encoding, _HEAD)
    return _declared_delimiter(head) or max(_DELIMITERS, key=head.count)


def _declared_delimiter(head: str) -> str | None:
    """What a first line `sep=;` says."""
    line = head[:16].lstrip('\ufeff"').lower()
    return line[4] if line.startswith("sep=") and line[4:5] not in ("", "\r", "\n", '"') else None
