"""Deletes private objects of rounds that are over: batches that nothing needs any more.

A round deletes the one before it by its name. What is left is of writers that lost a race or died in
between; to find it the store is listed, which a round never does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from issuer.log import face
from issuer.log.state import BATCHES
from issuer.ports import ObjectStore

_NAME = re.compile(rf"{BATCHES}([0-9]+)-[0-9a-f]{{64}}")


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
        """Batches once a later round is public."""
        for name in self.private.list(BATCHES):
            match = _NAME.fullmatch(name)
            if match and int(match[1]) < public:
                yield name
