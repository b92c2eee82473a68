"""How the console command speaks: plain text for terminals, wrapped, escaped, coloured on request.

Pure: text in, text out. What comes from a file passes `visible`, so that no name or message
can move a cursor, change a colour or reverse the reading direction.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attestlayer.cli.advice import ADVICE, REMARK_ADVICE
from attestlayer.encoding import date_of, format_hash, shown
from attestlayer.errors import ForeignTrustRootError, Reason, VerificationError
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.note import NO_QUORUM, WitnessPolicy
from attestlayer.verify.report import NONE_DEMANDED, Kind, Report, Status, StepReport, Verdict
from attestlayer.visible import visible

PROVES = (
    "files match the manifest",
    "manifest matches the receipt",
    "receipt key ID matches a public key",
    "receipt signature verifies",
    "the kit has not been modified since issuance",
)
"""What a verified kit proves, in the words of the trust model."""

RECEIPT_PROVES = (
    "the entry is in the public registry",
    "the registry's key signed the checkpoint holding it",
)
"""What a registry receipt by itself proves."""

RECORD_PROVES = (
    "the record is one of the kit's, byte for byte",
    "receipt key ID matches a public key",
    "receipt signature verifies",
    "the kit's entry is in the public registry",
)
"""What a disclosed record proves."""

DOES_NOT_PROVE = (
    "company compliance status",
    "company security status",
    "controls are operating effectively",
    "a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
    "the evidence content is legally sufficient",
)
"""What no kit proves, in the words of the trust model."""

RECEIPT_DOES_NOT_PROVE = ("any kit or file is the one that the entry is of", *DOES_NOT_PROVE)

RECORD_DOES_NOT_PROVE = ("what else the kit holds, and how much", *DOES_NOT_PROVE)

MIN_WIDTH, MAX_WIDTH = 40, 100
_LABEL = 16  # columns of a row's label
_STATUS_AT = 26  # the column of a step's status

_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"
_COLOURS = {Verdict.VERIFIED: _GREEN, Verdict.NOT_VERIFIED: _RED, Verdict.COULD_NOT_CHECK: _YELLOW}
_VERDICT_MARKS = {Verdict.VERIFIED: "✓", Verdict.NOT_VERIFIED: "✗", Verdict.COULD_NOT_CHECK: "?"}
_MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOT_REACHED: "–", Status.NOT_CHECKED: "–"}
_STATUS_COLOURS = {Status.PASSED: _GREEN, Status.FAILED: _RED}
_ASCII = str.maketrans({"✓": "+", "✗": "x", "–": "-", "═": "=", "·": "*", "…": "...", "’": "'"})

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Style:
    """The abilities of the terminal. `unicode` False: marks and rules in ASCII."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, *codes: str) -> str:
        """`text` in colours (ECMA-48 SGR codes), or as it is."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour and codes else text

    def dim(self, text: str) -> str:
        """Text of less importance, dimmed."""
        return self.paint(text, _DIM)

    def warn(self, text: str) -> str:
        """Text to be careful about."""
        return self.paint(text, _BOLD, _YELLOW)

    def bold(self, text: str) -> str:
        """A title, in bold and made visible."""
        return self.paint(visible(text), _BOLD)

    def heading(self, text: str) -> str:
        """A section's heading, with a blank line before it."""
        return f"\n{self.paint(text, _BOLD)}"

    def wrap(self, text: str, indent: int = 0, first: str = "") -> list[str]:
        """`text`, made visible, as lines. Words stay whole: hashes and paths are for copying."""
        return textwrap.wrap(
            visible(text),
            width=max(MIN_WIDTH, min(self.width, MAX_WIDTH)),
            initial_indent=first or " " * indent,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def rows(self, rows: Iterable[Row]) -> list[str]:
        """Labelled values, aligned in two columns."""
        return [
            line
            for label, value in rows
            for line in self.wrap(value or "-", _LABEL + 2, f"  {label:<{_LABEL - 1}} ")
        ]

    def bullets(self, items: Iterable[str]) -> list[str]:
        """A list with a bullet an item, each item wrapped."""
        return [line for item in items for line in self.wrap(item, 4, "  · ")]

    def finish(self, lines: Iterable[str]) -> str:
        """The lines as they are written."""
        text = "".join(f"{line}\n" for line in lines)
        return text if self.unicode else text.translate(_ASCII)


def date_words(seconds: int) -> str:
    """POSIX seconds for people: `20 November 2026, 14:03:07 UTC`."""
    when = date_of(seconds)
    return f"{when.day} {when:%B %Y, %H:%M:%S} UTC"


def age_words(seconds: int) -> str:
    """How long ago: `3 days ago`."""
    if seconds < 0:
        return "later than this machine's clock"
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := seconds // length) >= 1:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "less than a minute ago"


def quorum_words(policy: WitnessPolicy) -> str:
    """The witnesses that a policy demands."""
    if policy.quorum == NO_QUORUM:
        return f"{NONE_DEMANDED}: the registry's key alone vouches for its checkpoints"
    count = len(policy.witnesses)
    return f"quorum {shown(policy.quorum)}, out of {count} witness{'' if count == 1 else 'es'}"


_PROVES = {
    Kind.KIT: PROVES,
    Kind.REGISTRY_RECEIPT: RECEIPT_PROVES,
    Kind.DISCLOSED_RECORD: RECORD_PROVES,
}
_DOES_NOT_PROVE = {
    Kind.KIT: DOES_NOT_PROVE,
    Kind.REGISTRY_RECEIPT: RECEIPT_DOES_NOT_PROVE,
    Kind.DISCLOSED_RECORD: RECORD_DOES_NOT_PROVE,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A registry that was asked for its newest checkpoint: the URL as given, and the checkpoint."""

    url: str
    newest: Checkpoint


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a report. `path` as given; without a trust root `registry` and `trust` are empty."""

    path: str
    registry: str = ""
    trust: tuple[Row, ...] = ()
    asked: Asked | None = None


def format_report(report: Report, subject: Subject, style: Style) -> str:
    """A verification report for people: the verdict first, then why, then what it rests on."""
    lines = [*_verdict(report, style), "", *style.wrap(_sentence(report, subject))]
    if report.issued:
        lines += [style.heading("Issued"), *style.rows(_issued_rows(report))]
    lines += _why(report, style) or [style.heading("Steps"), *_steps(report, style)]
    lines += _notes(report, style)
    if subject.trust:
        lines += [style.heading("Trust root"), *style.rows(subject.trust)]
    if subject.asked and report.issued:
        lines += [style.heading("Public log, as it answered now"), *style.rows(_asked_rows(subject.asked))]
    lines += _meaning(report, style)
    return style.finish(lines)


def _asked_rows(asked: Asked) -> list[Row]:
    newest = asked.newest
    return [
        ("asked", asked.url),
        ("newest", f"checkpoint {newest.sequence} of {date_words(newest.timestamp)}"),
        ("entries", f"{newest.head.size}, the kit's among them, by a consistency proof of both trees"),
    ]


def proves(report: Report) -> tuple[str, ...]:
    """What the report proves: nothing unless the verdict is VERIFIED."""
    return _PROVES[report.kind] if report.verdict == Verdict.VERIFIED else ()


def does_not_prove(kind: Kind) -> tuple[str, ...]:
    """What no report of this kind proves, whatever its verdict."""
    return _DOES_NOT_PROVE[kind]


def _verdict(report: Report, style: Style) -> list[str]:
    verdict = report.verdict
    colour = _COLOURS[verdict]
    banner = f"{_VERDICT_MARKS[verdict]} {verdict}"
    rule = "═" * max(MIN_WIDTH, min(style.width, MAX_WIDTH))
    return [style.paint(banner, _BOLD, colour), style.paint(rule, colour)]


def _sentence(report: Report, subject: Subject) -> str:
    if report.verdict == Verdict.COULD_NOT_CHECK:
        what = report.kind.value.replace("-", " ")
        return f"{subject.path}: no verdict on this {what}, since the check could not be completed."
    return _issued_sentence(report, subject) if report.issued else _refusal(report, subject)


def _refusal(report: Report, subject: Subject) -> str:
    """The sentence under NOT VERIFIED."""
    if {failure.reason for failure in report.failures} == {Reason.KIT_WITHDRAWN}:
        of = "" if report.kind == Kind.KIT else "is of a kit that "
        return f"{subject.path} {of}was issued by AttestLayer, and withdrawn later. Do not rely on it."
    if isinstance(report.first, ForeignTrustRootError):  # before all that follows from it
        mismatch = f"and your trust root belong to different registries: {report.first}"
        return f"{subject.path} {mismatch}. Do not rely on it."
    failed = sum(step.status == Status.FAILED for step in report.steps)
    return (
        f"We could not confirm that {subject.path} is what AttestLayer issued: {failed} "
        f"check{'s' if failed != 1 else ''} failed. Do not rely on it."
    )


def _issued_sentence(report: Report, subject: Subject) -> str:
    """The sentence under VERIFIED."""
    issued = report.issued
    assert issued is not None
    entry = f"entry {issued.leaf_index} of the public registry {subject.registry}"
    date = date_words(issued.issued_at)
    if issued.record:
        return (
            f"{subject.path} shows one record of a kit that AttestLayer issued on {date}, {entry}: "
            f"{issued.record.path} is byte for byte the one in that kit. "
            "Nothing is said about the rest of the kit."
        )
    if report.kind == Kind.KIT:
        kit = f"Every file of the kit {subject.path}"
        return f"{kit} is byte for byte what AttestLayer issued on {date}, {entry}."
    unknown = ""
    if report.steps[-1].status == Status.NOT_CHECKED:
        unknown = " Whether that kit was withdrawn, and whether witnesses saw the entry, is not known here."
    return (
        f"{subject.path} is {entry}, for a kit that AttestLayer issued on {date}. "
        f"No kit was checked: this is about the entry only.{unknown}"
    )


def _issued_rows(report: Report) -> list[Row]:
    issued = report.issued
    assert issued is not None
    rows = [("lane", f"{issued.lane_id}, profile {issued.profile_id}")]
    if issued.kit_id:
        before = "not shown"
        if issued.not_before is not None:
            before = f"{date_words(issued.not_before)} (checkpoint that the client's nonce names)"
        if record := issued.record:
            of_record = [("record", record.path), ("size", f"{record.size} bytes")]
            rows = [*of_record, ("SHA-256", record.sha256.hex()), ("kit", issued.kit_id), *rows]
        else:
            rows = [("kit", f"{issued.kit_id}, {issued.files} files in its manifest"), *rows]
        rows += [("not before", before)]
    after = f"{date_words(issued.checkpoint_time)} (checkpoint that holds the entry)"
    return [*rows, ("not after", after), ("leaf hash", format_hash(issued.leaf_hash))]


def _why(report: Report, style: Style) -> list[str]:
    """Where no step was made, for want of a usable input or trust root: why."""
    statuses = [step.status for step in report.steps]
    begun = Status.PASSED in statuses or statuses.count(Status.FAILED) > 1
    if begun or report.verdict != Verdict.COULD_NOT_CHECK:
        return []
    none = style.dim("  None of the 15 steps was made.")
    return [style.heading("Why"), *_failures(report.failures, 2, style), style.heading("Steps"), none]


def _steps(report: Report, style: Style) -> list[str]:
    return [line for step in report.steps for line in _step(step, style)]


def _step(step: StepReport, style: Style) -> list[str]:
    colour, mark = _STATUS_COLOURS.get(step.status, _DIM), _MARKS[step.status]
    words = step.status.value.replace("-", " ")
    if step.unproven:  # passed, and no proof that held
        colour, mark, words = _DIM, _MARKS[Status.NOT_CHECKED], step.unproven
    row = f"  {step.number:>2} {style.paint(mark, colour)} {step.name:<18} "
    first, *more = style.wrap(words, _STATUS_AT, " " * _STATUS_AT)
    lines = [row + style.paint(first.lstrip(), colour), *(style.paint(line, colour) for line in more)]
    return [*lines, *_failures(step.failures, 7, style)]


def _failures(failures: Sequence[VerificationError], indent: int, style: Style) -> list[str]:
    """Each reason once: what was found, what files it is about, and what to do next."""
    lines: list[str] = []
    for reason in dict.fromkeys(failure.reason for failure in failures):
        lines.append(" " * indent + style.paint(reason.value, _BOLD, _RED))
        for failure in failures:
            if failure.reason == reason:
                lines += _failure(failure, indent + 2, style)
        lines += style.wrap(ADVICE[reason], indent + 4, " " * (indent + 2) + "> ")
    return lines


def _failure(failure: VerificationError, indent: int, style: Style) -> list[str]:
    message = str(failure)
    lines = style.wrap(message, indent + 2, " " * indent)
    if failure.files and not (len(failure.files) == 1 and message.startswith(failure.files[0])):
        lines += style.wrap(", ".join(failure.files), indent + 4, " " * (indent + 2) + "in ")
    return lines


def _notes(report: Report, style: Style) -> list[str]:
    if not report.notes:
        return []
    lines = [style.heading("Notes")]
    for note in report.notes:
        lines += style.bullets([f"{note.remark}: {note.message}. {REMARK_ADVICE[note.remark]}"])
    return lines


def _meaning(report: Report, style: Style) -> Sequence[str]:
    proven = proves(report) or ("nothing: a kit that is not verified proves nothing",)
    return [
        style.heading("What this proves"),
        *style.bullets(proven),
        style.heading("What this does not prove"),
        *style.bullets(does_not_prove(report.kind)),
        "",
        *style.wrap(BOUNDARY),
    ]
