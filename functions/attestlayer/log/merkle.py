"""Merkle trees as RFC 6962 defines them: hashes, roots, inclusion and consistency proofs.

A tree of `size` leaves is read through a `HashReader`: the hash of the complete subtree of 2^level
leaves that starts at leaf index·2^level. Proof checks follow RFC 9162, whose tree is the same.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from attestlayer.encoding import Hash, sha256
from attestlayer.errors import Reason, VerificationError

HashReader = Callable[[int, int], Hash]
"""(level, index) → hash of a complete subtree."""

EMPTY_ROOT = sha256(b"")
"""RFC 6962 section 2.1: the hash of an empty list."""


def leaf_hash(entry: bytes) -> Hash:
    """RFC 6962 section 2.1: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> Hash:
    """RFC 6962 section 2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right)


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree's size in leaves and its root hash."""

    size: int
    root: Hash


class Edge:
    """The right edge of a tree: the roots of its complete subtrees, largest first.

    Enough to append leaves and know the root: at most 53 hashes, whatever the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[Hash] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        # A tree of `size` leaves has one complete subtree for each one bit of `size` (RFC 6962 section 2.1).
        subtrees = bin(size).count("1")
        if len(self.hashes) != subtrees:
            raise ValueError(
                f"the edge of a tree of size {size} has {subtrees} hashes, found {len(self.hashes)}"
            )

    def append(self, leaf: Hash) -> None:
        """Append one leaf hash. Amortised O(1)."""
        self.hashes.append(leaf)
        size = self.size
        while size & 1:  # each trailing one bit is a complete subtree that gets its sibling now
            right = self.hashes.pop()
            self.hashes.append(node_hash(self.hashes.pop(), right))
            size >>= 1
        self.size += 1

    def head(self) -> TreeHead:
        """Size and root of the tree so far."""
        return TreeHead(self.size, _fold(self.hashes))


class Subtree:
    """A whole small tree in memory: its root and the audit paths of all its leaves. O(n) hashes, made once.

    Level by level, the last node without a sibling goes up as it is: the tree of RFC 6962 section 2.1.
    """

    def __init__(self, leaves: Sequence[Hash]) -> None:
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(*pair) for pair in pairs] + below[len(below) & ~1 :])

    @property
    def root(self) -> Hash:
        """The root hash of all leaves."""
        return self._levels[-1][0] if self._levels[-1] else EMPTY_ROOT

    def path(self, index: int) -> list[Hash]:
        """The audit path of leaf `index`, leaf to root."""
        siblings = ((level, (index >> height) ^ 1) for height, level in enumerate(self._levels))
        return [level[at] for level, at in siblings if at < len(level)]


def root_of(leaves: Iterable[Hash]) -> Hash:
    """The root over these leaf hashes. O(n) time, O(log n) memory."""
    edge = Edge()
    for leaf in leaves:
        edge.append(leaf)
    return edge.head().root


def root_hash(size: int, read: HashReader) -> Hash:
    """The root of a tree of `size` leaves, in O(log size) reads."""
    return _range_hash(0, size, read)


def prove_inclusion(index: int, size: int, read: HashReader) -> tuple[Hash, ...]:
    """The audit path of leaf `index` in a tree of `size` (RFC 6962 section 2.1.1), leaf to root."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of size {size}")
    path, start, end = [], 0, size
    # PATH(m, D[n]) of RFC 6962, iteratively: descend to the leaf and keep the sibling of each subtree on the
    # way, which is why the list comes out root first and is reversed.
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(start, middle, read))
            start = middle
    return tuple(reversed(path))


def prove_consistency(old_size: int, new_size: int, read: HashReader) -> tuple[Hash, ...]:
    """The consistency proof between two sizes (RFC 6962 section 2.1.2); empty if `old_size` is 0 or equal."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no consistency proof leads from size {old_size} to size {new_size}")
    if old_size in {0, new_size}:
        return ()
    # SUBPROOF(m, D[n], b) of RFC 6962; `whole` is its b: the old tree is one subtree, whose root the checker
    # knows.
    path, start, end, whole = [], 0, new_size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(start, middle, read))
            start, whole = middle, False
    if not whole:  # the old tree's root is known to the checker only if it is a subtree by itself
        path.append(_range_hash(start, end, read))
    return tuple(reversed(path))


def check_inclusion(leaf: Hash, index: int, head: TreeHead, path: Sequence[Hash]) -> None:
    """Check an audit path (RFC 9162 section 2.1.3.2). Raises `VerificationError`."""
    failure = VerificationError(
        Reason.INCLUSION_PROOF_INVALID,
        f"the audit path does not lead from leaf {index} to the root of size {head.size}",
    )
    if index >= head.size:  # step 1
        raise failure
    fn, sn, r = index, head.size - 1, leaf  # steps 2, 3
    for p in path:  # step 4
        if sn == 0:
            raise failure
        if fn & 1 or fn == sn:
            # p is the left sibling: of a right child, or of the last node of a level, which may have skipped
            # levels.
            r = node_hash(p, r)
            fn, sn = _shift_to_sibling(fn, sn)
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or r != head.root:  # step 5
        raise failure


def check_consistency(old: TreeHead, new: TreeHead, path: Sequence[Hash]) -> None:
    """Check a consistency proof (RFC 9162 section 2.1.4.2). Raises `VerificationError`.

    Size 0 is consistent with every size and equal sizes with equal roots, by an empty proof.
    """
    if old.size == new.size:
        consistent = not path and old.root == new.root and (old.size > 0 or old.root == EMPTY_ROOT)
    elif old.size == 0:
        consistent = not path and old.root == EMPTY_ROOT
    else:
        consistent = old.size < new.size and _leads_to_both(old, new, path)
    if not consistent:
        raise VerificationError(
            Reason.CHECKPOINT_CONFLICT,
            f"the tree of size {new.size} is not shown to extend the tree of size {old.size}",
        )


def _leads_to_both(old: TreeHead, new: TreeHead, path: Sequence[Hash]) -> bool:
    """RFC 9162 section 2.1.4.2, for 0 < old size < new size."""
    if not path:  # step 1
        return False
    # A tree of 2^k leaves is a subtree of the new one, so that the proof leaves its root out.
    proof = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)  # step 2
    fn, sn = old.size - 1, new.size - 1  # step 3
    while fn & 1:  # step 4
        fn, sn = fn >> 1, sn >> 1
    # fr grows into the old root, sr into the new one: one pass shows that both share these subtrees.
    fr = sr = proof[0]  # step 5
    for c in proof[1:]:  # step 6
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            fn, sn = _shift_to_sibling(fn, sn)
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old.root and sr == new.root  # step 7


def _shift_to_sibling(fn: int, sn: int) -> tuple[int, int]:
    """Skip the levels at which the node is a right edge without a sibling."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(n: int) -> int:
    """The largest power of two smaller than `n` (RFC 6962 section 2.1)."""
    return 1 << ((n - 1).bit_length() - 1)


def _subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees (level, index) that make up [start, end), largest first.

    `start` is a multiple of every power of two up to end − start, as all ranges of RFC 6962 are.
    """
    subtrees = []
    while start < end:
        level = (end - start).bit_length() - 1
        subtrees.append((level, start >> level))
        start += 1 << level
    return subtrees


def _range_hash(start: int, end: int, read: HashReader) -> Hash:
    return _fold([read(level, index) for level, index in _subtrees(start, end)])


def _fold(hashes: Sequence[Hash]) -> Hash:
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result
