"""`issuer audit`: the registry by the core's audit, private state, ledger against log; as one report.

With --json one document, `attestlayer/operator-audit/1`:

schema, clean, exit_code, origin, sequence, tree_size
registry, private, ledger   what each part looked at, null if it could not be carried out
findings, notes   [{part, object, reason, detail}]
failed            [{part, detail}]: parts that could not be carried out
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.audit.findings import AuditFinding
from attestlayer.canonical import Json, Members
from attestlayer.cli.command import AT_HELP, time_argument
from attestlayer.errors import VerificationError
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import read_trust
from issuer.audit.findings import Finding as PrivateFinding
from issuer.bootstrap.service import Service
from issuer.cli.home import DONE, ERROR, FAILED, Commands, add_command, service_of
from issuer.cli.terminal import CommandError, path, rewrite, say, say_json
from issuer.errors import ServiceError
from issuer.services.audit import PrivateReport, StoreRegistry
from issuer.services.reconcile import Reconciliation

T = TypeVar("T")
REGISTRY, PRIVATE, LEDGER = "registry", "private", "ledger"


@dataclass(frozen=True, slots=True)
class Line:
    """A finding or a note, with the part of the audit that it is from."""

    part: str
    object: str
    reason: str
    detail: str

    def members(self) -> dict[str, Json]:
        """Its members in the JSON document."""
        return {"part": self.part, "object": self.object, "reason": self.reason, "detail": _text(self.detail)}


@dataclass
class OperatorAudit:
    """The reports of the three parts, each None if it could not be carried out; `failed` says why."""

    registry: AuditReport | None = None
    private: PrivateReport | None = None
    ledger: Reconciliation | None = None
    failed: list[tuple[str, str]] = field(default_factory=list)

    def findings(self) -> list[Line]:
        """Every finding, part by part: each is something that is wrong."""
        reports = ((REGISTRY, self.registry), (PRIVATE, self.private), (LEDGER, self.ledger))
        return [_line(part, finding) for part, report in reports if report for finding in report.findings]

    def notes(self) -> list[Line]:
        """Every note: worth knowing, and nothing wrong. The registry's audit makes none."""
        reports = ((PRIVATE, self.private), (LEDGER, self.ledger))
        return [_line(part, note) for part, report in reports if report for note in report.notes]

    @property
    def exit_code(self) -> int:
        """0 clean, 3 findings, 2 a part could not be carried out."""
        if self.failed:
            return ERROR
        return FAILED if self.findings() else DONE


def add_commands(commands: Commands) -> None:
    """Add `issuer audit` to the parser."""
    command = add_command(
        commands, "audit", _audit, "audit the home: registry, private state, ledger against log", reads=True
    )
    command.add_argument(
        "--trust", type=path, help="a trust root that vouches for the registry's keys", metavar="FILE"
    )
    command.add_argument("--at", type=time_argument, metavar="TIME", help=AT_HELP)
    command.add_argument("--json", action="store_true", help="print the report as one JSON document")


def _audit(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    try:
        trust = read_trust(arguments.trust) if arguments.trust else None
    except VerificationError as error:
        raise CommandError(str(error)) from error
    try:
        now = int(service.clock.now()) if arguments.at is None else arguments.at
        report = _run(service, trust, now)
    finally:  # whatever follows is printed on a clean line
        rewrite("")
    if arguments.json:
        say_json(_members(service, report))
    else:
        _print(service, report)
    return report.exit_code


def _run(service: Service, trust: TrustRoot | None, now: int) -> OperatorAudit:
    """Run every part, even after another failed. `now`: by which the newest checkpoint's age is judged."""
    report = OperatorAudit()

    def part(name: str, run: Callable[[], T]) -> T | None:
        try:
            return run()
        except (ServiceError, VerificationError) as error:
            report.failed.append((name, str(error)))
            return None

    registry = StoreRegistry(service.public)
    report.registry = part(REGISTRY, lambda: audit(registry, trust, None, _progress, now=now))
    report.private = part(PRIVATE, lambda: service.auditor.run(_progress))
    report.ledger = part(LEDGER, service.reconciler.run)
    return report


def _print(service: Service, report: OperatorAudit) -> None:
    findings, notes = report.findings(), report.notes()
    title = (
        "COULD NOT CHECK"
        if report.failed
        else f"{len(findings)} FINDING{'S' if len(findings) > 1 else ''}"
        if findings
        else "CLEAN"
    )
    say(f"{title}: audit of {service.origin}")
    if report.registry:
        newest, objects, length = report.registry.newest, report.registry.objects, report.registry.length
        where = f"checkpoint {newest.sequence}, {newest.head.size} leaves"
        say(f"registry   {where}; {objects} objects, {length} bytes")
    if report.private:
        counts = f"{report.private.objects} objects, {report.private.length} bytes"
        say(f"private    {report.private.rounds} rounds; {counts}")
    if report.ledger:
        books = report.ledger
        say(f"ledger     {books.debits} debits, {books.waiting} waiting leaves, {books.kits} kits verified")
    for part, why in report.failed:
        say(f"NOT DONE   {part}: {why}")
    for kind, lines in (("note", notes), ("FINDING", findings)):
        for line in lines:
            say(f"{kind:10} {line.part}: {line.reason} {line.object}: {line.detail}")
    say(f"result     {len(findings)} findings, {len(notes)} notes")


def _members(service: Service, report: OperatorAudit) -> Members:
    newest = report.registry.newest if report.registry else None
    findings: list[Json] = [line.members() for line in report.findings()]
    notes: list[Json] = [line.members() for line in report.notes()]
    failed: list[Json] = [{"part": part, "detail": _text(why)} for part, why in report.failed]
    return {
        "schema": "attestlayer/operator-audit/1",
        "clean": not findings and not failed,
        "exit_code": report.exit_code,
        "origin": service.origin,
        "sequence": newest.sequence if newest else None,
        "tree_size": newest.head.size if newest else None,
        **_counts(report),
        "findings": findings,
        "notes": notes,
        "failed": failed,
    }


def _counts(report: OperatorAudit) -> dict[str, Json]:
    counts: dict[str, Json] = dict.fromkeys((REGISTRY, PRIVATE, LEDGER))
    if registry := report.registry:
        counts[REGISTRY] = {"objects": registry.objects, "bytes": registry.length}
    if private := report.private:
        read: Members = {"objects": private.objects, "bytes": private.length}
        counts[PRIVATE] = {"rounds": private.rounds, **read}
    if books := report.ledger:
        counts[LEDGER] = {"debits": books.debits, "waiting": books.waiting, "kits": books.kits}
    return counts


def _progress(what: str, done: int, total: int) -> None:
    rewrite(f"{what}: {done} of {total}")


def _line(part: str, finding: AuditFinding | PrivateFinding) -> Line:
    return Line(part, finding.object, finding.reason.value, finding.detail)


def _text(text: str) -> str:
    # A damaged file's name or content may hold lone surrogates, which JSON in UTF-8 can't carry.
    return text.encode("utf-8", "backslashreplace").decode()
