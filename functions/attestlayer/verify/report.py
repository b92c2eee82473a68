"""The verification report: how each step ended, the verdict, and the issuance that a verified input shows."""

from dataclasses import dataclass, replace
from enum import StrEnum

from attestlayer.encoding import Hash
from attestlayer.errors import COULD_NOT_CHECK, ForeignTrustRootError, Reason, Remark, VerificationError
from attestlayer.kit.manifest import ManifestFile


class Kind(StrEnum):
    """The kinds of evidence that a report can be about."""

    KIT = "kit"
    REGISTRY_RECEIPT = "registry-receipt"
    DISCLOSED_RECORD = "disclosed-record"


class Status(StrEnum):
    """How a step ended; the last two prove nothing."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"
    NOT_CHECKED = "not-checked"


class Verdict(StrEnum):
    """The conclusion of a report: one of three."""

    VERIFIED = "VERIFIED"
    NOT_VERIFIED = "NOT VERIFIED"
    COULD_NOT_CHECK = "COULD NOT CHECK"


@dataclass(frozen=True, slots=True)
class Aside:
    """A remark about a kit that does not make it fail; `files` are those that it is about."""

    remark: Remark
    message: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why a step that passes proves nothing: no display shows it as a proof that held."""

    message: str


Observation = VerificationError | Aside | Unproven

NONE_DEMANDED = "none demanded"
"""What step 13 says if the witness policy in force demands no witness."""

LATER_NOTICES = frozenset({Reason.ISSUER_KEY_UNKNOWN, Reason.LATE_MERGE_UNEXPLAINED})
"""Failures that notices newer than the trust root may explain (REG-1.0 section 12.5)."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step: its number 1 … 15 and name, how it ended, its failures and notes.

    `unproven`: why a step that passed proves nothing, or None.
    """

    number: int
    name: str
    status: Status
    failures: tuple[VerificationError, ...] = ()
    notes: tuple[Aside, ...] = ()
    unproven: str | None = None


@dataclass(frozen=True, slots=True)
class Issuance:
    """The issuance that a verified kit, registry receipt or disclosed record shows. Times in POSIX seconds.

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
    """All steps, in order. `issued` only if the verdict is VERIFIED.

    `lacks_notices`: the kit's checkpoint is newer than the trust root's and commits to other notices.
    """

    kind: Kind
    steps: tuple[StepReport, ...]
    issued: Issuance | None
    lacks_notices: bool = False

    @property
    def verdict(self) -> Verdict:
        """COULD NOT CHECK outranks failures; VERIFIED needs every step that applies to have passed."""
        if any(failure.reason in COULD_NOT_CHECK for failure in self.failures):
            return Verdict.COULD_NOT_CHECK
        return Verdict.VERIFIED if self.issued else Verdict.NOT_VERIFIED

    @property
    def first(self) -> VerificationError | None:
        """The failure to say first, which `verify` raises, or None.

        Why nothing can be said comes before a trust root of another registry, before the others in order of
        steps, before what newer notices may explain.
        """
        return min(self.failures, key=self._rank, default=None)

    def _rank(self, failure: VerificationError) -> int:
        if failure.reason in COULD_NOT_CHECK:
            return 0
        if isinstance(failure, ForeignTrustRootError):
            return 1
        return 3 if self.lacks_notices and failure.reason in LATER_NOTICES else 2

    def refused(self, number: int, failure: VerificationError) -> "Report":
        """This report with one more failure, of step `number`."""
        steps = tuple(
            replace(step, status=Status.FAILED, failures=(*step.failures, failure), unproven=None)
            if step.number == number
            else step
            for step in self.steps
        )
        return replace(self, steps=steps, issued=None)

    @property
    def failures(self) -> tuple[VerificationError, ...]:
        """All failures, in order of steps."""
        return tuple(failure for step in self.steps for failure in step.failures)

    @property
    def notes(self) -> tuple[Aside, ...]:
        """All notes, in order of steps."""
        return tuple(note for step in self.steps for note in step.notes)
