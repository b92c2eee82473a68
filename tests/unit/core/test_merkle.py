"""Trees and proofs against published roots and a naive implementation of RFC 6962's definitions."""

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import Hash, sha256
from attestlayer.errors import Reason, VerificationError
from attestlayer.log.merkle import (
    EMPTY_ROOT,
    Edge,
    HashReader,
    Subtree,
    TreeHead,
    _subtrees,
    check_consistency,
    check_inclusion,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_hash,
    root_of,
)
from support.build import hash_reader
from support.foreign import RFC_6962_LEAVES, RFC_6962_ROOTS

LARGEST = 130
ENTRIES = [b"entry %d" % n for n in range(LARGEST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


# RFC 6962 section 2.1, word for word and from entries: slow, and independent of the code under test.


@cache
def naive_root(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    if start == end:
        return hashlib.sha256().digest()
    if end - start == 1:
        return hashlib.sha256(b"\0" + ENTRIES[start]).digest()
    k = largest_power_below(end - start)
    return hashlib.sha256(b"\1" + naive_root(start, start + k) + naive_root(start + k, end)).digest()


def naive_path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end])."""
    if end - start == 1:
        return []
    k = largest_power_below(end - start)
    if m < k:
        return [*naive_path(m, start, start + k), naive_root(start + k, end)]
    return [*naive_path(m - k, start + k, end), naive_root(start, start + k)]


def naive_proof(m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], whole)."""
    n = end - start
    if m == n:
        return [] if whole else [naive_root(start, end)]
    k = largest_power_below(n)
    if m <= k:
        return [*naive_proof(m, start, start + k, whole=whole), naive_root(start + k, end)]
    return [*naive_proof(m - k, start + k, end, whole=False), naive_root(start, start + k)]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def head(size: int) -> TreeHead:
    return TreeHead(size, Hash(naive_root(0, size)))


def inclusion_holds(leaf: bytes, index: int, tree: TreeHead, path: list[Hash]) -> bool:
    try:
        check_inclusion(Hash(leaf), index, tree, path)
    except VerificationError as error:
        assert error.reason == Reason.INCLUSION_PROOF_INVALID
        return False
    return True


def consistency_holds(old: TreeHead, new: TreeHead, path: list[Hash]) -> bool:
    try:
        check_consistency(old, new, path)
    except VerificationError as error:
        assert error.reason == Reason.CHECKPOINT_CONFLICT
        return False
    return True


def mutations(path: list[Hash]) -> list[list[Hash]]:
    """Every hash left out, doubled, flipped or swapped with the next; one more at each end."""
    other = sha256(b"no node")
    found = [[other, *path], [*path, other]]
    for n, value in enumerate(path):
        found.append(path[:n] + path[n + 1 :])
        found.append([*path[: n + 1], value, *path[n + 1 :]])
        found.append([*path[:n], Hash(bytes([value[0] ^ 1]) + value[1:]), *path[n + 1 :]])
        if n + 1 < len(path) and path[n + 1] != value:
            found.append([*path[:n], path[n + 1], value, *path[n + 2 :]])
    return found


@pytest.mark.parametrize("size", range(len(RFC_6962_ROOTS)))
def test_roots_are_those_of_certificate_transparencys_tests(size: int) -> None:
    leaves = [leaf_hash(data) for data in RFC_6962_LEAVES[:size]]
    assert root_of(leaves) == RFC_6962_ROOTS[size]
    assert root_hash(size, hash_reader(leaves)) == RFC_6962_ROOTS[size]


def edge_of(size: int, read: HashReader) -> Edge:
    """The right edge of a tree of `size` leaves, read from its subtrees."""
    return Edge(size, [read(level, index) for level, index in _subtrees(0, size)])


def test_paths_are_those_of_certificate_transparencys_tests() -> None:
    # The audit path of leaf 5 of 8 (counted from 0), from the same tests.
    leaves = [leaf_hash(data) for data in RFC_6962_LEAVES]
    wanted = (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )
    assert tuple(value.hex() for value in prove_inclusion(5, 8, hash_reader(leaves))) == wanted


def test_consistency_proofs_are_those_of_certificate_transparencys_tests() -> None:
    # From size 6 to size 8, from the same tests.
    leaves = [leaf_hash(data) for data in RFC_6962_LEAVES]
    wanted = (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )
    assert tuple(value.hex() for value in prove_consistency(6, 8, hash_reader(leaves))) == wanted


def test_every_root_edge_and_inclusion_proof_is_the_naive_one() -> None:
    edge = Edge()
    for size in range(1, LARGEST + 1):
        edge.append(LEAVES[size - 1])
        read = hash_reader(LEAVES[:size])
        assert edge.head() == head(size) == TreeHead(size, root_hash(size, read))
        assert edge_of(size, read).hashes == edge.hashes
        for index in {0, 1, size // 2, size - 1} & set(range(size)) if size % 16 else range(size):
            path = prove_inclusion(index, size, read)
            assert list(path) == naive_path(index, 0, size)
            check_inclusion(LEAVES[index], index, head(size), path)


def test_a_subtree_in_memory_has_the_same_root_and_paths() -> None:
    for size in range(LARGEST + 1):
        subtree = Subtree(LEAVES[:size])
        assert subtree.root == head(size).root
        for index in range(size):
            assert subtree.path(index) == naive_path(index, 0, size)


def test_every_inclusion_proof_is_taken_by_the_checker() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            assert inclusion_holds(LEAVES[index], index, head(size), naive_path(index, 0, size))  # type: ignore[arg-type]


def test_every_consistency_proof_is_taken_by_the_checker() -> None:
    for new in range(LARGEST + 1):
        for old in range(new + 1):
            path = naive_proof(old, 0, new, whole=True) if old else []
            assert consistency_holds(head(old), head(new), path)  # type: ignore[arg-type]


@pytest.mark.parametrize("new", [*range(40), 63, 64, 65, 100, 127, 128, 129, 130])
def test_every_consistency_proof_is_the_naive_one(new: int) -> None:
    read = hash_reader(LEAVES[:new])
    for old in range(new + 1):
        wanted = naive_proof(old, 0, new, whole=True) if old else []
        assert list(prove_consistency(old, new, read)) == wanted


@pytest.mark.parametrize("size", range(1, 34))
def test_no_mutated_inclusion_proof_holds(size: int) -> None:
    for index in range(size):
        path = [Hash(value) for value in naive_path(index, 0, size)]
        assert not any(inclusion_holds(LEAVES[index], index, head(size), bad) for bad in mutations(path))
        assert not any(
            inclusion_holds(LEAVES[index], i, head(size), path) for i in range(size + 2) if i != index
        )
        assert not inclusion_holds(sha256(b"x"), index, head(size), path)
        assert not inclusion_holds(LEAVES[index], index, TreeHead(size, EMPTY_ROOT), path)


@pytest.mark.parametrize("new", range(1, 34))
def test_no_mutated_consistency_proof_holds(new: int) -> None:
    other = sha256(b"x")
    for old in range(new + 1):
        path = [Hash(value) for value in (naive_proof(old, 0, new, whole=True) if old else [])]
        assert not any(consistency_holds(head(old), head(new), bad) for bad in mutations(path))
        assert not consistency_holds(TreeHead(old, other), head(new), path)
        if old:
            assert not consistency_holds(head(old), TreeHead(new, other), path)
        if old < new:
            assert not consistency_holds(head(new), head(old), path)


def test_the_naive_leaf_hash_is_no_node_hash() -> None:
    """An entry made of two hashes is not taken for the node above them (RFC 6962 section 2.1)."""
    entry = LEAVES[0] + LEAVES[1]
    assert leaf_hash(entry) != root_of(LEAVES[:2])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_no_inclusion_proof_for_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        prove_inclusion(index, size, hash_reader(LEAVES))


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 3)])
def test_no_consistency_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        prove_consistency(old, new, hash_reader(LEAVES))


def test_an_edge_has_a_hash_for_each_bit_of_its_size() -> None:
    with pytest.raises(ValueError, match="has 2 hashes, found 1"):
        Edge(3, [LEAVES[0]])


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_an_edge_goes_on_where_it_was_stored(first: int, second: int) -> None:
    old, new = sorted((first, second))
    edge = edge_of(old, hash_reader(LEAVES[:old]))
    for leaf in LEAVES[old:new]:
        edge.append(leaf)
    assert edge.head() == head(new)


def test_a_path_as_long_as_a_receipt_allows_ends() -> None:
    size = 2**53 - 1
    tree = TreeHead(size, EMPTY_ROOT)
    assert not inclusion_holds(LEAVES[0], size - 1, tree, [LEAVES[1]] * 53)
