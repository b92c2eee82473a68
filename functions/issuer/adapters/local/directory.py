"""An `ObjectStore` in a folder of a POSIX file system: an object is a file, its name the path.

A write takes four steps, and their order makes it whole and durable. (1) The content goes to a temporary file
in the *state folder*, outside the folder that is served, and (2) is synced, so that a name never leads to a
torn file. (3) Under a lock (`flock`) that all threads and processes of the machine share, the file gets its
name in one system call: readers see the old object or the new one. (4) Its folders are synced, since the name
is not durable before. Only then the call returns. The slow part, writing and syncing content, happens outside
the lock.
"""

import errno
import fcntl
import hashlib
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from issuer.adapters.system import identity, make_folder, name_new, storing, sync_folder
from issuer.errors import Code, ObjectConflictError, ServiceError, StaleTagError, StoreError
from issuer.ports import Tagged, check_name, folder_of, is_name

_WRITERS = 16  # threads; measured: 2.8–3.2 k files/s with fsync, against 1.0–1.5 k in one thread
_LEFTOVER_AGE_S = 3600  # far longer than a write takes; a live writer also holds a lock on its file
_TEMP_PREFIX = "new-"


class DirectoryStore:
    """Objects below `root`. `private`: readable by this user only (0600; else 0644 in folders of 0755).
    `read_only`: opening it changes nothing.

    `state` holds the lock and unfinished files. It must be on root's file system, outside root, and the same
    for every process that writes; by default `.<root's name>.state` next to root.

    A tag is the SHA-256 of the content, like S3's ETag a function of the bytes alone: it survives a copy of
    the folder, and no second file could contradict the first. Content that changed from A to B and back to A
    has A's tag again; a swap based on that tag is right, as its holder read the same bytes.

    Raises `ValueError` for a malformed name, an error of ours. An object can't have the name of another one's
    folder (`a` and `a/b`): `StoreError`.
    """

    def __init__(
        self, root: Path, *, state: Path | None = None, private: bool = False, read_only: bool = False
    ) -> None:
        self._root = root.absolute()
        self._state = (state or self._root.with_name(f".{self._root.name}.state")).absolute()
        self._lock = self._state / "lock"
        self._file_mode, self._folder_mode = (0o600, 0o700) if private else (0o644, 0o755)
        with storing("open the object store", str(self._root)):
            if not read_only:
                for folder, mode in ((self._root, self._folder_mode), (self._state, 0o700)):
                    folder.parent.mkdir(parents=True, exist_ok=True)
                    make_folder(folder, mode)
            # Known from now on by device and inode, so that an unmounted disk is not taken for an empty
            # store.
            self._root_id = identity(self._root)
            if not read_only:
                self._prepare_writing()

    def __str__(self) -> str:
        return f"the folder {self._root}"

    def create(self, name: str, data: bytes) -> None:
        """Store `data` under a new name, or find the same bytes there.

        Two fsyncs at least: file and folder.
        """
        with storing("create", name):
            self._create(name, io.BytesIO(data))
            self._sync_folders([name])

    def create_file(self, name: str, path: Path) -> None:
        """Store a copy of the file at `path` under a new name, or find the same bytes there."""
        with storing("create", name), path.open("rb") as source:
            self._create(name, source)
            self._sync_folders([name])

    def create_many(self, objects: Mapping[str, bytes]) -> None:
        """Store each under its new name. The files are synced in parallel, each folder once."""
        for name in objects:
            self._path(name)  # a malformed name fails the call before anything is stored
        with storing("create", f"{len(objects)} objects"), ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(self._create_one, objects.items()):
                pass
            self._sync_folders(objects)

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        """Swap the content if its tag is still `tag`. Reads the current content to compute its tag."""
        target = self._path(name)
        with storing("replace", name):
            with self._temporary(io.BytesIO(data)) as temporary, self._locked():
                # The lock makes comparing and renaming one step among all writers of this machine.
                current = self.read_tagged(name)
                found = None if current is None else current.tag
                if found != tag:
                    raise StaleTagError(f"replace {name}: found {_shown(found)}, wanted {_shown(tag)}")
                # A new object is linked, which can't replace one; an existing one is renamed over, which
                # keeps the name valid at every moment: a reader opens the old file or the new one.
                if tag is None:
                    self._make_folders(target)
                    name_new(temporary, target)
                else:
                    temporary.rename(target)
            self._sync_folders([name])

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None.

        Takes no lock: a file that has this name is complete and never changes.
        """
        with storing("read", name), self._opened(name) as file:
            return None if file is None else file.read()

    def exists(self, name: str) -> bool:
        """Whether the object exists. A folder of this name is no object."""
        with storing("look for", name), self._opened(name) as file:
            return file is not None

    def read_tagged(self, name: str) -> Tagged | None:
        """The object's bytes with their SHA-256 in hexadecimal as tag, or None."""
        data = self.read(name)
        return None if data is None else Tagged(data, hashlib.sha256(data).hexdigest())

    def fetch(self, name: str, path: Path) -> bool:
        """Copy the object to the new file `path`, readable by this user only (0600).

        Not synced: it is scratch.
        """
        with storing("fetch", name), self._opened(name) as file:
            if file is None:
                return False
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as copy:
                try:
                    shutil.copyfileobj(file, copy)
                    copy.flush()
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
            return True

    def fetch_many(self, files: Mapping[str, Path]) -> tuple[str, ...]:
        """As `fetch`, one after the other."""
        return tuple(name for name, path in files.items() if not self.fetch(name, path))

    def delete(self, name: str) -> None:
        """Remove the object and any folder that becomes empty. Durable when it returns."""
        target = self._path(name)
        with storing("delete", name):
            # Under the lock: a folder must not vanish between a writer's `_make_folders` and its naming.
            with self._locked(), suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_ISREG(target.lstat().st_mode):
                    target.unlink()
                    self._remove_empty(target.parent)
            self._sync_folders([name])

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        """Names in byte order. Reads folder by folder and opens only those that can hold the prefix.

        Memory: one folder's entries a level. No snapshot: an object stored meanwhile may be listed or not.
        """
        names = self._walk(folder_of(prefix), prefix)
        return names if before is None else filter(lambda name: self._is_older(name, before), names)

    def _is_older(self, name: str, time: float) -> bool:
        with storing("look at", name), suppress(FileNotFoundError, NotADirectoryError):
            return self._path(name).lstat().st_mtime < time
        return False  # deleted since it was listed

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        for name in self._entries(folder):
            if not name.startswith(prefix):
                continue
            if name.endswith("/"):
                yield from self._walk(name, prefix)
            else:
                yield name

    def _entries(self, folder: str) -> Iterable[str]:
        """Objects and folders in `folder`, sorted.

        A folder ends in `/`, so it sorts as the names below it do.
        """
        names = []
        with storing("list", folder or "the store"):
            try:
                with os.scandir(self._root / folder) as entries:
                    for entry in entries:
                        if not is_name(entry.name):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            names.append(f"{folder}{entry.name}/")
                        elif entry.is_file(follow_symlinks=False):
                            names.append(folder + entry.name)
            except (FileNotFoundError, NotADirectoryError):
                pass  # there is no such folder, or it was emptied and removed since
            self._check_root()
        return sorted(names)

    def _create_one(self, item: tuple[str, bytes]) -> None:
        with storing("create", item[0]):
            self._create(item[0], io.BytesIO(item[1]))

    def _create(self, name: str, source: BinaryIO) -> None:
        """`create` without syncing folders, which `create_many` does once for all its objects."""
        target = self._path(name)
        with self._temporary(source) as temporary, self._locked():
            self._make_folders(target)
            try:
                name_new(temporary, target)
            except FileExistsError:
                # The same bytes again: a retry, or another publisher of the round. Other bytes mean that one
                # of the two writers is wrong, and the first one stands.
                if not self._same(name, temporary):
                    raise ObjectConflictError(f"create {name}: it exists with other bytes") from None

    def _same(self, name: str, path: Path) -> bool:
        with self._opened(name) as ours, path.open("rb") as theirs:
            if ours is None:
                raise IsADirectoryError(errno.EISDIR, "other objects are below this name")
            while (chunk := ours.read(io.DEFAULT_BUFFER_SIZE)) == theirs.read(io.DEFAULT_BUFFER_SIZE):
                if not chunk:
                    return True
            return False

    @contextmanager
    def _temporary(self, source: BinaryIO) -> Iterator[Path]:
        """A synced copy of `source` on root's file system, removed at the end unless it was renamed."""
        descriptor, name = tempfile.mkstemp(prefix=_TEMP_PREFIX, dir=self._state)
        path = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)  # shows `_remove_leftovers` that the writer is alive
                os.fchmod(descriptor, self._file_mode)  # mkstemp makes 0600
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(descriptor)
                yield path
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Opened each time: flock(2) belongs to the open file, so threads exclude each other as well.
        descriptor = os.open(self._lock, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._check_root()
            yield
        finally:
            # Explicit, as close() alone would not unlock: a child forked meanwhile shares the open file.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO | None]:
        """The object's open file, or None.

        Folders and pipes are no objects; a symbolic link fails (ELOOP).
        """
        # O_NOFOLLOW: no link may lead out of the store. O_NONBLOCK: opening a pipe must not wait for a
        # writer.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path(name), flags)
        except (FileNotFoundError, NotADirectoryError):
            self._check_root()  # absence counts only if the store itself is there
            yield None
            return
        try:
            self._check_root()
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    yield file
            else:
                yield None
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> Path:
        check_name(name)
        return self._root / name

    def _make_folders(self, target: Path) -> None:
        for folder in reversed(target.relative_to(self._root).parents):
            make_folder(self._root / folder, self._folder_mode)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:  # not empty; any other failure leaves an empty folder, which does no harm
                return
            folder = folder.parent

    def _sync_folders(self, names: Iterable[str]) -> None:
        """Make the names durable: sync their folders, up to the root.

        Folders that existed already are synced too: another process may have made them and not have synced
        them yet, and a name is durable only if all folders above it are. A clean folder costs 0.1 ms. A
        folder that is gone was emptied since.
        """
        for folder in {parent for name in names for parent in Path(name).parents}:
            with suppress(FileNotFoundError, NotADirectoryError):
                sync_folder(self._root / folder)

    def _check_state(self) -> None:
        """Check the state folder: it must not be served, and rename(2) works on one file system only."""
        if self._state.resolve().is_relative_to(self._root.resolve()):
            raise ServiceError(
                Code.HOME_UNUSABLE, f"state folder {self._state} is inside {self._root}, which is served"
            )
        if self._root_id[0] != identity(self._state)[0]:
            raise ServiceError(
                Code.HOME_UNUSABLE, f"state folder {self._state} is on another file system than {self._root}"
            )

    def _check_root(self) -> None:
        """Check that root is still the folder that was opened, since absence decides what is written.

        An unmounted disk would look like an empty store, and the log would seem to have lost its head.
        """
        if identity(self._root) != self._root_id:
            raise StoreError(f"{self._root} is another folder than when it was opened")

    def _prepare_writing(self) -> None:
        self._check_state()
        os.close(os.open(self._lock, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        for folder in (self._root.parent, self._state):
            sync_folder(folder)
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Remove files of killed writers: older than an hour by the file system's clock, and not locked."""
        os.utime(self._lock)  # the file system's time, which on a network mount is not this machine's
        now = self._lock.stat().st_mtime
        for path in self._state.glob(f"{_TEMP_PREFIX}*"):
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > _LEFTOVER_AGE_S:
                    _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    with path.open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _shown(tag: str | None) -> str:
    return "no object" if tag is None else f"tag {tag[:12]}…"
