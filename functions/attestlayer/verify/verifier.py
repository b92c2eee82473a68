"""Verification of kits and registry receipts, in fifteen numbered steps, fail-closed (REG-1.0 section 12).

`verify` raises at the first failure; `explain` makes every step that it can and reports each. Neither
does I/O, reads a clock or the network: what they say follows from the bytes and the trust root.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from attestlayer.encoding import Hash
from attestlayer.errors import COULD_NOT_CHECK, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.manifest import ManifestFile
from attestlayer.log.keyring import Keyring
from attestlayer.log.leaf import LeafRecord
from attestlayer.log.registry_receipt import RegistryReceipt
from attestlayer.log.trust import TrustRoot
from attestlayer.verify import steps_disclosure, steps_kit, steps_registry
from attestlayer.verify.evidence import Anchors, Aside, Evidence, Finding, NotReachedError, anchors_of

STEPS = (
    "container",
    "manifest",
    "files",
    "manifest root",
    "hash trail",
    "receipt",
    "issuer key",
    "receipt signature",
    "leaf",
    "kit digest",
    "inclusion",
    "checkpoint",
    "witnesses",
    "times",
    "notices",
)
"""Names of steps 1 … 15."""


class Status(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"
    NOT_CHECKED = "not-checked"


class Verdict(StrEnum):
    """What a report comes to: exactly three."""

    VERIFIED = "VERIFIED"
    NOT_VERIFIED = "NOT VERIFIED"
    COULD_NOT_CHECK = "COULD NOT CHECK"


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step: its number 1 … 15, how it ended, its failures and notes."""

    number: int
    status: Status
    failures: tuple[VerificationError, ...] = ()
    notes: tuple[Aside, ...] = ()

    @property
    def name(self) -> str:
        """The step's name."""
        return STEPS[self.number - 1]


@dataclass(frozen=True, slots=True)
class Issued:
    """What a verified kit, registry receipt or disclosed record was shown to be. Times in POSIX seconds.

    `kit_id`, `not_before` and `files` are None and 0 for a registry receipt by itself; `record` is the
    disclosed record, of which `files` is 1.
    """

    kit_id: str | None
    lane_id: str
    profile_id: str
    issued_at: int
    leaf_hash: Hash
    leaf_index: int
    checkpoint_time: int
    not_before: int | None
    files: int
    record: ManifestFile | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All steps, in order. `issued` only if the verdict is VERIFIED."""

    steps: tuple[StepReport, ...]
    issued: Issued | None

    @property
    def verdict(self) -> Verdict:
        """COULD NOT CHECK outranks failures; VERIFIED needs every step that applies to have passed."""
        if any(failure.reason in COULD_NOT_CHECK for failure in self.failures):
            return Verdict.COULD_NOT_CHECK
        return Verdict.VERIFIED if self.issued else Verdict.NOT_VERIFIED

    @property
    def failures(self) -> tuple[VerificationError, ...]:
        """All failures, in order of steps."""
        return tuple(failure for step in self.steps for failure in step.failures)

    @property
    def notes(self) -> tuple[Aside, ...]:
        """All notes, in order of steps."""
        return tuple(note for step in self.steps for note in step.notes)


def verify(kit: Kit, trust: TrustRoot) -> Issued:
    """Check everything, in order. Raises `VerificationError` at the first failure."""
    evidence = Evidence(kit, anchors_of(trust))
    _raise_first(_kit_steps(evidence))
    return _issued(evidence)


def explain(kit: Kit, trust: TrustRoot) -> Report:
    """Check everything that can be checked, and report each step. Raises nothing."""
    evidence = Evidence(kit, anchors_of(trust))
    steps = tuple(_run(number, checks) for number, checks in enumerate(_kit_steps(evidence), 1))
    return Report(steps, _issued(evidence) if _all_passed(steps) else None)


def verify_sealed(kit: Kit, trust: TrustRoot, leaf: LeafRecord) -> None:
    """Check a sealed kit before its leaf is in the log: steps 1–10 and the nonce's half of 14.

    Raises `VerificationError` at the first failure.
    """
    evidence = Evidence(kit, anchors_of(trust), sealed_as=leaf)
    _raise_first([*_kit_steps(evidence)[:10], [_bound(steps_registry.check_nonce_time, evidence)]])


def explain_disclosure(part: Kit, trust: TrustRoot) -> Report:
    """A disclosed record: every step that can be made with one record of a kit. Raises nothing."""
    evidence = steps_disclosure.DisclosureEvidence(part, anchors_of(trust))
    checks = _disclosure_steps(evidence)
    steps = tuple(
        _run(number, checks[number]) if number in checks else StepReport(number, Status.NOT_CHECKED)
        for number in range(1, len(STEPS) + 1)
    )
    return Report(steps, _issued_record(evidence) if _all_passed(steps) else None)


def explain_receipt(receipt: RegistryReceipt, trust: TrustRoot) -> Report:
    """A registry receipt by itself: leaf hash and steps 11–15. The kit's own steps are not checked."""
    return _explain_receipt(receipt, anchors_of(trust))


def explain_receipt_by_jwks(receipt: RegistryReceipt, keyring: Keyring) -> Report:
    """A registry receipt with the registry's JWKS alone: steps 13 and 15 are not checked either."""
    return _explain_receipt(receipt, Anchors(keyring, None))


def container_report(error: VerificationError) -> Report:
    """The report of an input that could not be opened as a kit."""
    steps = [StepReport(1, Status.FAILED, (error,))]
    return Report((*steps, *(StepReport(n, Status.NOT_REACHED) for n in range(2, len(STEPS) + 1))), None)


