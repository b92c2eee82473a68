"""How each kind of relation is decided, from stated metadata values alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from issuer.intake.examine import Examined
from issuer.intake.relations import Field, Relation
from issuer.intake.rules import RelationKind
from issuer.intake.statements import comparable, comparable_name, may_be_one_name, scope_covers
from issuer.intake.values import AMOUNT, NAME, parse_amount, parse_instant, show


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a rule does not hold. `found` and `expected` are halves of sentences for people.

    `fix`: what to do about this one, where it is not what the rule says.
    """

    records: tuple[Examined, ...]
    found: str
    expected: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A record's value of a field; it fits the field's schema."""

    record: Examined
    text: str


def relation_violations(relation: Relation, examined: Sequence[Examined]) -> tuple[Violation, ...] | None:
    """Each way in which the relation does not hold; None if it is not applicable.

    O(n²) in the records it is about.
    """
    # What is None at once and what is an iterator of nothing differ: not applicable, and it holds.
    iterator = _DECIDE[relation.kind](relation, examined)
    return None if iterator is None else tuple(iterator)


def _values(examined: Sequence[Examined], field: Field) -> list[Value]:
    return [
        Value(record, record.values[field.name])
        for record in examined
        if record.record.record_type == field.record_type and field.name in record.values
    ]


Violations = Iterator[Violation] | None


def _window_covers(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    windows = _values(examined, relation.fields["from"])
    return _outside(relation, each, windows) if each and windows else None


def _outside(relation: Relation, each: list[Value], windows: list[Value]) -> Iterator[Violation]:
    until = relation.fields["until"].name
    spans = [(window.text, window.record.values.get(until)) for window in windows]
    wanted = " or ".join(f"from {start} until {end or 'further notice'}" for start, end in spans)
    for value in each:
        if not any(_covers(start, end, value.text) for start, end in spans):
            involved = (value.record, *(window.record for window in windows))
            yield Violation(involved, _said(value, relation.fields["each"]), f"a time {wanted}")


def _covers(start: str, end: str | None, text: str) -> bool:
    # A bare date counts as the whole day, so it fits if any second of it does.
    after = parse_instant(text, last=True) >= parse_instant(start)
    return after and (end is None or parse_instant(text) <= parse_instant(end, last=True))


def _same_value(relation: Relation, examined: Sequence[Examined]) -> Violations:
    return _compared(relation, examined, same=True)


def _different_value(relation: Relation, examined: Sequence[Examined]) -> Violations:
    return _compared(relation, examined, same=False)


def _compared(relation: Relation, examined: Sequence[Examined], *, same: bool) -> Violations:
    each = _values(examined, relation.fields["each"])
    others = _values(examined, relation.fields["matches"])
    return _unlike(relation, each, others, same) if each and others else None


def _unlike(relation: Relation, each: list[Value], others: list[Value], same: bool) -> Iterator[Violation]:
    key = _key(relation)
    known = {key(value.text) for value in others}
    texts = " or ".join(dict.fromkeys(show(value.text) for value in others))
    other = f"{relation.fields['matches'].record_type}.{relation.fields['matches'].name}"
    for value in each:
        if (key(value.text) in known) is not same:
            involved = (value.record, *(one.record for one in others if one.record is not value.record))
            wanted = f"{texts} as in {other}" if same else f"another value than {texts} of {other}"
            yield Violation(involved, _said(value, relation.fields["each"]), wanted)


def _key(relation: Relation) -> Callable[[str], object]:
    """What two values that count as the same have in common."""
    return _KEYS.get(relation.format or "", comparable)


def _clearly_different_name(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    others = _values(examined, relation.fields["matches"])
    return _similar(relation, each, others) if each and others else None


def _similar(relation: Relation, each: list[Value], others: list[Value]) -> Iterator[Violation]:
    side = f"{relation.fields['matches'].record_type}.{relation.fields['matches'].name}"
    for value in each:
        for other in others:
            if _may_be_one(value, other):
                wanted = f"a name that is clearly not {show(other.text)}, {side}"
                yield Violation((value.record, other.record), _said(value, relation.fields["each"]), wanted)


def _may_be_one(one: Value, other: Value) -> bool:
    """Whether two values may be one name in two spellings. The same name is another rule's fault."""
    same = comparable_name(one.text) == comparable_name(other.text)
    return not same and may_be_one_name(one.text, other.text)


