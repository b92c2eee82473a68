"""Deletes what nothing needs any more: old batches, and data of packets whose retention has ended.

A round deletes the previous batch by its name. Batches of writers that lost a race or died in between remain;
to find those this service lists the store, which a round never does.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from issuer.errors import Code, ServiceError
from issuer.kits.names import (
    KITS,
    RECORD_OBJECT,
    RECORDS,
    SEALED,
    SEALED_OBJECT,
    delivered_object,
    record_object,
    sealed_object,
)
from issuer.kits.retention import due, objects_that_go
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.ledger.ledger import Ledger
from issuer.ledger.whole import all_packets
from issuer.log import face
from issuer.log.state import BATCHES
from issuer.model import OPEN_STATES, Packet
from issuer.ports import Clock, ObjectStore

SEALED_UNCLEAR_S = 3600
"""Seconds for which a sealed kit may yet be accepted: a minute from its sealing, and lost answers' delays."""

_NAME = re.compile(rf"{BATCHES}([0-9]+)-[0-9a-f]{{64}}")


@dataclass(frozen=True)
class Tidier:
    """Tidies the private store and the ledger. Any number may run at once, also while rounds are made."""

    public: ObjectStore
    private: ObjectStore
    ledger: Ledger
    clock: Clock

    def run(self) -> int:
        """Delete it. Returns how many objects.

        Raises `LogHaltedError` if the newest checkpoint can't be read. Afterwards nothing that was deleted is
        in the ledger's own files (`Table.purge`).
        """
        latest = face.read_latest(self.public)
        superseded = tuple(self._superseded(latest.sequence)) if latest else ()
        # Listed before the ledger is read: whatever is stored in between is not in the lists.
        unclear_since = self.clock.now() - SEALED_UNCLEAR_S
        sealed = frozenset(self.private.list(SEALED, unclear_since))
        records = tuple(self.private.list(RECORDS))
        ended = frozenset(self.private.list(RECORDS, RECORDS_KEPT.end(self.clock.now())))
        old_kits = set(self.private.list(KITS, KITS_KEPT.end(self.clock.now())))
        deleted = self._delete(superseded)
        for packet in all_packets(self.ledger):
            deleted += self._delete(self._end(packet))
            if packet.issued and packet.deleted_at is None:
                old_kits.discard(delivered_object(packet.issued.kit_id))  # it goes with its salts, or not yet
            elif packet.issued and (name := sealed_object(packet.issued.kit_digest)) in sealed:
                deleted += self._delete((name,))  # of a run that was killed before it deleted this
        deleted += self._delete(sorted(old_kits))
        deleted += self._delete(self._unnamed_sealed(sealed))
        deleted += self._delete(self._unneeded_records(records, ended))
        self.ledger.purge()
        return deleted

    def _superseded(self, public: int) -> Iterator[str]:
        """Batches of rounds before the public one: no publisher can still need them."""
        for name in self.private.list(BATCHES):
            # The public round's own batch stays: a publisher that stalled before the end of that round reads
            # it.
            match = _NAME.fullmatch(name)
            if match and int(match[1]) < public:
                yield name

    def _end(self, packet: Packet) -> tuple[str, ...]:
        """Take the data whose retention has ended out of the packet. Returns the objects that go with it.

        The ledger first: a kit whose salts the ledger could still derive must not be gone already.
        """
        after = due(packet, self.clock.now())
        if after is None:
            return ()
        try:
            self.ledger.replace_packet(after)
        except ServiceError as error:
            if error.code is Code.CHANGED_MEANWHILE:
                return ()  # somebody works on it: the next run looks again
            raise
        return objects_that_go(packet, after)

    def _unnamed_sealed(self, sealed: frozenset[str]) -> Iterator[str]:
        """Sealed kits of attempts that were not accepted: no packet, waiting leaf or claim names them."""
        digests = {bytes.fromhex(match[1]) for name in sealed if (match := SEALED_OBJECT.fullmatch(name))}
        unnamed = digests - self.ledger.naming(digests)
        yield from sorted(sealed_object(digest) for digest in unnamed)

    def _unneeded_records(self, records: tuple[str, ...], ended: frozenset[str]) -> Iterator[str]:
        """Records that no packet names, such as uploads for one taken out, and those past their days.

        One read a packet: names are in byte order, so that those of one packet come together.
        """
        for packet_id, group in groupby(records, key=_packet_of):
            packet = self.ledger.packet(packet_id) if packet_id else None
            named = {record_object(packet.packet_id, each) for each in packet.records} if packet else set()
            # An open packet's record goes with its names and hashes in the ledger, never before.
            over = ended if packet and packet.state not in OPEN_STATES else frozenset()
            yield from (name for name in group if packet_id and (name not in named or name in over))

    def _delete(self, names: Iterable[str]) -> int:
        """Delete the objects. Returns how many there were."""
        deleted = 0
        for name in names:
            self.private.delete(name)
            deleted += 1
        return deleted


def _packet_of(name: str) -> str | None:
    """The packet that a record's object belongs to; None for a name that no record has: it is left alone."""
    match = RECORD_OBJECT.fullmatch(name)
    return match[1] if match else None
