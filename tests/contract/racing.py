"""Races between threads and between processes, and the killing of a process at work."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, TypeVar

from issuer.errors import ServiceError, StoreError

T = TypeVar("T")
Act = Callable[[T, int], object]

_FORK = multiprocessing.get_context("fork")
_WAIT_S = 60


@dataclass(frozen=True)
class Factory(Generic[T]):
    """How to get an adapter. `open(place)` again gives the same content; `place` is an empty folder.

    `processes`: whether a forked process that opens it sees the same content (a double in memory: no).
    `races`: whether what is behind it keeps its promises to several at once.
    """

    name: str
    open: Callable[[Path], T]
    processes: bool = True
    races: bool = True


@dataclass(frozen=True)
class Race(Generic[T]):
    """`count` racers that start together: threads of one adapter, or processes with one each."""

    factory: Factory[T]
    place: Path
    count: int
    processes: bool

    def run(self, act: Act[T]) -> list[str]:
        """What came of `act(adapter, number)` for each racer: the result as text, or the error's word."""
        return self._run_processes(act) if self.processes else self._run_threads(act)

    def _run_threads(self, act: Act[T]) -> list[str]:
        adapter = self.factory.open(self.place)
        barrier = threading.Barrier(self.count, timeout=_WAIT_S)

        def racer(number: int) -> str:
            barrier.wait()
            return outcome(act, adapter, number)

        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(racer, range(self.count)))

    def _run_processes(self, act: Act[T]) -> list[str]:
        barrier = _FORK.Barrier(self.count, timeout=_WAIT_S)

        def racer(number: int, answers: Connection) -> None:
            adapter = self.factory.open(self.place)
            barrier.wait()
            answers.send(outcome(act, adapter, number))

        pipes = [_FORK.Pipe(duplex=False) for _ in range(self.count)]
        racers = [_FORK.Process(target=racer, args=(i, pipe[1])) for i, pipe in enumerate(pipes)]
        for process in racers:
            process.start()
        for _, writer in pipes:
            writer.close()  # so that a racer that died is an EOFError here and no endless wait
        try:
            return [reader.recv() for reader, _ in pipes]
        finally:
            for process in racers:
                process.join(_WAIT_S)


def outcome(act: Act[T], adapter: T, number: int) -> str:
    """The result of an act as text, or the error's word (for storage errors, its class)."""
    try:
        return str(act(adapter, number))
    except StoreError as error:
        return type(error).__name__
    except ServiceError as error:
        return error.code.word


def kill_at_work(step: Callable[[int], None], acknowledged: int) -> int:
    """Run `step(0)`, `step(1)` … in a process and kill it (SIGKILL) once `acknowledged` steps are done.

    Returns how many were done; the one after them may have been done, or not.
    """
    reader, writer = _FORK.Pipe(duplex=False)

    def work() -> None:
        number = 0
        while True:
            step(number)
            writer.send(number)
            number += 1

    process = _FORK.Process(target=work)
    process.start()
    writer.close()
    done = 0
    try:
        while done < acknowledged:
            done = reader.recv() + 1
    finally:
        process.kill()
        process.join(_WAIT_S)
    while reader.poll():
        try:
            done = reader.recv() + 1
        except EOFError:
            break
    return done
