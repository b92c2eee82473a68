"""Notices by the operator: a kit is withdrawn or superseded, and any other. The next round publishes them.

REG-1.0 section 9.3.
"""

from dataclasses import dataclass, replace

from attestlayer.canonical import format_json, parse_json, take_members, take_string
from attestlayer.encoding import format_hash, format_time, shown
from attestlayer.log.note import parse_policy
from attestlayer.log.notices import NoticeType, WithdrawalReason
from issuer.errors import Code, ServiceError
from issuer.ledger.ledger import Ledger
from issuer.log.face import read_trust_root
from issuer.log.notice_queue import NoRoomError, check_room
from issuer.model import Packet, PacketState, QueuedNotice, Withdrawal
from issuer.ports import Clock, ObjectStore


@dataclass(frozen=True)
class Notifier:
    """Queues the operator's notices; the same one again changes nothing."""

    ledger: Ledger
    public: ObjectStore
    clock: Clock

    def queue(self, notice: QueuedNotice) -> None:
        """Queue a notice, if the next round can take it.

        Raises TOO_LARGE if it is past its share, INVALID_REQUEST if it is none, contradicts the notices
        before it, or is a witness policy whose quorum no cosignatures of type 0x04 can meet.
        """
        self._check(notice)
        self.ledger.queue_notice(notice)

    def _check(self, notice: QueuedNotice) -> None:
        _check_quorum(notice)
        notices, at = read_trust_root(self.public).notices, int(self.clock.now())
        try:
            check_room(notices, at, self.ledger.queued_notices(), notice)
        except NoRoomError as error:
            raise ServiceError(Code.TOO_LARGE, f"{notice.type}: {error}") from error
        except ValueError as error:
            raise ServiceError(Code.INVALID_REQUEST, f"{notice.type}: {error}") from error

    def supersede(self, workspace_id: str, kit_id: str, by: str) -> QueuedNotice:
        """Say in public that a delivered kit is superseded by another one of the workspace.

        Raises INVALID_REQUEST if both are one, NOT_FOUND, WRONG_STATE before delivery.
        """
        if kit_id == by:
            raise ServiceError(Code.INVALID_REQUEST, f"kit {shown(kit_id)} can't supersede itself")
        (_, old), (_, new) = self._delivered(workspace_id, kit_id), self._delivered(workspace_id, by)
        data = {"leaf_hash": format_hash(old), "by": format_hash(new)}
        notice = QueuedNotice(NoticeType.KIT_SUPERSEDED.value, format_json(data))
        self.queue(notice)
        return notice

    def withdraw(self, workspace_id: str, kit_id: str, reason: str) -> QueuedNotice:
        """Withdraw a delivered kit, for a reason of REG-1.0 appendix A.4, and mark its packet.

        Raises INVALID_REQUEST for another reason, NOT_FOUND, WRONG_STATE before delivery or if the kit was
        withdrawn for another reason.
        """
        if reason not in set(WithdrawalReason):
            wanted = ", ".join(WithdrawalReason)
            raise ServiceError(Code.INVALID_REQUEST, f"found reason {shown(reason)}, wanted one of {wanted}")
        packet, leaf_hash = self._delivered(workspace_id, kit_id)
        data = {"leaf_hash": format_hash(leaf_hash), "reason": reason}
        notice = QueuedNotice(NoticeType.KIT_WITHDRAWN.value, format_json(data))
        before = packet.withdrawal
        if before is not None and before.reason != reason:  # of two notices the first one would count
            raise ServiceError(
                Code.WRONG_STATE, f"the kit was withdrawn at {format_time(before.at)}: {before.reason}"
            )
        if before is None:
            self._check(notice)
            withdrawal = Withdrawal(int(self.clock.now()), reason)
            marked = replace(packet, withdrawal=withdrawal, version=packet.version + 1)
            self.ledger.withdraw_kit(marked, notice)
        return notice

    def _delivered(self, workspace_id: str, kit_id: str) -> tuple[Packet, bytes]:
        """The packet of a delivered kit, and its leaf hash."""
        packet = self.ledger.packet_of_kit(workspace_id, kit_id)
        if packet is None or packet.issued is None:
            raise ServiceError(Code.NOT_FOUND, f"this workspace issued no kit {shown(kit_id)}")
        # A notice is public and names the leaf: it must not come before the leaf itself.
        if packet.state != PacketState.ISSUED:
            raise ServiceError(
                Code.WRONG_STATE, "the kit is not delivered yet: its leaf is on its way into the log"
            )
        return packet, packet.issued.leaf_hash


def _check_quorum(notice: QueuedNotice) -> None:
    if notice.type != NoticeType.WITNESS_POLICY:
        return
    try:
        text = take_string(take_members(parse_json(notice.data)), "policy")
        policy = parse_policy(text)
    except (ValueError, KeyError) as error:
        raise ServiceError(Code.INVALID_REQUEST, f"{notice.type}: {error}") from error
    if not policy.can_be_met:
        raise ServiceError(
            Code.INVALID_REQUEST,
            f"{notice.type}: quorum {shown(policy.quorum)} can't be met by the witnesses whose keys are of "
            "type 0x04, the only ones that count: name more of them, or ask for fewer",
        )
