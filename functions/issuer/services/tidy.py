"""Deletes private objects that nothing needs any more: old batches, records and kits past retention.

A round deletes the previous batch by its name. Batches of writers that lost a race or died in between remain;
to find those this service lists the store, which a round never does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from issuer.kits.names import KITS, RECORDS, SEALED, sealed_object
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.ledger.ledger import Ledger
from issuer.ledger.whole import all_waiting
from issuer.log import face
from issuer.log.state import BATCHES
from issuer.ports import Clock, ObjectStore

_NAME = re.compile(rf"{BATCHES}([0-9]+)-[0-9a-f]{{64}}")


@dataclass(frozen=True)
class Tidier:
    """Tidies the private store. Any number may run at once, also while rounds are made."""

    public: ObjectStore
    private: ObjectStore
    ledger: Ledger
    clock: Clock

    def run(self) -> int:
        """Delete them. Returns how many. Raises `LogHaltedError` if the newest checkpoint can't be read."""
        latest = face.read_latest(self.public)
        superseded = self._superseded(latest.sequence) if latest else ()
        names = (*superseded, *self._expired())
        for name in names:
            self.private.delete(name)
        return len(names)

    def _superseded(self, public: int) -> Iterator[str]:
        """Batches of rounds before the public one: no publisher can still need them."""
        for name in self.private.list(BATCHES):
            # The public round's own batch stays: a publisher that stalled before the end of that round reads
            # it.
            match = _NAME.fullmatch(name)
            if match and int(match[1]) < public:
                yield name

    def _expired(self) -> Iterator[str]:
        """Records and kits past their retention. A sealed kit stays as long as its leaf waits for delivery.

        A kit is accepted within a minute of its sealing or never. So an old one whose leaf does not wait was
        delivered, or belongs to an attempt that was not accepted.
        """
        now = self.clock.now()
        yield from self.private.list(RECORDS, RECORDS_KEPT.end(now))
        yield from self.private.list(KITS, KITS_KEPT.end(now))
        # Listed before the ledger is read: a kit delivered in between needs its sealed form no more.
        if sealed := tuple(self.private.list(SEALED, KITS_KEPT.end(now))):
            waiting = {sealed_object(leaf.kit_digest) for leaf in all_waiting(self.ledger)}
            yield from (name for name in sealed if name not in waiting)
