"""Reads a packet's submitted records from the private store, one at a time, and examines them."""

from attestlayer.encoding import shown
from issuer.errors import Code, Fault, ServiceError
from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy
from issuer.kits.objects import record_object
from issuer.model import Packet, Record
from issuer.ports import ObjectStore


def check_uploaded(private: ObjectStore, packet: Packet) -> None:
    """Check that every announced record's bytes are there. Raises WRONG_STATE naming those that are not."""
    missing = [r for r in packet.records if not private.exists(record_object(packet.packet_id, r))]
    if missing:
        faults = tuple(
            Fault(
                pointer=f"/records/{record.record_id}",
                code="not-uploaded",
                detail=f"{shown(record.name)} was announced, its {record.size} bytes were not uploaded",
                fix="Upload the file, or delete the record.",
            )
            for record in missing
        )
        names = ", ".join(shown(record.name) for record in missing)
        raise ServiceError(Code.WRONG_STATE, f"not uploaded yet: {names}", faults=faults)


def examine_records(private: ObjectStore, packet: Packet, policy: Policy) -> tuple[Examined, ...]:
    """Every record examined, in order of submission. Holds one record's bytes at a time."""
    check_uploaded(private, packet)
    return tuple(examine(policy, record, read_record(private, packet, record)) for record in packet.records)


def read_record(private: ObjectStore, packet: Packet, record: Record) -> bytes:
    """A record's bytes. Raises WRONG_STATE if they are gone."""
    data = private.read(record_object(packet.packet_id, record))
    if data is None:
        raise ServiceError(Code.WRONG_STATE, f"the bytes of {shown(record.name)} are gone: upload it again")
    return data
