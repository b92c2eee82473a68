"""Audit of what is stored: every name belongs to something, every name that is a hash tells the truth."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from issuer.audit.findings import Examiner, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import LogHaltedError, StoreError
from issuer.log.cause import CAUSES, parse_cause
from issuer.log.collected import COLLECTED
from issuer.log.state import BATCHES, HEAD, SIGNED

_SINGLE = frozenset({HEAD, COLLECTED, "indexed"})
_NUMBER = r"(0|[1-9][0-9]*)"
_BATCH = re.compile(rf"{BATCHES}{_NUMBER}-([0-9a-f]{{64}})")
_ROUND = re.compile(rf"({SIGNED}|{CAUSES}){_NUMBER}")
_SEALED = re.compile(r"sealed/([0-9a-f]{64})\.zip")
_KIT = re.compile(r"kits/kit_[0-9A-Z]+\.zip")
_RECORD = re.compile(r"records/pkt_[0-9A-Z]+/rec_[0-9A-Z]+")


@dataclass(frozen=True)
class NamesAudit:
    """Judges each name of the private store. `named`: records and sealed kits that packets speak of."""

    examiner: Examiner
    moment: Moment
    named: set[str]

    def run(self, names: Iterable[str]) -> None:
        """Check all. Kits are `issuer reconcile`'s: it knows which of them were handed over."""
        for name in names:
            if name not in _SINGLE and name not in self.named and not _KIT.fullmatch(name):
                self._judge(name)

    def _judge(self, name: str) -> None:
        if match := _BATCH.fullmatch(name):
            self._judge_batch(name, int(match[1]), bytes.fromhex(match[2]))
        elif match := _ROUND.fullmatch(name):
            self._judge_round(name, int(match[2]))
        elif match := _SEALED.fullmatch(name):
            self._judge_digest(name, bytes.fromhex(match[1]))  # `issuer reconcile` notes the orphan
        elif _RECORD.fullmatch(name):
            self.examiner.find(name, PrivateReason.ORPHAN, "no packet of the ledger has this record")
        else:
            self.examiner.find(name, PrivateReason.STRAY, "no private object has this name")

    def _judge_round(self, name: str, sequence: int) -> None:
        """A signed round's content has an audit of its own; what held a round up can only be read."""
        if sequence > self.moment.last:
            self.examiner.find(name, PrivateReason.STRAY, f"the newest round is {self.moment.last}")
        elif name.startswith(CAUSES) and (data := self.examiner.need(name)) is not None:
            try:
                parse_cause(data, name)
            except LogHaltedError as error:
                self.examiner.find(name, PrivateReason.MALFORMED, error)

    def _judge_batch(self, name: str, sequence: int, digest: bytes) -> None:
        head = self.moment.head
        if head and name == head.batch:
            return
        self._judge_digest(name, digest)
        if sequence < self.moment.latest.sequence:
            self.examiner.find(
                name, PrivateReason.SUPERSEDED, "a later round is public: `issuer collect` deletes it"
            )
        elif self.moment.is_open and sequence == self.moment.latest.sequence:
            return  # the public round's: kept until the open one is public
        elif sequence <= self.moment.last + 1:
            self.examiner.find(
                name, PrivateReason.UNCOMMITTED, "of a writer that is at work, died, or lost the round"
            )
        else:
            self.examiner.find(name, PrivateReason.STRAY, f"the newest round is {self.moment.last}")

    def _judge_digest(self, name: str, digest: bytes) -> None:
        """Nobody speaks of it, but its bytes are its name's; unless it is gone by now."""
        try:
            data = self.examiner.private.read(name)
        except StoreError as error:
            self.examiner.find(name, PrivateReason.UNREADABLE, error.detail)
            return
        if data is not None:
            self.examiner.count(len(data))
            self.examiner.hashes(name, data, digest)
