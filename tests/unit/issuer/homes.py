"""A home with every kind of private object, made once and copied, and the operator's audit of it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from issuer.audit.findings import AuditPorts
from issuer.log.store import LogPorts
from issuer.services.audit import Auditor, PrivateReport
from issuer.services.collect import Collector
from issuer.services.reconcile import Reconciler, Reconciliation
from support.log import ISSUER, HeldClock, TestLog, copy_home
from support.service import TestService

DAY = 86_400


LAST = 14
"""The newest round of a home."""


def make_home(folder: Path, more_rounds: int = 0) -> float:
    """Kits delivered, late, waiting; a packet being filled; collected tiles.

    Returns the clock's time.
    """
    service = TestService(TestLog(folder)).start(9)
    log = service.log
    first = service.packet(b"first\n", b"and second\n")
    service.issue(first, "first")
    service.round_and_deliver()
    late = service.packet(b"late\n")
    service.issue(late, "late")
    log.clock.time += 700
    service.round_and_deliver()
    service.round_and_deliver()  # the incident is public
    for _ in range(7 + more_rounds):
        log.clock.time += 240
        log.round(service.ports)
    log.clock.time += DAY
    for _ in range(3):
        log.round(service.ports)
    service.issue(service.packet(b"merged\n"), "merged")
    service.round()
    service.issue(service.packet(b"waiting\n"), "waiting")
    service.packet(b"open\n")
    Collector(service.ports.public, service.ports.private).run()
    return log.clock.time


@dataclass(frozen=True)
class Home:
    """A copy of a home, to be spoilt."""

    path: Path
    ports: LogPorts

    def __truediv__(self, name: str) -> Path:
        return self.path / "private" / name

    def names(self) -> list[str]:
        """Of all private objects."""
        root = self.path / "private"
        return sorted(str(each.relative_to(root)) for each in root.rglob("*") if each.is_file())

    def write(self, name: str, data: bytes) -> None:
        """Put other bytes in an object's place. Its file may be shared with other copies: it is replaced."""
        path = self / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def swap(self, one: str, other: str) -> None:
        """Each of two objects in the other's place."""
        data = (self / one).read_bytes()
        self.write(one, (self / other).read_bytes())
        self.write(other, data)

    def audit(self) -> PrivateReport:
        """The audit of private state."""
        return Auditor(AuditPorts(self.ports, {ISSUER.public.kid: ISSUER})).run()

    def reconcile(self) -> Reconciliation:
        """Ledger against log."""
        ports = self.ports
        return Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run()

    def words(self) -> set[tuple[str, str]]:
        """Objects and words of all findings."""
        found = {(each.object, each.reason.value) for each in self.audit().findings}
        return found | {(each.object, each.reason.value) for each in self.reconcile().findings}


def copied(made: Path, to: Path, time: float) -> Home:
    """A copy of a home."""
    if to.exists():
        shutil.rmtree(to)
    copy_home(made, to)
    return Home(to, TestLog(to, HeldClock(time)).ports())
