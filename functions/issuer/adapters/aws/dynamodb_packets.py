"""Packets in a DynamoDB transaction: the packet, its place in the workspace's list, its kit."""

from issuer.adapters.aws.dynamodb_books import Books, read_books, write_books
from issuer.adapters.aws.dynamodb_items import Item, Value
from issuer.adapters.aws.dynamodb_keys import kit_of, packet_key, packet_of
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed
from issuer.adapters.rows import PACKETS
from issuer.errors import Code, ServiceError
from issuer.model import Packet, PacketState

OPEN_STATES = frozenset({PacketState.OPEN, PacketState.BLOCKED, PacketState.READY})


def create(work: Work, packet: Packet, open_limit: int) -> None:
    """Store a new packet. Raises PACKET_LIMIT, ALREADY_EXISTS."""
    if read_books(work, packet.workspace_id).open_packets >= open_limit:
        raise ServiceError(Code.PACKET_LIMIT, f"{open_limit} packets are open, which is the tier's limit")
    if work.get(packet_key(packet.packet_id)):
        raise ServiceError(Code.ALREADY_EXISTS, f"packet {packet.packet_id} exists")
    _put(work, packet, None)
    listed = packet_of(packet.workspace_id, packet.opened_at, packet.packet_id)
    work.put(listed, {"packet": packet.packet_id})


def replace(work: Work, packet: Packet, state: PacketState | None = None) -> None:
    """Store the next version, if the stored one is in `state` (None: any). Raises CHANGED_MEANWHILE."""
    stored = work.get(packet_key(packet.packet_id))
    before = packet.version - 1
    if (
        stored is None
        or stored.number("version") != before
        or (state is not None and stored.text("state") != state)
    ):
        wanted = f" {state}" if state else ""
        raise ServiceError(
            Code.CHANGED_MEANWHILE, f"packet {packet.packet_id}{wanted} is not stored in version {before}"
        )
    _put(work, packet, stored)


def _put(work: Work, packet: Packet, stored: Item | None) -> None:
    kit_id = packet.issued.kit_id if packet.issued else None
    attributes: dict[str, Value] = {
        "workspace": packet.workspace_id,
        "state": packet.state.value,
        "version": packet.version,
        "opened_at": packet.opened_at,
        **({"kit": kit_id} if kit_id else {}),
    }
    work.put(packet_key(packet.packet_id), attributes, packed(PACKETS.format(packet)))
    if kit_id and (stored is None or stored.text("kit") != kit_id):
        work.put(kit_of(packet.workspace_id, kit_id), {"packet": packet.packet_id})
    was_open = stored is not None and stored.text("state") in OPEN_STATES
    if change := (packet.state in OPEN_STATES) - was_open:
        books = read_books(work, packet.workspace_id)
        changed = Books(books.lines, books.open_packets + change, books.accounts)
        write_books(work, packet.workspace_id, changed)
