"""Partial tiles are collected once the full tile has been public for a day, and no checkpoint needs them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import TreeHead, root_hash
from attestlayer.log.tiles import WIDTH, Tile, edge_tiles, hash_reader, level_width, parse_bundle, parse_tile
from issuer.errors import LogHaltedError
from issuer.log.collected import COLLECTED
from issuer.log.state import SignedRound, signed_name
from issuer.ports import ObjectStore, Tagged
from issuer.services.collect import Collection, Collector
from issuer.services.sequence import Sequencer
from support.log import Crash, Tap, TappedStore, TestLog, wait
from support.shared import made_once

DAY = 86_400


def collector(log: TestLog, at_once: int = 10_000) -> Collector:
    ports = log.ports()
    return Collector(ports.public, ports.private, at_once)


def partials(log: TestLog) -> set[str]:
    root = log.home / "registry"
    return {str(path.relative_to(root)) for path in root.glob("tile/**/*.p/*")}


def chain(log: TestLog) -> list[Checkpoint]:
    ports = log.ports()
    found: list[Checkpoint] = []
    while signed := ports.read_signed(len(found)):
        found.append(signed.checkpoint)
    return found


def check_client(public: ObjectStore, checkpoint: Checkpoint) -> None:
    """A client that holds `checkpoint` reads all of its tree: each tile in its form, else the full one."""

    def read(tile: Tile) -> list[bytes]:
        data = public.read(tile.path) or public.read(Tile(tile.level, tile.index).path)
        assert data is not None, tile.path
        return parse_tile(data[: 32 * tile.width], tile)  # type: ignore[return-value]

    size = checkpoint.head.size
    assert root_hash(size, hash_reader(size, read)) == checkpoint.head.root  # type: ignore[arg-type]
    for index in range(-(-size // WIDTH)):
        width = min(WIDTH, size - WIDTH * index)
        tile = Tile(0, index, width)
        if (data := public.read(tile.bundle_path)) is not None:
            parse_bundle(data, width)
        else:
            full = public.read(Tile(0, index).bundle_path)
            assert full is not None, tile.bundle_path
            parse_bundle(full, WIDTH)


def needed(checkpoints: list[Checkpoint]) -> list[Checkpoint]:
    """The checkpoints of the last day, and the one that was the newest when it began."""
    start = checkpoints[-1].timestamp - DAY
    older = [one for one in checkpoints if one.timestamp <= start]
    return older[-1:] + [one for one in checkpoints if one.timestamp > start]


def check_needed(log: TestLog) -> None:
    public = log.ports().public
    for checkpoint in needed(chain(log)):
        check_client(public, checkpoint)
    for tile in edge_tiles(chain(log)[-1].head.size):
        assert public.exists(tile.path)


def make(log: TestLog, rounds: list[tuple[int, int]]) -> None:
    """Rounds of so many leaves after so many seconds."""
    ports = log.init()
    for leaves, pause in rounds:
        wait(ports, log.leaves(leaves))
        log.clock.time += pause
        Sequencer(ports).run()


ROUNDS = [(100, 60), (100, 60), (60, 60), (200, 60), (300, 60), (1, 60)]
"""Sizes 100, 200, 260, 460, 760, 761."""
LATER = [(0, 60), (0, DAY), (1, 60), (0, 60)]


@pytest.fixture
def grown(log: TestLog, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The log has all these rounds."""
    rounds = ROUNDS + LATER
    home = made_once(tmp_path_factory, "to-collect", lambda home: make(TestLog(home), rounds))
    shutil.copytree(home, log.home, dirs_exist_ok=True)
    log.clock.time += sum(pause for _, pause in rounds)
    log.made = sum(leaves for leaves, _ in rounds)


def test_partials_of_full_tiles_go_a_day_later_and_no_others(log: TestLog) -> None:
    make(log, ROUNDS)
    before = partials(log)
    assert collector(log).run().deleted == 0
    assert partials(log) == before, "the full tile is not a day old"
    make(log, LATER)
    collection = collector(log).run()
    gone = {f"tile/{kind}/{at}" for kind in ("0", "entries")
            for at in ("000.p/100", "000.p/200", "001.p/4", "001.p/204")}  # fmt: skip
    assert before - partials(log) == gone
    assert (collection.deleted, collection.more) == (len(gone), False)
    check_needed(log)


