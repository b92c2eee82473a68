"""Names of objects in the private store."""

from issuer.model import Record

RECORDS, SEALED, KITS = "records/", "sealed/", "kits/"
"""Folders; what they hold ends as `issuer.kits.retention` says."""


def record_object(packet_id: str, record: Record) -> str:
    """A record's bytes."""
    return f"{RECORDS}{packet_id}/{record.record_id}"


def sealed_object(kit_digest: bytes) -> str:
    """A sealed kit, by its digest."""
    return f"{SEALED}{kit_digest.hex()}.zip"


def delivered_object(kit_id: str) -> str:
    """A delivered kit."""
    return f"{KITS}{kit_id}.zip"
