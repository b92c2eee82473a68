"""Records whose bytes can't be looked at: each is a blocker in its own words, beside all others."""

import pytest

from issuer.intake.blocker_report import format_blocker_text
from issuer.intake.budget import Budget, Overrun, overrun_mismatch, upload_mismatch
from issuer.intake.evaluate import Evaluation, evaluate
from issuer.intake.examine import Mismatch, examine, examine_unread

from .packets import AT, a_mandate, an_act, failed, record, small_policy

POLICY = small_policy()
GOOD = {"reference": "M-001", "as_of": "2026-11-01"}


def report_on(mismatch: Mismatch, **metadata: str) -> Evaluation:
    """A packet with a good act, and a mandate that can't be looked at."""
    _, kind, values, data = an_act()
    act = record(2, "act.txt", kind, dict(values), data)
    unread = record(1, "mandate.txt", "mandate", {**GOOD, **metadata}, a_mandate()[3])
    return evaluate(POLICY, [examine_unread(POLICY, unread, mismatch), examine(POLICY, act, data)], AT)


MISSING = upload_mismatch(record(1, "mandate.txt", "mandate", GOOD, b"12345"))


def test_a_record_that_was_not_uploaded_is_named_with_what_to_do() -> None:
    report = report_on(MISSING)
    assert failed(report) == ["uploaded"]
    text = format_blocker_text(report, POLICY, AT)
    for words in (
        "Every record that was announced is uploaded.",
        "mandate.txt",
        "it was announced and is not uploaded",
        "its 5 bytes",
        "Upload the file, or remove the record.",
    ):
        assert words in text, words


def test_what_is_stated_of_it_is_checked_all_the_same() -> None:
    assert failed(report_on(MISSING, as_of="yesterday")) == ["uploaded", "mandate-metadata"]
    assert failed(report_on(MISSING, as_of="2020-01-01")) == ["uploaded", "mandate-age"]


@pytest.mark.parametrize("overrun", Overrun)
def test_a_record_that_passes_its_budget_says_what_was_passed_and_what_to_do(overrun: Overrun) -> None:
    mismatch = overrun_mismatch(overrun, Budget())
    report = report_on(mismatch)
    assert failed(report) == ["read-within-budget"]
    text = " ".join(format_blocker_text(report, POLICY, AT).split())
    assert mismatch.found in text
    assert mismatch.expected in text
    assert "print" in text.lower()
    assert "PDF again" in text


def test_each_overrun_has_words_of_its_own() -> None:
    words = {overrun_mismatch(overrun, Budget()) for overrun in Overrun}
    assert len({one.found for one in words}) == len({one.expected for one in words}) == len(Overrun)
