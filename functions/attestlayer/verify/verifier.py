"""Verification of kits and registry receipts, in fifteen numbered steps, fail-closed (REG-1.0 section 12).

`verify` raises the first failure; `explain` makes every step that it can and reports each. Neither
does I/O, reads a clock or the network: what they say follows from the bytes and the trust root. `now`, in
POSIX seconds, tells the age of the trust root, which is a remark and no part of a verdict.
"""

from collections.abc import Iterable
from dataclasses import replace

from attestlayer.encoding import format_time
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.log.leaf import LeafRecord, RegistryReceipt
from attestlayer.log.trust import TrustRoot
from attestlayer.verify.evidence import Anchors, Evidence, NotReachedError, anchors_of
from attestlayer.verify.report import (
    LATER_NOTICES,
    Aside,
    Issuance,
    Kind,
    Report,
    Status,
    StepReport,
    Unproven,
)
from attestlayer.verify.steps import SEALED, STEPS, Check, Step


def verify(kit: Kit, trust: TrustRoot) -> Issuance:
    """Check everything. Raises `VerificationError`: of all failures the one to say first, `Report.first`."""
    report = explain(kit, trust)
    if report.first:
        raise report.first
    if report.issued is None:  # a document's home step has failed before: this is our own bug, and no verdict
        raise AssertionError("a step was not reached, yet none failed")
    return report.issued


def verify_sealed(kit: Kit, trust: TrustRoot, leaf: LeafRecord) -> None:
    """Check a sealed kit before its leaf is in the log. Raises `VerificationError` at the first failure."""
    _raise_first(SEALED, Evidence(Kind.KIT, anchors_of(trust), kit, sealed_as=leaf))


def explain(kit: Kit, trust: TrustRoot, now: int | None = None) -> Report:
    """A kit: check everything that can be checked, and report each step. Raises nothing."""
    return _explain(Evidence(Kind.KIT, anchors_of(trust, now), kit))


def explain_disclosure(part: Kit, trust: TrustRoot, now: int | None = None) -> Report:
    """A disclosed record: every step that can be made with one record of a kit. Raises nothing."""
    return _explain(Evidence(Kind.DISCLOSED_RECORD, anchors_of(trust, now), part))


def explain_receipt(receipt: RegistryReceipt, anchors: Anchors) -> Report:
    """A registry receipt by itself: the steps that are about its entry. Raises nothing."""
    return _explain(Evidence(Kind.REGISTRY_RECEIPT, anchors, alone=receipt))


def report_unopened(kind: Kind, error: VerificationError) -> Report:
    """The report of an input or a trust root that could not be read: the first step that applies fails."""
    steps: list[StepReport] = []
    # Step 1 of a kit, step 9 of a registry receipt (REG-1.0 sections 12.2 and 12.6).
    home = next(number for number, step in enumerate(STEPS, 1) if _checks(step, kind))
    for number, step in enumerate(STEPS, 1):
        if number == home:
            steps.append(StepReport(number, step.name, Status.FAILED, (error,)))
        else:
            status = Status.NOT_REACHED if _checks(step, kind) else Status.NOT_CHECKED
            steps.append(StepReport(number, step.name, status))
    return Report(kind, tuple(steps), None)


def _checks(step: Step, kind: Kind) -> tuple[Check, ...]:
    return {Kind.KIT: step.kit, Kind.DISCLOSED_RECORD: step.record, Kind.REGISTRY_RECEIPT: step.receipt}[kind]


def _explain(evidence: Evidence) -> Report:
    steps = []
    for number, step in enumerate(STEPS, 1):
        checks = _checks(step, evidence.kind)
        if not checks or (step.needs_trust and evidence.anchors.trust is None):
            steps.append(StepReport(number, step.name, Status.NOT_CHECKED))
        else:
            steps.append(_run(number, step.name, checks, evidence))
    # A kit has a check in every step, so that NOT_CHECKED never stands for one of its steps.
    passed = all(step.status in {Status.PASSED, Status.NOT_CHECKED} for step in steps)
    issued = _issuance(evidence) if passed else None
    lacks_notices = evidence.lacks_notices()
    report = Report(evidence.kind, tuple(steps), issued, lacks_notices)
    return _outdated(report, evidence) if lacks_notices else report


def _outdated(report: Report, evidence: Evidence) -> Report:
    """The report if nothing is wrong but what notices newer than the trust root may explain: no verdict.

    With any other failure the kit is not verified, whatever newer notices say (REG-1.0 section 12.5).
    """
    known = evidence.anchors.checkpoint
    if known is None or not {failure.reason for failure in report.failures} <= LATER_NOTICES:
        return report
    why = (
        f"the trust root of {format_time(known.timestamp)} lacks notices that the kit's checkpoint commits to"
    )
    steps = tuple(
        replace(
            step,
            failures=tuple(
                CouldNotCheckError(Reason.TRUST_ROOT_OUTDATED, f"{failure}; {why}", failure.files)
                for failure in step.failures
            ),
        )
        for step in report.steps
    )
    return replace(report, steps=steps)


def _raise_first(steps: Iterable[tuple[Check, ...]], evidence: Evidence) -> None:
    reached = True
    for number, checks in enumerate(steps, 1):
        step = _run(number, "", checks, evidence)
        if step.failures:
            raise step.failures[0]
        reached = reached and step.status == Status.PASSED
    if not reached:  # a document's home step has raised before: this is our own bug, and no verdict
        raise AssertionError("a step was not reached, yet none failed")


def _run(number: int, name: str, checks: tuple[Check, ...], evidence: Evidence) -> StepReport:
    """One step: all of its checks, whatever the one before came to (REG-1.0 section 12.3)."""
    failures: list[VerificationError] = []
    notes: list[Aside] = []
    status, unproven = Status.PASSED, None
    for check in checks:
        try:
            for observation in check(evidence):
                if isinstance(observation, Aside):
                    notes.append(observation)
                elif isinstance(observation, Unproven):
                    unproven = observation.message
                else:
                    failures.append(observation)
        except VerificationError as error:
            failures.append(error)
        except NotReachedError:
            status = Status.NOT_REACHED
    status = Status.FAILED if failures else status
    shown = unproven if status == Status.PASSED else None
    return StepReport(number, name, status, tuple(failures), tuple(notes), shown)


def _issuance(evidence: Evidence) -> Issuance:
    """The issuance that passed evidence shows. Step 9 compared the leaf's values with the receipt's."""
    log = evidence.registry_receipt.needed()
    alone = evidence.kind == Kind.REGISTRY_RECEIPT
    is_record = evidence.kind == Kind.DISCLOSED_RECORD
    return Issuance(
        kit_id=None if alone else evidence.receipt.needed().kit_id,
        lane_id=log.record.leaf.lane_id,
        profile_id=log.record.leaf.profile_id,
        issued_at=log.record.leaf.issued_at,
        leaf_hash=log.record.leaf_hash,
        leaf_index=log.leaf_index,
        checkpoint_time=log.checkpoint.timestamp,
        not_before=None if alone else evidence.not_before(),
        files=0 if alone else len(evidence.listed_files()),
        record=evidence.disclosure.needed().file if is_record else None,
    )
