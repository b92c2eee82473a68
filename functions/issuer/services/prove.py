"""Consistency proofs between any two sizes up to the newest checkpoint's, computed from the public tiles."""

from dataclasses import dataclass

from attestlayer.encoding import Hash
from attestlayer.log.merkle import TreeHead, prove_consistency, root_hash
from issuer.errors import Code, LogHaltedError, ServiceError
from issuer.log import face
from issuer.log.publication import format_consistency
from issuer.ports import ObjectStore


@dataclass(frozen=True)
class Prover:
    """Answers for pairs of sizes that no round stored.

    Reads the public store alone, so it needs no secret.
    """

    public: ObjectStore

    def consistency(self, from_size: int, to_size: int) -> bytes:
        """The answer of REG-1.0 section 10.3, which never changes. Needs `from_size` ≤ `to_size`.

        Raises NOT_FOUND for a size beyond the log's, STORAGE_FAILED if tiles are missing or damaged.
        Cost: O(log² n) hashes from about O(log n) tiles.
        """
        latest = face.read_latest(self.public)
        if latest is None or to_size > latest.head.size:
            size = latest.head.size if latest else 0
            raise ServiceError(Code.NOT_FOUND, f"to_size {to_size} is beyond the log's size {size}")
        read = face.tree_reader(self.public, latest.head.size)
        try:
            old = TreeHead(from_size, Hash(root_hash(from_size, read)))
            new = TreeHead(to_size, Hash(root_hash(to_size, read)))
            # RFC 9162 section 2.1.4.1.
            return format_consistency(old, new, prove_consistency(from_size, to_size, read))
        except LogHaltedError as error:  # a reader's query fails and may be repeated; no log has to stop
            raise ServiceError(Code.STORAGE_FAILED, error.detail) from error
