"""Canonical JSON (RFC 8785, JCS) in and out, and the shape of what was read.

A hashed or signed document is stored as its canonical bytes, so a parser takes bytes only if
formatting what it read gives them back. The profile is narrower than RFC 8785: integers only,
ASCII member names, text that UTF-8 can hold, depth at most 16 (REG-1.0 section 2).
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NoReturn, TypeVar, cast

from attestlayer.encoding import MAX_INTEGER, Hash, parse_hash, parse_time, shown
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.jcs import format_jcs

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MARK = re.compile(r'["\\\[\]{}]')
_NEWER = r"attestlayer/([a-z-]+)/(?:[2-9]|[1-9][0-9]{1,8})"
_NEWER_SCHEMA = re.compile(_NEWER)
_NEWER_SOMEWHERE = re.compile(f'"{_NEWER}"'.encode())

MAX_DEPTH = 16
MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes of the largest document: the limit of a kit member that is no record."""

_MAX_LISTED = 16
"""Member names that a message shows, more than any document has."""

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)


def format_json(value: object) -> bytes:
    """The canonical bytes of `value`. Raises `ValueError` on what the profile refuses."""
    _check_profile(cast("Json", value), 1)
    return format_jcs(value)


def parse_json(data: bytes, limit: int = MAX_DOCUMENT) -> Json:
    """The value whose canonical bytes are exactly `data`. Raises `ValueError`.

    Of several faults every verifier names the same one: length, UTF-8, depth, JSON, profile, canonical form.
    """
    if len(data) > limit:
        raise ValueError(f"{len(data)} bytes, at most {limit} are allowed")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    try:
        value = _load(text)
        canonical = format_json(value)
    except ValueError as error:
        # Only now, as it takes time: a parser may give up on brackets that are nested too deep or left open.
        if _is_nested_too_deep(text):
            raise _too_deep() from error
        raise
    # The one check that makes a spelling unique: order, escapes, spaces, number forms and a member that
    # occurs twice all fall under it.
    if canonical != data:
        raise ValueError(f"not canonical JSON (RFC 8785) from byte {_parting(data, canonical)} on")
    return cast("Json", value)


def _load(text: str) -> object:
    """JSON as any parser takes it, but for numbers: what is no integer of the profile is NaN."""
    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error  # where and why differs between versions of Python


def _number(text: str) -> int | float:
    # Long digit strings are refused before int(), whose cost grows with their square.
    if text.isdigit() and len(text) <= len(str(MAX_INTEGER)):
        return int(text)
    value = float(text)  # 1.0 and 1e3 are integers in another spelling, as JavaScript reads them
    return int(value) if 0 <= value <= MAX_INTEGER and value.is_integer() else math.nan


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError("not JSON")  # NaN and Infinity, which Python reads


def _is_nested_too_deep(text: str) -> bool:
    """Whether more than `MAX_DEPTH` brackets outside strings are open at once, JSON or not."""
    depth, in_string, escaped = 0, False, -1
    for match in _MARK.finditer(text):
        mark = match.group()
        if in_string and mark == "\\" and match.start() != escaped:
            escaped = match.end()
        elif mark == '"' and not (in_string and match.start() == escaped):
            in_string = not in_string
        elif not in_string and mark != "\\":
            depth += 1 if mark in "[{" else -1
            if depth > MAX_DEPTH:
                return True
    return False


def _parting(one: bytes, other: bytes) -> int:
    """Where two texts part: found by halving, as one comparison of bytes is fast and a loop is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def take_members(value: Json) -> Members:
    """`value` as an object, whatever its members."""
    if not isinstance(value, dict):
        raise ValueError(f"found {shown(value)}, wanted an object")
    return value


def take_object(value: Json, names: Iterable[str]) -> Members:
    """`value` as an object with exactly the members `names`."""
    wanted = set(names)
    if not isinstance(value, dict):
        raise ValueError(f"found {shown(value)}, wanted an object with {_listed(wanted)}")
    if value.keys() != wanted:
        missing, unknown = wanted - value.keys(), value.keys() - wanted
        parts = [f"missing {_listed(missing)}"] * bool(missing)
        parts += [f"unknown {_listed(unknown)}"] * bool(unknown)
        raise ValueError(f"members: {', '.join(parts)}")
    return value


def take_document(value: Json, name: str, names: Iterable[str]) -> Members:
    """`value` as an object with `schema` `attestlayer/<name>/1` and exactly the members `names`.

    Raises `CouldNotCheckError` (schema-newer) if the schema is this one with a larger number.
    """
    check_schema(value, name)
    return take_object(value, {"schema", *names})


def check_schema(value: Json, name: str) -> None:
    """Check the `schema` member alone, as `take_document` does."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema == f"attestlayer/{name}/1":
        return
    # Before the members are looked at: a newer format may have others.
    if isinstance(schema, str) and (match := _NEWER_SCHEMA.fullmatch(schema)) and match[1] == name:
        raise CouldNotCheckError(
            Reason.SCHEMA_NEWER, f"{schema} is newer than this verifier, which knows attestlayer/{name}/1"
        )
    raise ValueError(f"schema: found {shown(schema)}, wanted 'attestlayer/{name}/1'")


