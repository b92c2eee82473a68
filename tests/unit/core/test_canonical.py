"""Canonical JSON: RFC 8785's own data, what the narrower profile refuses, and no crash on anything."""

import contextlib
import json
import sys
import time
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.canonical import (
    MAX_DEPTH,
    Json,
    format_json,
    parse_json,
    take_array,
    take_constant,
    take_integer,
    take_object,
    take_optional,
    take_string,
    take_word,
)
from attestlayer.encoding import MAX_INTEGER, parse_hash

NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(0, MAX_INTEGER) | st.text(max_size=20)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Json) -> None:
    assert parse_json(format_json(value)) == value


@given(VALUES)
def test_it_is_what_pythons_encoder_writes_with_sorted_names(value: Json) -> None:
    # True of the profile, not of RFC 8785: no floats, ASCII names.
    wanted = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert format_json(value) == wanted


@given(st.binary(max_size=60))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except ValueError:
        return
    assert format_json(value) == data


@given(VALUES, st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_makes_another_value_or_none(value: Json, at: int, byte: int) -> None:
    data = format_json(value)
    changed = data[: at % len(data)] + bytes([byte]) + data[at % len(data) + 1 :]
    try:
        found = parse_json(changed)
    except ValueError:
        return
    assert changed == data or not same_value(found, value)


def same_value(one: Json, other: Json) -> bool:
    """Equality that tells true from 1."""
    return repr(one) == repr(other)


def test_the_example_of_rfc_8785_without_its_floats() -> None:
    # RFC 8785 sections 3.2.2 and 3.2.3: input and canonical form of `string` and `literals`.
    string = '€$\x0f\nA\'B"\\\\"/'
    value: Json = {"string": string, "literals": [None, True, False]}
    wanted = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    assert format_json(value) == wanted
    assert parse_json(wanted) == value


def test_names_are_sorted_as_rfc_8785_sorts_them() -> None:
    # RFC 8785 section 3.2.3's example, its names within ASCII.
    value: Json = {"1": "One", "\r": "Carriage Return", "</script>": "Browser Challenge"}
    wanted = b'{"\\r":"Carriage Return","1":"One","</script>":"Browser Challenge"}'
    assert format_json(value) == wanted


@pytest.mark.parametrize(
    "text",
    [
        # RFC 8785 appendix B: these numbers are canonical there, and no integers here.
        "-1",
        "5e-324",
        "1.7976931348623157e+308",
        "9007199254740992",
        "-9007199254740992",
        "295147905179352830000",
        "9.999999999999997e+22",
        "1e+23",
        "333333333.3333332",
        "0.000001",
        "1424953923781206.2",
        # and these nowhere
        "-0",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.",
        ".5",
        "00",
        "+1",
        "1_000",
        "\u0661",
        "9" * 5000,
        "1e1000000000",
    ],
)
def test_numbers_that_are_no_integers_from_0_to_2_to_the_53(text: str) -> None:
    for document in (text, f"[{text}]", f'{{"a":{text}}}'):
        with pytest.raises(ValueError, match="not"):
            parse_json(document.encode())


@pytest.mark.parametrize(
    "value", [1.0, -1, MAX_INTEGER + 1, float("nan"), {"é": 1}, "\ud800", {"\ud800": 1}, b"x", object()]
)
def test_what_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match="not"):
        format_json(value)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_ends_at_16_and_at_any_number(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    inner = "0" if opening != "[" else ""
    assert parse_json((opening * MAX_DEPTH + inner + closing * MAX_DEPTH).encode())
    for depth in (MAX_DEPTH + 1, 900, 1100, 100_000):
        with pytest.raises(ValueError, match="nested deeper"):
            parse_json((opening * depth + inner + closing * depth).encode())


def test_an_unfinished_document_of_any_depth_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nested deeper|not JSON"):
        parse_json(b"[" * 1_000_000)


def test_an_empty_object_and_an_unknown_unicode_are_read() -> None:
    assert parse_json(b"{}") == {}
    assert parse_json('"\U0001fae9"'.encode()) == "\U0001fae9"


def test_the_limit_holds_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match="11 bytes, at most 10"):
        parse_json(b"[" * 11, limit=10)


def test_large_documents_take_seconds_not_minutes() -> None:
    # Time that grows with the square of the length would take minutes here.
    for data in (b"[" + b"0," * 200_000 + b"0]", b'"' + b"\\n" * 500_000 + b'"', b"1" * 1_000_000):
        began = time.process_time()
        with contextlib.suppress(ValueError):
            parse_json(data)
        assert time.process_time() - began < 10


def test_the_interpreters_limits_are_not_changed() -> None:
    assert sys.getrecursionlimit() >= 1000


class TestTakers:
    @pytest.mark.parametrize("value", [True, False, None, "1", 1.0, -1, MAX_INTEGER + 1, [], {}])
    def test_an_integer_is_no_boolean_and_nothing_else(self, value: Json) -> None:
        with pytest.raises(ValueError, match="wanted an integer"):
            take_integer({"n": value}, "n")

    def test_integers_at_the_edges(self) -> None:
        assert [take_integer({"n": n}, "n") for n in (0, MAX_INTEGER)] == [0, MAX_INTEGER]

    @pytest.mark.parametrize("value", [True, 1, None, [], {}, "passed", "PASS\n"])
    def test_a_constant_is_that_string(self, value: Json) -> None:
        with pytest.raises(ValueError, match="wanted 'PASS'"):
            take_constant({"outcome": value}, "outcome", "PASS")

    @pytest.mark.parametrize("value", [True, 1, None, [], {}])
    def test_a_string_is_a_string(self, value: Json) -> None:
        with pytest.raises(ValueError, match="wanted a string"):
            take_string({"s": value}, "s")

    @pytest.mark.parametrize("value", [True, 1, None, "[]", {}])
    def test_an_array_is_an_array(self, value: Json) -> None:
        with pytest.raises(ValueError, match="wanted an array"):
            take_array({"s": value}, "s")

    @pytest.mark.parametrize("value", [False, 0, "", "null"])
    def test_only_null_is_null(self, value: Json) -> None:
        with pytest.raises(ValueError, match="h:"):
            take_optional({"h": value}, "h", parse_hash)

    def test_an_object_has_exactly_its_members(self) -> None:
        assert take_object({"a": 1}, ("a",)) == {"a": 1}
        with pytest.raises(ValueError, match="missing 'b', unknown 'a'"):
            take_object({"a": 1}, ("b",))
        with pytest.raises(ValueError, match="wanted an object"):
            take_object([], ("b",))


class Word(StrEnum):
    ONE = "one"
    TWO = "two"


def test_a_wrong_word_or_name_is_shown_short_however_long_it_is() -> None:
    with pytest.raises(ValueError, match=r"^type: found 'xxx") as caught:
        take_word({"type": "x" * 4_000_000}, "type", Word)
    assert str(caught.value).endswith("(4000000 characters), wanted one of one, two")
    assert len(str(caught.value)) < 200
    many = {f"{number:01000}": 0 for number in range(1_000)}
    with pytest.raises(ValueError, match=r"^members: missing 'a', unknown '000") as caught:
        take_object(many, ("a",))
    assert str(caught.value).endswith(", 984 more")
    assert len(str(caught.value)) < 2_500
