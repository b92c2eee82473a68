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
OTHER_NAME = relation("different-value", each="act.name", matches="mandate.name")
CLEARLY_OTHER = relation("clearly-different-name", each="act.name", matches="mandate.name")
SCOPE = relation("scope-covers", each="act.tool", scope="mandate.scope")
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
    "a name of another's family": (OTHER_NAME, {"name": "Ann Lee"}, {"name": "Bo Lee"}),
    "an initial, which may be another's": (OTHER_NAME, {"name": "Marit Olsvik"}, {"name": "M. Olsvik"}),
    "a clearly different name": (CLEARLY_OTHER, {"name": "Marit Olsvik"}, {"name": "T. Olsvik"}),
    "the same name, which is another rule's fault": (CLEARLY_OTHER, {"name": "A Lee"}, {"name": "a. LEE"}),
    "a tool of the scope": (SCOPE, {"scope": "mail.send; erp.release"}, {"tool": "ERP.release"}),
    "a tool under conditions": (
        SCOPE,
        {"scope": "erp.release up to EUR 5,000.00 a day"},
        {"tool": "erp.release"},
    ),
    "a tool of a prefix": (SCOPE, {"scope": "calendar.*; mail.send"}, {"tool": "calendar.read"}),
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
    "one name with another punctuation": (
        OTHER_NAME,
        {"name": "Ann-Marie O. Lee"},
        {"name": "ann marie o lee"},
        "name is",
    ),
    "a name with an initial": (CLEARLY_OTHER, {"name": "Marit Olsvik"}, {"name": "M. Olsvik"}, "clearly not"),
    "a name in another order": (
        CLEARLY_OTHER,
        {"name": "Marit Olsvik"},
        {"name": "Olsvik, Marit"},
        "name is",
    ),
    "a name without its accent": (CLEARLY_OTHER, {"name": "José Núñez"}, {"name": "Jose Nunez"}, "name is"),
    "a tool that the scope lacks": (
        SCOPE,
        {"scope": "read-only:calendar"},
        {"tool": "erp.release_purchase_order"},
        "one of the tools of",
    ),
    "a tool whose name goes on": (SCOPE, {"scope": "erp.release"}, {"tool": "erp.release_all"}, "tool is"),
    "a tool that only a condition names": (SCOPE, {"scope": "mail.send for erp"}, {"tool": "erp"}, "tool is"),
    "a prefix without its star": (SCOPE, {"scope": "erp."}, {"tool": "erp.release"}, "tool is"),
    "a sum above the limit": (LIMIT, {"sum": "100"}, {"sum": "100.01"}, "sum is"),
}
ABSENT = {
    "no window": (WINDOW, {}, {"done_at": "2026-06-01T00:00:00Z"}),
    "no value": (SAME, {}, {}),
    "nobody to compare with": (DIFFERENT, {}, {"person": "Ann Lee"}),
    "no earlier time": (AFTER_TIME, {}, {"done_at": "2026-06-01T00:00:00Z"}),
    "no scope": (SCOPE, {}, {"tool": "mail.send"}),
    "no name to compare with": (CLEARLY_OTHER, {}, {"name": "Ann Lee"}),
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
    (finding,) = blocker.findings
    assert set(finding.names) == {"act-1.txt", "mandate-1.txt"}
    assert said in finding.found + " " + finding.expected


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
    (blocker,) = report.blockers
    assert [finding.names[0] for finding in blocker.findings] == ["act-1.txt", "act-3.txt"]


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


@pytest.mark.parametrize(
    ("names", "result"),
    [
        (["Marit Olsvik", "Jun Reyes"], Result.PASS),
        (["Marit Olsvik", "Morten Olsvik"], Result.PASS),
        (["Marit Olsvik", "M. Olsvik"], Result.BLOCKER),
        (["Marit Olsvik", "M. Olsvik", "Jun Reyes"], Result.PASS),
        (
            ["Marit Olsvik", "M. Olsvik", "Morten Olsvik"],
            Result.BLOCKER,
        ),  # M. Olsvik is one of them, or neither
        (["Marit Olsvik", "MARIT OLSVIK"], Result.NOT_APPLICABLE),  # at-least-n-distinct says so
        (["Marit Olsvik", "Olsvik Marit K."], Result.BLOCKER),
        (["M. K. Olsvik", "Karin Olsvik"], Result.BLOCKER),
        (["M. M. Olsvik", "Marit Olsvik"], Result.BLOCKER),
        (["Marit Olsvik", "Marit Hansen"], Result.PASS),
        (["加藤 明", "賀東 明"], Result.PASS),
        (["…", "?!"], Result.PASS),
    ],
)
def test_names_that_may_be_one_count_once(names: list[str], result: Result) -> None:
    rule = relation("clearly-distinct-names", each="mandate.name", least=2)
    required = [{"name": "name", "kind": "name", "title": "Name"}]
    mandate: Members = {"min_count": 2, "fields": required, "max_age_days": None, "json_members": {}}
    files = [a_mandate(number, name=name) for number, name in enumerate(names)]
    assert report_on(small_policy(rule, mandate=mandate), *files).checks[-1].result is result


def test_a_scope_of_a_json_record_is_the_stated_one() -> None:
    policy = small_policy(mandate={"json_members": {"reference": "text", "scope": "texts"}})
    record = b'{"reference": "M-001", "scope": ["mail.send", "erp.release up to EUR 5,000.00"]}'
    for scope, outcome in {
        "mail.send; erp.release up to EUR 5,000.00": "PASS",
        "mail.send ;ERP.release  up to EUR 5,000.00": "PASS",
        "mail.send": "FAIL",
        "mail.send; erp.release": "FAIL",
    }.items():
        name, kind, metadata, _ = a_mandate(scope=scope)
        report = report_on(policy, (name.replace("txt", "json"), kind, metadata, record))
        assert report.outcome == outcome, scope
