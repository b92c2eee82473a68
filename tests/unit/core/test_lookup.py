"""The look-up index: which segments there are, what is in them, and what asking them comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import Hash, sha256
from attestlayer.errors import FormatError
from attestlayer.log.layout import headers_of, is_immutable
from attestlayer.log.lookup import (
    RECORD_LENGTH,
    Segment,
    added_segment,
    format_shard,
    live_segments,
    merge_shard,
    merged_segments,
    parse_shard,
    records_of,
)
from support.index_lookup import look_up
from support.log import leaf_number

LEVELS = st.integers(0, 2**24)


def groups_of(segment: Segment) -> range:
    return range(segment.number << segment.level, (segment.number + 1) << segment.level)


@given(LEVELS)
def test_the_live_segments_are_each_group_once_in_order(groups: int) -> None:
    covered = [groups_of(segment) for segment in live_segments(groups)]
    assert [each.start for each in covered] == [0, *(each.stop for each in covered)][: len(covered)]
    assert (covered[-1].stop if covered else 0) == groups
    assert len(covered) == groups.bit_count()


@given(LEVELS)
def test_a_full_group_adds_one_segment_that_takes_in_those_that_carry(group: int) -> None:
    before, after = set(live_segments(group)), set(live_segments(group + 1))
    added = added_segment(group)
    assert after - before == {added}
    assert before - after == set(merged_segments(added))
    assert added.number % 2 == 0


def test_names_and_headers_of_shards() -> None:
    assert Segment(0, 38).path(0) == "v1/index/0/038/000"
    assert Segment(15, 0).path(32_767) == "v1/index/15/000/x032/767"
    assert is_immutable("v1/index/0/038/000")
    assert headers_of("v1/index/0/038/000")["Content-Type"] == "application/octet-stream"


def records(first: int, count: int) -> list[bytes]:
    return [record for at in range(count) for record in records_of(leaf_number(first + at), at)]


def test_a_record_is_eight_bytes_of_the_hash_and_the_offset() -> None:
    leaf = leaf_number(7)
    assert list(records_of(leaf, 258)) == [
        value[:8] + b"\x00\x00\x01\x02"
        for value in (leaf.kit_digest, leaf.statement_hash, leaf.manifest_root, leaf.client_nonce_hash)
    ]


def test_a_merged_segment_is_the_one_made_from_its_entries() -> None:
    small = [(Segment(0, number), records(256 * number, 256)) for number in range(4)]
    whole = Segment(2, 0)
    shards = [merge_shard(whole, shard, small) for shard in range(4)]
    assert format_shard(records(0, 1024)) == b"".join(shards)
    for shard, data in enumerate(shards):
        assert parse_shard(data, whole, shard)
        assert 8 * 1024 < len(data) < 16 * 1024


SHARD = format_shard([*records_of(leaf_number(1), 3), *records_of(leaf_number(2), 255)])


@pytest.mark.parametrize(
    "data",
    [
        SHARD[:-1],
        SHARD[RECORD_LENGTH:] + SHARD[:RECORD_LENGTH],
        SHARD[:RECORD_LENGTH] * 2,
        SHARD[:8] + b"\x00\x00\x01\x00",
    ],
    ids=["cut", "out of order", "twice", "beyond the segment"],
)
def test_a_spoilt_shard_is_refused(data: bytes) -> None:
    parse_shard(SHARD, Segment(0, 0), 0)
    with pytest.raises(FormatError, match="v1/index/0/000/000"):
        parse_shard(data, Segment(0, 0), 0)


def test_a_record_in_another_shard_is_refused() -> None:
    own = Segment(3, 0).shard_of(SHARD)
    with pytest.raises(FormatError):
        parse_shard(SHARD[:RECORD_LENGTH], Segment(3, 0), own ^ 1)


def made(groups: int) -> dict[str, bytes]:
    """The index of so many groups of three leaves each, in their right places, as it grew."""
    objects: dict[str, bytes] = {}
    for group in range(groups):
        segment = added_segment(group)
        sources = [(Segment(0, each), records(256 * each, 3)) for each in groups_of(segment)]
        for shard in range(segment.shards):
            objects[segment.path(shard)] = merge_shard(segment, shard, sources)
    return objects


@pytest.mark.parametrize("groups", [1, 2, 7, 8, 13])
def test_each_hash_of_each_leaf_is_found_with_one_object_a_segment(groups: int) -> None:
    objects = made(groups)
    for group in range(groups):
        leaf, index = leaf_number(256 * group + 1), 256 * group + 1
        for value in (leaf.kit_digest, leaf.statement_hash, leaf.manifest_root, leaf.client_nonce_hash):
            asked: list[str] = []

            def read(name: str, asked: list[str] = asked) -> bytes | None:
                asked.append(name)
                return objects.get(name)

            assert look_up(value, groups, read).indices == (index,)
            assert len(asked) == len(live_segments(groups))


def test_an_unknown_hash_is_not_found() -> None:
    found = look_up(sha256(b"unknown"), 13, made(13).get)
    assert (found.indices, found.unindexed) == ((), ())


@pytest.mark.parametrize("behind", [1, 2, 3, 5, 8])
def test_an_index_that_is_behind_answers_from_smaller_segments_and_names_the_groups_it_lacks(
    behind: int,
) -> None:
    groups = 16
    objects = made(groups - behind)
    known = leaf_number(256 * (groups - behind - 1))
    assert look_up(known.kit_digest, groups, objects.get).indices == (256 * (groups - behind - 1),)
    found = look_up(leaf_number(256 * (groups - 1)).kit_digest, groups, objects.get)
    assert found.indices == ()
    assert found.unindexed == tuple(range(groups - behind, groups))


def test_two_leaves_that_share_a_key_are_both_candidates() -> None:
    one, other = leaf_number(1), leaf_number(2)
    alike = Hash(one.kit_digest[:8] + bytes(24))
    shard = format_shard([one.kit_digest[:8] + bytes(4), *records_of(one, 1), *records_of(other, 2)])
    assert look_up(alike, 1, {Segment(0, 0).path(0): shard}.get).indices == (0, 1)
