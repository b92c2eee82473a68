"""Audit of the ledger by itself and beside head, of the queue of notices, of the keys at hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from attestlayer.log.notices import Notices, Role
from attestlayer.log.trust import Keyring
from issuer.audit.findings import LEDGER, Examiner, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import ServiceError, StoreError
from issuer.log.state import with_queued
from issuer.ports import Signer


@dataclass(frozen=True)
class BooksAudit:
    """Looks at ledger and keys. `noted`: the ledger's round, read before head was."""

    examiner: Examiner
    moment: Moment
    noted: int
    notices: Notices

    def run(self, keyring: Keyring) -> None:
        """Check all of it."""
        self._check_damage()
        self._check_noted()
        self._check_queue()
        ports = self.examiner.ports
        now = int(ports.log.clock.now())
        self._check_keys(Role.REGISTRY, keyring, ports.log.signers, now)
        self._check_keys(Role.ISSUER, keyring, ports.issuers, now)

    def _check_damage(self) -> None:
        try:
            found = self.examiner.ports.log.ledger.damage()
        except StoreError as error:
            found = (error.detail,)
        for sentence in found:
            self.examiner.find(LEDGER, PrivateReason.LEDGER_DAMAGED, sentence)

    def _check_noted(self) -> None:
        """Each round is noted before head names it, the next one once it is public."""
        head = self.moment.head
        if head is None:
            return
        if self.noted > head.sequence + 1:
            detail = f"it has seen round {self.noted}, head is at {head.sequence}: head came from a backup"
            self.examiner.find(LEDGER, PrivateReason.LEDGER_AHEAD, detail)
        now_noted = self.examiner.ports.log.ledger.noted_round()
        if now_noted < head.sequence:
            places = f"it knows rounds up to {now_noted}, head is at {head.sequence}"
            detail = f"{places}: it was lost or came from a backup"
            self.examiner.find(LEDGER, PrivateReason.LEDGER_BEHIND, detail)

    def _check_queue(self) -> None:
        """A queued notice that no round can publish stays there for ever."""
        at = self.moment.latest.timestamp + 1
        for queued in self.examiner.ports.log.ledger.queued_notices():
            try:
                with_queued(self.notices, at, queued)
            except ValueError as error:
                self.examiner.find(
                    LEDGER, PrivateReason.NOTICE_REFUSED, f"queued {queued.type} {queued.data!r}: {error}"
                )

    def _check_keys(self, role: Role, keyring: Keyring, held: Mapping[str, Signer], now: int) -> None:
        """Every key that signs now is at hand, and every key at hand is one that the notices name."""
        valid = [key.public.kid for key in keyring.keys_at(role, now)]
        try:
            at_hand = frozenset(held)
        except ServiceError as error:  # the rest of the audit needs no key
            self.examiner.find(
                f"{role.value} key", PrivateReason.KEY_MISSING, f"can't be opened: {error.detail}"
            )
            return
        for kid in valid:
            if kid not in at_hand:
                self.examiner.find(
                    f"{role.value} key {kid}",
                    PrivateReason.KEY_MISSING,
                    "the notices name it, it is not at hand",
                )
        if not valid:
            self.examiner.find(
                f"{role.value} key", PrivateReason.KEY_MISSING, "the notices name none that counts now"
            )
        for kid in at_hand:
            if keyring.key(role, kid) is None:
                detail = f"it is at hand, the notices of {keyring.origin} name no such {role.value} key"
                self.examiner.find(f"{role.value} key {kid}", PrivateReason.KEY_UNKNOWN, detail)
