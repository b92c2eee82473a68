"""What a packet keeps once its records or its kit are deleted. Pure.

A manifest's salts are derived from the packet's seed. With seed, names and hashes kept, whoever reads the
ledger could test guesses at records that are gone (REG-1.0 section 15). So they go with the bytes.
"""

from dataclasses import replace

from issuer.kits.names import delivered_object, record_object, sealed_object
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.model import OPEN_STATES, Packet, PacketState, Record


def after_adding(packet: Packet, record: Record) -> Packet:
    """The packet's next version with one record more."""
    return replace(
        packet, records=(*packet.records, record), state=PacketState.OPEN, version=packet.version + 1
    )


def after_removing(packet: Packet, removed: frozenset[str]) -> Packet:
    """The packet's next version without the records with these ids.

    The reports of earlier attempts go as well: they name the records, and values that were read in them.
    """
    left = tuple(record for record in packet.records if record.record_id not in removed)
    return replace(_without_reports(packet), records=left, state=PacketState.OPEN, version=packet.version + 1)


def after_withdrawal(packet: Packet) -> Packet:
    """The next version of a packet that is given up: no kit will ever need its seed."""
    return replace(_emptied(packet), state=PacketState.WITHDRAWN)


def due(packet: Packet, now: float) -> Packet | None:
    """The packet's next version without the data whose retention has ended; None if none has.

    Records of a packet that was never issued end with `RECORDS_KEPT`, everything of a delivered kit with
    `KITS_KEPT`. A sealed kit whose leaf still waits keeps all.
    """
    if packet.state in OPEN_STATES:
        ended = {each.record_id for each in packet.records if each.submitted_at < RECORDS_KEPT.end(now)}
        return after_removing(packet, frozenset(ended)) if ended else None
    delivered_at = packet.delivered_at
    if packet.deleted_at is not None or delivered_at is None or delivered_at >= KITS_KEPT.end(now):
        return None
    return replace(_emptied(packet), deleted_at=int(now))


def objects_that_go(before: Packet, after: Packet) -> tuple[str, ...]:
    """The private objects that `before` names and `after`, a later version, does not."""
    kept = {record.record_id for record in after.records}
    names = [record_object(before.packet_id, each) for each in before.records if each.record_id not in kept]
    if before.issued and after.deleted_at is not None:
        names += [delivered_object(before.issued.kit_id), sealed_object(before.issued.kit_digest)]
    return tuple(names)


def _emptied(packet: Packet) -> Packet:
    return replace(_without_reports(packet), seed=b"", records=(), version=packet.version + 1)


def _without_reports(packet: Packet) -> Packet:
    return replace(packet, attempts=tuple(replace(each, report=None) for each in packet.attempts))
