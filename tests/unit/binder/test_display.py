"""Escaping, and the table of what the fonts can show."""

import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import parse_time
from issuer.adapters import binder
from issuer.adapters.binder.content import NAME_FONTS, format_moment, format_numbers, format_size
from issuer.adapters.binder.coverage import Coverage, format_coverage, parse_coverage
from issuer.adapters.binder.display import shown, shown_ascii

HOME = Path(binder.__file__).parent
FONTS = sorted(path for path in (HOME / "fonts").iterdir() if path.suffix in (".ttf", ".otf"))
TEXT = (HOME / "coverage.txt").read_text(encoding="ascii")
TABLE = {name: coverage for name, coverage in parse_coverage(TEXT).items() if name in NAME_FONTS}


def test_the_table_is_what_the_fonts_hold() -> None:
    held = {path.name: Coverage.of(TTFont(path).getBestCmap()) for path in FONTS}
    assert format_coverage(held) == TEXT


def test_headings_can_show_what_text_can() -> None:
    table = parse_coverage(TEXT)
    assert table["IBMPlexSans-SemiBold.ttf"] == table["IBMPlexSans-Regular.ttf"]


def test_the_template_asks_for_the_fonts_of_the_table_in_their_order() -> None:
    template = (HOME / "binder.typ").read_text(encoding="utf-8")
    listed = re.search(r"#let scripts = \((.*?)\)", template, re.DOTALL)
    assert listed is not None
    families = [str(TTFont(HOME / "fonts" / name)["name"].getDebugName(1)) for name in NAME_FONTS]
    assert re.findall(r'"([^"]+)"', listed[1]) == families


def test_each_family_of_fonts_has_its_licence_beside_it() -> None:
    for family in ("IBM-Plex", "Noto"):
        assert "SIL OPEN FONT LICENSE" in (HOME / "fonts" / f"LICENSE-{family}.txt").read_text("utf-8")
    assert {path.name[:4] for path in FONTS} == {"IBMP", "Noto"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain name.pdf", "plain name.pdf"),
        ("e\u0301", "é"),  # NFC: macOS spells names in decomposed form
        ("\u0301e", "\\u{301}e"),
        ("a" + "\u0301" * 9, "á" + "\u0301" * 4 + "\\u{301}" * 4),
        (" a  b ", "\\u{20}a \\u{20}b\\u{20}"),
        ("a\u00a0b\u200bc\ufeff", "a\\u{A0}b\\u{200B}c\\u{FEFF}"),
        ("a\u202eb\u2066c", "a\\u{202E}b\\u{2066}c"),
        ("\\u{41}", "\\u{5C}u{41}"),
        ("C:\\users", "C:\\users"),
        ("\ud800", "\\u{D800}"),
        ("\U000e0041", "\\u{E0041}"),
        ("\u3164\u115f\ufe0f", "\\u{3164}\\u{115F}\\u{FE0F}"),
        ("", ""),
    ],
)
def test_what_is_unseen_or_ambiguous_is_spelled(text: str, wanted: str) -> None:
    assert shown(text, TABLE) == wanted


@given(st.text(st.characters(exclude_categories=())))
def test_escaped_text_holds_only_what_the_fonts_hold(text: str) -> None:
    assert all(any(c in font for font in TABLE.values()) for c in shown(text, TABLE))
    assert all(" " <= c <= "~" for c in shown_ascii(text))


def test_all_printable_ascii_is_in_some_font() -> None:
    assert [c for c in map(chr, range(0x20, 0x7F)) if not any(c in font for font in TABLE.values())] == []


@given(st.text(st.characters(exclude_categories=())))
def test_ascii_spelling_can_be_read_back(text: str) -> None:
    read = re.sub(r"\\u\{([0-9A-F]+)\}", lambda match: chr(int(match[1], 16)), shown_ascii(text))
    assert read == text


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_999, "999.9 kB"),
        (1_234_567, "1.2 MB"),
        (104_857_600, "104.8 MB"),
        (10**16, "10,000.0 TB"),
    ],
)
def test_a_size_is_rounded_down(size: int, wanted: str) -> None:
    assert format_size(size) == wanted


def test_runs_of_record_numbers_are_joined() -> None:
    assert format_numbers([7, 2, 1, 3, 9, 9]) == ["001–003", "007", "009"]


def test_a_moment_is_absolute_and_utc() -> None:
    assert format_moment(parse_time("2026-01-31T23:59:59Z")) == "31 January 2026, 23:59:59 UTC"
