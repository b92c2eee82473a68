"""The audit computes the look-up index anew: what is there must be right, what is not there is no finding."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.audit.index import IndexAudit
from attestlayer.audit.reader import RegistryReader
from attestlayer.log import layout
from attestlayer.log.lookup import Segment
from attestlayer.log.merkle import TreeHead
from attestlayer.log.tiles import WIDTH, Tile, format_bundle, format_tile, parse_bundle
from attestlayer.reading.registry import FolderRegistry
from issuer.log import face
from issuer.services.index import Indexer
from support.audit import audit as independent_audit
from support.log import ORIGIN, TestLog, copy_home
from unit.audit.logs import change, found_in, grow, start

GROUPS = 6


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiles, bundles and index of six full groups."""
    log = TestLog(tmp_path_factory.mktemp("indexed"))
    ports = log.init()
    for group in range(GROUPS):
        leaves, tile = log.leaves(WIDTH), Tile(0, group)
        ports.public.create(tile.bundle_path, format_bundle([leaf.entry() for leaf in leaves]))
        ports.public.create(tile.path, format_tile([leaf.hash() for leaf in leaves]))
    genesis, tagged = face.read_latest(ports.public), ports.public.read_tagged(layout.LATEST)
    assert genesis
    assert tagged
    head = TreeHead(GROUPS * WIDTH, genesis.head.root)
    latest = replace(genesis, sequence=1, prev_checkpoint_hash=genesis.hash(), head=head)
    ports.public.replace(layout.LATEST, latest.format(), tagged.tag)
    Indexer(ports.public, ports.private).run()
    return log.home


@pytest.fixture
def root(indexed: Path, tmp_path: Path) -> Path:
    copy_home(indexed, tmp_path / "home")
    return tmp_path / "home" / "registry"


def findings(root: Path, first: int = 0, damaged: int | None = None) -> list[tuple[str, str]]:
    """What the audit of the index alone finds, from group `first` on."""
    reader = RegistryReader(FolderRegistry(root), lambda *_: None)
    index = IndexAudit(reader, first)
    for group in range(first, GROUPS):
        data = (root / Tile(0, group).bundle_path).read_bytes()
        index.check(group, None if group == damaged else parse_bundle(data, WIDTH))
    return [(found.object, found.reason.value) for found in reader.findings]


def shards() -> Iterator[str]:
    for segment in (Segment(0, 0), Segment(1, 0), Segment(0, 2), Segment(2, 0), Segment(0, 4), Segment(1, 2)):
        yield from (segment.path(shard) for shard in range(segment.shards))


def flip(root: Path, name: str) -> None:
    data = bytearray((root / name).read_bytes())
    data[len(data) // 2] ^= 1
    change(root, name, bytes(data))


def test_an_index_that_nobody_touched_is_clean(root: Path) -> None:
    assert sorted(shards()) == sorted(str(p.relative_to(root)) for p in root.glob("v1/index/*/*/*"))
    assert findings(root) == []


@pytest.mark.parametrize("name", list(shards()))
def test_a_flipped_bit_is_found_in_its_shard_and_nowhere_else(root: Path, name: str) -> None:
    flip(root, name)
    assert findings(root) == [(name, "bytes-differ")]


@pytest.mark.parametrize("name", list(shards()))
def test_a_shard_that_is_gone_is_no_finding_and_hides_none(root: Path, name: str) -> None:
    change(root, name, None)
    assert findings(root) == []
    other = Segment(2, 0).path(0) if name != Segment(2, 0).path(0) else Segment(1, 0).path(0)
    flip(root, other)
    assert findings(root) == [(other, "bytes-differ")]


def test_a_lie_that_smaller_and_larger_segments_share_is_found_in_both(root: Path) -> None:
    small, large = Segment(0, 0).path(0), Segment(1, 0)
    data = (root / small).read_bytes()
    change(root, small, data[12:])
    shard = large.shard_of(data)
    cut = (root / large.path(shard)).read_bytes().replace(data[:12], b"")
    change(root, large.path(shard), cut)
    assert findings(root) == [(small, "bytes-differ"), (large.path(shard), "bytes-differ")]


def test_a_later_audit_takes_what_came_before_as_it_is(root: Path) -> None:
    assert findings(root, first=3) == []
    flip(root, Segment(2, 0).path(1))
    assert findings(root, first=3) == [(Segment(2, 0).path(1), "bytes-differ")]


def test_what_follows_from_a_damaged_bundle_is_said_to_be_unchecked(root: Path) -> None:
    change(root, "tile/entries/002", b"")
    found = findings(root, damaged=2)
    assert found == [(Segment(0, 2).path(0), "tree-unreadable")] + [
        (Segment(2, 0).path(shard), "tree-unreadable") for shard in range(4)
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole registry with one full group, indexed."""
    log, ports = start(tmp_path_factory.mktemp("whole"))
    grow(log, ports, 100, 157)
    assert Indexer(ports.public, ports.private).run().written == 1
    return log.home / "registry"


def test_a_whole_registry_with_its_index_is_clean(whole: Path) -> None:
    assert found_in(whole) == []
    independent_audit(whole, ORIGIN)


def test_the_whole_audit_finds_a_damaged_shard(whole: Path, tmp_path: Path) -> None:
    root = shutil.copytree(whole, tmp_path / "registry")
    flip(root, "v1/index/0/000/000")
    assert found_in(root) == [("v1/index/0/000/000", "bytes-differ")]


@pytest.mark.parametrize(
    "name",
    [
        "v1/index/0/001/000",
        "v1/index/0/002/000",
        "v1/index/0/000/001",
        "v1/index/1/000/000",
        "v1/index/00/000/000",
        "v1/index/0/x000/000/000",
        "v1/index/25/000/000",
        "v1/index/0/000",
    ],
)
def test_a_stray_shard_is_named(whole: Path, tmp_path: Path, name: str) -> None:
    root = shutil.copytree(whole, tmp_path / "registry")
    (root / name).unlink() if (root / name).is_file() else None
    if (root / name).is_dir():
        name += "/stray"
    change(root, name, b"")
    assert found_in(root) == [(name, "stray")]
