"""Relations between records: each kind holds, is broken, and is not applicable."""

import pytest

from attestlayer.canonical import Members
from issuer.intake.evaluate import Check
from issuer.intake.rules import Result

from .packets import a_mandate, an_act, relation, report_on, small_policy

WINDOW = relation(
    "window-covers", each="act.done_at", until="mandate.until_day", **{"from": "mandate.from_day"}
)
SAME = relation("same-value", each="act.reference", matches="mandate.reference")
SAME_SUM = relation("same-value", each="act.sum", matches="mandate.sum")
DIFFERENT = relation("different-value", each="act.person", matches="mandate.person")
AFTER = relation("not-before", each="act.done_at", than="mandate.from_day")
AFTER_TIME = relation("not-before", each="act.done_at", than="mandate.done_at")
LIMIT = relation("limit-covers", each="act.sum", limit="mandate.sum")
WHEN = relation("required-when", each="mandate.state", values=["bad"], needs="act")

JUNE = {"from_day": "2026-06-01", "until_day": "2026-06-30"}


def check(rule: Members, of_mandate: dict[str, str], *of_acts: dict[str, str]) -> Check:
    acts = [an_act(number, **values) for number, values in enumerate(of_acts)]
    report = report_on(small_policy(rule), a_mandate(**of_mandate), *acts)
    return report.checks[-1]


HOLDS = {
    "a time on the first second": (WINDOW, JUNE, {"done_at": "2026-06-01T00:00:00Z"}),
    "a time on the last second": (WINDOW, JUNE, {"done_at": "2026-06-30T23:59:59Z"}),
    "a time that is in the window in UTC": (WINDOW, JUNE, {"done_at": "2026-07-01T01:00:00+02:00"}),
    "an open window": (WINDOW, {"from_day": "2026-06-01"}, {"done_at": "2031-01-01T00:00:00Z"}),
    "the same reference in other letters": (SAME, {}, {"reference": "m-001"}),
    "the same sum in other decimals": (SAME_SUM, {"sum": "100.00"}, {"sum": "100"}),
    "two people": (DIFFERENT, {"person": "Ann Lee"}, {"person": "Bo Ray"}),
    "a later time": (AFTER, JUNE, {"done_at": "2026-06-01T00:00:00Z"}),
    "the same instant": (
        AFTER_TIME,
        {"done_at": "2026-06-01T08:00:00Z"},
        {"done_at": "2026-06-01T10:00:00+02:00"},
    ),
    "a sum at the limit": (LIMIT, {"sum": "100"}, {"sum": "100.00"}),
    "what is needed is there": (WHEN, {"state": "bad"}, {}),
}
BROKEN = {
    "a time before the window": (
        WINDOW,
        JUNE,
        {"done_at": "2026-05-31T23:59:59Z"},
        "2026-06-01 until 2026-06-30",
    ),
    "a time after the window": (WINDOW, JUNE, {"done_at": "2026-07-01T00:00:00Z"}, "done_at is"),
    "another reference": (SAME, {}, {"reference": "M-002"}, 'reference is "M-002"'),
    "another sum": (SAME_SUM, {"sum": "100.00"}, {"sum": "100.01"}, "sum is"),
    "one person in two spellings": (DIFFERENT, {"person": "Ann  Lee"}, {"person": "ANN LEE"}, "person is"),
    "an earlier time": (AFTER, JUNE, {"done_at": "2026-05-31T23:59:59Z"}, "done_at is"),
    "a sum above the limit": (LIMIT, {"sum": "100"}, {"sum": "100.01"}, "sum is"),
}
ABSENT = {
    "no window": (WINDOW, {}, {"done_at": "2026-06-01T00:00:00Z"}),
    "no value": (SAME, {}, {}),
    "nobody to compare with": (DIFFERENT, {}, {"person": "Ann Lee"}),
    "no earlier time": (AFTER_TIME, {}, {"done_at": "2026-06-01T00:00:00Z"}),
    "no limit": (LIMIT, {}, {"sum": "5"}),
    "no need": (WHEN, {"state": "good"}, {}),
    "a value that is malformed": (LIMIT, {"sum": "1,000"}, {"sum": "5"}),
}


@pytest.mark.parametrize("name", HOLDS)
def test_holds_with(name: str) -> None:
    rule, of_mandate, of_act = HOLDS[name]
    assert check(rule, of_mandate, of_act).result is Result.PASS


@pytest.mark.parametrize("name", BROKEN)
def test_is_broken_by(name: str) -> None:
    rule, of_mandate, of_act, said = BROKEN[name]
    acts = an_act(**of_act)
    report = report_on(small_policy(rule), a_mandate(**of_mandate), acts)
    (blocker,) = report.blockers
    assert blocker.rule_id == "r"
    assert set(blocker.names) == {"act-1.txt", "mandate-1.txt"}
    assert said in blocker.found + " " + blocker.expected


@pytest.mark.parametrize("name", ABSENT)
def test_is_not_applicable_with(name: str) -> None:
    rule, of_mandate, of_act = ABSENT[name]
    assert check(rule, of_mandate, of_act).result is Result.NOT_APPLICABLE


def test_what_is_needed_and_not_there_is_a_blocker() -> None:
    found = check(WHEN, {"state": "bad"})
    assert (found.result, found.found) == (Result.BLOCKER, 'state is "bad"')


def test_each_record_that_breaks_a_relation_is_named() -> None:
    report = report_on(
        small_policy(LIMIT), a_mandate(sum="10"), an_act(1, sum="11"), an_act(2, sum="9"), an_act(3, sum="12")
    )
    assert [blocker.names[0] for blocker in report.blockers] == ["act-1.txt", "act-3.txt"]


def test_a_broken_note_does_not_change_the_outcome() -> None:
    note = relation("same-value", severity="note", each="act.reference", matches="mandate.reference")
    report = report_on(small_policy(note), a_mandate(), an_act(reference="other"))
    assert (report.outcome, report.blockers, [one.rule_id for one in report.notes]) == ("PASS", (), ["r"])
    assert report.checks[-1].result is Result.NOTE


@pytest.mark.parametrize(
    ("people", "result"),
    [
        (["Ann Lee", "Bo Ray"], Result.PASS),
        (["Ann Lee", "ann  LEE"], Result.BLOCKER),
        (["Ann Lee"], Result.NOT_APPLICABLE),
    ],
)
def test_enough_different_people_are_counted(people: list[str], result: Result) -> None:
    rule = relation("at-least-n-distinct", each="mandate.reference", least=2)
    policy = small_policy(rule, mandate={"min_count": 2})
    files = [a_mandate(number, reference=person) for number, person in enumerate(people)]
    assert report_on(policy, *files).checks[-1].result is result
