"""The look-up index is written off the commit path: resumable, by any number of writers, the same bytes."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.log import layout
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.lookup import live_segments
from attestlayer.log.merkle import TreeHead
from attestlayer.log.tiles import WIDTH, Tile, format_bundle, format_tile, parse_bundle
from issuer.errors import LogHaltedError, StoreError
from issuer.log import face
from issuer.services.index import INDEXED, Indexer
from support.index_lookup import look_up
from support.log import Crash, Failure, Tap, TappedStore, TestLog, copy_home, failures
from support.thorough import sampled


def indexer(log: TestLog, at_once: int = 4096, tap: Tap | None = None) -> Indexer:
    ports = log.ports()
    if tap is None:
        return Indexer(ports.public, ports.private, at_once)
    return Indexer(
        TappedStore(ports.public, tap, "public "), TappedStore(ports.private, tap, "private "), at_once
    )


def written(log: TestLog) -> dict[str, bytes]:
    root = log.home / "registry"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.glob("v1/index/**/*")
        if path.is_file()
    }


def leaves_of(log: TestLog, groups: int) -> list[Leaf]:
    public = log.ports().public
    entries = [
        entry
        for group in range(groups)
        for entry in parse_bundle(public.read(Tile(0, group).bundle_path) or b"", WIDTH)
    ]
    return [parse_entry(entry) for entry in entries]


def check_all_found(log: TestLog, groups: int) -> None:
    """Every 29th leaf is found by each of its hashes, and by nothing else."""
    public = log.ports().public
    for index, leaf in list(enumerate(leaves_of(log, groups)))[::29]:
        for value in (leaf.kit_digest, leaf.statement_hash, leaf.manifest_root, leaf.client_nonce_hash):
            found = look_up(value, groups, public.read)
            assert (found.indices, found.unindexed) == ((index,), ())


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> TestLog:
    """What an indexer reads of a log of seven full groups and some leaves, which nobody indexed."""
    log = TestLog(tmp_path_factory.mktemp("grown"))
    ports = log.init()
    for group in range(7):
        leaves, tile = log.leaves(WIDTH), Tile(0, group)
        ports.public.create(tile.bundle_path, format_bundle([leaf.entry() for leaf in leaves]))
        ports.public.create(tile.path, format_tile([leaf.hash() for leaf in leaves]))
    genesis = face.read_latest(ports.public)
    assert genesis
    head = TreeHead(7 * WIDTH + 15, genesis.head.root)
    latest = replace(genesis, sequence=1, prev_checkpoint_hash=genesis.hash(), head=head)
    tagged = ports.public.read_tagged(layout.LATEST)
    assert tagged
    ports.public.replace(layout.LATEST, latest.format(), tagged.tag)
    return log


@pytest.fixture
def log(grown: TestLog, tmp_path: Path) -> TestLog:
    copy_home(grown.home, tmp_path / "home")
    return TestLog(tmp_path / "home", clock=grown.clock)


@pytest.fixture(scope="module")
def whole(grown: TestLog, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The index as one run writes it."""
    home = tmp_path_factory.mktemp("whole") / "home"
    copy_home(grown.home, home)
    log = TestLog(home)
    assert indexer(log).run().groups == 7
    return written(log)


def test_an_empty_log_has_an_empty_index(tmp_path: Path) -> None:
    log = TestLog(tmp_path)
    log.init()
    assert (indexer(log).run().groups, written(log)) == (0, {})


def test_every_full_group_is_indexed_and_found(log: TestLog) -> None:
    indexing = indexer(log).run()
    assert (indexing.groups, indexing.more) == (7, False)
    assert set(written(log)) == _names(7)
    assert indexing.written == len(written(log)) == 1 + 2 + 1 + 4 + 1 + 2 + 1
    check_all_found(log, 7)


def test_a_second_run_writes_nothing(log: TestLog) -> None:
    indexer(log).run()
    tap = Tap()
    assert indexer(log, tap=tap).run().written == 0
    assert tap.names == []


@pytest.mark.parametrize("at_once", sampled([1, 2, 3, 5], 3))
def test_short_runs_write_the_same_as_one(log: TestLog, whole: dict[str, bytes], at_once: int) -> None:
    runs = 1
    while indexer(log, at_once).run().more:
        runs += 1
    assert runs == -(-12 // at_once)
    assert written(log) == whole


def _names(groups: int) -> set[str]:
    live = {segment for each in range(groups + 1) for segment in live_segments(each)}
    return {segment.path(shard) for segment in live for shard in range(segment.shards)}


def test_while_a_segment_is_being_written_everything_is_found_all_the_same(log: TestLog) -> None:
    public = log.ports().public
    while indexer(log, 1).run().more:
        for index, leaf in list(enumerate(leaves_of(log, 7)))[::61]:
            found = look_up(leaf.kit_digest, 7, public.read)
            assert found.indices == (index,) or index // WIDTH in found.unindexed


@pytest.mark.parametrize("failure", sampled(failures(13, (StoreError, Crash)), 5), ids=str)
def test_a_run_that_fails_at_any_write_is_done_again_by_the_next(
    log: TestLog, whole: dict[str, bytes], failure: Failure
) -> None:
    with pytest.raises((StoreError, Crash)):
        indexer(log, tap=failure.tap()).run()
    indexing = indexer(log).run()
    assert (indexing.groups, indexing.more) == (7, False)
    assert written(log) == whole


def test_two_writers_at_once_write_the_same(log: TestLog, whole: dict[str, bytes]) -> None:
    order = random.Random(7)
    for _ in range(12):
        stalled = indexer(log, order.randint(1, 3))
        # A writer that read its place, and writes after another went on, is the same as one that runs later.
        tap = Tap(before=lambda number, name: indexer(log, 2).run() if number == 0 else None)
        Indexer(TappedStore(stalled.public, tap, "public "), stalled.private, stalled.at_once).run()
    while indexer(log).run().more:
        pass
    assert written(log) == whole


def test_a_lost_place_is_begun_anew(log: TestLog) -> None:
    indexer(log).run()
    before = written(log)
    (log.home / "private" / INDEXED).unlink()
    assert indexer(log).run().written == 12
    assert written(log) == before


def test_a_damaged_bundle_is_not_indexed(log: TestLog) -> None:
    path = log.home / "registry" / "tile/entries/001"
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.unlink()
    path.write_bytes(data)
    with pytest.raises(LogHaltedError, match="tile/entries/001"):
        indexer(log).run()


def test_a_shard_that_is_gone_stops_the_merge_that_needs_it(log: TestLog) -> None:
    assert indexer(log, 1).run().groups == 1
    (log.home / "registry/v1/index/0/000/000").unlink()
    with pytest.raises(LogHaltedError, match="v1/index/0/000/000 is missing"):
        indexer(log).run()
    (log.home / "private" / INDEXED).unlink()
    indexer(log).run()
    check_all_found(log, 7)


def test_a_damaged_place_is_told(log: TestLog) -> None:
    indexer(log).run()
    path = log.home / "private" / INDEXED
    for spoilt in (b"{}", b'{"groups":7,"schema":"attestlayer/indexed/1","shards":8}'):
        path.write_bytes(spoilt)
        with pytest.raises(LogHaltedError, match="indexed"):
            indexer(log).run()
