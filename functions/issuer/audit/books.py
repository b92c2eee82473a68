"""Audit of the ledger, alone and compared with head, of the queue of notices, and of the keys at hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from attestlayer.encoding import shown
from attestlayer.log.notices import Notices, Role
from attestlayer.log.trust import Keyring
from issuer.audit.findings import LEDGER, Inspection, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import ServiceError, StoreError
from issuer.log.notice_queue import Extension
from issuer.ports import Signer


@dataclass(frozen=True)
class BooksAudit:
    """Checks ledger and keys. `noted`: the ledger's round, read before head; `notices`: the public ones."""

    inspection: Inspection
    moment: Moment
    noted: int
    notices: Notices

    def run(self, keyring: Keyring) -> None:
        """Check the ledger's records, its round and its queue, then the keys of both roles as of now."""
        self._check_damage()
        self._check_noted()
        self._check_queue()
        ports = self.inspection.ports
        now = int(ports.log.clock.now())
        self._check_keys(Role.REGISTRY, keyring, ports.log.signers, now)
        self._check_keys(Role.ISSUER, keyring, ports.issuers, now)

    def _check_damage(self) -> None:
        try:
            sentences = self.inspection.ports.log.ledger.damage()
        except StoreError as error:  # damaged so badly that it can't be read
            sentences = (error.detail,)
        for sentence in sentences:
            self.inspection.find(LEDGER, PrivateReason.LEDGER_DAMAGED, sentence)

    def _check_noted(self) -> None:
        """A round is noted in the ledger before head names it, the next one only once it is public.

        Two reads, one on each side of head: rounds made meanwhile can raise the ledger's number, so the
        first can't be too large by accident and the second can't be too small.
        """
        head = self.moment.head
        if head is None:
            return
        if self.noted > head.sequence + 1:
            detail = f"it has seen round {self.noted}, head is at {head.sequence}: head came from a backup"
            self.inspection.find(LEDGER, PrivateReason.LEDGER_AHEAD, detail)
        now_noted = self.inspection.ports.log.ledger.noted_round()
        if now_noted < head.sequence:
            places = f"it knows rounds up to {now_noted}, head is at {head.sequence}"
            detail = f"{places}: it was lost or came from a backup"
            self.inspection.find(LEDGER, PrivateReason.LEDGER_BEHIND, detail)

    def _check_queue(self) -> None:
        """Every queued notice can be published: rounds skip an invalid one, which then stays in the queue."""
        # As the next round would date it: later than the newest checkpoint (REG-1.0 section 11, rule 8).
        at = self.moment.latest.timestamp + 1
        extension = Extension(self.notices, at)
        for queued in self.inspection.ports.log.ledger.queued_notices():
            try:
                extension.add(queued)
            except ValueError as error:
                self.inspection.find(
                    LEDGER,
                    PrivateReason.NOTICE_REFUSED,
                    f"queued {queued.type} {shown(queued.data)}: {error}",
                )

    def _check_keys(self, role: Role, keyring: Keyring, held: Mapping[str, Signer], now: int) -> None:
        """Each key that counts now (REG-1.0 section 9.4) is at hand; the notices name each key at hand."""
        valid = [key.public.kid for key in keyring.keys_at(role, now)]
        try:
            at_hand = frozenset(held)
        except ServiceError as error:  # no reason to stop: the rest of the audit needs no private key
            self.inspection.find(
                f"{role.value} key", PrivateReason.KEY_MISSING, f"can't be opened: {error.detail}"
            )
            return
        for kid in valid:
            if kid not in at_hand:
                self.inspection.find(
                    f"{role.value} key {kid}",
                    PrivateReason.KEY_MISSING,
                    "the notices name it, it is not at hand",
                )
        if not valid:
            self.inspection.find(
                f"{role.value} key", PrivateReason.KEY_MISSING, "the notices name none that counts now"
            )
        for kid in at_hand:
            if keyring.key(role, kid) is None:
                detail = f"it is at hand, the notices of {keyring.origin} name no such {role.value} key"
                self.inspection.find(f"{role.value} key {kid}", PrivateReason.KEY_UNKNOWN, detail)
