"""The operator's audit of private state: head, batches, rounds, promises, packets' objects, ledger, keys.

What is public is audited by the core (`attestlayer.audit`), ledger against log by `reconcile`. Reads only;
it may run beside the service: a finding counts only if a second look finds it too.
"""

from dataclasses import dataclass

from issuer.audit.books import BooksAudit
from issuer.audit.derived import DerivedAudit
from issuer.audit.findings import NOTES, AuditPorts, Examiner, Finding, Progress, look_twice
from issuer.audit.head import HeadAudit, Moment, read_moment
from issuer.audit.names import NamesAudit
from issuer.audit.packets import PacketsAudit
from issuer.audit.rounds import RoundsAudit
from issuer.log import face


@dataclass(frozen=True, slots=True)
class PrivateReport:
    """What was looked at, what is wrong, what is only worth knowing."""

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
    """Audits private state. Reads every private object but delivered kits, and lists the private store.

    Memory: 16 bytes a round, and the private store's names.
    """

    ports: AuditPorts

    def run(self, progress: Progress = _silent) -> PrivateReport:
        """Audit everything.

        Raises `LogHaltedError` if the public face can't be read, `StoreError` if a store can't.
        """
        (examiner, moment), findings = look_twice(lambda: self._look(progress), NOTES)
        unique = tuple(dict.fromkeys(findings))
        return PrivateReport(
            sequence=moment.latest.sequence,
            rounds=moment.last + 1,
            objects=examiner.objects,
            length=examiner.length,
            findings=tuple(each for each in unique if each.reason not in NOTES),
            notes=tuple(each for each in unique if each.reason in NOTES),
        )

    def _look(self, progress: Progress) -> tuple[tuple[Examiner, Moment], list[Finding]]:
        """Names first, then the ledger's round, then head: what comes to be meanwhile is nobody's stray."""
        examiner = Examiner(self.ports, progress)
        names = tuple(self.ports.log.private.list(""))
        noted = self.ports.log.ledger.noted_round()
        moment = read_moment(examiner)
        trust = face.read_trust_root(self.ports.log.public)
        HeadAudit(examiner, moment).run()
        chain = RoundsAudit(examiner, moment, trust.keyring).run()
        DerivedAudit(examiner, moment, chain).run()
        named = PacketsAudit(examiner).run()
        NamesAudit(examiner, moment, named).run(names)
        BooksAudit(examiner, moment, noted, trust.notices).run(trust.keyring)
        return (examiner, moment), examiner.findings
