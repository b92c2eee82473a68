"""Values of metadata fields: the JSON Schema formats, instants, amounts, and values made comparable."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import jsonschema_rs

from attestlayer.canonical import Json, Members, format_json, parse_json, take_members
from attestlayer.encoding import shown
from attestlayer.visible import visible
from issuer.intake.statements import scope_entries

DATE = "date"
DATE_TIME = "date-time"
AMOUNT = "amount"
NAME = "name"
SCOPE = "scope"
FORMATS = (AMOUNT, DATE, DATE_TIME, NAME, SCOPE)
"""The formats that a policy's schemas may name.

Ours are `amount` (a decimal number without a sign), `name` (of a person or system: any text, which compares
as names do) and `scope` (entries that semicolons separate, each beginning with the name of a tool).
"""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?", re.ASCII)
NAME_MAX = 120  # characters of a file name or value that a sentence shows


def parse_date(text: str) -> date:
    """A date `YYYY-MM-DD` that exists, from 1970 on. Raises `ValueError`."""
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year < 1970:
        raise ValueError(f"{shown(text)} is not a date like 2026-01-31")
    return day


def parse_instant(text: str, *, last: bool = False) -> datetime:
    """An instant: a date (its first second in UTC, or with `last` its last) or an RFC 3339 time.

    Raises `ValueError`.
    """
    if _TIME.fullmatch(text):
        return _parse_time(text)
    start = datetime.combine(parse_date(text), datetime.min.time(), UTC)
    return start + timedelta(days=1, seconds=-1) if last and start.date() != date.max else start


def parse_amount(text: str) -> Decimal:
    """A decimal number: digits, a point, up to eight decimals; no sign or separators. Raises `ValueError`."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an amount like 1250000.00")
    return Decimal(text)


def compile_schema(schema: Members) -> jsonschema_rs.Draft202012Validator:
    """A validator for a JSON Schema (draft 2020-12) of a policy. Raises `ValueError` on a bad one.

    Regular expressions run in linear time (no look-around, no back references); nothing is fetched.
    """
    return _compile(format_json(schema))


@lru_cache(maxsize=256)  # the shipped policies have 165 schemas, of which 27 are different
def _compile(document: bytes) -> jsonschema_rs.Draft202012Validator:
    schema = take_members(parse_json(document))
    _check_formats(schema)
    try:
        jsonschema_rs.meta.validate(schema)
        return jsonschema_rs.Draft202012Validator(
            schema,
            formats={
                DATE: _is_date,
                DATE_TIME: _is_time,
                AMOUNT: _is_amount,
                NAME: _is_text,
                SCOPE: _is_scope,
            },
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise ValueError(f"not a JSON Schema: {shown(str(error), 200)}") from error


def show(text: str, limit: int = NAME_MAX) -> str:
    """A client's text as a sentence of a report shows it: in double quotes, visible, cut short."""
    return f'"{visible(text, limit)}"'


def _parse_time(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        when = None
    if when is None or when.year < 1970:
        raise ValueError(f"{shown(text)} is not a time like 2026-01-31T23:59:59Z")
    return when


def _check_formats(value: Json) -> None:
    """Refuse a format that is not ours: validators ignore unknown ones, so it would check nothing."""
    if isinstance(value, dict):
        name = value.get("format")
        if isinstance(name, str) and name not in FORMATS:
            raise ValueError(f"format {shown(name)} is none of {', '.join(FORMATS)}")
        for item in value.values():
            _check_formats(item)
    elif isinstance(value, list):
        for item in value:
            _check_formats(item)


def _is_date(value: object) -> bool:
    return _parses(parse_date, value)


def _is_time(value: object) -> bool:
    return _parses(_parse_whole_time, value)


def _is_amount(value: object) -> bool:
    return _parses(parse_amount, value)


def _is_text(_: object) -> bool:
    return True


def _is_scope(value: object) -> bool:
    return not isinstance(value, str) or bool(scope_entries(value))


def _parse_whole_time(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise ValueError("no time")
    return _parse_time(text)


def _parses(parse: Callable[[str], object], value: object) -> bool:
    if not isinstance(value, str):
        return True  # "format" speaks of strings only; "type" refuses the rest
    try:
        parse(value)
    except ValueError:
        return False
    return True
