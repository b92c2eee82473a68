"""An `ObjectStore` in a folder of a POSIX file system: an object is a file, its name the path.

New content is written and synced under a temporary name in the *state folder*, outside what is
served, and gets its name in one step. Naming and deleting happen under a lock (`flock`) that all
threads and processes of the machine share; the slow part, writing, happens outside it.
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

from issuer.adapters.object_names import check_name, folder_of, is_name
from issuer.adapters.posix import identity, make_folder, name_new, storing, sync_folder
from issuer.errors import Code, ObjectConflictError, ServiceError, StaleTagError, StoreError
from issuer.ports import Tagged

_WRITERS = 16  # threads; measured: 2.8–3.2 k files/s with fsync, against 1.0–1.5 k in one thread
_LEFTOVER_AGE_S = 3600
_TEMP_PREFIX = "new-"


class DirectoryStore:
    """Objects below `root`; `private` ones are for this user only (0600, else 0644 in 0755 folders).

    `state` holds the lock and unfinished files. It must be on root's file system, outside root, and
    the same for every process that writes; by default `.<root's name>.state` beside root.

    Tags are the SHA-256 of the content, like S3's ETag a function of the bytes alone: they survive
    a copy of the folder and need no second file that could disagree with the first. Content that
    went to B and back to A has A's tag again, and is what the holder of A's tag read.

    A name that breaks the rules is a `ValueError`: names are made by this program. An object can't
    be named like another's folder (`a` beside `a/b`): `StoreError`.
    """

    def __init__(self, root: Path, *, state: Path | None = None, private: bool = False) -> None:
        self._root = root.absolute()
        self._state = (state or self._root.with_name(f".{self._root.name}.state")).absolute()
        self._lock = self._state / "lock"
        self._file_mode, self._folder_mode = (0o600, 0o700) if private else (0o644, 0o755)
        with storing("open the object store", str(self._root)):
            self._root.parent.mkdir(parents=True, exist_ok=True)
            make_folder(self._root, self._folder_mode)
            self._state.parent.mkdir(parents=True, exist_ok=True)
            make_folder(self._state, 0o700)
            self._root_id = identity(self._root)
            self._check_state()
            os.close(os.open(self._lock, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            for folder in (self._root.parent, self._state):
                sync_folder(folder)
            self._remove_leftovers()

    def create(self, name: str, data: bytes) -> None:
        """Store `data` under a new name, or find the same bytes there."""
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
            self._path(name)
        with storing("create", f"{len(objects)} objects"), ThreadPoolExecutor(_WRITERS) as pool:
            for _ in pool.map(self._create_one, objects.items()):
                pass
            self._sync_folders(objects)

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        """Swap the content if its tag is still `tag`."""
        target = self._path(name)
        with storing("replace", name):
            with self._temporary(io.BytesIO(data)) as temporary, self._locked():
                current = self.read_tagged(name)
                found = None if current is None else current.tag
                if found != tag:
                    raise StaleTagError(f"replace {name}: found {_told(found)}, wanted {_told(tag)}")
                if tag is None:
                    self._make_folders(target)
                    name_new(temporary, target)
                else:
                    temporary.rename(target)
            self._sync_folders([name])

    def read(self, name: str) -> bytes | None:
        """The object's bytes."""
        with storing("read", name), self._opened(name) as file:
            return None if file is None else file.read()

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        with storing("look for", name), self._opened(name) as file:
            return file is not None

    def read_tagged(self, name: str) -> Tagged | None:
        """The object's bytes and their SHA-256."""
        data = self.read(name)
        return None if data is None else Tagged(data, hashlib.sha256(data).hexdigest())

    def fetch(self, name: str, path: Path) -> bool:
        """Copy the object to `path`, which must not exist yet; for this user only (0600)."""
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
        """Remove the object, and the folders that it leaves empty."""
        target = self._path(name)
        with storing("delete", name):
            with self._locked(), suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_ISREG(target.lstat().st_mode):
                    target.unlink()
                    self._remove_empty(target.parent)
            self._sync_folders([name])

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        """Names in byte order, read folder by folder; only folders on the prefix's way are opened."""
        names = self._walk(folder_of(prefix), prefix)
        return names if before is None else filter(lambda name: self._is_older(name, before), names)

    def _is_older(self, name: str, time: float) -> bool:
        with storing("look at", name), suppress(FileNotFoundError, NotADirectoryError):
            return self._path(name).lstat().st_mtime < time
        return False  # gone meanwhile

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        for name in self._entries(folder):
            if not name.startswith(prefix):
                continue
            if name.endswith("/"):
                yield from self._walk(name, prefix)
            else:
                yield name

    def _entries(self, folder: str) -> Iterable[str]:
        """Objects and folders (with a `/` behind, which is what they sort by) in `folder`."""
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
                pass  # no such folder, or emptied meanwhile
            self._check_root()
        return sorted(names)

    def _create_one(self, item: tuple[str, bytes]) -> None:
        with storing("create", item[0]):
            self._create(item[0], io.BytesIO(item[1]))

    def _create(self, name: str, source: BinaryIO) -> None:
        """All of `create` but that the folders are synced."""
        target = self._path(name)
        with self._temporary(source) as temporary, self._locked():
            self._make_folders(target)
            try:
                name_new(temporary, target)
            except FileExistsError:
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
        """A synced copy of `source` on root's file system; gone afterwards if it still has this name."""
        descriptor, name = tempfile.mkstemp(prefix=_TEMP_PREFIX, dir=self._state)
        path = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)  # tells `_remove_leftovers` that the writer lives
                os.fchmod(descriptor, self._file_mode)
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(descriptor)
                yield path
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Opened each time: flock belongs to the open file, so threads exclude each other as well.
        descriptor = os.open(self._lock, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._check_root()
            yield
        finally:
            # Said and not left to close(): a child forked meanwhile has the open file as well.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO | None]:
        """The object's file, or None if there is none. A folder or pipe is none; a link fails (ELOOP)."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path(name), flags)
        except (FileNotFoundError, NotADirectoryError):
            self._check_root()
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
            except OSError:  # not empty; and an empty folder that stays does no harm
                return
            folder = folder.parent

    def _sync_folders(self, names: Iterable[str]) -> None:
        """Make the names durable: sync their folders, up to the root.

        Folders that were there already are synced too: the call that made them may be another
        process's and not be done (a clean folder costs 0.1 ms). One that is gone was emptied since.
        """
        for folder in {parent for name in names for parent in Path(name).parents}:
            with suppress(FileNotFoundError, NotADirectoryError):
                sync_folder(self._root / folder)

    def _check_state(self) -> None:
        if self._state.resolve().is_relative_to(self._root.resolve()):
            raise ServiceError(
                Code.HOME_UNUSABLE, f"state folder {self._state} is inside {self._root}, which is served"
            )
        if self._root_id[0] != identity(self._state)[0]:
            raise ServiceError(
                Code.HOME_UNUSABLE, f"state folder {self._state} is on another file system than {self._root}"
            )

    def _check_root(self) -> None:
        """An unmounted or replaced root must not look like this store, with no objects or with others."""
        if identity(self._root) != self._root_id:
            raise StoreError(f"{self._root} is another folder than when it was opened")

    def _remove_leftovers(self) -> None:
        """Remove what killed writers left: older than an hour by the file system's clock, and not locked."""
        os.utime(self._lock)
        now = self._lock.stat().st_mtime
        for path in self._state.glob(f"{_TEMP_PREFIX}*"):
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > _LEFTOVER_AGE_S:
                    _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    with path.open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _told(tag: str | None) -> str:
    return "no object" if tag is None else f"tag {tag[:12]}…"
