"""Runs the log beside the local server: at each instant of the grid a round, deliveries, the index."""

import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from attestlayer.encoding import format_time
from issuer.errors import ServiceError
from issuer.handlers import deliver, index, release, sequence
from issuer.local.wsgi import LambdaContext
from issuer.ports import Clock

Handler = Callable[[dict[str, Any], object], Mapping[str, object]]

RETRY_S = 5.0
"""Seconds after a failure until the next try, if the next instant is not nearer."""
CLOSING_S = 20.0
"""Seconds to wait for a running round. Leaving it is safe too: the next start goes on where it stopped."""

_CONTEXT = LambdaContext("ticker")


class Ticker:
    """A thread that calls the round's handlers, as EventBridge Scheduler does elsewhere.

    The first round runs at once: it finishes what an earlier process began. A failure is told in one
    line and tried again; it never ends the thread.
    """

    def __init__(
        self,
        cadence_s: int,
        clock: Clock,
        *,
        out: TextIO | None = None,
        handlers: tuple[Handler, ...] = (
            sequence.handler,
            deliver.handler,
            index.handler,
            release.handler,
        ),
    ) -> None:
        self._cadence_s = cadence_s
        self._clock = clock
        self._out = out
        self._handlers = handlers
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop: a running round is finished, or left after `CLOSING_S`. Again: does nothing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            well = self._round()
            self._closing.wait(self._pause(well=well))

    def _pause(self, *, well: bool) -> float:
        now = self._clock.now()
        following = (now // self._cadence_s + 1) * self._cadence_s
        return following - now if well else min(following - now, RETRY_S)

    def _round(self) -> bool:
        """One round and its deliveries. False if something failed."""
        try:
            made, delivery, *_ = [handler({}, _CONTEXT) for handler in self._handlers]
        except Exception as error:  # the next try may do it: nothing may end the log but its operator
            title = error.code.title if isinstance(error, ServiceError) else type(error).__name__
            self._tell(f"round failed, trying again: {title}: {error}")
            return False
        self._tell(_words(made, delivery))
        return not delivery["failed"]

    def _tell(self, text: str) -> None:
        line = f"{format_time(int(self._clock.now()))}  {text}"
        print(line, file=self._out or sys.stderr, flush=True)


def _words(made: Mapping[str, object], delivery: Mapping[str, object]) -> str:
    delivered, failed = delivery["delivered"], delivery["failed"]
    assert isinstance(delivered, list)
    assert isinstance(failed, list)
    words = [f"checkpoint {made['sequence']} {made['outcome']}", f"new leaves: {made['leaves']}"]
    words += [f"kits delivered: {', '.join(delivered)}"] if delivered else []
    words += [f"not delivered, leaf {leaf}: {why}" for leaf, why in failed]
    return "; ".join(words)
