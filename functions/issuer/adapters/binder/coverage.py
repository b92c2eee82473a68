"""Which characters a font can show, and the table of it that stands beside the fonts.

The table, `coverage.txt`, has a line for each font that names may be set in, in the order in which the
template asks for them: the file's name, then ranges of code points in hexadecimal. It is computed from
the fonts by scripts/make-binder-fonts; a test compares it with them.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from attestlayer.visible import is_hidden


def never_shown(code: int) -> bool:
    """Whether the character is escaped even if a font has it.

    Joiners and variation selectors are, since a page can't tell which ones a font obeys; so is every space
    but the ASCII one, since on paper they look alike.
    """
    character = chr(code)
    return character != " " and (is_hidden(character) or unicodedata.category(character) == "Zs")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Code points as sorted, disjoint ranges: first ones and, for each, the last one."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    @classmethod
    def of(cls, codes: Iterable[int]) -> Self:
        """What may be shown of the code points that a font maps."""
        first: list[int] = []
        last: list[int] = []
        for code in sorted(code for code in codes if not never_shown(code)):
            if last and code == last[-1] + 1:
                last[-1] = code
            else:
                first.append(code)
                last.append(code)
        return cls(tuple(first), tuple(last))

    def __contains__(self, character: str) -> bool:
        """O(log n) in the number of ranges."""
        code = ord(character)
        at = bisect_right(self.first, code) - 1
        return at >= 0 and code <= self.last[at]


def format_coverage(table: Mapping[str, Coverage]) -> str:
    """The text of `coverage.txt`."""
    return "".join(f"{name} {_ranges(coverage)}\n" for name, coverage in table.items())


def parse_coverage(text: str) -> dict[str, Coverage]:
    """The table by file name. Our own file: anything odd in it raises ValueError."""
    table = {}
    for line in text.split("\n")[:-1]:
        name, *ranges = line.split(" ")
        pairs = [(item.partition("-")[0], item.rpartition("-")[2]) for item in ranges]
        table[name] = Coverage(tuple(int(a, 16) for a, _ in pairs), tuple(int(b, 16) for _, b in pairs))
    return table


def _ranges(coverage: Coverage) -> str:
    pairs = zip(coverage.first, coverage.last, strict=True)
    return " ".join(f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in pairs)
