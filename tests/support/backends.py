"""The adapters that fault matrix, races and state machine run over. New ones are a line in `BACKENDS`.

A *home* is a folder of the test's: its path is the name of one home's stores. An adapter that keeps nothing
in folders derives its bucket and table from the path, and may put what it must remember into the folder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from issuer.bootstrap import Service, initialise_home
from issuer.settings import Settings
from support.log import ORIGIN, Opener, copy_home, log_in


@dataclass(frozen=True)
class Backend:
    """Stores and ledger under test.

    `open`: the ports of one more process on a home, made empty if it is new; for the same home it gives
    the same content again. `copy`: a second home with the same content, which must not exist yet; neither
    changes when the other is written. `registry`: a folder with the home's public objects as they are
    now (an export where there is no such folder). `service`: a whole service as a process of its own gets it,
    the log started; None if other processes can't see the home (doubles in memory).
    """

    name: str
    open: Opener
    copy: Callable[[Path, Path], None]
    registry: Callable[[Path], Path]
    service: Callable[[Path], Service] | None = None

    def __str__(self) -> str:
        return self.name


def _local_service(home: Path) -> Service:
    return initialise_home(Settings(home, cadence_s=1), ORIGIN)


LOCAL = Backend("local", log_in, copy_home, lambda home: home / "registry", _local_service)
"""A directory and SQLite."""

BACKENDS = (LOCAL,)
SHARED = tuple(backend for backend in BACKENDS if backend.service)
"""Those that processes can race for."""


def backend_named(name: str) -> Backend:
    """The backend, for another process that was told its name."""
    return next(backend for backend in BACKENDS if backend.name == name)
