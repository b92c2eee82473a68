"""REG-1.0 as a test reads it: its sections, its Markdown tables, its example blocks."""

import re
from dataclasses import dataclass
from pathlib import Path

from attestlayer.cli.advice import ADVICE, REMARK_ADVICE

PATH = Path(__file__).parents[2] / "site/content/spec/REG-1.0.md"

_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_ADVISED = re.compile(r"^\| `([a-z-]+)` \| ([0-9, –]+) \| (.*?) \| ([^|]*) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """A Markdown table: its column names, and its rows as cells without back-quotes."""

    columns: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """One column's cells."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def by_first(self) -> dict[str, list[str]]:
        """The rows' other cells by their first."""
        return {row[0]: row[1:] for row in self.rows}


def read() -> str:
    """The whole text."""
    return PATH.read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text of the section whose heading begins so, without those below it of level 2 and 3."""
    text = read()
    headings = list(_HEADING.finditer(text))
    starts = [n for n, each in enumerate(headings) if each[1].startswith(title)]
    if len(starts) != 1:
        raise ValueError(f"{len(starts)} sections begin {title!a}, wanted one")
    (n,) = starts
    end = headings[n + 1].start() if n + 1 < len(headings) else len(text)
    return text[headings[n].end() : end]


def tables(title: str) -> list[Table]:
    """The tables of a section."""
    found: list[Table] = []
    block: list[str] = []
    for line in [*section(title).split("\n"), ""]:
        if line.startswith("|"):
            block.append(line)
        elif block:
            columns, _, *rows = (_cells(row) for row in block)
            found.append(Table(columns, rows))
            block = []
    return found


def table(title: str) -> Table:
    """The one table of a section."""
    (found,) = tables(title)
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip()[1:-1].split("|")]


def with_advice(markdown: str) -> str:
    """The Markdown with the advice of each reason and remark as verifiers give it."""
    advice = {reason.value: text for reason, text in ADVICE.items()}
    remarked = {remark.value: text for remark, text in REMARK_ADVICE.items()}

    def row(found: re.Match[str]) -> str:
        word, step, when, old = found.groups()
        known = remarked if word in remarked and step in {"1", "14", "15"} and word not in advice else advice
        return f"| `{word}` | {step} | {when} | {known.get(word, old)} |"

    return _ADVISED.sub(row, markdown)