def _not_before(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    earlier = _values(examined, relation.fields["than"])
    return _too_early(relation, each, earlier) if each and earlier else None


def _too_early(relation: Relation, each: list[Value], earlier: list[Value]) -> Iterator[Violation]:
    # The latest of the others decides: what comes after it comes after all of them.
    newest = max(earlier, key=lambda value: parse_instant(value.text))
    for value in each:
        # A bare date is taken at its last second: it is too early only if all of the day is.
        if parse_instant(value.text, last=True) < parse_instant(newest.text):
            than = relation.fields["than"]
            wanted = f"not before {newest.text}, {than.record_type}.{than.name}"
            yield Violation((value.record, newest.record), _said(value, relation.fields["each"]), wanted)


def _at_least_n_distinct(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    if len(each) < relation.least:
        return None  # the type's count or its metadata fails and says so
    distinct = dict.fromkeys(map(_key(relation), (value.text for value in each)))
    if len(distinct) >= relation.least:
        return iter(())
    texts = ", ".join(dict.fromkeys(show(value.text) for value in each))
    wanted = f"at least {relation.least} different values"
    return iter([Violation(tuple(value.record for value in each), f"{len(distinct)}: {texts}", wanted)])


def _clearly_distinct_names(relation: Relation, examined: Sequence[Examined]) -> Violations:
    values = _values(examined, relation.fields["each"])
    each = list({comparable_name(value.text): value for value in values}.values())
    if len(each) < relation.least:
        return None  # at-least-n-distinct fails and says so
    # Names are one if a chain of spellings connects them: `Marit Olsvik`, `M. Olsvik`, `Morten Olsvik`.
    groups: list[list[Value]] = []
    for value in each:
        near = [group for group in groups if any(_may_be_one(value, one) for one in group)]
        merged = [value, *(one for group in near for one in group)]
        groups = [group for group in groups if group not in near] + [merged]
    if len(groups) >= relation.least:
        return iter(())
    texts = ", ".join(show(value.text) for value in each)
    wanted = f"at least {relation.least} names that are clearly different"
    return iter([Violation(tuple(value.record for value in each), f"may be one name: {texts}", wanted)])


def _limit_covers(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    limits = _values(examined, relation.fields["limit"])
    return _over_limit(relation, each, limits) if each and limits else None


def _over_limit(relation: Relation, each: list[Value], limits: list[Value]) -> Iterator[Violation]:
    # Currencies are not looked at here; a policy compares them by a relation of their own.
    largest = max(limits, key=lambda value: parse_amount(value.text))
    for value in each:
        if parse_amount(value.text) > parse_amount(largest.text):
            wanted = f"at most {largest.text}, the limit in {show(largest.record.record.name)}"
            yield Violation((value.record, largest.record), _said(value, relation.fields["each"]), wanted)


def _scope_covers(relation: Relation, examined: Sequence[Examined]) -> Violations:
    each = _values(examined, relation.fields["each"])
    scopes = _values(examined, relation.fields["scope"])
    return _out_of_scope(relation, each, scopes) if each and scopes else None


def _out_of_scope(relation: Relation, each: list[Value], scopes: list[Value]) -> Iterator[Violation]:
    wanted = "one of the tools of " + " or ".join(dict.fromkeys(show(scope.text) for scope in scopes))
    for value in each:
        if not any(scope_covers(scope.text, value.text) for scope in scopes):
            involved = (value.record, *(scope.record for scope in scopes))
            yield Violation(involved, _said(value, relation.fields["each"]), wanted)


def _required_when(relation: Relation, examined: Sequence[Examined]) -> Violations:
    wanted = {comparable(text) for text in relation.values}
    asking = [
        value for value in _values(examined, relation.fields["each"]) if comparable(value.text) in wanted
    ]
    if not asking:
        return None
    if any(record.record.record_type == relation.needs for record in examined):
        return iter(())
    return iter(
        [
            Violation(
                (value.record,), _said(value, relation.fields["each"]), f"a record of type {relation.needs}"
            )
            for value in asking
        ]
    )


_KEYS: dict[str, Callable[[str], object]] = {AMOUNT: parse_amount, NAME: comparable_name}


def _said(value: Value, field: Field) -> str:
    return f"{field.name} is {show(value.text)}"


_DECIDE: dict[RelationKind, Callable[[Relation, Sequence[Examined]], Violations]] = {
    RelationKind.WINDOW_COVERS: _window_covers,
    RelationKind.SAME_VALUE: _same_value,
    RelationKind.DIFFERENT_VALUE: _different_value,
    RelationKind.CLEARLY_DIFFERENT_NAME: _clearly_different_name,
    RelationKind.NOT_BEFORE: _not_before,
    RelationKind.AT_LEAST_N_DISTINCT: _at_least_n_distinct,
    RelationKind.CLEARLY_DISTINCT_NAMES: _clearly_distinct_names,
    RelationKind.LIMIT_COVERS: _limit_covers,
    RelationKind.SCOPE_COVERS: _scope_covers,
    RelationKind.REQUIRED_WHEN: _required_when,
}