def test_what_is_not_settled_by_two_more_checkpoints_stays(log: TestLog) -> None:
    make(log, [(100, 60), (156, 60)])
    make(log, [(0, DAY), (0, 60)])
    collector(log).run()
    assert "tile/0/000.p/100" in partials(log), "signed a day ago, but perhaps published just now"
    make(log, [(0, 60)])
    make(log, [(0, DAY), (0, 60)])
    collector(log).run()
    assert "tile/0/000.p/100" not in partials(log)


@pytest.mark.usefixtures("grown")
def test_a_second_run_deletes_nothing_and_reads_little(log: TestLog) -> None:
    collector(log).run()
    ports, tap = log.ports(), Tap()
    public = TappedStore(ports.public, tap, "public ", reads=True)
    private = TappedStore(ports.private, tap, "private ", reads=True)
    assert Collector(public, private).run().deleted == 0
    assert len(tap.names) <= 7, tap.names


@pytest.mark.usefixtures("grown")
def test_a_run_is_bounded_and_the_next_goes_on(log: TestLog) -> None:
    runs: list[Collection] = []
    while not runs or runs[-1].more:
        runs.append(collector(log, at_once=2).run())
    assert sum(run.deleted for run in runs) == 8
    assert [run.sequence for run in runs] == [1, 3, 5, 5], "the last finds nothing more"


@pytest.mark.usefixtures("grown")
def test_two_at_once_are_as_good_as_one(log: TestLog) -> None:
    ports, others = log.ports(), []

    def other(number: int, name: str) -> None:
        del name
        if number == 3:
            others.append(collector(log).run())

    tap = Tap(before=other)
    public, private = TappedStore(ports.public, tap, ""), TappedStore(ports.private, tap, "")
    mine = Collector(public, private).run()
    assert others[0].deleted == 8
    assert mine.more, "what the other one noted counts; the next run looks again"
    check_needed(log)
    assert collector(log).run().deleted == 0


@pytest.mark.usefixtures("grown")
def test_a_run_that_dies_at_any_write_is_done_again(log: TestLog) -> None:
    for stop in range(9):
        ports = log.ports()

        def die(number: int, name: str, stop: int = stop) -> None:
            if number == stop:
                raise Crash(name)

        tap = Tap(before=die)
        with pytest.raises(Crash):
            Collector(TappedStore(ports.public, tap, ""), TappedStore(ports.private, tap, "")).run()
        check_needed(log)
    collector(log).run()
    assert not any(name.startswith(("tile/0/000.p", "tile/0/001.p")) for name in partials(log))


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize("name", ["tile/0/001", "tile/entries/001"])
def test_nothing_is_deleted_if_the_full_tile_is_missing(log: TestLog, name: str) -> None:
    (log.home / "registry" / name).unlink()
    with pytest.raises(LogHaltedError, match=name):
        collector(log).run()
    assert "tile/0/001.p/204" in partials(log)


@pytest.mark.usefixtures("grown")
def test_damaged_notes_stop_it_and_it_starts_anew_without_them(log: TestLog) -> None:
    collector(log).run()
    path = log.home / "private" / COLLECTED
    good = path.read_bytes()
    for bad in (good[:-1], good.replace(b'"tree_size":760', b'"tree_size":759'), good.replace(b"[", b"[3,")):
        path.write_bytes(bad)
        with pytest.raises(LogHaltedError):
            collector(log).run()
    path.unlink()
    assert collector(log).run().deleted == 8  # names that are gone already
    assert path.read_bytes() == good
    check_needed(log)


def test_an_empty_registry_has_nothing_to_collect(log: TestLog) -> None:
    with pytest.raises(LogHaltedError, match="issuer init"):
        collector(log).run()


