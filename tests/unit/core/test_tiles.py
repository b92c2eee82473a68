"""Tiles and entry bundles (C2SP tlog-tiles): names, widths, contents, hashes read from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import Hash
from attestlayer.errors import FormatError
from attestlayer.log.merkle import leaf_hash, prove_inclusion, root_hash, root_of
from attestlayer.log.tiles import (
    MAX_ENTRY,
    WIDTH,
    Tile,
    edge_tiles,
    format_bundle,
    format_index,
    hash_reader,
    level_width,
    parse_bundle,
    parse_tile,
    tile_at,
)

ENTRIES = 70_000
LEAVES = [leaf_hash(b"entry %d" % n) for n in range(ENTRIES)]
FULL_1 = [root_of(LEAVES[n : n + 256]) for n in range(0, ENTRIES - 255, 256)]
FULL_2 = [root_of(FULL_1[n : n + 256]) for n in range(0, len(FULL_1) - 255, 256)]
LEVELS = (LEAVES, FULL_1, FULL_2)


def read_tile(tile: Tile) -> list[Hash]:
    found = LEVELS[tile.level][tile.index * WIDTH : tile.index * WIDTH + tile.width]
    assert len(found) == tile.width
    return found


@pytest.mark.parametrize(
    ("index", "text"),
    [
        # C2SP tlog-tiles: 1234067 is its own example; the others follow from its rule.
        (0, "000"),
        (1, "001"),
        (999, "999"),
        (1000, "x001/000"),
        (1234067, "x001/x234/067"),
        (1_000_000, "x001/x000/000"),
    ],
)
def test_an_index_is_written_in_groups_of_three_digits(index: int, text: str) -> None:
    assert format_index(index) == text


def test_paths_of_tiles_and_bundles() -> None:
    assert Tile(1, 1000).path == "tile/1/x001/000"
    assert Tile(0, 3, 5).path == "tile/0/003.p/5"
    assert Tile(0, 3, 5).bundle_path == "tile/entries/003.p/5"
    assert Tile(0, 3).bundle_path == "tile/entries/003"


@pytest.mark.parametrize(
    ("size", "paths"),
    [
        # C2SP tlog-tiles gives 256 and 70,000; the others follow.
        (0, []),
        (1, ["tile/0/000.p/1"]),
        (2, ["tile/0/000.p/2"]),
        (255, ["tile/0/000.p/255"]),
        (256, ["tile/1/000.p/1"]),
        (257, ["tile/0/001.p/1", "tile/1/000.p/1"]),
        (65536, ["tile/2/000.p/1"]),
        (70000, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]),
    ],
)
def test_the_partial_tiles_of_a_size(size: int, paths: list[str]) -> None:
    assert [tile.path for tile in edge_tiles(size)] == paths


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 65536, 65537, 70000])
def test_roots_and_proofs_read_from_tiles_are_those_of_the_leaves(size: int) -> None:
    read = hash_reader(size, read_tile)
    assert root_hash(size, read) == root_of(LEAVES[:size])
    for index in {0, size // 2, size - 1}:
        path = prove_inclusion(index, size, read)
        assert len(path) <= size.bit_length()


def test_the_root_of_257_entries_is_that_of_other_implementations() -> None:
    # The log of `entry 0` … `entry 256`, whose checkpoint three other implementations accepted.
    from attestlayer.encoding import parse_base64

    assert root_of(LEAVES[:257]) == parse_base64("XB/f6DU1gCLyOS3keNvgU/wTDP4dOggoeakM9r8Uv34=")


def test_no_tile_beyond_the_tree() -> None:
    assert tile_at(0, 0, 1).width == 1
    assert tile_at(0, 0, 256).width == 256
    assert level_width(65535, 2) == 0
    for level, index, size in ((0, 1, 256), (1, 0, 255), (0, 0, 0)):
        with pytest.raises(ValueError, match="has no tile"):
            tile_at(level, index, size)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65, 96])
def test_a_tile_has_exactly_its_hashes(length: int) -> None:
    with pytest.raises(FormatError):
        parse_tile(bytes(length), Tile(0, 0, 2))
    assert parse_tile(bytes(64), Tile(0, 0, 2)) == [bytes(32), bytes(32)]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert parse_bundle(format_bundle(entries), len(entries)) == entries


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(0, 6), st.binary(max_size=3))
def test_a_bundle_with_anything_more_or_less_is_refused(
    entries: list[bytes], count: int, more: bytes
) -> None:
    data = format_bundle(entries) + more
    if count == len(entries) and not more:
        return
    try:
        found = parse_bundle(data, count)
    except FormatError:
        return
    assert format_bundle(found) == data  # the bytes more may be another entry
    assert len(found) == count


def test_an_entry_has_a_length_of_two_bytes() -> None:
    assert parse_bundle(format_bundle([b"x" * MAX_ENTRY, b""]), 2) == [b"x" * MAX_ENTRY, b""]
    with pytest.raises(ValueError, match="at most 65535"):
        format_bundle([b"x" * (MAX_ENTRY + 1)])
