"""`issuer audit`: the registry by the core's audit, private state, ledger against log; as one report.

With --json one document, `attestlayer/operator-audit/1`:

schema, clean, exit_code, origin, sequence, tree_size
registry, private, ledger   what each part looked at, null if it could not be carried out
findings, notes   [{part, object, reason, detail}]
failed            [{part, detail}]: parts that could not be carried out
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.audit.findings import Finding as PublicFinding
from attestlayer.canonical import Json, Members, format_json
from attestlayer.cli.text import printable
from attestlayer.errors import VerificationError
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import read_trust
from issuer.audit.findings import Finding as PrivateFinding
from issuer.audit.registry import StoreRegistry
from issuer.bootstrap.service import Service
from issuer.cli.home import DONE, ERROR, FAILED, Commands, add_command, service_of
from issuer.errors import ServiceError
from issuer.services.audit import PrivateReport
from issuer.services.reconcile import Reconciliation

T = TypeVar("T")
REGISTRY, PRIVATE, LEDGER = "registry", "private", "ledger"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding or note of a part."""

    part: str
    object: str
    reason: str
    detail: str

    def members(self) -> dict[str, Json]:
        """As it stands in the document."""
        return {"part": self.part, "object": self.object, "reason": self.reason, "detail": _text(self.detail)}


@dataclass
class Audit:
    """The three parts, each None if it could not be carried out."""

    registry: AuditReport | None = None
    private: PrivateReport | None = None
    ledger: Reconciliation | None = None
    failed: list[tuple[str, str]] = field(default_factory=list)

    def findings(self) -> list[Line]:
        """What is wrong."""
        found = [_line(REGISTRY, each) for each in self.registry.findings] if self.registry else []
        found += [_line(PRIVATE, each) for each in self.private.findings] if self.private else []
        return found + ([_line(LEDGER, each) for each in self.ledger.findings] if self.ledger else [])

    def notes(self) -> list[Line]:
        """What is worth knowing."""
        found = [_line(PRIVATE, each) for each in self.private.notes] if self.private else []
        return found + ([_line(LEDGER, each) for each in self.ledger.notes] if self.ledger else [])

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 a part could not be carried out."""
        if self.failed:
            return ERROR
        return FAILED if self.findings() else DONE


def add_commands(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands, "audit", _audit, "audit the home: registry, private state, ledger against log"
    )
    command.add_argument(
        "--trust", type=Path, help="a trust root that vouches for the registry's keys", metavar="FILE"
    )
    command.add_argument("--json", action="store_true", help="print the report as one JSON document")


def _audit(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    try:
        trust = read_trust(arguments.trust) if arguments.trust else None
    except VerificationError as error:
        print(f"issuer: {error}", file=sys.stderr)
        return ERROR
    progress = _Progress()
    try:
        found = _run(service, trust, progress)
    finally:
        progress.clear()
    if arguments.json:
        sys.stdout.buffer.write(format_json(_members(service, found)) + b"\n")
        sys.stdout.flush()
    else:
        _print(service, found)
    return found.exit_code


def _run(service: Service, trust: TrustRoot | None, progress: "_Progress") -> Audit:
    """Each part, whatever becomes of the others."""
    found = Audit()

    def part(name: str, run: Callable[[], T]) -> T | None:
        try:
            return run()
        except (ServiceError, VerificationError) as error:
            found.failed.append((name, str(error)))
            return None

    registry = StoreRegistry(service.public)
    found.registry = part(REGISTRY, lambda: audit(registry, trust, None, progress))
    found.private = part(PRIVATE, lambda: service.auditor.run(progress))
    found.ledger = part(LEDGER, service.reconciler.run)
    return found


def _print(service: Service, found: Audit) -> None:
    findings, notes = found.findings(), found.notes()
    title = (
        "COULD NOT CHECK"
        if found.failed
        else f"{len(findings)} FINDING{'S' if len(findings) > 1 else ''}"
        if findings
        else "CLEAN"
    )
    print(f"{title}: audit of {service.origin}")
    if found.registry:
        newest, objects, length = found.registry.newest, found.registry.objects, found.registry.length
        where = f"checkpoint {newest.sequence}, {newest.head.size} leaves"
        print(f"registry   {where}; {objects} objects, {length} bytes")
    if found.private:
        counts = f"{found.private.objects} objects, {found.private.length} bytes"
        print(f"private    {found.private.rounds} rounds; {counts}")
    if found.ledger:
        books = found.ledger
        print(f"ledger     {books.debits} debits, {books.waiting} waiting leaves, {books.kits} kits verified")
    for part, why in found.failed:
        print(f"NOT DONE   {part}: {printable(why)}")
    for kind, lines in (("note", notes), ("FINDING", findings)):
        for line in lines:
            print(f"{kind:10} {line.part}: {line.reason} {printable(line.object)}: {printable(line.detail)}")
    print(f"result     {len(findings)} findings, {len(notes)} notes")


def _members(service: Service, found: Audit) -> Members:
    newest = found.registry.newest if found.registry else None
    findings: list[Json] = [line.members() for line in found.findings()]
    notes: list[Json] = [line.members() for line in found.notes()]
    failed: list[Json] = [{"part": part, "detail": _text(why)} for part, why in found.failed]
    return {
        "schema": "attestlayer/operator-audit/1",
        "clean": not findings and not failed,
        "exit_code": found.exit_code,
        "origin": service.origin,
        "sequence": newest.sequence if newest else None,
        "tree_size": newest.head.size if newest else None,
        **_counts(found),
        "findings": findings,
        "notes": notes,
        "failed": failed,
    }


def _counts(found: Audit) -> dict[str, Json]:
    counts: dict[str, Json] = dict.fromkeys((REGISTRY, PRIVATE, LEDGER))
    if registry := found.registry:
        counts[REGISTRY] = {"objects": registry.objects, "bytes": registry.length}
    if private := found.private:
        read: Members = {"objects": private.objects, "bytes": private.length}
        counts[PRIVATE] = {"rounds": private.rounds, **read}
    if books := found.ledger:
        counts[LEDGER] = {"debits": books.debits, "waiting": books.waiting, "kits": books.kits}
    return counts


class _Progress:
    """One line on a terminal, rewritten; nothing anywhere else."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        self._write(f"\r\x1b[K{what}: {done} of {total}")

    def clear(self) -> None:
        """Take the line away."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._shows:
            print(text, end="", file=sys.stderr, flush=True)


def _line(part: str, finding: PublicFinding | PrivateFinding) -> Line:
    return Line(part, finding.object, finding.reason.value, finding.detail)


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
