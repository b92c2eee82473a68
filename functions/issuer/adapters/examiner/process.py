"""The examining process: has the parsers loaded, reads no record, and forks a worker for each packet.

So a packet pays no imports, and no worker outlives its packet. A worker that ends is replaced for the next
record.
"""

import gc
import os
import sys
import time
from functools import lru_cache

from issuer.adapters.examiner.lines import (
    ANSWER,
    END,
    OVERRUN,
    POLICY,
    EndedError,
    LateError,
    LineReader,
    write_line,
)
from issuer.adapters.examiner.worker import MARGIN_S, Worker, fork_worker
from issuer.intake.budget import Budget, Overrun
from issuer.intake.policy import Policy, parse_policy

_READ, _WRITE = 0, 1  # stdin and stdout
_parsed = lru_cache(16)(parse_policy)


class _Session:
    """One packet: its policy, its worker, and what is left of its budget."""

    def __init__(self, policy: Policy, budget: Budget) -> None:
        self._policy = policy
        self._budget = budget
        self._cpu_s: float = budget.packet_cpu_s
        self._deadline = time.monotonic() + budget.packet_s
        self._worker: Worker | None = None

    def examine(self, request: bytes) -> bytes:
        """The line to answer a request with."""
        if self._cpu_s < MARGIN_S or time.monotonic() > self._deadline:
            return OVERRUN + Overrun.PACKET.encode()
        if self._worker is None:
            self._worker = fork_worker(self._policy, self._budget, self._cpu_s)
        try:
            return ANSWER + self._worker.ask(request, self._deadline)
        except LateError:
            self.end()
            return OVERRUN + Overrun.PACKET.encode()
        except EndedError:
            return OVERRUN + self.end().encode()

    def end(self) -> Overrun:
        """End the worker, and take what it used from the packet's budget. Why it had ended, if it had."""
        if self._worker is None:
            return Overrun.CRASH
        used, why = self._worker.end()
        self._cpu_s -= used
        self._worker = None
        return why


def main(arguments: list[str]) -> None:
    """Answer the lines of stdin until it ends. The arguments are the members of `Budget`."""
    budget = Budget(*map(int, arguments))
    # The parsers: loaded once, shared by all workers.
    import issuer.intake.contents
    import issuer.intake.recognise  # noqa: F401

    gc.freeze()  # a collection in a worker would copy what it shares with this process
    requests, session = LineReader(_READ), None
    try:
        while True:
            line = requests.read()
            if session is not None and line[:1] != POLICY and line != END:
                write_line(_WRITE, session.examine(line[1:]))
                continue
            if session is not None:
                session.end()
            session = _Session(_parsed(line[1:]), budget) if line[:1] == POLICY else None
    except EndedError:  # the service is done
        if session is not None:
            session.end()
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
