"""How each kind of relation is decided, from metadata values alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from issuer.intake.examine import Examined
from issuer.intake.relations import Field, Relation
from issuer.intake.rules import RelationKind
from issuer.intake.values import comparable, parse_amount, parse_instant, show


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a rule does not hold. `found` and `expected` are halves of sentences for people."""

    records: tuple[Examined, ...]
    found: str
    expected: str


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
    key: Callable[[str], object] = parse_amount if relation.numeric else comparable
    known = {key(value.text) for value in others}
    texts = " or ".join(dict.fromkeys(show(value.text) for value in others))
    other = f"{relation.fields['matches'].record_type}.{relation.fields['matches'].name}"
    for value in each:
        if (key(value.text) in known) is not same:
            involved = (value.record, *(one.record for one in others if one.record is not value.record))
            wanted = f"{texts} as in {other}" if same else f"another value than {texts} of {other}"
            yield Violation(involved, _said(value, relation.fields["each"]), wanted)


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
    distinct = dict.fromkeys(comparable(value.text) for value in each)
    if len(distinct) >= relation.least:
        return iter(())
    texts = ", ".join(dict.fromkeys(show(value.text) for value in each))
    wanted = f"at least {relation.least} different values"
    return iter([Violation(tuple(value.record for value in each), f"{len(distinct)}: {texts}", wanted)])


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


def _said(value: Value, field: Field) -> str:
    return f"{field.name} is {show(value.text)}"


_DECIDE: dict[RelationKind, Callable[[Relation, Sequence[Examined]], Violations]] = {
    RelationKind.WINDOW_COVERS: _window_covers,
    RelationKind.SAME_VALUE: _same_value,
    RelationKind.DIFFERENT_VALUE: _different_value,
    RelationKind.NOT_BEFORE: _not_before,
    RelationKind.AT_LEAST_N_DISTINCT: _at_least_n_distinct,
    RelationKind.LIMIT_COVERS: _limit_covers,
    RelationKind.REQUIRED_WHEN: _required_when,
}
