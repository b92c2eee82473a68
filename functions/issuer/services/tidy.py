"""Deletes private objects of rounds that are over: batches and promises that nothing needs any more.

A round deletes the ones before it by their names. What is left is of writers that lost a race or died in
between; to find it the store is listed, which a round never does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from issuer.log import face
from issuer.log.promise import PROMISES
from issuer.log.state import BATCHES
from issuer.ports import ObjectStore

_NAME = re.compile(rf"(?:{BATCHES}([0-9]+)-[0-9a-f]{{64}}|{PROMISES}([0-9]+))")


@dataclass(frozen=True)
class Tidier:
    """Tidies the private store. Any number may run at once, beside the log's writers."""

    public: ObjectStore
    private: ObjectStore

    def run(self) -> int:
        """The number of objects deleted. Raises `LogHaltedError` if the public face can't be read."""
        latest = face.read_latest(self.public)
        names = tuple(self._superseded(latest.sequence)) if latest else ()
        for name in names:
            self.private.delete(name)
        return len(names)

    def _superseded(self, public: int) -> Iterator[str]:
        """Batches once a later round is public; promises but for that round's and the one before."""
        for prefix in (BATCHES, PROMISES):
            for name in self.private.list(prefix):
                match = _NAME.fullmatch(name)
                if match and (int(match[1]) < public if match[1] else int(match[2]) < public - 1):
                    yield name