def names_newer_schema(data: bytes) -> bool:
    """Whether a canonical document has a schema with a larger number anywhere: it has one spelling there."""
    return _NEWER_SOMEWHERE.search(data) is not None


def take_string(members: Members, name: str) -> str:
    """Member `name` as a string."""
    value = members[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: found {shown(value)}, wanted a string")
    return value


def take_value(members: Members, name: str, parse: Callable[[str], T]) -> T:
    """Member `name`, a string, as `parse` reads it."""
    text = take_string(members, name)
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def take_optional(members: Members, name: str, parse: Callable[[str], T]) -> T | None:
    """Member `name` as `parse` reads it, or None where it is null."""
    return None if members[name] is None else take_value(members, name, parse)


def take_word(members: Members, name: str, words: type[W]) -> W:
    """Member `name` as a word out of a closed list."""
    text = take_string(members, name)
    # Not words(text): the error of an enumeration shows the whole value, however long, and its class's name.
    for word in words:
        if word == text:
            return word
    raise ValueError(f"{name}: found {shown(text)}, wanted one of {', '.join(sorted(words))}")


def take_hash(members: Members, name: str) -> Hash:
    """Member `name` as a SHA-256 value."""
    return take_value(members, name, parse_hash)


def take_time(members: Members, name: str) -> int:
    """Member `name` as a time, in POSIX seconds."""
    return take_value(members, name, parse_time)


def take_integer(members: Members, name: str, maximum: int = MAX_INTEGER) -> int:
    """Member `name` as an integer 0 … `maximum`."""
    value = members[name]
    # True is an int to Python, and equal to 1.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise ValueError(f"{name}: found {shown(value)}, wanted an integer from 0 to {maximum}")
    return value


def take_array(members: Members, name: str) -> list[Json]:
    """Member `name` as an array."""
    value = members[name]
    if not isinstance(value, list):
        raise ValueError(f"{name}: found {shown(value)}, wanted an array")
    return value


def take_constant(members: Members, name: str, wanted: str) -> str:
    """Member `name`, which must be the string `wanted`."""
    if members[name] != wanted:
        raise ValueError(f"{name}: found {shown(members[name])}, wanted {shown(wanted)}")
    return wanted


def _check_profile(value: Json, depth: int) -> None:
    if not isinstance(value, (dict, list)):
        _check_scalar(value)
        return
    if depth > MAX_DEPTH:
        raise _too_deep()
    # In the order of names, whatever order they came in: every verifier finds the same fault first.
    names = sorted(value) if isinstance(value, dict) else []
    for name in names:
        if not name.isascii():
            raise ValueError(f"member name {shown(name)} is not ASCII")
    for item in (value[name] for name in names) if isinstance(value, dict) else value:
        _check_profile(item, depth + 1)


def _check_scalar(value: Json) -> None:
    if isinstance(value, str):
        if surrogate := _SURROGATE.search(value):
            raise ValueError(f"a lone surrogate, {shown(surrogate.group())}, is not text")
    elif value is not None and not (isinstance(value, int) and 0 <= value <= MAX_INTEGER):
        raise ValueError(f"a number is not an integer from 0 to {MAX_INTEGER}")


def _too_deep() -> ValueError:
    return ValueError(f"nested deeper than {MAX_DEPTH}")


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    more = [f"{len(known) - _MAX_LISTED} more"] * (len(known) > _MAX_LISTED)
    return ", ".join([*(shown(name) for name in known[:_MAX_LISTED]), *more])
