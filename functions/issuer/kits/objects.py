"""Names of objects in the private store."""

from issuer.model import Record


def record_object(packet_id: str, record: Record) -> str:
    """A record's bytes."""
    return f"records/{packet_id}/{record.record_id}"


def sealed_object(kit_digest: bytes) -> str:
    """A sealed kit, by its digest."""
    return f"sealed/{kit_digest.hex()}.zip"


def delivered_object(kit_id: str) -> str:
    """A delivered kit."""
    return f"kits/{kit_id}.zip"
