"""A worker: examines the records of one packet, within limits that the kernel keeps.

It is a fork of the examining process, and what has read hostile bytes is never used for another packet. A
worker that was taken over can write lies about its packet in a strict format; it was given no secret and two
pipes. It is no sandbox: what its user may read, it may.
"""

import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from math import ceil
from typing import NoReturn

from issuer.adapters.examiner.lines import (
    EndedError,
    LateError,
    LineReader,
    format_answer,
    parse_request,
    write_line,
)
from issuer.intake.budget import Budget, Overrun
from issuer.intake.examine import examine
from issuer.intake.policy import Policy

_OUT_OF_MEMORY = 90  # exit status
MARGIN_S = 0.2
"""Seconds between what the kernel counts for a limit and what it says was used."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker from outside: its process, the pipes to and from it, and CPU seconds left to its packet."""

    pid: int
    requests: int
    answers: LineReader
    cpu_s: float

    def ask(self, line: bytes, deadline: float) -> bytes:
        """The answer to a request. Raises `EndedError`, `LateError`; then `end` says why."""
        write_line(self.requests, line)
        return self.answers.read(deadline)

    def end(self) -> tuple[float, Overrun]:
        """Kill the worker if it still runs: CPU seconds that it used, and why it had ended."""
        os.kill(self.pid, signal.SIGKILL)  # one that has ended is ours until it is waited for
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self.requests)
        os.close(self.answers.descriptor)
        used = usage.ru_utime + usage.ru_stime
        return used, self._why(status, used)

    def _why(self, status: int, used: float) -> Overrun:
        if used > self.cpu_s - MARGIN_S:
            return Overrun.PACKET
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return Overrun.TIME
        out_of_memory = os.WIFEXITED(status) and os.WEXITSTATUS(status) == _OUT_OF_MEMORY
        return Overrun.MEMORY if out_of_memory else Overrun.CRASH


def fork_worker(policy: Policy, budget: Budget, cpu_s: float) -> Worker:
    """A new worker. `cpu_s`: CPU seconds that are left to the packet. Needs a process without threads."""
    (read_request, write_request), (read_answer, write_answer) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _keep(read_request, write_answer)
            _limit(budget, cpu_s)
            _work(policy, budget, read_request, write_answer)
        finally:
            os._exit(1)
    os.close(read_request)
    os.close(write_answer)
    return Worker(pid, write_request, LineReader(read_answer), cpu_s)


def _keep(*descriptors: int) -> None:
    """Close every descriptor but these and stderr: a worker must not answer for the examining process."""
    kept = {sys.stderr.fileno(), *descriptors}
    for descriptor in range(max(kept) + 1):
        if descriptor not in kept:
            _close(descriptor)
    os.closerange(max(kept) + 1, _OPEN_MAX)


_OPEN_MAX = 4096  # descriptors; the examining process has about ten


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        return


def _limit(budget: Budget, cpu_s: float) -> None:
    """Limits that a worker can't raise again (setrlimit(2)); the time of one record is set at each."""
    for limit, most in (
        (resource.RLIMIT_CORE, 0),  # a core file would be a copy of the client's record
        (resource.RLIMIT_FSIZE, 0),  # it writes no file
        # Private writable memory, since Linux 4.7; the address space would count libraries too.
        (resource.RLIMIT_DATA, budget.record_memory),
        (resource.RLIMIT_CPU, max(1, ceil(cpu_s))),
    ):
        resource.setrlimit(limit, (most, most))


def _work(policy: Policy, budget: Budget, read_request: int, write_answer: int) -> NoReturn:
    """Answer requests until there are no more."""
    requests = LineReader(read_request)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    while True:
        try:
            request = parse_request(requests.read())
        except (EndedError, LateError):
            os._exit(0)
        # At the soft limit SIGXCPU ends the process, as nothing here handles it.
        soft = min(hard, round(time.process_time()) + budget.record_cpu_s)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        try:
            answer = format_answer(examine(policy, request.record, request.path.read_bytes()))
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        except Exception as error:
            _tell(error)
            os._exit(1)
        write_line(write_answer, answer)


def _tell(error: Exception) -> None:
    """Where the bug is, for the operator's log; not the message, which may quote a client's record."""
    where = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"examiner: a bug, {type(error).__name__}:\n{where}")
    sys.stderr.flush()