Check = Callable[[], Iterable[Finding]]
KitCheck = Callable[[Evidence], Iterator[Finding]]
ReceiptCheck = Callable[[RegistryReceipt, Anchors], Iterator[Finding]]


def _bound(check: KitCheck, evidence: Evidence) -> Check:
    """A check bound to its evidence."""
    return lambda: check(evidence)


def _kit_steps(evidence: Evidence) -> list[list[Check]]:
    """The checks of each step, 1 … 15."""

    def kit(check: KitCheck) -> Check:
        return _bound(check, evidence)

    def registry(check: ReceiptCheck) -> Check:
        return lambda: check(evidence.registry_receipt.needed(), evidence.anchors)

    return [
        [kit(steps_kit.check_container)],
        [kit(steps_kit.check_manifest)],
        [kit(steps_kit.check_files)],
        [kit(steps_kit.check_manifest_root)],
        [kit(steps_kit.check_trail)],
        [kit(steps_kit.check_receipt)],
        [kit(steps_kit.check_issuer_key)],
        [kit(steps_kit.check_receipt_signature)],
        [kit(steps_kit.check_leaf)],
        [kit(steps_kit.check_kit_digest)],
        [registry(steps_registry.check_audit_path)],
        [registry(steps_registry.check_checkpoint), kit(steps_registry.check_receipt_origin)],
        [registry(steps_registry.check_witnesses)],
        [kit(steps_registry.check_nonce_time), registry(steps_registry.check_merge_time)],
        [registry(steps_registry.check_notices)],
    ]


def _disclosure_steps(evidence: steps_disclosure.DisclosureEvidence) -> dict[int, list[Check]]:
    """The checks of a disclosed record by number; from the issuer key on those of a kit, but for step 10."""

    def part(check: steps_disclosure.DisclosureCheck) -> Check:
        return lambda: check(evidence)

    checks = dict(enumerate(_kit_steps(evidence), 1))
    del checks[5], checks[10]
    checks[2] = [part(steps_disclosure.check_entry)]
    checks[3] = [part(steps_disclosure.check_record)]
    checks[4] = [part(steps_disclosure.check_way)]
    checks[6] = [part(steps_disclosure.check_receipt_alone)]
    return checks


def _raise_first(steps: Iterable[Iterable[Check]]) -> None:
    reached = True
    for checks in steps:
        for check in checks:
            try:
                for finding in check():
                    if isinstance(finding, VerificationError):
                        raise finding
            except NotReachedError:
                reached = False
    if not reached:  # a document's home step has raised before: this is our own bug, and no verdict
        raise AssertionError("a step was not reached, yet none failed")


def _run(number: int, checks: Iterable[Check]) -> StepReport:
    failures: list[VerificationError] = []
    notes: list[Aside] = []
    status = Status.PASSED
    for check in checks:
        try:
            for finding in check():
                if isinstance(finding, Aside):
                    notes.append(finding)
                else:
                    failures.append(finding)
        except VerificationError as error:
            failures.append(error)
        except NotReachedError:
            status = Status.NOT_REACHED
    status = Status.FAILED if failures else status
    return StepReport(number, status, tuple(failures), tuple(notes))


def _explain_receipt(receipt: RegistryReceipt, anchors: Anchors) -> Report:
    def bound(check: ReceiptCheck) -> list[Check]:
        return [lambda: check(receipt, anchors)]

    checks = {
        9: bound(steps_registry.check_leaf_hash),
        11: bound(steps_registry.check_audit_path),
        12: bound(steps_registry.check_checkpoint),
        14: bound(steps_registry.check_merge_time),
    }
    if anchors.trust:
        checks[13] = bound(steps_registry.check_witnesses)
        checks[15] = bound(steps_registry.check_notices)
    steps = tuple(
        _run(number, checks[number]) if number in checks else StepReport(number, Status.NOT_CHECKED)
        for number in range(1, len(STEPS) + 1)
    )
    return Report(steps, _issued_by_receipt(receipt) if _all_passed(steps) else None)


def _all_passed(steps: Iterable[StepReport]) -> bool:
    return all(step.status in {Status.PASSED, Status.NOT_CHECKED} for step in steps)


def _issued(evidence: Evidence) -> Issued:
    receipt, log = evidence.receipt.needed(), evidence.registry_receipt.needed()
    return Issued(
        kit_id=receipt.kit_id,
        lane_id=receipt.lane_id,
        profile_id=receipt.profile_id,
        issued_at=receipt.issued_at,
        leaf_hash=log.record.leaf_hash,
        leaf_index=log.leaf_index,
        checkpoint_time=log.checkpoint.timestamp,
        not_before=evidence.not_before(),
        files=len(evidence.manifest.needed().files),
    )


def _issued_record(evidence: steps_disclosure.DisclosureEvidence) -> Issued:
    receipt, log = evidence.receipt.needed(), evidence.registry_receipt.needed()
    return replace(
        _issued_by_receipt(log),
        kit_id=receipt.kit_id,
        not_before=evidence.not_before(),
        files=1,
        record=evidence.disclosure.needed().file,
    )


def _issued_by_receipt(log: RegistryReceipt) -> Issued:
    leaf = log.record.leaf
    return Issued(
        kit_id=None,
        lane_id=leaf.lane_id,
        profile_id=leaf.profile_id,
        issued_at=leaf.issued_at,
        leaf_hash=log.record.leaf_hash,
        leaf_index=log.leaf_index,
        checkpoint_time=log.checkpoint.timestamp,
        not_before=None,
        files=0,
    )
