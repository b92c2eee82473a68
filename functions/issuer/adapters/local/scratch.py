"""A folder of the home for this process's unfinished files; what a killed one left goes at the next start.

Clients' records pass through it, so nothing of it may stay behind where no retention rule looks.
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from issuer.adapters.posix import make_folder, storing

_LOCK = "lock"


class Scratch:
    """A new folder `path` below `root`, this process's while this object lives.

    Folders of processes that ended, however they ended, are removed: they hold no lock any more.
    """

    def __init__(self, root: Path) -> None:
        with storing("open the scratch folder", str(root)):
            root.mkdir(parents=True, exist_ok=True)
            for other in root.iterdir():
                _remove_if_left(other)
            own = Path(tempfile.mkdtemp(dir=root))
            unlocked = own / "unlocked"  # not yet to be seen by who removes what is not locked
            descriptor = os.open(unlocked, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            unlocked.rename(own / _LOCK)
            self.path = own / "work"
            make_folder(self.path, 0o700)
        weakref.finalize(self, _finish, own, descriptor, os.getpid())


def _finish(folder: Path, descriptor: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked child holds a copy, not the folder
        _remove(folder, descriptor)


def _remove(folder: Path, descriptor: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(descriptor)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # another process may be removing it, or is just making it
        descriptor = os.open(folder / _LOCK, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        _remove(folder, descriptor)
