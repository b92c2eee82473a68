"""The blocker report: what to put right, as canonical JSON and as text for a terminal."""

import textwrap
from collections.abc import Iterator
from itertools import groupby

from attestlayer.canonical import Json, format_json
from attestlayer.encoding import format_hash, format_time
from attestlayer.kit.intake import STATEMENTS
from issuer.intake.evaluate import Blocker, Evaluation
from issuer.intake.policy import Policy
from issuer.intake.rules import Rule

SCHEMA = "attestlayer/blocker-report/1"
MEANING = (
    "This report covers missing, unreadable or contradictory records. It does not judge their quality. "
    + STATEMENTS
)
_WIDTH = 100  # columns of a terminal line


def format_blocker_report(evaluation: Evaluation, packet_id: str, policy: Policy, at: int) -> bytes:
    """The report as canonical JSON, for a PASS as well. `at`: time of evaluation, POSIX seconds."""
    rules = {rule.rule_id: rule for rule in policy.rules()}
    blockers: list[Json] = [_members(blocker, rules) for blocker in evaluation.blockers]
    notes: list[Json] = [_members(note, rules) for note in evaluation.notes]
    return format_json(
        {
            "schema": SCHEMA,
            "packet_id": packet_id,
            "lane_id": policy.lane_id,
            "profile_id": policy.profile_id,
            "policy_version": policy.version,
            "intake_policy_hash": format_hash(policy.intake_policy_hash),
            "evaluated_at": format_time(at),
            "outcome": evaluation.outcome.value,
            "meaning": MEANING,
            "blockers": blockers,
            "notes": notes,
        }
    )


def format_blocker_text(evaluation: Evaluation, policy: Policy, at: int) -> str:
    """The report for people at a terminal; ends with a line feed. Names are shown with nothing hidden."""
    place = f"{policy.lane_id}/{policy.profile_id} version {policy.version}"
    head = f"{evaluation.outcome}  {place}, {format_time(at)}"
    lines = [head, _counted(evaluation), ""]
    for number, blocker in enumerate(evaluation.blockers, 1):
        lines += _lines(f"{number}.", blocker)
    for note in evaluation.notes:
        lines += _lines("Note:", note)
    lines += textwrap.wrap(MEANING, _WIDTH)
    return "\n".join(lines) + "\n"


def _counted(evaluation: Evaluation) -> str:
    number = len(evaluation.blockers)
    if not number:
        return "Nothing blocks this packet."
    things = "One thing blocks" if number == 1 else f"{number} things block"
    return f"{things} this packet. A packet that is blocked uses no credit."


def _lines(mark: str, blocker: Blocker) -> Iterator[str]:
    yield from _wrapped(f"{mark} ", blocker.sentence)
    # What is wanted and what to do is said once for findings that follow one another and have it in common.
    groups = groupby(blocker.findings, key=lambda one: (one.expected, one.fix))
    for number, ((expected, fix), findings) in enumerate(groups):
        if number:
            yield ""
        for finding in findings:
            if finding.names:
                label = "   Record:  " if len(finding.names) == 1 else f"   {len(finding.names)} records: "
                yield from _wrapped(label, ", ".join(finding.names))
            yield from _wrapped("   Found:   ", finding.found)
        yield from _wrapped("   Wanted:  ", expected)
        yield from _wrapped("   To do:   ", fix)
    yield f"   Rule:    {blocker.rule_id}"
    yield ""


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=label, subsequent_indent=" " * len(label))


def _members(blocker: Blocker, rules: dict[str, Rule]) -> dict[str, Json]:
    return {
        "rule": blocker.rule_id,
        "check": rules[blocker.rule_id].check,
        "record_type": rules[blocker.rule_id].record_type,
        "severity": blocker.severity.value,
        "sentence": blocker.sentence,
        "findings": [
            {
                "records": [
                    {"record_id": record_id, "name": name}
                    for record_id, name in zip(finding.record_ids, finding.names, strict=True)
                ],
                "found": finding.found,
                "expected": finding.expected,
                "fix": finding.fix,
            }
            for finding in blocker.findings
        ],
    }
