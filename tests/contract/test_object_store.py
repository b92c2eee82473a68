"""What every `ObjectStore` promises."""

import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from contract import acts
from contract.factories import OBJECT_STORES
from contract.racing import Factory, Race, kill_at_work
from issuer.adapters.system import SystemClock
from issuer.errors import ObjectConflictError, StaleTagError, StoreError
from issuer.ports import ObjectStore
from support.cloud_servers import MOTO
from support.thorough import THOROUGH

BAD_NAMES = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/./b",
    "a b",
    "a\\b",
    "a\n",
    "a\0",
    "ä",
    "a%2fb",
    "a" * 1025,
]


# S3 is held on ministack each time, on its second double by `scripts/test --all`.
STORES = [
    pytest.param(each, id=each.name, marks=THOROUGH if each.name == f"s3-{MOTO}" else ())
    for each in OBJECT_STORES
]


@pytest.fixture(params=STORES)
def factory(request: pytest.FixtureRequest) -> Factory[ObjectStore]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def store(factory: Factory[ObjectStore], tmp_path: Path) -> ObjectStore:
    return factory.open(tmp_path)


@pytest.fixture(params=["threads", "processes"])
def race(request: pytest.FixtureRequest, factory: Factory[ObjectStore], tmp_path: Path) -> Race[ObjectStore]:
    processes = request.param == "processes"
    return Race(factory, tmp_path, count=4 if processes else 16, processes=processes)


def tag_of(store: ObjectStore, name: str) -> str:
    found = store.read_tagged(name)
    assert found is not None
    return found.tag


@pytest.mark.parametrize("data", [b"", b"text\n", bytes(range(256)) * 5000], ids=["empty", "text", "large"])
def test_a_created_object_is_read_back(store: ObjectStore, data: bytes) -> None:
    store.create("a/b.json", data)
    assert store.read("a/b.json") == data


def test_creating_with_the_same_bytes_again_is_fine(store: ObjectStore) -> None:
    store.create("a", b"1")
    store.create("a", b"1")
    assert store.read("a") == b"1"


@pytest.mark.parametrize("other", [b"", b"2", b"11", b"1" * 100_000])
def test_creating_with_other_bytes_names_the_object_and_leaves_it(store: ObjectStore, other: bytes) -> None:
    store.create("tile/0/000", b"1")
    with pytest.raises(ObjectConflictError, match="tile/0/000"):
        store.create("tile/0/000", other)
    assert store.read("tile/0/000") == b"1"


