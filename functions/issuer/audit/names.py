"""Audit of object names: every private object has a purpose, and one named by a hash has that hash."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from issuer.audit.findings import Inspection, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import LogHaltedError, StoreError
from issuer.kits.names import RECORD_OBJECT, SEALED_OBJECT
from issuer.log.cause import CAUSES, parse_cause
from issuer.log.collected import COLLECTED
from issuer.log.state import BATCHES, HEAD, SIGNED

_SINGLE = frozenset({HEAD, COLLECTED, "indexed"})
_NUMBER = r"(0|[1-9][0-9]*)"
_BATCH = re.compile(rf"{BATCHES}{_NUMBER}-([0-9a-f]{{64}})")
_ROUND = re.compile(rf"({SIGNED}|{CAUSES}){_NUMBER}")
_KIT = re.compile(r"kits/kit_[0-9A-Z]+\.zip")
_PROBE = re.compile(r"probe/[0-9a-f]{32}")  # of an `init` or `serve` that was killed


@dataclass(frozen=True)
class NamesAudit:
    """Judges each name in the private store. `named`: records and sealed kits that packets refer to."""

    inspection: Inspection
    moment: Moment
    named: set[str]

    def run(self, names: Iterable[str]) -> None:
        """Check each name, except of delivered kits: those `issuer reconcile` checks against the packets."""
        for name in names:
            if name not in _SINGLE and name not in self.named and not _KIT.fullmatch(name):
                self._judge(name)

    def _judge(self, name: str) -> None:
        if match := _BATCH.fullmatch(name):
            self._judge_batch(name, int(match[1]), bytes.fromhex(match[2]))
        elif match := _ROUND.fullmatch(name):
            self._judge_round(name, int(match[2]))
        elif _PROBE.fullmatch(name):
            return
        elif match := SEALED_OBJECT.fullmatch(name):
            self._judge_digest(
                name, bytes.fromhex(match[1])
            )  # that it is an orphan, `issuer reconcile` reports
        elif RECORD_OBJECT.fullmatch(name):
            self.inspection.find(name, PrivateReason.ORPHAN, "no packet of the ledger has this record")
        else:
            self.inspection.find(name, PrivateReason.STRAY, "no private object has this name")

    def _judge_round(self, name: str, sequence: int) -> None:
        """A round's number must not be in the future.

        Of `signed/` objects `RoundsAudit` checks the content.
        """
        if sequence > self.moment.last:
            self.inspection.find(name, PrivateReason.STRAY, f"the newest round is {self.moment.last}")
        elif name.startswith(CAUSES) and (data := self.inspection.need(name)) is not None:
            try:
                parse_cause(data, name)
            except LogHaltedError as error:
                self.inspection.find(name, PrivateReason.MALFORMED, error)

    def _judge_batch(self, name: str, sequence: int, digest: bytes) -> None:
        # Head's own batch is `HeadAudit`'s. Of the others some are normal: the public round's batch while the
        # next round is open, and the batches of writers that are at work, died or lost a race.
        head = self.moment.head
        if head and name == head.batch:
            return
        self._judge_digest(name, digest)
        if sequence < self.moment.latest.sequence:
            self.inspection.find(
                name, PrivateReason.SUPERSEDED, "a later round is public: `issuer collect` deletes it"
            )
        elif self.moment.is_open and sequence == self.moment.latest.sequence:
            return  # the public round's: kept until the open one is public
        elif sequence <= self.moment.last + 1:
            self.inspection.find(
                name, PrivateReason.UNCOMMITTED, "of a writer that is at work, died, or lost the round"
            )
        else:
            self.inspection.find(name, PrivateReason.STRAY, f"the newest round is {self.moment.last}")

    def _judge_digest(self, name: str, digest: bytes) -> None:
        """An object that nothing refers to must match its name.

        It may have been deleted since it was listed.
        """
        try:
            data = self.inspection.private.read(name)
        except StoreError as error:
            self.inspection.find(name, PrivateReason.UNREADABLE, error.detail)
            return
        if data is not None:
            self.inspection.count(len(data))
            self.inspection.hashes(name, data, digest)
