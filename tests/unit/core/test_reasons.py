"""Each reason and remark comes from the one step it belongs to, and names the files it is about."""

from pathlib import Path

import pytest

from attestlayer.errors import COULD_NOT_CHECK, Reason, Remark
from attestlayer.verify.report import Status, Verdict
from support.cases import CASES, Case
from support.judge import judge, reasons, step_of

CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@CASE
def test_verify_says_what_the_case_says(case: Case, tmp_path: Path) -> None:
    judgement = judge(case.build(), tmp_path)
    assert judgement.error is None or not case.reason or judgement.error.files == case.files, judgement.error
    assert judgement.word == (case.reason or "accepted")


@CASE
def test_explain_reports_the_same_first_and_nothing_that_does_not_follow(case: Case, tmp_path: Path) -> None:
    report = judge(case.build(), tmp_path).report
    if report is None:
        assert case.reason == Reason.TRUST_ROOT_UNUSABLE
        return
    notes = {note.remark for note in report.notes}
    if case.reason is None:
        assert report.verdict == Verdict.VERIFIED
        assert {step.status for step in report.steps} == {Status.PASSED}
        assert notes == set(case.remarks)
        return
    wanted = Verdict.COULD_NOT_CHECK if case.reason in COULD_NOT_CHECK else Verdict.NOT_VERIFIED
    first = report.first
    assert report.verdict == wanted
    assert first
    assert (step_of(report, first), first.reason, first.files) == (case.step, case.reason, case.files)
    assert reasons(report) == {case.reason} | case.also
    assert notes == set(case.remarks)


def test_every_reason_that_a_kit_can_have_has_a_case() -> None:
    # A log entry and a leaf record are documents by themselves: no kit holds one as a file. The registry's
    # answers are no part of a kit either (tests/unit/core/test_public_log.py).
    others = {Reason.LEAF_MALFORMED, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_STALE}
    assert {case.reason for case in CASES if case.reason} == set(Reason) - others


def test_every_remark_has_a_case() -> None:
    assert {remark for case in CASES for remark in case.remarks} == set(Remark)


def test_cases_have_different_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
