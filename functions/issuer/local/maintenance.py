"""Runs the daily maintenance beside the local server, in a thread of its own: no round waits for it."""

import sys
import threading
from collections.abc import Mapping
from typing import TextIO

from attestlayer.encoding import format_time
from issuer.handlers import maintain
from issuer.local.ticker import Handler
from issuer.local.wsgi import LambdaContext
from issuer.ports import Clock

FIRST_S = 3600.0
"""Seconds after the start: a server that is only tried out is left alone."""
EVERY_S = 86_400.0

_CONTEXT = LambdaContext("maintenance")


class Maintenance:
    """A thread that calls the handler as EventBridge Scheduler does elsewhere. A failure is told, no more.

    A run may be cut off at any moment, by the process's end as well: the next one goes on.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        out: TextIO | None = None,
        handler: Handler = maintain.handler,
        pauses_s: tuple[float, float] = (FIRST_S, EVERY_S),
    ) -> None:
        self._clock = clock
        self._out = out
        self._handler = handler
        self._first_s, self._every_s = pauses_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Begin no other run. One that is at work is left."""
        self._closing.set()

    def _run(self) -> None:
        pause_s = self._first_s
        while not self._closing.wait(pause_s):
            pause_s = self._every_s
            try:
                told = _words(self._handler({}, _CONTEXT))
            except Exception as error:  # a bug here must not end the server, nor go unseen
                told = [f"maintenance failed: {type(error).__name__}: {error}"]
            for line in told:
                now = format_time(int(self._clock.now()))
                print(f"{now}  {line}", file=self._out or sys.stderr, flush=True)


def _words(answer: Mapping[str, object]) -> list[str]:
    findings, failed = answer["findings"], answer["failed"]
    assert isinstance(findings, list)
    assert isinstance(failed, list)
    counts = f"{answer['partials']} partial and {answer['objects']} private objects deleted"
    lines = [f"maintenance: {counts}; ledger against log: {len(findings)} findings, {answer['notes']} notes"]
    lines += [f"FINDING {word} {subject}: {detail}" for word, subject, detail in findings]
    return lines + [f"maintenance failed, {part}: {why}" for part, why in failed]
