"""Rules of an intake policy: the closed lists of what can be checked, and a rule's words for people."""

import re
from dataclasses import dataclass
from enum import StrEnum

from attestlayer.canonical import Json, take_constant, take_object, take_string, take_value
from attestlayer.encoding import shown


class Severity(StrEnum):
    """What a rule does to the outcome: a failed `blocker` makes it FAIL, a failed `note` is told."""

    BLOCKER = "blocker"
    NOTE = "note"


class Result(StrEnum):
    """What a check came to. The list is closed (REG-1.0, appendix A)."""

    PASS = "pass"  # noqa: S105 - a word of the format, no password
    NOTE = "note"
    BLOCKER = "blocker"
    NOT_APPLICABLE = "not-applicable"


class GeneralCheck(StrEnum):
    """Checks of every record whatever its type. Each policy has a rule for each, in this order."""

    KNOWN_RECORD_TYPE = "known-record-type"
    UPLOADED = "uploaded"
    BYTES_AS_ANNOUNCED = "bytes-as-announced"
    NOT_EMPTY = "not-empty"
    NOT_TOO_LARGE = "not-too-large"
    RECOGNISED = "recognised"
    READABLE = "readable"
    NOT_ENCRYPTED = "not-encrypted"
    NO_EXECUTABLES = "no-executables"
    NO_MACROS = "no-macros"
    NO_NESTED_ARCHIVES = "no-nested-archives"
    EXPANDS_WITHIN_BOUNDS = "expands-within-bounds"
    READ_WITHIN_BUDGET = "read-within-budget"
    NO_DUPLICATES = "no-duplicates"
    PACKET_LIMITS = "packet-limits"
    NAME_AGREES = "name-agrees"
    TEXT_IN_UTF_8 = "text-in-utf-8"
    NO_DOCUMENT_SCRIPTS = "no-document-scripts"


class TypeCheck(StrEnum):
    """Checks of the records of one type, in this order."""

    COUNT = "count"
    FORM = "form"
    METADATA = "metadata"
    AGE = "age"
    CONTENT = "content"


class RelationKind(StrEnum):
    """Checks that compare values of several records; `Relation` says when each holds."""

    WINDOW_COVERS = "window-covers"
    SAME_VALUE = "same-value"
    DIFFERENT_VALUE = "different-value"
    CLEARLY_DIFFERENT_NAME = "clearly-different-name"
    NOT_BEFORE = "not-before"
    AT_LEAST_N_DISTINCT = "at-least-n-distinct"
    CLEARLY_DISTINCT_NAMES = "clearly-distinct-names"
    LIMIT_COVERS = "limit-covers"
    SCOPE_COVERS = "scope-covers"
    REQUIRED_WHEN = "required-when"


ONLY_NOTES = frozenset(
    {GeneralCheck.NAME_AGREES, GeneralCheck.TEXT_IN_UTF_8, GeneralCheck.NO_DOCUMENT_SCRIPTS}
)
"""General checks that a policy may have as a note; every other one is a blocker everywhere."""

RULE_MEMBERS = ("check", "fix", "id", "sentence", "severity")

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ID_MAX = 64  # characters; ids stand in reports, table columns and URLs
_SENTENCE_MAX = 400  # characters; a sentence for people, not a manual


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `check` is a word of `GeneralCheck`, `TypeCheck` or `RelationKind`.

    `sentence` says what must hold, `fix` what to do where it does not. `record_type` is the type the
    rule is about, None for a rule of the whole packet.
    """

    rule_id: str
    check: str
    severity: Severity
    sentence: str
    fix: str
    record_type: str | None = None


def parse_id(text: str) -> str:
    """An id of a rule or record type: kebab case, at most 64 characters. Raises `ValueError`."""
    if not _ID.fullmatch(text) or len(text) > _ID_MAX:
        raise ValueError(f"{shown(text)} is not an id like payment-instruction")
    return text


def parse_sentence(text: str) -> str:
    """Words for people: one line, not empty, without spaces around. Raises `ValueError`."""
    if not text.isprintable() or text.strip() != text or not 0 < len(text) <= _SENTENCE_MAX:
        raise ValueError(f"{shown(text)} is not one line of 1 to {_SENTENCE_MAX} printable characters")
    return text


def parse_rule(value: Json, check: str, record_type: str | None = None) -> Rule:
    """A rule that must be about `check`. Raises `ValueError`."""
    members = take_object(value, RULE_MEMBERS)
    return Rule(
        rule_id=take_value(members, "id", parse_id),
        check=take_constant(members, "check", check),
        severity=take_value(members, "severity", Severity),
        sentence=take_value(members, "sentence", parse_sentence),
        fix=take_value(members, "fix", parse_sentence),
        record_type=record_type,
    )


def parse_general_rules(values: list[Json]) -> tuple[Rule, ...]:
    """One rule for each general check, in the order of the list. Raises `ValueError`."""
    if len(values) != len(GeneralCheck):
        raise ValueError(
            f"general_rules: found {len(values)}, wanted {len(GeneralCheck)}, one for each check"
        )
    rules = tuple(parse_rule(value, check) for value, check in zip(values, GeneralCheck, strict=True))
    for rule in rules:
        if rule.severity is Severity.NOTE and rule.check not in ONLY_NOTES:
            raise ValueError(f"general_rules: {rule.rule_id} is a blocker everywhere, found a note")
    return rules


def check_word(value: Json, name: str) -> str:
    """The `check` or other string member of an object that is not yet known to be whole."""
    if not isinstance(value, dict) or name not in value:
        raise ValueError(f"found {shown(value)}, wanted an object with {name}")
    return take_string(value, name)
