"""Files on a POSIX file system: names that are given once, folders that are durable, errors that say what."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from issuer.errors import StoreError

# What link(2) says where the file system has no hard links (FAT, some FUSE and network mounts).
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def storing(what: str, name: str) -> Iterator[None]:
    """Turn an `OSError` into a `StoreError` that says what was being done, to what, and why it failed."""
    try:
        yield
    except OSError as error:
        word = errno.errorcode.get(error.errno or 0, "no errno")
        raise StoreError(f"{what} {name}: {error.strerror or error} ({word})") from error


def name_new(temporary: Path, target: Path) -> None:
    """Give a finished file its name unless the name is taken (`FileExistsError`). Needs the writers' lock.

    A hard link is exclusive by itself, even against writers that don't know the lock. Without hard
    links the lock is what makes looking and renaming one step.
    """
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        temporary.rename(target)


def make_folder(path: Path, mode: int) -> None:
    """Make a folder with exactly `mode`. Whatever is there already is left as it is."""
    with suppress(FileExistsError):
        path.mkdir(mode)
        path.chmod(mode)  # mkdir's mode is cut by the umask


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(path: Path) -> tuple[int, int]:
    """Device and inode: what stays the same while it is the same file."""
    found = path.stat()
    return found.st_dev, found.st_ino
