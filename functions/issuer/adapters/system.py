"""The operating system: its clock and random bytes, which no other module asks for, and durable files."""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from issuer.errors import StoreError

# Errors of link(2) on file systems without hard links (FAT, some FUSE and network mounts).
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class SystemClock:
    """A `Clock`: POSIX time of the machine, which its operator keeps in step (NTP)."""

    def now(self) -> float:
        """POSIX seconds, UTC; may step back when the machine's clock is set."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds by CLOCK_MONOTONIC: no setting of the clock moves it; a suspended machine stops it."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`; not at all if that is not above 0."""
        time.sleep(max(0.0, seconds))


class SystemEntropy:
    """An `Entropy` from the operating system (getrandom)."""

    def token(self, length: int) -> bytes:
        """`length` random bytes, 1 or more. Raises `ValueError`."""
        if length < 1:
            raise ValueError(f"{length} random bytes were asked for, wanted 1 or more")
        return secrets.token_bytes(length)


@contextmanager
def storing(what: str, name: str) -> Iterator[None]:
    """Turn an `OSError` into a `StoreError` with the operation, its object and the cause."""
    try:
        yield
    except OSError as error:
        word = errno.errorcode.get(error.errno or 0, "no errno")
        raise StoreError(f"{what} {name}: {error.strerror or error} ({word})") from error


def name_new(temporary: Path, target: Path) -> None:
    """Give a finished file its name unless the name is taken (`FileExistsError`). Needs the writers' lock.

    link(2) fails if the name exists: it is exclusive even against writers that don't know
    the lock. rename(2) would silently replace the file, so without hard links a look at the name comes first,
    and only the lock makes both one step. A file that was linked keeps its temporary name too; the caller
    removes it.
    """
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # `lexists`: a dangling symbolic link has taken the name as well.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        temporary.rename(target)


def make_folder(path: Path, mode: int) -> None:
    """Make a folder with exactly `mode`.

    One that exists keeps its mode, which the operator may have chosen.
    """
    with suppress(FileExistsError):
        path.mkdir(mode)
        path.chmod(mode)  # mkdir's mode is cut by the umask


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: an fsync of a file saves its bytes, not its name (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(path: Path) -> tuple[int, int]:
    """Device and inode number, which stay the same as long as it is the same file or folder."""
    status = path.stat()
    return status.st_dev, status.st_ino
