"""The verification report: how each step ended, the verdict, and the issuance that a verified input shows."""

from dataclasses import dataclass
from enum import StrEnum

from attestlayer.encoding import Hash
from attestlayer.errors import COULD_NOT_CHECK, Remark, VerificationError
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


Observation = VerificationError | Aside


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step: its number 1 … 15 and name, how it ended, its failures and notes."""

    number: int
    name: str
    status: Status
    failures: tuple[VerificationError, ...] = ()
    notes: tuple[Aside, ...] = ()


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
    """All steps, in order. `issued` only if the verdict is VERIFIED."""

    kind: Kind
    steps: tuple[StepReport, ...]
    issued: Issuance | None

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
