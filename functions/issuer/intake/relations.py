"""Relations between records: the closed set of kinds, and how a policy spells each."""

from collections.abc import Mapping
from dataclasses import dataclass

from attestlayer.canonical import Json, Members, take_array, take_integer, take_object, take_value
from attestlayer.encoding import shown
from issuer.intake.rules import RULE_MEMBERS, RelationKind, Rule, check_word, parse_id, parse_rule
from issuer.intake.values import AMOUNT, DATE, DATE_TIME, NAME, SCOPE

Formats = Mapping[str, Mapping[str, str | None]]
"""Record type id → metadata field name → the format its schema names, or None."""

_INSTANT = (DATE, DATE_TIME)
_FIELD_OF: dict[RelationKind, dict[str, tuple[str, ...] | None]] = {
    RelationKind.WINDOW_COVERS: {"each": _INSTANT, "from": _INSTANT, "until": _INSTANT},
    RelationKind.SAME_VALUE: {"each": None, "matches": None},
    RelationKind.DIFFERENT_VALUE: {"each": None, "matches": None},
    RelationKind.CLEARLY_DIFFERENT_NAME: {"each": (NAME,), "matches": (NAME,)},
    RelationKind.NOT_BEFORE: {"each": _INSTANT, "than": _INSTANT},
    RelationKind.AT_LEAST_N_DISTINCT: {"each": None},
    RelationKind.CLEARLY_DISTINCT_NAMES: {"each": (NAME,)},
    RelationKind.LIMIT_COVERS: {"each": (AMOUNT,), "limit": (AMOUNT,)},
    RelationKind.SCOPE_COVERS: {"each": None, "scope": (SCOPE,)},
    RelationKind.REQUIRED_WHEN: {"each": None},
}
"""The fields that each kind names, and the formats (None: any) that their schemas must have."""


@dataclass(frozen=True, slots=True)
class Field:
    """A metadata field of the records of one type."""

    record_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Relation:
    """One rule across records. `kind` says which `fields` there are and what holds.

    - window-covers: each `each` lies in a window `from` … `until` of one record; no `until` is open.
    - same-value: each `each` is among the values of `matches`.
    - different-value: no `each` is among the values of `matches`.
    - clearly-different-name: no `each` may be another spelling of one of `matches`.
    - not-before: no `each` is before any `than`.
    - at-least-n-distinct: `each` has `least` different values or more.
    - clearly-distinct-names: `each` has `least` different values, those that may be one name counted once.
    - limit-covers: no `each` is larger than the largest `limit`.
    - scope-covers: each `each` is the name of a tool that an entry of a `scope` begins with.
    - required-when: if any `each` is one of `values`, there is a record of type `needs`.

    All values are the submitter's statements; no record is read for them. They are compared as numbers where
    `format`, the one that all fields have, is `amount`, as names where it is `name`, else as texts with case,
    spaces and compatibility forms folded. Names that may be one and are not the same under that folding break
    the two rules of clear differences only, which policies have as notes. A relation whose records or values
    are missing is not applicable: the rule that asks for them says so.
    """

    rule: Rule
    kind: RelationKind
    fields: Mapping[str, Field]
    least: int = 0
    values: tuple[str, ...] = ()
    needs: str | None = None
    format: str | None = None

    @property
    def record_types(self) -> tuple[str, ...]:
        """The types of the records it speaks of, without repeats."""
        named = [field.record_type for field in self.fields.values()]
        return tuple(dict.fromkeys([*named, self.needs] if self.needs else named))


def parse_relation(value: Json, formats: Formats) -> Relation:
    """A relation whose fields all exist and have formats that can be compared. Raises `ValueError`."""
    kind = RelationKind(check_word(value, "check"))
    extra: dict[RelationKind, tuple[str, ...]] = {
        RelationKind.AT_LEAST_N_DISTINCT: ("least",),
        RelationKind.CLEARLY_DISTINCT_NAMES: ("least",),
        RelationKind.REQUIRED_WHEN: ("needs", "values"),
    }
    members = take_object(value, (*RULE_MEMBERS, *_FIELD_OF[kind], *extra.get(kind, ())))
    rule = parse_rule({name: members[name] for name in RULE_MEMBERS}, kind)
    try:
        fields = {
            name: _parse_field(members[name], wanted, formats) for name, wanted in _FIELD_OF[kind].items()
        }
        if kind is RelationKind.WINDOW_COVERS and fields["from"].record_type != fields["until"].record_type:
            raise ValueError("from and until are of two record types, wanted one")
        least = _parse_least(members) if "least" in members else 0
        values = _parse_values(members) if "values" in members else ()
        needs = take_value(members, "needs", parse_id) if "needs" in members else None
    except ValueError as error:
        raise ValueError(f"{rule.rule_id}: {error}") from error
    if needs is not None and needs not in formats:
        raise ValueError(f"{rule.rule_id}: needs record type {shown(needs)}, which the policy lacks")
    named = {formats[one.record_type][one.name] for one in fields.values()}
    return Relation(rule, kind, fields, least, values, needs, named.pop() if len(named) == 1 else None)


def _parse_field(value: Json, wanted: tuple[str, ...] | None, formats: Formats) -> Field:
    members = take_object(value, ("field", "record_type"))
    record_type = take_value(members, "record_type", str)
    name = take_value(members, "field", str)
    if name not in formats.get(record_type, {}):
        raise ValueError(f"{shown(record_type)} has no metadata field {shown(name)}")
    if wanted is not None and formats[record_type][name] not in wanted:
        raise ValueError(
            f"{record_type}.{name} has no format of {', '.join(wanted)}, so it can't be compared"
        )
    return Field(record_type, name)


def _parse_least(members: Members) -> int:
    least = take_integer(members, "least", 999)
    if least < 2:
        raise ValueError(f"least: found {least}, wanted 2 or more")
    return least


def _parse_values(members: Members) -> tuple[str, ...]:
    values = take_array(members, "values")
    texts = tuple(value for value in values if isinstance(value, str) and value)
    if not texts or len(texts) != len(values) or len(set(texts)) != len(texts):
        raise ValueError(f"values: found {shown(values)}, wanted different non-empty strings")
    return texts
