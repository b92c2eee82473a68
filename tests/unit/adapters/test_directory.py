"""The directory store where it is more than its port: files, folders, disks in trouble."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from contract.racing import Factory, Race
from issuer.adapters.local.directory import DirectoryStore
from issuer.errors import Code, ObjectConflictError, ServiceError, StaleTagError, StoreError
from unit.adapters.disks import Limit, SmallDisk


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "root")


@pytest.fixture(params=[0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def failing(code: int) -> object:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def unfinished(tmp_path: Path) -> list[Path]:
    return list((tmp_path / ".root.state").glob("new-*"))


# Files and folders


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("private", "file", "folder"), [(False, 0o644, 0o755), (True, 0o600, 0o700)])
def test_files_and_folders_have_their_modes_whatever_the_umask(
    tmp_path: Path, private: bool, file: int, folder: int
) -> None:
    store = DirectoryStore(tmp_path / "root", private=private)
    store.create("a/b/c", b"1")
    store.replace("head", b"1", None)
    store.create_many({"many/1": b"1"})
    for name in ("a/b/c", "head", "many/1"):
        assert mode(tmp_path / "root" / name) == file
    for name in ("", "a", "a/b", "many"):
        assert mode(tmp_path / "root" / name) == folder
    assert mode(tmp_path / ".root.state") == 0o700


def test_only_objects_are_below_the_root(tmp_path: Path, store: DirectoryStore) -> None:
    store.create("a", b"1")
    store.replace("head", b"1", None)
    with pytest.raises(ObjectConflictError):
        store.create("a", b"2")
    with pytest.raises(StaleTagError):
        store.replace("head", b"2", None)
    assert sorted(path.name for path in (tmp_path / "root").iterdir()) == ["a", "head"]
    assert [path.name for path in (tmp_path / ".root.state").iterdir()] == ["lock"]


def test_folders_that_deleting_empties_are_removed(tmp_path: Path, store: DirectoryStore) -> None:
    store.create("a/b/c", b"1")
    store.create("a/d", b"1")
    store.delete("a/b/c")
    assert [path.name for path in (tmp_path / "root" / "a").iterdir()] == ["d"]
    store.delete("a/d")
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a")])
def test_a_name_can_not_be_an_object_and_a_folder(store: DirectoryStore, first: str, second: str) -> None:
    store.create(first, b"1")
    with pytest.raises(StoreError, match=f"create {second}: "):
        store.create(second, b"1")
    with pytest.raises(StoreError, match=f"replace {second}: "):
        store.replace(second, b"1", None)
    assert list(store.list("")) == [first]


def test_a_link_in_the_tree_is_no_object(tmp_path: Path, store: DirectoryStore) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError, match=r"read link: .*ELOOP"):
        store.read("link")
    store.delete("link")
    assert list(store.list("")) == []
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_pipe_in_the_tree_is_no_object(tmp_path: Path, store: DirectoryStore) -> None:
    os.mkfifo(tmp_path / "root" / "pipe")
    assert store.read("pipe") is None
    assert list(store.list("")) == []


def test_fetching_does_not_overwrite_a_local_file(tmp_path: Path, store: DirectoryStore) -> None:
    store.create("a", b"1")
    (tmp_path / "mine").write_bytes(b"mine")
    with pytest.raises(StoreError, match=r"fetch a: .*EEXIST"):
        store.fetch("a", tmp_path / "mine")
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_source_file_that_is_missing_is_a_store_error(tmp_path: Path, store: DirectoryStore) -> None:
    with pytest.raises(StoreError, match=r"create a: .*ENOENT"):
        store.create_file("a", tmp_path / "missing")


# Opening


def test_a_state_folder_that_would_be_served_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is inside") as caught:
        DirectoryStore(tmp_path / "root", state=tmp_path / "root" / "state")
    assert caught.value.code is Code.HOME_UNUSABLE


def test_a_state_folder_on_another_file_system_is_refused(tmp_path: Path, small_disk: SmallDisk) -> None:
    with pytest.raises(ServiceError, match="is on another file system") as caught:
        DirectoryStore(tmp_path / "root", state=small_disk.path / "state")
    assert caught.value.code is Code.HOME_UNUSABLE


def test_a_root_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"")
    with pytest.raises(StoreError):
        DirectoryStore(tmp_path / "root").create("a", b"1")


def test_opening_removes_old_leftovers_but_no_living_or_young_ones(
    tmp_path: Path, store: DirectoryStore
) -> None:
    state = tmp_path / ".root.state"
    names = ["new-dead", "new-young", "new-living", "other"]
    for name in names:
        (state / name).write_bytes(b"half")
    now = (state / "new-young").stat().st_mtime
    for name in ("new-dead", "new-living", "other", "lock"):
        os.utime(state / name, (now - 3700, now - 3700))
    with (state / "new-living").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        DirectoryStore(tmp_path / "root")
        assert sorted(path.name for path in state.iterdir()) == ["lock", *sorted(names[1:])]
    DirectoryStore(tmp_path / "root")
    assert sorted(path.name for path in state.iterdir()) == ["lock", "new-young", "other"]
    assert list(store.list("")) == []


@pytest.mark.parametrize("put_another", [True, False])
def test_a_root_that_was_moved_away_is_not_taken_for_an_empty_store(
    tmp_path: Path, store: DirectoryStore, put_another: bool
) -> None:
    store.create("head", b"1")
    (tmp_path / "root").rename(tmp_path / "elsewhere")
    if put_another:
        (tmp_path / "root").mkdir()
    with pytest.raises(StoreError):
        store.read("head")
    with pytest.raises(StoreError):
        list(store.list(""))
    with pytest.raises(StoreError):
        store.replace("head", b"2", None)
    with pytest.raises(StoreError):
        store.create("a", b"2")
    with pytest.raises(StoreError):
        store.delete("head")
    assert list((tmp_path / "elsewhere").iterdir()) == [tmp_path / "elsewhere" / "head"]


# Without hard links


@pytest.fixture(params=[errno.EPERM, errno.EOPNOTSUPP])
def no_hard_links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(request.param))


@pytest.mark.usefixtures("no_hard_links")
def test_without_hard_links_objects_are_created_once_too(tmp_path: Path, store: DirectoryStore) -> None:
    store.create("a/b", b"1")
    store.create("a/b", b"1")
    with pytest.raises(ObjectConflictError):
        store.create("a/b", b"2")
    with pytest.raises(StaleTagError):
        store.replace("a/b", b"2", None)
    store.replace("head", b"1", None)
    assert [store.read(name) for name in store.list("")] == [b"1", b"1"]
    assert unfinished(tmp_path) == []


@pytest.mark.usefixtures("no_hard_links")
@pytest.mark.parametrize("processes", [False, True])
def test_without_hard_links_one_of_racing_creators_wins(tmp_path: Path, processes: bool) -> None:
    factory = Factory("without links", lambda place: DirectoryStore(place / "root"))
    race = Race(factory, tmp_path, count=4 if processes else 16, processes=processes)
    for turn in range(5):
        results = race.run(lambda store, i, turn=turn: store.create(f"a/{turn}", str(i).encode()))  # type: ignore[misc]
        assert sorted(results) == ["None"] + ["ObjectConflictError"] * (race.count - 1)
        assert factory.open(tmp_path).read(f"a/{turn}") == str(results.index("None")).encode()


# Disks in trouble


def test_when_no_space_is_left_nothing_is_left_behind(tmp_path: Path, small_disk: SmallDisk) -> None:
    store = DirectoryStore(small_disk.path / "root")
    store.create("head", b"1")
    found = store.read_tagged("head")
    assert found is not None
    tag = found.tag
    filler = small_disk.fill()
    calls: list[Callable[[], None]] = [
        lambda: store.create("a/b", b"x" * 9999),
        lambda: store.create_many({"a/c": b"x" * 9999}),
        lambda: store.replace("head", b"x" * 9999, tag),
    ]
    for call in calls:
        with pytest.raises(StoreError, match=r"(a/b|a/c|head): No space left on device \(ENOSPC\)"):
            call()
    assert list(store.list("")) == ["head"]
    assert [path.name for path in (small_disk.path / ".root.state").iterdir()] == ["lock"]
    assert store.read("head") == b"1"
    filler.unlink()
    store.create("a/b", b"x" * 9999)
    assert store.read("a/b") == b"x" * 9999


def test_a_write_that_the_system_refuses_leaves_nothing_behind(
    tmp_path: Path, store: DirectoryStore, file_size_limit: Limit
) -> None:
    with file_size_limit(1000), pytest.raises(StoreError, match=r"create a/b: File too large \(EFBIG\)"):
        store.create("a/b", b"x" * 9999)
    assert (store.read("a/b"), unfinished(tmp_path)) == (None, [])
    store.create("a/b", b"x" * 9999)


def test_a_fetch_that_fails_leaves_no_file(
    tmp_path: Path, store: DirectoryStore, file_size_limit: Limit
) -> None:
    store.create("a", b"x" * 9999)
    with file_size_limit(1000), pytest.raises(StoreError, match=r"fetch a: .*EFBIG"):
        store.fetch("a", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_read_only_disk_is_told_and_can_be_read(small_disk: SmallDisk) -> None:
    store = DirectoryStore(small_disk.path / "root")
    store.create("a", b"1")
    small_disk.remount("ro")
    with pytest.raises(StoreError, match=r"create b: Read-only file system \(EROFS\)"):
        store.create("b", b"1")
    with pytest.raises(StoreError, match=r"delete a: Read-only file system \(EROFS\)"):
        store.delete("a")
    assert store.read("a") == b"1"
    small_disk.remount("rw")
    store.create("b", b"1")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EXDEV, errno.ENOSPC])
def test_a_name_that_can_not_be_given_is_a_store_error_and_leaves_nothing(
    tmp_path: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(code))
        with pytest.raises(StoreError, match=f"create a/b: .*{errno.errorcode[code]}"):
            store.create("a/b", b"1")
    assert (store.read("a/b"), unfinished(tmp_path)) == (None, [])
    store.create("a/b", b"2")


def test_bytes_that_can_not_be_synced_get_no_name(
    tmp_path: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StoreError, match=r"create a: .*EIO"):
        store.create("a", b"1")
    assert (store.read("a"), unfinished(tmp_path)) == (None, [])


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("way", ["create", "create_again", "create_many", "first", "replace"])
def test_bytes_are_synced_before_they_get_the_name_and_folders_before_the_call_returns(
    tmp_path: Path, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, way: str, links: bool
) -> None:
    """A crash of the machine can't be tried here; what the kernel is asked for, and when, can be seen."""
    root = tmp_path / "root"
    if way in {"create_again", "replace"}:
        store.create("a/b/c", b"1")
    found = store.read_tagged("a/b/c")
    asked: list[str] = []
    fsync, link, rename = os.fsync, os.link, os.rename

    def see_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        asked.append(f"sync {path.relative_to(root)}" if path.is_relative_to(root) else "sync bytes")
        fsync(descriptor)

    def see_link(source: Path, target: Path) -> None:
        asked.append("name")
        if not links:
            raise OSError(errno.EPERM, "no hard links")
        link(source, target)

    def see_rename(source: Path, target: Path) -> None:
        asked.append("name")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", see_fsync)
    monkeypatch.setattr(os, "link", see_link)
    monkeypatch.setattr(os, "rename", see_rename)
    match way:
        case "create" | "create_again":
            store.create("a/b/c", b"1")
        case "create_many":
            store.create_many({"a/b/c": b"1"})
        case _:
            store.replace("a/b/c", b"2", found.tag if found else None)
    assert asked[0] == "sync bytes"
    names = asked.count("name")
    assert names >= 1
    assert asked[1 : 1 + names] == ["name"] * names
    assert sorted(asked[1 + names :]) == ["sync .", "sync a", "sync a/b"]


def test_a_deletion_is_synced(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("a/b", b"1")
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(StoreError, match=r"delete a/b: .*EIO"):
        store.delete("a/b")
