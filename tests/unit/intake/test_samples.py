"""The shipped sample records against the shipped policies."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from issuer.intake.blocker_report import format_blocker_report, format_blocker_text
from issuer.intake.catalogue import load_policies
from issuer.intake.evaluate import Outcome, evaluate
from issuer.intake.examine import examine
from issuer.intake.media import MediaType
from issuer.intake.rules import Result

from .packets import AT, SAMPLES, SETS, examined_samples


@pytest.mark.parametrize("name", SETS)
def test_a_sample_set_is_complete(name: str) -> None:
    policy, examined = examined_samples(name)
    report = evaluate(policy, examined, AT)
    assert (report.outcome, report.blockers, report.notes) == (Outcome.PASS, (), ())
    assert [check.rule_id for check in report.checks] == [rule.rule_id for rule in policy.rules()]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("today", [date(2026, 11, 21), date(2028, 2, 29), date(2041, 6, 1)])
def test_a_sample_set_is_complete_on_any_day_to_come(name: str, today: date) -> None:
    policy, examined = examined_samples(name, today)
    at = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp())
    assert evaluate(policy, examined, at).outcome is Outcome.PASS


@pytest.mark.parametrize("name", SETS)
def test_a_required_record_that_is_removed_makes_exactly_its_blocker(name: str) -> None:
    policy, examined = examined_samples(name)
    for gone in examined:
        rest = [one for one in examined if one is not gone]
        kind = policy.record_type(gone.record.record_type)
        assert kind is not None
        left = sum(one.record.record_type == kind.type_id for one in rest)
        if left < kind.min_count:
            report = evaluate(policy, rest, AT)
            assert [blocker.rule_id for blocker in report.blockers] == [f"{kind.type_id}-count"]
            assert (report.outcome, report.notes) == (Outcome.FAIL, ())


def test_the_batch_without_its_note_on_the_rejected_line_is_blocked() -> None:
    policy, examined = examined_samples("PAY-01/payment-batch")
    rest = [one for one in examined if one.record.record_type != "rejected-lines-note"]
    report = evaluate(policy, rest, AT)
    assert [blocker.rule_id for blocker in report.blockers] == ["note-if-lines-were-rejected"]


def test_two_approvals_by_one_person_count_once() -> None:
    policy, examined = examined_samples("PAY-01/wire-transfer")
    for one in examined:
        if one.record.name == "second-approval-reyes.pdf":
            one.values["approver"] = "  marit OLSVIK "  # type: ignore[index]
    assert [b.rule_id for b in evaluate(policy, examined, AT).blockers] == ["two-approvers"]


@pytest.mark.parametrize("name", SETS)
def test_nothing_submitted_names_every_required_record_at_once(name: str) -> None:
    policy, _ = examined_samples(name)
    report = evaluate(policy, [], AT)
    wanted = [f"{kind.type_id}-count" for kind in policy.record_types if kind.min_count]
    assert [blocker.rule_id for blocker in report.blockers] == wanted


@pytest.mark.parametrize("name", SETS)
def test_the_same_records_make_the_same_report_byte_for_byte(name: str) -> None:
    reports = []
    for _ in range(2):
        policy, examined = examined_samples(name)
        report = evaluate(policy, examined[1:], AT)
        json = format_blocker_report(report, "pkt_1", policy, AT)
        reports.append((json, format_blocker_text(report, policy, AT)))
    assert reports[0] == reports[1]


@pytest.mark.parametrize("name", SETS)
def test_a_record_without_any_stated_value_is_told_each_one_and_its_shape(name: str) -> None:
    policy, examined = examined_samples(name)
    bare = [examine(policy, replace(one.record, metadata={}), b"a text") for one in examined]
    told = {
        finding.expected.partition(" (")[0]
        for blocker in evaluate(policy, bare, AT).blockers
        for finding in blocker.findings
        if finding.found.endswith(" is missing")
    }
    submitted = {one.record.record_type for one in examined}
    assert told == {
        field.title
        for kind in policy.record_types
        if kind.type_id in submitted
        for field in kind.metadata
        if field.required
    }


def test_every_shipped_profile_has_a_sample_set() -> None:
    assert {f"{policy.lane_id}/{policy.profile_id}" for policy in load_policies().policies} == set(SETS)


def test_every_accepted_media_type_and_a_name_beyond_ascii_occur() -> None:
    examined = [one for name in SETS for one in examined_samples(name)[1]]
    assert {one.media_type for one in examined} == set(MediaType)
    assert any(not one.record.name.isascii() for one in examined)


def test_the_samples_stay_small() -> None:
    assert sum(file.stat().st_size for file in SAMPLES.rglob("*") if file.is_file()) < 1_500_000


def test_no_content_check_is_left_out_by_all_samples_of_its_lane() -> None:
    ran = {
        check.rule_id
        for name in SETS
        for check in evaluate(*examined_samples(name), AT).checks
        if check.result is Result.PASS
    }
    assert {"payment-instruction-content", "batch-file-content", "provider-register-content"} <= ran