def test_a_file_is_created_as_its_content(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "kit.zip"
    path.write_bytes(b"zip" * 100_000)
    store.create_file("kits/1", path)
    store.create_file("kits/1", path)
    assert store.read("kits/1") == b"zip" * 100_000
    path.write_bytes(b"other")
    with pytest.raises(ObjectConflictError, match="kits/1"):
        store.create_file("kits/1", path)
    assert store.read("kits/1") == b"zip" * 100_000


def test_many_are_created_at_once(store: ObjectStore) -> None:
    objects = {f"tile/{i % 3}/{i}": str(i).encode() for i in range(100)}
    store.create("tile/0/0", b"0")
    store.create_many(objects)
    store.create_many(objects)
    store.create_many({})
    assert {name: store.read(name) for name in store.list("")} == objects


def test_a_conflict_among_many_is_raised_and_changes_no_object(store: ObjectStore) -> None:
    store.create("a/5", b"before")
    with pytest.raises(ObjectConflictError, match="a/5"):
        store.create_many({f"a/{i}": b"after" for i in range(10)})
    assert store.read("a/5") == b"before"
    assert {store.read(f"a/{i}") for i in range(10)} <= {None, b"before", b"after"}


def test_replacing_without_a_tag_stores_the_first_content(store: ObjectStore) -> None:
    store.replace("head/now", b"1", None)
    assert store.read("head/now") == b"1"


def test_replacing_without_a_tag_is_stale_where_an_object_is(store: ObjectStore) -> None:
    store.create("head", b"1")
    for data in (b"1", b"2"):
        with pytest.raises(StaleTagError, match="head"):
            store.replace("head", data, None)
    assert store.read("head") == b"1"


def test_replacing_with_the_tag_stores_the_next_content(store: ObjectStore) -> None:
    store.create("head", b"1")
    for data in (b"2", b"", b"3" * 100_000):
        store.replace("head", data, tag_of(store, "head"))
        assert store.read("head") == data


def test_replacing_with_an_old_tag_is_stale_and_changes_nothing(store: ObjectStore) -> None:
    store.create("head", b"1")
    old = tag_of(store, "head")
    store.replace("head", b"2", old)
    assert tag_of(store, "head") != old
    for data in (b"1", b"2", b"3"):
        with pytest.raises(StaleTagError, match="head"):
            store.replace("head", data, old)
    assert store.read("head") == b"2"


def test_replacing_with_a_tag_is_stale_where_no_object_is(store: ObjectStore) -> None:
    store.create("head", b"1")
    tag = tag_of(store, "head")
    store.delete("head")
    with pytest.raises(StaleTagError):
        store.replace("head", b"2", tag)
    assert store.read("head") is None


def test_creating_where_replace_stored_is_a_conflict(store: ObjectStore) -> None:
    store.replace("head", b"1", None)
    with pytest.raises(ObjectConflictError):
        store.create("head", b"2")


@pytest.mark.parametrize("data", [b"", b"1"])
def test_an_object_exists_from_its_creation_to_its_deletion(store: ObjectStore, data: bytes) -> None:
    store.create("a/b", data)
    assert store.exists("a/b") is True
    store.delete("a/b")
    assert store.exists("a/b") is False


def test_reading_gives_the_bytes_with_their_tag(store: ObjectStore) -> None:
    store.create("a", b"1")
    found = store.read_tagged("a")
    assert found is not None
    assert found.data == b"1"
    assert found.tag == tag_of(store, "a")


@pytest.mark.parametrize("name", ["b", "a/b", "a/b/c", "folder", "folder/b"])
def test_what_is_absent_is_none(store: ObjectStore, tmp_path: Path, name: str) -> None:
    store.create("a", b"1")
    store.create("folder/a", b"1")
    assert store.read(name) is None
    assert store.exists(name) is False
    assert store.read_tagged(name) is None
    assert store.fetch(name, tmp_path / "copy") is False
    assert not (tmp_path / "copy").exists()
    store.delete(name)
    assert list(store.list("")) == ["a", "folder/a"]


def test_fetching_writes_a_local_file(store: ObjectStore, tmp_path: Path) -> None:
    store.create("a", b"1" * 100_000)
    assert store.fetch("a", tmp_path / "copy") is True
    assert (tmp_path / "copy").read_bytes() == b"1" * 100_000


def test_fetching_many_says_which_are_absent(store: ObjectStore, tmp_path: Path) -> None:
    assert store.fetch_many({}) == ()
    stored = {f"a/{number}": b"%d" % number * 1000 for number in range(40)}
    store.create_many(stored)
    names = [*stored, "a/none", "b"]
    paths = {name: tmp_path / name.replace("/", "-") for name in names}
    assert set(store.fetch_many(paths)) == {"a/none", "b"}
    assert {name: paths[name].read_bytes() for name in stored} == stored
    assert not paths["b"].exists()


def test_a_fetch_that_finds_no_room_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    store.create("a", b"1" * 100_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StoreError):
            store.fetch("a", tmp_path / "copy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "copy").exists()
    assert store.fetch("a", tmp_path / "copy") is True


def test_a_deleted_object_is_gone_and_may_be_created_with_other_bytes(store: ObjectStore) -> None:
    store.create("a/b/c", b"1")
    store.delete("a/b/c")
    assert store.read("a/b/c") is None
    assert list(store.list("a")) == []
    store.delete("a/b/c")
    store.create("a/b/c", b"2")
    assert store.read("a/b/c") == b"2"


def test_names_are_listed_in_byte_order(store: ObjectStore) -> None:
    names = {"a", "b/x", "b-x/1", "b.x/1", "b0/1", "b.x.y", "B/x", "_", "0", "b/", "b/0/1", "b/-", "b/_"} - {
        "b/"
    }
    store.create_many(dict.fromkeys(names, b""))
    assert list(store.list("")) == sorted(names)


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("batch/", ["batch/1", "batch/10", "batch/2/x"]),
        ("batch", ["batch/1", "batch/10", "batch/2/x", "batch2/1"]),
        ("batch/1", ["batch/1", "batch/10"]),
        ("batch/2", ["batch/2/x"]),
        ("batch/2/", ["batch/2/x"]),
        ("batch/1/", []),
        ("none/", []),
        ("none", []),
        ("z", ["z"]),
    ],
)
def test_only_names_with_the_prefix_are_listed(store: ObjectStore, prefix: str, wanted: list[str]) -> None:
    store.create_many(dict.fromkeys(["batch/1", "batch/10", "batch/2/x", "batch2/1", "z", "a"], b""))
    assert list(store.list(prefix)) == wanted


