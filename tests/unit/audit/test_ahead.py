"""Reading ahead changes nothing but the time: same answers, same order, bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from attestlayer.audit.auditor import audit
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.log import layout
from attestlayer.reading.read_ahead import ReadAhead
from attestlayer.reading.registry import FolderRegistry
from support.large import LargeLog
from unit.audit.logs import change


@dataclass
class Kept:
    """A registry of objects in memory. `refused` ones can't be read; counts and remembers what is read."""

    objects: dict[str, bytes]
    refused: frozenset[str] = frozenset()
    seen: list[str] = field(default_factory=list)
    requests: int = 0

    def read(self, name: str) -> bytes | None:
        self.requests += 1
        self.seen.append(name)
        if name in self.refused:
            raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"{name}: HTTP status 403")
        return self.objects.get(name)

    def names(self) -> Iterator[str] | None:
        return iter(self.objects)


@pytest.fixture
def opened() -> Iterator[list[ReadAhead]]:
    registries: list[ReadAhead] = []
    yield registries
    for registry in registries:
        registry.close()


NAMES = [f"object {number}" for number in range(100)]


def test_what_is_expected_is_read_once_and_answered_as_it_is(opened: list[ReadAhead]) -> None:
    kept = Kept({name: name.encode() for name in NAMES[:90]}, frozenset(NAMES[40:42]))
    registry = ReadAhead(lambda: kept, 3)
    opened.append(registry)
    registry.expect(NAMES)
    for name in NAMES:
        if name in kept.refused:
            with pytest.raises(CouldNotCheckError, match=f"{name}: HTTP status 403"):
                registry.read(name)
        else:
            assert registry.read(name) == kept.objects.get(name)
    assert sorted(kept.seen) == sorted(NAMES)


def test_what_nobody_expected_is_read_all_the_same(opened: list[ReadAhead]) -> None:
    registry = ReadAhead(lambda: Kept({"a": b"1"}), 2)
    opened.append(registry)
    assert (registry.read("a"), registry.read("a"), registry.read("b")) == (b"1", b"1", None)
    assert list(registry.names() or ()) == ["a"]


def test_what_was_looked_at_is_still_there(opened: list[ReadAhead]) -> None:
    kept = Kept({"a": b"1"}, frozenset({"c"}))
    registry = ReadAhead(lambda: kept, 2)
    opened.append(registry)
    assert (registry.peek("a"), registry.peek("a"), registry.peek("b"), registry.peek("c")) == (
        b"1",
        b"1",
        None,
        None,
    )
    assert registry.read("a") == b"1"
    with pytest.raises(CouldNotCheckError):
        registry.read("c")
    assert sorted(kept.seen) == ["a", "b", "c"]


def test_a_server_of_large_objects_fills_no_memory(opened: list[ReadAhead]) -> None:
    kept = Kept({name: bytes(1000) for name in NAMES})
    registry = ReadAhead(lambda: kept, 4, held=5000)
    opened.append(registry)
    registry.expect(NAMES)
    registry.peek(NAMES[-1])  # every part was looked at by now
    assert len(kept.seen) <= 5 + 4 + 1
    assert [registry.read(name) for name in NAMES] == [bytes(1000)] * 100


def test_what_was_never_asked_for_is_let_go(opened: list[ReadAhead]) -> None:
    kept = Kept({name: bytes(1000) for name in NAMES})
    registry = ReadAhead(lambda: kept, 2, held=5000)
    opened.append(registry)
    for at in range(0, 96, 8):
        registry.expect(NAMES[at : at + 8])
        registry.peek(NAMES[at])
    kept.seen.clear()
    registry.expect(["object 99"])
    for name in NAMES[88:96]:
        assert registry.read(name) == bytes(1000)
    assert registry.read("object 0") == bytes(1000)


def test_a_closed_one_ends_its_threads() -> None:
    registry = ReadAhead(lambda: Kept({}), 5)
    assert [thread.is_alive() for thread in registry._threads] == [True] * 5
    registry.close()
    for thread in registry._threads:
        thread.join(10)
    assert [thread.is_alive() for thread in registry._threads] == [False] * 5


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = LargeLog(tmp_path_factory.mktemp("ahead"))
    log.grow([3, 0, 255, 40, *[0] * 280, 300, 2])
    return log.root


DAMAGED = [
    "nothing",
    "tile/0/001",
    "tile/entries/000",
    "v1/checkpoints/bundle/000",
    layout.consistency_path(3, 258),
]


@pytest.mark.parametrize("jobs", [2, 7])
@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("cut", [True, False])
def test_an_audit_that_reads_ahead_finds_the_same(made: Path, name: str, cut: bool, jobs: int) -> None:
    data = FolderRegistry(made).read(name)
    if data is not None:
        change(made, name, data[:-1] if cut else None)
    registry = ReadAhead(lambda: FolderRegistry(made), jobs)
    try:
        wanted = audit(FolderRegistry(made))
        assert audit(registry) == wanted
    finally:
        registry.close()
        if data is not None:
            change(made, name, data)
    assert bool(wanted.findings) == (data is not None)


def test_nothing_of_a_sound_log_is_fetched_twice(made: Path) -> None:
    one = FolderRegistry(made)
    audit(one)
    registry = ReadAhead(lambda: FolderRegistry(made), 4)
    audit(registry)
    registry.close()
    assert registry.requests <= one.requests + 2
