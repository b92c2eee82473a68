"""Foreign text as terminals, messages and logs print it: one line, every character of it seen.

Names in people's scripts are printed as they are written, with their combining marks, and with joiners
and variation selectors where a script or an emoji needs them. Everything else that is not seen, or that
could move a cursor, end a line or reverse the reading direction, is escaped as Python escapes it.
"""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Default-ignorable although they are letters or marks (Unicode 15 DerivedCoreProperties): nothing to see.
_IGNORABLE = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0})
_JOINERS = frozenset("\u200c\u200d")
# Seen alike, all but these: the ASCII space, and the ideographic one, which parts Japanese names.
_SPACES = frozenset(" \u3000")
# On one character: Vietnamese and Hebrew need 2 to 3, more is meant to climb out of the line.
_MOST_MARKS = 4


def visible(text: str, limit: int | None = None) -> str:
    """`text` with everything escaped that is not seen, cut after `limit` characters of it."""
    if limit is not None and len(text) > limit:
        return f"{visible(text[:limit])}…"
    if text.isascii() and text.isprintable():  # nearly all texts
        return text
    parts: list[str] = []
    before, marks = "", 0
    for at, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        seen = _is_seen(character, before, text[at + 1 : at + 2]) and marks <= _MOST_MARKS
        parts.append(character if seen else escape(character))
        before = character if seen else ""
    return "".join(parts)


def quoted(text: str) -> str:
    """`text` in quotes, as Python's `repr` puts it there, and visible."""
    quote = '"' if "'" in text and '"' not in text else "'"
    inner = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{visible(inner)}{quote}"


def escape(character: str) -> str:
    """The escape of one character: `\\n`, `\\x1b`, `\\u202e`, `\\U000e0001`."""
    # `ascii` leaves ASCII that is printable alone, which nobody asks to have escaped.
    return ascii(character)[1:-1]


def is_hidden(character: str) -> bool:
    """Whether the character alone is not seen: controls, formats, separators, selectors, no characters."""
    code = ord(character)
    ignorable = code in _IGNORABLE or _is_selector(code)
    return ignorable or unicodedata.category(character) in _HIDDEN


def _is_seen(character: str, before: str, after: str) -> bool:
    """Whether the character is seen between its neighbours; each is empty if it is none or not seen."""
    if character in _JOINERS:
        return _joins(before) and _joins(after)
    if _is_selector(ord(character)):
        return bool(before) and unicodedata.category(before) in ("Lo", "So")
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):  # a mark with nothing to stand on would stand on our own quote
        return bool(before) and before not in _SPACES and not is_hidden(character)
    return character in _SPACES or not (category == "Zs" or is_hidden(character))


def _joins(character: str) -> bool:
    """Whether a joiner may stand by the character: a letter, mark or symbol that is not ASCII."""
    return not character.isascii() and unicodedata.category(character)[0] in "LMS"


def _is_selector(code: int) -> bool:
    """Whether it is a variation selector: of any script, of Mongolian, of ideographs."""
    return 0xFE00 <= code <= 0xFE0F or 0x180B <= code <= 0x180F or 0xE0100 <= code <= 0xE01EF
