"""What verification makes of a subject: the first failure of `verify`, and the report of `explain`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.log.trust import parse_trust
from attestlayer.reading.files import open_kit
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain, report_unopened, verify
from support.build import open_zip
from support.cases import Subject


@dataclass(frozen=True)
class Judgement:
    """`error`: what `verify` or the opening of kit or trust root raised; None if it is verified.

    `report` is None if the trust root could not be used.
    """

    error: VerificationError | None
    report: Report | None

    @property
    def whole(self) -> Report:
        """The report that a verifier writes, also where there is no usable trust root."""
        if self.report is not None:
            return self.report
        assert self.error is not None
        return report_unopened(Kind.KIT, self.error)

    @property
    def word(self) -> str:
        """`accepted`, or the first reason."""
        return self.error.reason.value if self.error else "accepted"


@contextmanager
def opened(subject: Subject, place: Path) -> Iterator[Kit]:
    """The subject's kit. A folder and what is not there need `place`, an empty folder."""
    if subject.zip is not None:
        yield open_zip(subject.zip)
        return
    path = place / "kit"
    if subject.folder is not None:
        write_folder(path, subject)
    with open_kit(path) as kit:
        yield kit


def write_folder(path: Path, subject: Subject) -> None:
    """The subject's members and links as a folder."""
    path.mkdir(parents=True, exist_ok=True)
    for name, data in (subject.folder or {}).items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    for name, target in subject.links:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).symlink_to(target)


def judge(subject: Subject, place: Path) -> Judgement:
    """Open and verify a subject both ways."""
    try:
        trust = parse_trust(subject.trust)
    except VerificationError as error:
        return Judgement(error, None)
    try:
        with opened(subject, place) as kit:
            report = explain(kit, trust, subject.now)
            try:
                verify(kit, trust)
            except VerificationError as error:
                return Judgement(error, report)
            return Judgement(None, report)
    except VerificationError as error:
        return Judgement(error, report_unopened(Kind.KIT, error))


def step_of(report: Report, failure: VerificationError) -> int:
    """The number of the step that reports a failure with this reason and these files."""
    wanted = (failure.reason, failure.files)
    return next(s.number for s in report.steps if wanted in [(f.reason, f.files) for f in s.failures])


def told(report: Report) -> dict[str, object]:
    """A report as vectors hold it: everything that has one right answer, no message."""
    return {
        "verdict": report.verdict.value,
        "steps": [
            {
                "status": step.status.value,
                "unproven": step.unproven is not None,
                "failures": [{"reason": f.reason.value, "files": list(f.files)} for f in step.failures],
                "remarks": [note.remark.value for note in step.notes],
            }
            for step in report.steps
        ],
    }


def reasons(report: Report) -> set[Reason]:
    """All reasons of a report."""
    return {failure.reason for failure in report.failures}
