"""A folder for this process's unfinished files. Folders of killed processes go at the next start.

Clients' records pass through it, so nothing may stay in it: no retention rule covers this place.
"""

import fcntl
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

from issuer.adapters.system import make_folder, storing

_LOCK = "lock"


class Scratch:
    """A new folder `path` below `root`, which exists as long as this object.

    Removes the folders of processes that have ended, in whatever way: the system has dropped their locks.
    Raises `StoreError`.
    """

    def __init__(self, root: Path) -> None:
        with storing("open the scratch folder", str(root)):
            root.mkdir(parents=True, exist_ok=True)
            for other in root.iterdir():
                _remove_if_left(other)
            own = Path(tempfile.mkdtemp(dir=root))
            # Locked under another name first: a process that starts now removes folders with an unlocked lock
            # file, and leaves those without one alone.
            unlocked = own / "unlocked"
            descriptor = os.open(unlocked, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            unlocked.rename(own / _LOCK)
            self.path = own / "work"
            make_folder(self.path, 0o700)
        weakref.finalize(self, _finish, own, descriptor, os.getpid())


def _finish(folder: Path, descriptor: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked child has a copy of this object but does not own the folder
        _remove(folder, descriptor)


def _remove(folder: Path, descriptor: int) -> None:
    # Closing drops the lock: last, so that no other process begins to remove the folder meanwhile.
    shutil.rmtree(folder, ignore_errors=True)
    os.close(descriptor)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # it is in use, being made, or being removed by another process
        descriptor = os.open(folder / _LOCK, os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        _remove(folder, descriptor)
