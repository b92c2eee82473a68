"""A packet's submitted records as local files: fetched once, examined one at a time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestlayer.encoding import shown
from issuer.errors import Code, Fault, ServiceError
from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy
from issuer.kits.names import record_object
from issuer.model import Packet, Record
from issuer.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """The records of `packet` as files in `folder`."""

    packet: Packet
    folder: Path

    def read(self, record: Record) -> bytes:
        """The bytes that were fetched for a record."""
        return self.path(record).read_bytes()

    def path(self, record: Record) -> Path:
        """Where a record's bytes are."""
        return self.folder / record.record_id

    def examine(self, policy: Policy) -> tuple[Examined, ...]:
        """Every record examined, in order of submission. Holds one record's bytes at a time."""
        return tuple(examine(policy, record, self.read(record)) for record in self.packet.records)


@contextmanager
def fetched_records(private: ObjectStore, packet: Packet, scratch: Path | None) -> Iterator[RecordFiles]:
    """Fetch all records into a folder below `scratch`, which is removed at the end.

    Raises WRONG_STATE naming those that were not uploaded.
    """
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=scratch) as folder:
        files = RecordFiles(packet, Path(folder))
        names = {record_object(packet.packet_id, record): record for record in packet.records}
        missing = private.fetch_many({name: files.path(record) for name, record in names.items()})
        if missing:
            raise _not_uploaded([names[name] for name in missing])
        yield files


def _not_uploaded(missing: list[Record]) -> ServiceError:
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
    return ServiceError(Code.WRONG_STATE, f"not uploaded yet: {names}", faults=faults)
