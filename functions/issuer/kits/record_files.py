"""A packet's submitted records as local files: fetched once, examined one at a time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from issuer.intake.budget import upload_mismatch
from issuer.intake.examine import Examined, examine_unread
from issuer.intake.policy import Policy
from issuer.kits.names import record_object
from issuer.model import Packet, Record
from issuer.ports import Examiner, ObjectStore


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """The records of `packet` as files in `folder`, except those (by id) that are `missing` in the store."""

    packet: Packet
    folder: Path
    missing: frozenset[str]

    def read(self, record: Record) -> bytes:
        """The bytes that were fetched for a record."""
        return self.path(record).read_bytes()

    def path(self, record: Record) -> Path:
        """Where a record's bytes are."""
        return self.folder / record.record_id

    def examine(self, policy: Policy, examiner: Examiner) -> tuple[Examined, ...]:
        """Every record examined, in order of submission; a missing one has failed the check `uploaded`."""
        files = [(one, self.path(one)) for one in self.packet.records if one.record_id not in self.missing]
        examined = iter(examiner.examine(policy, files))
        return tuple(
            examine_unread(policy, record, upload_mismatch(record))
            if record.record_id in self.missing
            else next(examined)
            for record in self.packet.records
        )


@contextmanager
def fetched_records(private: ObjectStore, packet: Packet, scratch: Path | None) -> Iterator[RecordFiles]:
    """Fetch all records into a folder below `scratch`, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=scratch) as folder:
        paths = {record_object(packet.packet_id, one): Path(folder, one.record_id) for one in packet.records}
        missing = private.fetch_many(paths)
        yield RecordFiles(packet, Path(folder), frozenset(paths[name].name for name in missing))