def test_only_what_was_written_before_a_time_is_listed(store: ObjectStore) -> None:
    store.create_many(dict.fromkeys(["kits/1", "kits/2", "other/1"], b""))
    now = SystemClock().now()  # the stores' own clock: here both run on this machine
    assert list(store.list("kits/", now - 3600)) == []
    assert list(store.list("kits/", now + 3600)) == ["kits/1", "kits/2"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_name_that_breaks_the_rules_is_refused_by_every_method(
    store: ObjectStore, tmp_path: Path, name: str
) -> None:
    (tmp_path / "source").write_bytes(b"1")
    calls: list[Callable[[], object]] = [
        lambda: store.create(name, b"1"),
        lambda: store.create_file(name, tmp_path / "source"),
        lambda: store.create_many({"fine": b"1", name: b"1"}),
        lambda: store.replace(name, b"1", None),
        lambda: store.read(name),
        lambda: store.exists(name),
        lambda: store.read_tagged(name),
        lambda: store.fetch(name, tmp_path / "copy"),
        lambda: store.fetch_many({name: tmp_path / "copy"}),
        lambda: store.delete(name),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="is not an object name"):
            call()
    assert list(store.list("")) == []


@pytest.mark.parametrize("prefix", ["/", "../", "a/../b", "a//b", "ä", "a b"])
def test_a_prefix_that_no_name_can_have_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="does not begin any object name"):
        store.list(prefix)


def test_everything_is_there_after_opening_again(factory: Factory[ObjectStore], tmp_path: Path) -> None:
    store = factory.open(tmp_path)
    store.create("a/1", b"1")
    store.replace("head", b"2", None)
    tag = tag_of(store, "head")
    again = factory.open(tmp_path)
    assert [again.read(name) for name in again.list("")] == [b"1", b"2"]
    again.replace("head", b"3", tag)
    assert store.read("head") == b"3"


def test_of_racing_creators_with_different_bytes_one_wins(race: Race[ObjectStore]) -> None:
    for turn in range(5):
        results = race.run(partial(acts.create_own, name=f"a/{turn}"))
        assert sorted(results) == ["None"] + ["ObjectConflictError"] * (race.count - 1)
        winner = results.index("None")
        assert race.factory.open(race.place).read(f"a/{turn}") == str(winner).encode() * 10_000


def test_racing_creators_with_the_same_bytes_all_win(race: Race[ObjectStore]) -> None:
    results = race.run(acts.create_same)
    assert results == ["None"] * race.count


def test_of_racing_first_replacers_and_creators_one_wins(race: Race[ObjectStore]) -> None:
    results = race.run(acts.create_or_replace)
    winner = results.index("None")
    assert results.count("None") == 1
    assert race.factory.open(race.place).read("head") == str(winner).encode()


def test_of_racing_replacers_with_one_tag_one_wins(race: Race[ObjectStore]) -> None:
    store = race.factory.open(race.place)
    store.create("head", b"start")
    tag = tag_of(store, "head")
    results = race.run(partial(acts.replace_own, tag=tag))
    assert sorted(results) == ["None"] + ["StaleTagError"] * (race.count - 1)
    assert store.read("head") == str(results.index("None")).encode()


def test_no_update_is_lost_between_racing_replacers(race: Race[ObjectStore]) -> None:
    store = race.factory.open(race.place)
    store.create("counter", b"0")

    assert race.run(acts.count_to_five) == ["5"] * race.count
    assert store.read("counter") == str(5 * race.count).encode()


def test_readers_never_see_part_of_an_object(race: Race[ObjectStore]) -> None:
    store = race.factory.open(race.place)
    store.create("page", acts.PAGES[0])
    assert race.run(acts.read_or_replace) == ["True"] * race.count


def test_creating_beside_deleting_never_fails(race: Race[ObjectStore]) -> None:
    assert race.run(acts.create_and_delete) == ["None"] * race.count
    assert list(race.factory.open(race.place).list("")) == []


@pytest.mark.parametrize("acknowledged", [1, 3, 10])
def test_a_killed_writer_leaves_whole_objects_only(
    factory: Factory[ObjectStore], tmp_path: Path, acknowledged: int
) -> None:
    done = kill_at_work(factory, tmp_path, acts.write, acknowledged)
    store = factory.open(tmp_path)
    names = set(store.list(""))
    wanted = (
        {"head"} | {f"a/{n}" for n in range(done)} | {f"b/{n}/{i}" for n in range(done) for i in range(5)}
    )
    # What the killed step did is whole too, if it is there.
    last = {f"a/{done}"} | {f"b/{done}/{i}" for i in range(5)}
    assert wanted <= names <= wanted | last
    for name in names - {"head"}:
        assert store.read(name) == acts.content(int(name.rpartition("/")[2])), name
    assert store.read("head") in {acts.content(done - 1), acts.content(done)}
    store.create("a/after", b"1")
