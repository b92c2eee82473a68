"""What fault matrix, races and state machine run over: stores and a ledger that a test's folder names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from issuer.bootstrap.service import Service
from support.log import Opener


@dataclass(frozen=True)
class Backend:
    """Stores and ledger under test.

    `open`: the ports of one more process on a home, made empty if it is new; for the same home it gives
    the same content again. `copy`: a second home with the same content, which must not exist yet; neither
    changes when the other is written. `registry`: a folder with the home's public objects as they are
    now (an export where there is no such folder). `service`: a whole service as a process of its own gets it,
    the log started; None if other processes can't see the home (doubles in memory). `share`: a test makes one
    in so many of its cases and racers, since each call is a request.
    """

    name: str
    open: Opener
    copy: Callable[[Path, Path], None]
    registry: Callable[[Path], Path]
    service: Callable[[Path], Service] | None = None
    share: int = 1

    def __str__(self) -> str:
        return self.name
