"""Notices by the operator: withdrawal of a kit. The next round publishes them (REG-1.0 section 9.3)."""

from dataclasses import dataclass, replace

from attestlayer.canonical import format_json
from attestlayer.encoding import format_hash, format_time, shown
from attestlayer.log.notices import NoticeType, WithdrawalReason
from issuer.errors import Code, ServiceError
from issuer.ledger.ledger import Ledger
from issuer.model import PacketState, QueuedNotice, Withdrawal
from issuer.ports import Clock


@dataclass(frozen=True)
class Notifier:
    """Queues the operator's notices; the same one again changes nothing."""

    ledger: Ledger
    clock: Clock

    def withdraw(self, workspace_id: str, kit_id: str, reason: str) -> QueuedNotice:
        """Withdraw a delivered kit, for a reason of REG-1.0 appendix A.4, and mark its packet.

        Raises INVALID_REQUEST for another reason, NOT_FOUND, WRONG_STATE before delivery or if the kit was
        withdrawn for another reason.
        """
        if reason not in set(WithdrawalReason):
            wanted = ", ".join(WithdrawalReason)
            raise ServiceError(Code.INVALID_REQUEST, f"found reason {shown(reason)}, wanted one of {wanted}")
        packet = self.ledger.packet_of_kit(workspace_id, kit_id)
        if packet is None or packet.issued is None:
            raise ServiceError(Code.NOT_FOUND, f"this workspace issued no kit {shown(kit_id)}")
        # A notice is public and names the leaf: it must not come before the leaf itself.
        if packet.state != PacketState.ISSUED:
            raise ServiceError(
                Code.WRONG_STATE, "the kit is not delivered yet: its leaf is on its way into the log"
            )
        data = {"leaf_hash": format_hash(packet.issued.leaf_hash), "reason": reason}
        notice = QueuedNotice(NoticeType.KIT_WITHDRAWN.value, format_json(data))
        before = packet.withdrawal
        if before is not None and before.reason != reason:  # of two notices the first one would count
            raise ServiceError(
                Code.WRONG_STATE, f"the kit was withdrawn at {format_time(before.at)}: {before.reason}"
            )
        if before is None:
            withdrawal = Withdrawal(int(self.clock.now()), reason)
            marked = replace(packet, withdrawal=withdrawal, version=packet.version + 1)
            self.ledger.withdraw_kit(marked, notice)
        return notice