@dataclass
class Memory:
    """As much of a store as the collector uses: for trees that are too large to build here."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def read(self, name: str) -> bytes | None:
        return self.objects.get(name)

    def read_tagged(self, name: str) -> Tagged | None:
        return Tagged(self.objects[name], self.objects[name].hex()) if name in self.objects else None

    def exists(self, name: str) -> bool:
        return name in self.objects

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        del tag
        self.objects[name] = data

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)


def names_of(tile: Tile) -> set[str]:
    return {tile.path, tile.bundle_path} if tile.level == 0 else {tile.path}


def tile_level(name: str) -> int:
    level = name.split("/")[1]
    return 0 if level == "entries" else int(level)


def tile_number(name: str) -> int:
    path, _, _ = name.partition(".p/")
    return int("".join(path.split("/")[2:]).replace("x", ""))


def tiles_of(size: int) -> Iterator[Tile]:
    for level in range(4):
        yield from (Tile(level, index) for index in range(level_width(size, level) // WIDTH))
    yield from edge_tiles(size)


def following(last: Checkpoint, pause: int, head: TreeHead) -> Checkpoint:
    time, number = last.timestamp + pause, last.sequence + 1
    return replace(last, sequence=number, timestamp=time, head=head, prev_checkpoint_hash=last.hash())


PAUSE = st.sampled_from([60, 60, 3600, 50_000, 90_000])
LEAVES = st.integers(0, 90) | st.sampled_from([0, 1, 255, 256, 257, 30_000])


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> SignedRound:
    made = TestLog(tmp_path_factory.mktemp("log")).init().read_signed(0)
    assert made
    return made


@settings(max_examples=30, deadline=None)
@given(
    rounds=st.lists(st.tuples(PAUSE, LEAVES), min_size=1, max_size=40),
    at_once=st.integers(1, 12),
    forgets=st.sets(st.integers(0, 40)),
)
def test_who_holds_a_checkpoint_of_the_last_day_finds_all_its_tiles(
    signed: SignedRound, rounds: list[tuple[int, int]], at_once: int, forgets: set[int]
) -> None:
    """Collected after each round; at some of them the run dies after it deleted, before it noted that."""
    public, private = Memory(), Memory()
    stores = cast("ObjectStore", public), cast("ObjectStore", private)
    made = [signed.checkpoint]
    private.objects[signed_name(0)] = signed.format()
    for sequence, (pause, leaves) in enumerate(rounds, 1):
        last = made[-1]
        head = TreeHead(last.head.size + leaves, last.head.root)
        made.append(following(last, pause, head))
        private.objects[signed_name(sequence)] = SignedRound(made[-1], signed.note).format()
        tiles = set(tiles_of(head.size)) - set(tiles_of(last.head.size))
        public.objects |= {name: b"" for tile in tiles for name in names_of(tile)}
        public.objects[layout.LATEST] = made[-1].format()
        noted = private.objects.get(COLLECTED)
        Collector(*stores, at_once).run()
        if sequence in forgets and noted:
            private.objects[COLLECTED] = noted
        for tile in {tile for checkpoint in needed(made) for tile in tiles_of(checkpoint.head.size)}:
            full = Tile(tile.level, tile.index)
            assert names_of(tile) <= public.objects.keys() or names_of(full) <= public.objects.keys()
        for tile in edge_tiles(head.size):
            assert names_of(tile) <= public.objects.keys(), "the newest partials stay"
    for number in range(4):  # four days without a leaf: all that a full tile replaced is gone
        made.append(following(made[-1], DAY + number, made[-1].head))
        private.objects[signed_name(len(made) - 1)] = SignedRound(made[-1], signed.note).format()
    public.objects[layout.LATEST] = made[-1].format()
    while Collector(*stores, at_once).run().more:
        pass
    settled = made[-1].head.size
    left = {name for name in public.objects if ".p/" in name}
    assert {name for tile in edge_tiles(settled) for name in names_of(tile)} <= left
    assert {name: tile_number(name) for name in left} == {
        name: level_width(settled, tile_level(name)) // WIDTH for name in left
    }
