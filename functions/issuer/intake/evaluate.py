"""Second phase: all records of a packet against its policy. Every blocker in one go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from issuer.intake.compare import Violation, relation_violations
from issuer.intake.examine import Examined
from issuer.intake.policy import AS_OF, Policy, RecordType
from issuer.intake.relations import Relation
from issuer.intake.rules import GeneralCheck, Result, Rule, Severity, TypeCheck
from issuer.intake.values import parse_date, show

_NAMES_SHOWN = 2  # in the text of a check that passed; of more, only the number is given


class Outcome(StrEnum):
    """PASS: the records are complete enough to issue. It says nothing of their quality or truth."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one rule: the records it is about (those at fault, if any), and what was found."""

    rule_id: str
    record_ids: tuple[str, ...]
    result: Result
    found: str


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing to put right. `names` are file names as a sentence shows them, one for each record."""

    rule_id: str
    severity: Severity
    sentence: str
    record_ids: tuple[str, ...]
    names: tuple[str, ...]
    found: str
    expected: str
    fix: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole evaluation, in the policy's order. `notes` do not change the outcome."""

    outcome: Outcome
    checks: tuple[Check, ...]
    blockers: tuple[Blocker, ...]
    notes: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What became of one rule. `about`: its records, None where it is not applicable for the reason `why`."""

    rule: Rule
    about: tuple[Examined, ...] | None
    violations: tuple[Violation, ...] = ()
    why: str = ""


def evaluate(policy: Policy, examined: Sequence[Examined], at: int) -> Evaluation:
    """Check examined records against a policy at a time (POSIX seconds). Same input, same evaluation.

    O(records × rules), and O(n²) in the records of one relation.
    """
    today = datetime.fromtimestamp(at, UTC).date()
    judgements = [*_judge_general(policy, examined)]
    for record_type in policy.record_types:
        judgements += _judge_type(record_type, examined, today)
    judgements += [_judge_relation(relation, examined) for relation in policy.relations]
    raised = [blocker for judgement in judgements for blocker in _blockers(judgement)]
    blockers = tuple(blocker for blocker in raised if blocker.severity is Severity.BLOCKER)
    return Evaluation(
        outcome=Outcome.FAIL if blockers else Outcome.PASS,
        checks=tuple(_check(judgement) for judgement in judgements),
        blockers=blockers,
        notes=tuple(blocker for blocker in raised if blocker.severity is Severity.NOTE),
    )


def _judge_general(policy: Policy, examined: Sequence[Examined]) -> Iterator[_Judgement]:
    for rule in policy.general_rules:
        if rule.check == GeneralCheck.NO_DUPLICATES:
            violations = tuple(_duplicates(examined))
        elif rule.check == GeneralCheck.PACKET_LIMITS:
            violations = tuple(_over_limits(policy, examined))
        else:
            violations = _own_violations(rule.check, examined)
        yield _Judgement(rule, tuple(examined), violations)


def _own_violations(check: str, examined: Sequence[Examined]) -> tuple[Violation, ...]:
    return tuple(
        Violation((one,), mismatch.found, mismatch.expected, mismatch.fix)
        for one in examined
        for mismatch in one.failed(check)
    )


def _duplicates(examined: Sequence[Examined]) -> Iterator[Violation]:
    # By the bytes that were read, not those announced. Empty files are all alike, and `not-empty` names them.
    same: dict[bytes, list[Examined]] = {}
    for one in examined:
        if not one.failed(GeneralCheck.NOT_EMPTY):
            same.setdefault(one.sha256, []).append(one)
    for records in same.values():
        if len(records) > 1:
            yield Violation(tuple(records), f"{len(records)} records have the same bytes", "each file once")


def _over_limits(policy: Policy, examined: Sequence[Examined]) -> Iterator[Violation]:
    total = sum(one.record.size for one in examined)
    if len(examined) > policy.max_records:
        yield Violation((), f"there are {len(examined)} records", f"at most {policy.max_records}")
    if total > policy.max_total_size:
        yield Violation(
            (), f"the records have {total} bytes in all", f"at most {policy.max_total_size} bytes"
        )


def _judge_type(record_type: RecordType, examined: Sequence[Examined], today: date) -> Iterator[_Judgement]:
    records = tuple(one for one in examined if one.record.record_type == record_type.type_id)
    for rule in record_type.rules:
        if rule.check == TypeCheck.COUNT:
            yield _judge_count(rule, record_type, records)
        elif not records:
            yield _Judgement(rule, None, why="there is no such record")
        elif rule.check == TypeCheck.AGE:
            yield _Judgement(rule, records, tuple(_too_old(record_type, records, today)))
        elif rule.check == TypeCheck.CONTENT and not any(one.content_checked for one in records):
            yield _Judgement(rule, None, why="no record of a type whose content is checked")
        else:
            yield _Judgement(rule, records, _own_violations(rule.check, records))


def _judge_count(rule: Rule, record_type: RecordType, records: tuple[Examined, ...]) -> _Judgement:
    least, most = record_type.min_count, record_type.max_count
    if not records and not least:
        return _Judgement(rule, None, why="optional, and there is none")
    if least <= len(records) <= most:
        return _Judgement(rule, records)
    wanted = f"exactly {least}" if least == most else f"{least} to {most}"
    found = f"{len(records) or 'no'} record{'s' * (len(records) != 1)} of type {record_type.type_id}"
    return _Judgement(rule, records, (Violation(records, found, f"{wanted}: {record_type.description}"),))


def _too_old(record_type: RecordType, records: tuple[Examined, ...], today: date) -> Iterator[Violation]:
    most = record_type.max_age_days or 0
    for one in records:
        as_of = parse_date(one.values[AS_OF]) if AS_OF in one.values else None
        if as_of is None:
            continue  # the metadata rule says so
        if as_of < today - timedelta(days=most):
            found = f"it is of {as_of}, {(today - as_of).days} days before {today}"
            yield Violation((one,), found, f"at most {most} days old")
        elif as_of > today + timedelta(days=1):  # a day of grace: the client's date may be ahead of UTC's
            yield Violation((one,), f"it is of {as_of}, which is after {today}", "a date that is not to come")


def _judge_relation(relation: Relation, examined: Sequence[Examined]) -> _Judgement:
    broken = relation_violations(relation, examined)
    if broken is None:
        return _Judgement(relation.rule, None, why="the records or values that it compares are not there")
    # Records of its types without a value to compare are named too: the rule is about them.
    about = tuple(one for one in examined if one.record.record_type in relation.record_types)
    return _Judgement(relation.rule, about, broken)


def _check(judgement: _Judgement) -> Check:
    rule = judgement.rule
    if judgement.about is None:
        return Check(rule.rule_id, (), Result.NOT_APPLICABLE, judgement.why)
    if not judgement.violations:
        return Check(rule.rule_id, _ids(judgement.about), Result.PASS, _counted(judgement.about))
    # A record can be at fault more than once, and is named once, where it first is.
    at_fault = tuple(
        {one.record.record_id: one for each in judgement.violations for one in each.records}.values()
    )
    found = "; ".join(dict.fromkeys(violation.found for violation in judgement.violations))
    return Check(rule.rule_id, _ids(at_fault), Result(rule.severity), found)


def _blockers(judgement: _Judgement) -> Iterator[Blocker]:
    rule = judgement.rule
    for violation in judgement.violations:
        yield Blocker(
            rule_id=rule.rule_id,
            severity=rule.severity,
            sentence=rule.sentence,
            record_ids=_ids(violation.records),
            names=tuple(show(one.record.name)[1:-1] for one in violation.records),
            found=violation.found,
            expected=violation.expected,
            fix=violation.fix or rule.fix,
        )


def _ids(records: Sequence[Examined]) -> tuple[str, ...]:
    return tuple(one.record.record_id for one in records)


def _counted(records: Sequence[Examined]) -> str:
    number = f"{len(records)} record{'s' * (len(records) != 1)}"
    if not 0 < len(records) <= _NAMES_SHOWN:
        return number
    return f"{number}: {', '.join(show(one.record.name) for one in records)}"
