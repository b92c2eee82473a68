"""Each value has one spelling: the traps of Python's own parsers are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import (
    MAX_INTEGER,
    format_base64,
    format_base64url,
    format_time,
    parse_base64,
    parse_base64url,
    parse_decimal,
    parse_hash,
    parse_kit_id,
    parse_lane_id,
    parse_origin,
    parse_profile_id,
    parse_time,
    shown,
)

REFUSED_BY_ALL = ("", " ", "\n", "\0", "é", "\u2028", "\ud800", "x" * 100_000)


@pytest.mark.parametrize(
    "text", ["4_2", " 42", "42 ", "42\n", "+42", "-1", "-0", "042", "00", "٤٢", "²", "0x1", "1e3", "1.0"]
)
def test_decimal_takes_digits_only(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal integer"):
        parse_decimal(text)


@pytest.mark.parametrize("text", REFUSED_BY_ALL)
def test_no_parser_takes_them_and_each_says_so_in_ascii(text: str) -> None:
    parsers = (
        parse_decimal,
        parse_hash,
        parse_base64,
        parse_time,
        parse_origin,
        parse_lane_id,
        parse_profile_id,
        parse_kit_id,
    )
    for parse in parsers:
        if (parse, text) == (parse_base64, "x" * 100_000):  # that is base64
            continue
        with pytest.raises(ValueError, match="is not") as caught:
            parse(text)
        assert len(str(caught.value)) < 300
        str(caught.value).encode()


def test_decimal_ends_at_its_maximum() -> None:
    assert parse_decimal(str(MAX_INTEGER)) == MAX_INTEGER == 2**53 - 1
    assert parse_decimal("0") == 0
    for text, maximum in (("9007199254740992", MAX_INTEGER), ("4", 3), ("9" * 10_000, MAX_INTEGER)):
        with pytest.raises(ValueError, match="not a decimal integer"):
            parse_decimal(text, maximum)


@given(st.binary(max_size=80))
def test_base64url_is_read_as_it_was_written(data: bytes) -> None:
    assert parse_base64url(format_base64url(data), len(data)) == data


@given(st.binary(min_size=1, max_size=80))
def test_base64_is_read_as_it_was_written(data: bytes) -> None:
    assert parse_base64(format_base64(data)) == data


GOOD = "A" * 43


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "=",
        GOOD[:-1],
        GOOD + "A",
        GOOD[:-1] + "B",
        GOOD[:-1] + "+",
        GOOD[:20] + "/" + GOOD[21:],
        GOOD[:20] + "!" + GOOD[20:],
        GOOD[:20] + "\n" + GOOD[20:],
        " " + GOOD,
        GOOD + "\n",
        "Á" + GOOD[1:],
        GOOD[:-1] + "=",
    ],
    ids=[
        "padded",
        "short",
        "long",
        "bits",
        "plus",
        "slash",
        "foreign",
        "newline",
        "space",
        "end",
        "accent",
        "pad",
    ],
)
def test_a_hash_is_43_characters_of_canonical_base64url(text: str) -> None:
    with pytest.raises(ValueError, match="unpadded base64url"):
        parse_hash(text)


@pytest.mark.parametrize(
    "text", ["AA", "AB==", "AA=", "AA==\n", "A A=", "A-==", "AA==AA==", "====", "AAB=", "A\u0660=="]
)
def test_base64_is_canonical_and_padded(text: str) -> None:
    with pytest.raises(ValueError, match="canonical base64"):
        parse_base64(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.0Z",
        "2026-01-01T00:00Z",
        "2026-1-1T00:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
    ],
)
def test_a_time_is_a_second_that_exists_in_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_time(text)


@given(st.integers(0, 253402300799))  # 9999-12-31T23:59:59Z
def test_a_time_is_read_as_it_was_written(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


def test_times_at_the_edges() -> None:
    # date -u -d @N, and POSIX's definition.
    assert parse_time("1970-01-01T00:00:00Z") == 0
    assert parse_time("2024-02-29T12:00:00Z") == 1709208000
    assert parse_time("9999-12-31T23:59:59Z") == 253402300799


@pytest.mark.parametrize("text", ["registry.example.org", "localhost", "a/b/c_d", "x-1.example/log.v1"])
def test_origins(text: str) -> None:
    assert parse_origin(text) == text


@pytest.mark.parametrize(
    "text", ["/x", "x/", "x//y", "X.org", "https://x", "x y", "x+y", "x\n", "a" * 256, "é.org", "x:80"]
)
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        parse_origin(text)


@pytest.mark.parametrize("text", ["PAY-01", "AB", "A" * 16, "K9-99"])
def test_lanes(text: str) -> None:
    assert parse_lane_id(text) == text


@pytest.mark.parametrize(
    "text", ["pay-01", "PAY-1", "PAY-001", "P", "A" * 17, "1AB", "PAY-٠١", "PAY-01\n", "PAY_01"]
)
def test_what_is_no_lane(text: str) -> None:
    with pytest.raises(ValueError, match="not a lane"):
        parse_lane_id(text)


@pytest.mark.parametrize("text", ["a", "A-b", "-ab", "a" * 49, "a_b", "ab\n", "1a"])
def test_what_is_no_profile(text: str) -> None:
    with pytest.raises(ValueError, match="not a profile"):
        parse_profile_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "kit_81J9ZX3A8B5C6D7E8F9GAHBKCM",  # a ULID's first character is 0 to 7
        "kit_01j9zx3a8b5c6d7e8f9gahbkcm",
        "kit_01J9ZX3A8B5C6D7E8F9GAHBKCI",  # Crockford's base32 has no I, L, O, U
        "kit_01J9ZX3A8B5C6D7E8F9GAHBKC",
        "01J9ZX3A8B5C6D7E8F9GAHBKCM",
        "kit_01J9ZX3A8B5C6D7E8F9GAHBKCM\n",
    ],
)
def test_what_is_no_kit_id(text: str) -> None:
    with pytest.raises(ValueError, match="not a kit id"):
        parse_kit_id(text)


def test_what_is_shown_is_short_and_visible() -> None:
    assert shown("é\x1b") == "'é\\x1b'"
    assert len(shown("x" * 10_000)) < 120
