"""An `Examiner` by processes of this machine, each started when it is first needed and kept.

By subprocess and pipes: Lambda has no shared memory, which queues and pools of multiprocessing need
(https://aws.amazon.com/blogs/compute/parallel-processing-in-python-with-aws-lambda/). A pool can't be used
after a fork.
"""

import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from issuer.adapters.examiner.lines import (
    ANSWER,
    END,
    POLICY,
    RECORD,
    EndedError,
    LateError,
    LineReader,
    format_request,
    parse_answer,
    write_line,
)
from issuer.errors import Code, ServiceError, StoreError
from issuer.intake.budget import Budget, Overrun, overrun_mismatch
from issuer.intake.examine import Examined, examine_unread
from issuer.intake.policy import Policy
from issuer.model import Record

AT_ONCE = 2
"""Packets that are examined at once, so that memory is bounded: each takes a worker's."""
WAITING = 6
"""Packets that may wait for their turn; more are refused, so that threads are left for other calls."""

_SOURCES = Path(__file__).parents[3]
# Isolated (-I): neither variables nor the working folder choose what is imported.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from issuer.adapters.examiner.process import main
main(sys.argv[1:])
"""
"""Its arguments: the folder of our sources, and the budget."""
_GRACE_S = 10  # that a process may be late itself: it keeps its packet's time
_BUDGET = Budget()


class ExaminerPool:
    """Keeps `issuer.ports.Examiner`'s promise, for any number of threads.

    `environment`: all the variables that its processes have. `program`: what they run.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        budget: Budget = _BUDGET,
        at_once: int = AT_ONCE,
        waiting: int = WAITING,
        program: str = PROGRAM,
    ) -> None:
        self._program = program
        self._environment = environment
        self._budget = budget
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)
        self._idle: list[_Process] = []

    def examine(self, policy: Policy, files: Sequence[tuple[Record, Path]]) -> tuple[Examined, ...]:
        """The files in turn, by one process. Raises RATE_LIMITED; `StoreError` if the process itself ends."""
        if not files:
            return ()
        with self._turn():
            try:
                process = self._open(policy)
                deadline = time.monotonic() + self._budget.packet_s + _GRACE_S
                examined = tuple(self._examine(process, policy, *file, deadline) for file in files)
                process.send(END)
            except (EndedError, LateError, OSError) as error:
                raise StoreError("the process that examines records ended; trying again is safe") from error
            # One that failed is not kept: its finaliser ends it.
            self._idle.append(process)
        return examined

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise ServiceError(
                Code.RATE_LIMITED,
                "so many packets are being examined as this service takes at once; nothing was changed",
                retry_after_s=self._budget.packet_s,
            )
        try:
            with self._turns:
                yield
        finally:
            self._places.release()

    def _open(self, policy: Policy) -> "_Process":
        """A process that has been told the policy: an idle one, unless it ended meanwhile."""
        try:
            process = self._idle.pop()
        except IndexError:
            process = self._start()
        try:
            process.send(POLICY + policy.document)
        except EndedError:
            process = self._start()
            process.send(POLICY + policy.document)
        return process

    def _start(self) -> "_Process":
        return _Process(self._program, self._environment, self._budget)

    def _examine(
        self, process: "_Process", policy: Policy, record: Record, path: Path, deadline: float
    ) -> Examined:
        # The process is in another folder than this one.
        process.send(RECORD + format_request(record, path.absolute()))
        line = process.answers.read(deadline)
        try:
            if line[:1] == ANSWER:
                return parse_answer(line[1:], record)
            overrun = Overrun(line[1:].decode("ascii"))
        except ValueError:  # a worker that was taken over: no worker of ours says this
            overrun = Overrun.CRASH
        return examine_unread(policy, record, overrun_mismatch(overrun, self._budget))


class _Process:
    """An examining process. It ends with this object, or when the service does: its stdin ends then."""

    def __init__(self, program: str, environment: Mapping[str, str], budget: Budget) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-c", program, str(_SOURCES), *map(str, astuple(budget))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env=environment,
            start_new_session=True,  # a terminal's Ctrl-C is for the service
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin.fileno()
        self.answers = LineReader(self._process.stdout.fileno())
        weakref.finalize(self, _end, self._process, os.getpid())

    def send(self, line: bytes) -> None:
        """Send a line. Raises `EndedError`."""
        write_line(self._requests, line)


def _end(process: "subprocess.Popen[bytes]", owner: int) -> None:
    if os.getpid() != owner:  # a forked child has a copy of the object but does not own the process
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
