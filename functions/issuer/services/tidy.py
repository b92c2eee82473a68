"""Deletes private objects that nothing needs any more: of rounds that are over, and what retention ends.

A round deletes the batch before it by its name. What is left is of writers that lost a race or died in
between; to find it the store is listed, which a round never does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from issuer.kits.names import KITS, RECORDS, SEALED, sealed_object
from issuer.kits.terms import KITS_KEPT, RECORDS_KEPT
from issuer.ledger.ledger import Ledger
from issuer.log import face
from issuer.log.state import BATCHES
from issuer.ports import Clock, ObjectStore

_NAME = re.compile(rf"{BATCHES}([0-9]+)-[0-9a-f]{{64}}")
_EVER = 1 << 52
"""Later than any time, in POSIX seconds."""


@dataclass(frozen=True)
class Tidier:
    """Tidies the private store. Any number may run at once, beside the log's writers."""

    public: ObjectStore
    private: ObjectStore
    ledger: Ledger
    clock: Clock

    def run(self) -> int:
        """The number of objects deleted. Raises `LogHaltedError` if the public face can't be read."""
        latest = face.read_latest(self.public)
        superseded = self._superseded(latest.sequence) if latest else ()
        names = (*superseded, *self._expired())
        for name in names:
            self.private.delete(name)
        return len(names)

    def _superseded(self, public: int) -> Iterator[str]:
        """Batches once a later round is public."""
        for name in self.private.list(BATCHES):
            match = _NAME.fullmatch(name)
            if match and int(match[1]) < public:
                yield name

    def _expired(self) -> Iterator[str]:
        """Records and kits by their age; a sealed kit stays while its leaf waits for delivery.

        A kit is accepted within a minute of its sealing or never: what is this old and does not wait was
        delivered, or is of a try that was dropped.
        """
        now = self.clock.now()
        yield from self.private.list(RECORDS, RECORDS_KEPT.end(now))
        yield from self.private.list(KITS, KITS_KEPT.end(now))
        if sealed := tuple(self.private.list(SEALED, KITS_KEPT.end(now))):
            leaves = self.ledger.waiting_leaves(_EVER, _EVER)
            waiting = {sealed_object(leaf.kit_digest) for leaf in leaves}
            yield from (name for name in sealed if name not in waiting)
