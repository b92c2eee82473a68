"""Stated names and scopes: how two people's spellings of them compare."""

import re
import unicodedata
from collections import Counter

_PART = re.compile(r"[^\W_]+")
"""A part of a name: letters and digits; points, commas, hyphens and spaces separate parts."""


def comparable(text: str) -> str:
    """A text as two people's spellings of it compare: compatibility form, case and spaces folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def comparable_name(text: str) -> str:
    """A person's or system's name: as `comparable`, and without the punctuation between its parts."""
    return " ".join(_PART.findall(comparable(text))) or comparable(text)


def may_be_one_name(one: str, other: str) -> bool:
    """Whether two names may be spellings of one: every part of the shorter one has its own in the longer.

    Parts match if they are equal or one is the other's initial, in any order: `M. Olsvik`,
    `Olsvik, Marit` and `Marit K. Olsvik` may all be one name; `Marit Hansen` is another. Accents do not
    count. O(n) in the lengths.
    """
    shorter, longer = sorted((_plain_parts(one), _plain_parts(other)), key=len)
    if not shorter:
        return False
    few, many = Counter(shorter), Counter(longer)
    few, many = few - many, many - few  # equal parts are matched first: nothing else can need them more
    # What is left of `few` finds a partner of the other length: an initial a word, a word an initial.
    return all(
        number <= _initials(many, initial=not initial)[letter]
        for initial in (True, False)
        for letter, number in _initials(few, initial=initial).items()
    )


def scope_entries(text: str) -> tuple[str, ...]:
    """The entries of a stated scope, which semicolons separate."""
    return tuple(filter(None, (comparable(entry) for entry in text.split(";"))))


def scope_covers(scope: str, tool: str) -> bool:
    """Whether an entry of a scope begins with the tool's name, or with `<prefix>*` for any tool so named.

    What follows in an entry after a space are its conditions, which nothing here reads.
    """
    name = comparable(tool)
    return any(_names_tool(entry.partition(" ")[0], name) for entry in scope_entries(scope))


def _names_tool(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _plain_parts(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _PART.findall("".join(one for one in plain if not unicodedata.combining(one)))


def _initials(parts: Counter[str], *, initial: bool) -> Counter[str]:
    """How many parts begin with each letter: of the single letters, or of the longer parts."""
    letters: Counter[str] = Counter()
    for part, number in parts.items():
        if (len(part) == 1) is initial:
            letters[part[0]] += number
    return letters
