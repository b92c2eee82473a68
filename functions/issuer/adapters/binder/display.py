"""Text as the binder shows it: what the fonts can't show, or what can't be seen, is spelled `\\u{65E5}`.

The spelling is unambiguous: a backslash before `u{` is spelled out itself. Spaces at the ends and
doubled ones, which print can't tell, are too. Names are brought to Unicode's composed form (NFC)
first, so that a name typed on any system looks the same; intake_report.json has it as it came.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from issuer.adapters.binder.coverage import Coverage

# On one character: Vietnamese and Hebrew need 2 to 3, more is meant to climb out of the line.
_MARKS_SHOWN = 4
_AMBIGUOUS = re.compile(r"\\(?=u\{)")
_UNSEEN_SPACE = re.compile(r"^ +| +$|(?<= ) +")


def escaped(text: str) -> str:
    """Each character as `\\u{…}`."""
    return "".join(f"\\u{{{ord(character):X}}}" for character in text)


def shown(text: str, table: Mapping[str, Coverage]) -> str:
    """`text` with everything escaped that no font of `table` can show.

    A character and the marks on it are shown together only if one font has them all.
    Printable ASCII is taken to be in some font.
    """
    text = _with_spaces_named(unicodedata.normalize("NFC", text))
    if text.isascii() and text.isprintable():  # nearly all of a kit's texts
        return text
    return "".join(_shown_cluster(cluster, table) for cluster in _clusters(text))


def shown_ascii(text: str) -> str:
    """`text` with everything escaped but printable ASCII: the last resort."""
    text = _with_spaces_named(text)
    return "".join(c if " " <= c <= "~" else escaped(c) for c in text)


def _with_spaces_named(text: str) -> str:
    text = _AMBIGUOUS.sub(lambda match: escaped(match[0]), text)
    return _UNSEEN_SPACE.sub(lambda match: escaped(match[0]), text)


def _clusters(text: str) -> Iterator[str]:
    """A character with the non-spacing and enclosing marks that follow it."""
    start = 0
    for at, character in enumerate(text):
        if at > start and unicodedata.category(character) not in ("Mn", "Me"):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _shown_cluster(cluster: str, table: Mapping[str, Coverage]) -> str:
    base, marks = cluster[0], cluster[1 : 1 + _MARKS_SHOWN]
    stray = unicodedata.category(base) in ("Mn", "Me") or (base == " " and marks)
    fonts = () if stray else [font for font in table.values() if base in font]
    if not fonts:
        return escaped(cluster) if stray else escaped(base) + escaped(cluster[1:])
    if any(all(mark in font for mark in marks) for font in fonts):
        return base + marks + escaped(cluster[1 + _MARKS_SHOWN :])
    return base + escaped(cluster[1:])
