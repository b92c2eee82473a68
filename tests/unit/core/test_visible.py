"""Foreign text: what is escaped, and what is printed as people write it."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import shown
from attestlayer.visible import is_hidden, visible

FUNCTIONS = Path(__file__).parents[3] / "functions"

NAMES = [
    "שָׁלוֹם",  # Hebrew with points: two marks on one letter
    "محمد\u200cرضا",  # Persian needs the zero-width non-joiner
    "क्\u200dषत्रिय",  # Devanagari, with a joiner
    "山田\u3000太郎",  # the ideographic space parts Japanese names
    "葛\U000e0100城",  # an ideograph in the variant of a family's name
    "Nguyễn Thị Hạnh",
    "e\u0301a\u0308",  # combining marks
    "👩\u200d👩\u200d👧 ❤\ufe0f",  # emoji sequences
    'O\'Brien & Söhne "GmbH" <b>',
]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_peoples_scripts_are_printed_as_written(name: str) -> None:
    assert visible(name) == name


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("\x9b31m", r"\x9b31m"),  # one character that begins a control sequence (ECMA-48 CSI)
        ("\r\n\t\x07\x00\x7f", r"\r\n\t\x07\x00\x7f"),
        ("a\u202ecod.exe", r"a\u202ecod.exe"),  # right-to-left override
        ("\u2066x\u2069\u200f", r"\u2066x\u2069\u200f"),
        ("a\u2028b\u2029c\u0085d", r"a\u2028b\u2029c\x85d"),
        ("\udc80\ud800", r"\udc80\ud800"),
        ("pay\u200bpal\ufeff\u2060\u00ad", r"pay\u200bpal\ufeff\u2060\xad"),
        ("pay\u200dpal", r"pay\u200dpal"),  # a joiner where no script has one
        ("\u200dक", r"\u200dक"),
        ("x\ufe0f", r"x\ufe0f"),
        ("\u3164\u115f\u034f", r"\u3164\u115f\u034f"),  # letters and marks that show nothing
        ("\U000e0041\ue000", r"\U000e0041\ue000"),
        ("\u0301x", r"\u0301x"),  # a mark with nothing to stand on
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),  # marks that climb out of the line
        ("M.\u00a0Dupont", r"M.\xa0Dupont"),
    ],
)
def test_what_is_not_seen_or_turns_the_line_is_escaped(text: str, printed: str) -> None:
    assert visible(text) == printed
    assert shown(text) == f"'{printed}'"


@given(st.text(st.characters(codec=None), max_size=40))
def test_nothing_is_left_that_moves_a_cursor_or_ends_a_line_and_again_changes_nothing(text: str) -> None:
    out = visible(text)
    left = {c for c in out if is_hidden(c)} - set("\u200c\u200d")
    assert all(unicodedata.category(c) == "Mn" for c in left)  # variation selectors after what they select
    assert visible(out) == out


@pytest.mark.parametrize("value", ["é" * 10**6, ["x" * 10**6] * 10**4, {"k" * 10**6: 1}, b"\xff" * 10**6])
def test_what_is_shown_is_short_whatever_it_is(value: object) -> None:
    assert len(shown(value)) < 450  # 80 bytes, each with an escape of four


def test_a_cut_text_is_said_to_be_cut_and_how_long_it_was() -> None:
    assert visible("abcdef", 3) == "abc…"
    assert shown("abcdef", 3) == "'abc'… (6 characters)"
    assert shown([1, 2, 3, 4], 6) == "[1, 2,…"


def test_no_other_place_has_a_rule_of_its_own_for_printing_foreign_text() -> None:
    """`ascii`, `repr` and the conversions !a and !r show people's scripts as numbers, or without a bound."""
    own = re.compile(r"![ar]\}|\b(ascii|repr)\(|\.isprintable\(\)")
    allowed = {
        "attestlayer/visible.py",
        "attestlayer/encoding.py",
        "issuer/adapters/binder/display.py",  # what fonts have; asks `is_hidden`
        "issuer/bootstrap/telemetry.py",  # a log line of JSON; asks `is_hidden`
        "issuer/intake/rules.py",  # refuses sentences of policies, prints none
        "issuer/release/page.py",  # our own templates and modules
    }
    found = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in FUNCTIONS.rglob("*.py")
        if own.search(path.read_text("utf-8"))
    }
    assert found - allowed == set()
