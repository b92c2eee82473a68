"""The operator's audit of private state: head, batches, rounds, promises, packets' objects, ledger, keys.

The core (`attestlayer.audit`) audits the public store, `reconcile` compares ledger and log. This audit only
reads and may run while the service works: a finding counts only if a second look confirms it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from attestlayer.errors import CouldNotCheckError, Reason
from issuer.audit.books import BooksAudit
from issuer.audit.derived import DerivedAudit
from issuer.audit.findings import NOTES, AuditPorts, Finding, Inspection, Progress, look_twice
from issuer.audit.head import HeadAudit, Moment, read_moment
from issuer.audit.names import NamesAudit
from issuer.audit.packets import PacketsAudit
from issuer.audit.rounds import RoundsAudit
from issuer.errors import StoreError
from issuer.log import face
from issuer.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class PrivateReport:
    """Result of the audit: how much was examined, findings, and notes, which break no promise.

    `sequence`: of the newest public checkpoint. `length`: bytes of the `objects` read.
    """

    sequence: int
    rounds: int
    objects: int
    length: int
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def _silent(what: str, done: int, total: int) -> None:
    del what, done, total


@dataclass(frozen=True)
class Auditor:
    """Audits private state. Reads every private object except delivered kits, and lists the private store.

    Memory: 16 bytes a round, and the names of all private objects.
    """

    ports: AuditPorts

    def run(self, progress: Progress = _silent) -> PrivateReport:
        """Audit everything.

        Raises `LogHaltedError` if the public face can't be read, `StoreError` if a store can't.
        """
        (inspection, moment), findings = look_twice(lambda: self._look(progress), NOTES)
        unique = tuple(dict.fromkeys(findings))
        return PrivateReport(
            sequence=moment.latest.sequence,
            rounds=moment.last + 1,
            objects=inspection.objects,
            length=inspection.length,
            findings=tuple(each for each in unique if each.reason not in NOTES),
            notes=tuple(each for each in unique if each.reason in NOTES),
        )

    def _look(self, progress: Progress) -> tuple[tuple[Inspection, Moment], list[Finding]]:
        """One pass over everything: names first, then the ledger's round, then head.

        In this order an object stored meanwhile is not listed, so it can't be mistaken for a stray one.
        """
        inspection = Inspection(self.ports, progress)
        names = tuple(self.ports.log.private.list(""))
        noted = self.ports.log.ledger.noted_round()
        moment = read_moment(inspection)
        trust = face.read_trust_root(self.ports.log.public)
        HeadAudit(inspection, moment).run()
        history = RoundsAudit(inspection, moment, trust.keyring).run()
        DerivedAudit(inspection, moment, history).run()
        named = PacketsAudit(inspection).run()
        NamesAudit(inspection, moment, named).run(names)
        BooksAudit(inspection, moment, noted, trust.notices).run(trust.keyring)
        return (inspection, moment), inspection.findings


@dataclass(frozen=True)
class StoreRegistry:
    """A `Registry` over the public store."""

    public: ObjectStore

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None. Raises `CouldNotCheckError`."""
        try:
            return self.public.read(name)
        except StoreError as error:
            raise CouldNotCheckError(Reason.INPUT_UNREADABLE, error.detail) from error

    def names(self) -> Iterator[str]:
        """The names of all objects, in byte order, for the search for stray ones."""
        return self.public.list("")
