"""The adapters that fault matrix, races and state machine run over. New ones are a line in `BACKENDS`.

A *home* is a folder of the test's: its path is the name of one home's stores. An adapter that keeps nothing
in folders derives its bucket and table from the path, and may put what it must remember into the folder.
"""

from pathlib import Path

from issuer.bootstrap.home import initialise_home
from issuer.bootstrap.service import Service
from issuer.settings import Settings
from support.backend import Backend
from support.cloud_backend import CLOUD
from support.log import ORIGIN, copy_home, log_in


def _local_service(home: Path) -> Service:
    return initialise_home(Settings(home, cadence_s=1), ORIGIN)


LOCAL = Backend("local", log_in, copy_home, lambda home: home / "registry", _local_service)
"""A directory and SQLite."""

BACKENDS = (LOCAL, CLOUD)
SHARED = tuple(backend for backend in BACKENDS if backend.service)
"""Those that processes can race for."""


def backend_named(name: str) -> Backend:
    """The backend, for another process that was told its name."""
    return next(backend for backend in BACKENDS if backend.name == name)
