"""Threads that call the scheduled handlers for the local server, as EventBridge Scheduler does elsewhere."""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from attestlayer.encoding import format_time
from attestlayer.visible import visible
from issuer.errors import ServiceError
from issuer.handlers import deliver, index, maintain, release, sequence
from issuer.local.wsgi import LambdaContext
from issuer.ports import Clock

Handler = Callable[[dict[str, Any], object], Mapping[str, object]]

RETRY_S = 5.0
"""Seconds after a failed round until the next try, if the next instant of the grid is not nearer."""
CLOSING_S = 20.0
"""Seconds to wait for a running round. Leaving it is safe too: the next start goes on where it stopped."""
FIRST_MAINTENANCE_S = 3600.0
"""Seconds after the start: a server that is only tried out is left alone."""
MAINTENANCE_S = 86_400.0


class Background(ABC):
    """A daemon thread that repeats its work until it is closed and prints one line for each event."""

    def __init__(self, name: str, clock: Clock, out: TextIO | None) -> None:
        self._clock = clock
        self._out = out
        self._context = LambdaContext(name)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread. It can be started once."""
        self._thread.start()

    def close(self) -> None:
        """Start no more work. Work that is running is left to end or to be cut off with the process."""
        self._closing.set()

    @abstractmethod
    def _run(self) -> None: ...

    def _print(self, text: str) -> None:
        line = f"{format_time(int(self._clock.now()))}  {text}"
        print(visible(line), file=self._out or sys.stderr, flush=True)


class Ticker(Background):
    """Runs the log: at each instant of the grid a round, then deliveries, the index, the release.

    The first round runs at once: it finishes what an earlier process began. A failure is printed in one
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
        super().__init__("ticker", clock, out)
        self._cadence_s = cadence_s
        self._handlers = handlers

    def close(self) -> None:
        """Stop: a running round is finished, or left after `CLOSING_S`. Closing again does nothing."""
        super().close()
        if self._thread.is_alive():
            self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            succeeded = self._round()
            self._closing.wait(self._pause(succeeded=succeeded))

    def _pause(self, *, succeeded: bool) -> float:
        # The grid is that of the clock, not of this process: after a restart the instants are the same.
        now = self._clock.now()
        following = (now // self._cadence_s + 1) * self._cadence_s
        return following - now if succeeded else min(following - now, RETRY_S)

    def _round(self) -> bool:
        """One round and its deliveries. False if something failed."""
        try:
            report, delivery, *_ = [handler({}, self._context) for handler in self._handlers]
        except Exception as error:  # nothing may end the log but its operator: the next try may work
            title = error.code.title if isinstance(error, ServiceError) else type(error).__name__
            self._print(f"round failed, trying again: {title}: {error}")
            return False
        self._print(_round_words(report, delivery))
        return not delivery["failed"]


class Maintenance(Background):
    """Runs the daily maintenance, in a thread of its own: no round waits for it.

    A run may be cut off at any moment, by the process's end as well: the next one goes on. A failure is
    printed and waits for the next day.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        out: TextIO | None = None,
        handler: Handler = maintain.handler,
        pauses_s: tuple[float, float] = (FIRST_MAINTENANCE_S, MAINTENANCE_S),
    ) -> None:
        super().__init__("maintenance", clock, out)
        self._handler = handler
        self._first_s, self._every_s = pauses_s

    def _run(self) -> None:
        pause_s = self._first_s
        while not self._closing.wait(pause_s):
            pause_s = self._every_s
            try:
                lines = _maintenance_words(self._handler({}, self._context))
            except Exception as error:  # a bug here must not end the server, nor go unseen
                lines = [f"maintenance failed: {type(error).__name__}: {error}"]
            for line in lines:
                self._print(line)


def _round_words(report: Mapping[str, object], delivery: Mapping[str, object]) -> str:
    delivered, failed = delivery["delivered"], delivery["failed"]
    assert isinstance(delivered, list)
    assert isinstance(failed, list)
    words = [f"checkpoint {report['sequence']} {report['outcome']}", f"new leaves: {report['leaves']}"]
    words += [f"kits delivered: {', '.join(delivered)}"] if delivered else []
    words += [f"not delivered, leaf {leaf}: {why}" for leaf, why in failed]
    return "; ".join(words)


def _maintenance_words(answer: Mapping[str, object]) -> list[str]:
    findings, failed = answer["findings"], answer["failed"]
    assert isinstance(findings, list)
    assert isinstance(failed, list)
    counts = f"{answer['partials']} partial and {answer['objects']} private objects deleted"
    lines = [f"maintenance: {counts}; ledger against log: {len(findings)} findings, {answer['notes']} notes"]
    lines += [f"FINDING {word} {subject}: {detail}" for word, subject, detail in findings]
    return lines + [f"maintenance failed, {part}: {why}" for part, why in failed]
