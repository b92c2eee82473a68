"""Packets: the packet itself, and the pointers to it from its workspace's list and from its kit."""

from issuer.errors import Code, ServiceError
from issuer.ledger.books import count_open_packets, read_books
from issuer.ledger.keys import kit_pointer, packet_key, packet_pointer
from issuer.ledger.rows import PACKETS, POINTERS
from issuer.ledger.work import Work
from issuer.model import OPEN_STATES, Packet, PacketState


def create(work: Work, packet: Packet, open_limit: int) -> None:
    """Store a new packet. Raises PACKET_LIMIT, ALREADY_EXISTS."""
    key = packet_key(packet.packet_id)
    if read_books(work, packet.workspace_id).open_packets >= open_limit:
        raise ServiceError(Code.PACKET_LIMIT, f"{open_limit} packets are open, which is the tier's limit")
    if work.get(PACKETS, key):
        raise ServiceError(Code.ALREADY_EXISTS, f"packet {packet.packet_id} exists")
    _put(work, packet, None)
    work.put(POINTERS, packet_pointer(packet), key)


def replace(work: Work, packet: Packet, state: PacketState | None = None) -> None:
    """Store the next version, if the stored one is in `state` (None: any). Raises CHANGED_MEANWHILE."""
    stored = work.get(PACKETS, packet_key(packet.packet_id))
    before = packet.version - 1
    if stored is None or stored.version != before or state not in (None, stored.state):
        wanted = f" {state}" if state else ""
        raise ServiceError(
            Code.CHANGED_MEANWHILE, f"packet {packet.packet_id}{wanted} is not stored in version {before}"
        )
    _put(work, packet, stored)


def kit_id_of(packet: Packet | None) -> str | None:
    """The kit that the packet was sealed as, or None."""
    return packet.issued.kit_id if packet and packet.issued else None


def _put(work: Work, packet: Packet, stored: Packet | None) -> None:
    key, kit_id = packet_key(packet.packet_id), kit_id_of(packet)
    work.put(PACKETS, key, packet)
    if kit_id and kit_id != kit_id_of(stored):
        work.put(POINTERS, kit_pointer(packet.workspace_id, kit_id), key)
    was_open = stored is not None and stored.state in OPEN_STATES
    if change := (packet.state in OPEN_STATES) - was_open:
        count_open_packets(work, packet.workspace_id, change)
