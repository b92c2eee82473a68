"""Races between threads and between processes, and the killing of a process at work."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Generic, TypeVar

from issuer.errors import ServiceError, StoreError
from support.cloud_servers import know_servers, running_servers

T = TypeVar("T")
Act = Callable[[T, int], object]

_FORK = multiprocessing.get_context("fork")
_CLEAN = multiprocessing.get_context("forkserver")
_CLEAN.set_forkserver_preload(
    [
        "pytest",
        "boto3",
        "issuer.adapters.aws.s3",
    ]
)  # what every racer would import; none of it uses anything before it is asked to
_WAIT_S = 60


@dataclass(frozen=True)
class Factory(Generic[T]):
    """How to get an adapter. `open(place)` again gives the same content; `place` is an empty folder.

    `forks`: whether a process that was forked from one that has used it may open it again. If not, a racer is
    forked from a process that never did, and its act has to have a name (`contract.acts`).
    `races`: whether what is behind it keeps its promises to several at once. `processes`: whether another
    process finds the content at the same place. `exclusive`: whether a transaction keeps all others out.
    """

    name: str
    open: Callable[[Path], T]
    forks: bool = True
    races: bool = True
    processes: bool = True
    exclusive: bool = False

    def __reduce__(self) -> tuple[Callable[..., "Factory[T]"], tuple[str, dict[str, str]]]:
        """For another process: by name, and where the servers are that run."""
        return _factory_named, (self.name, running_servers())

    @property
    def context(self) -> multiprocessing.context.BaseContext:
        """How its processes come to be."""
        return _FORK if self.forks else _CLEAN


def _factory_named(name: str, servers: dict[str, str]) -> "Factory[T]":
    from contract import factories

    know_servers(servers)
    found: dict[str, Factory[T]] = {each.name: each for each in factories.OBJECT_STORES}  # type: ignore[misc]
    return found[name]


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
        self.factory.open(self.place)  # so that what is behind it is started once
        context = self.factory.context
        barrier = context.Barrier(self.count, timeout=_WAIT_S)
        pipes = [context.Pipe(duplex=False) for _ in range(self.count)]
        racers = [
            context.Process(target=_racer, args=(self, act, number, barrier, pipe[1]))  # type: ignore[attr-defined]
            for number, pipe in enumerate(pipes)
        ]
        for process in racers:
            process.start()
        for _, writer in pipes:
            writer.close()  # so that a racer that died is an EOFError here and no endless wait
        try:
            return [reader.recv() for reader, _ in pipes]
        finally:
            for process in racers:
                process.join(_WAIT_S)


def _racer(race: Race[T], act: Act[T], number: int, barrier: Barrier, answers: Connection) -> None:
    adapter = race.factory.open(race.place)
    barrier.wait()
    answers.send(outcome(act, adapter, number))


def outcome(act: Act[T], adapter: T, number: int) -> str:
    """The result of an act as text, or the error's word (for storage errors, its class)."""
    try:
        return str(act(adapter, number))
    except StoreError as error:
        return type(error).__name__
    except ServiceError as error:
        return error.code.word


def kill_at_work(factory: Factory[T], place: Path, step: Act[T], acknowledged: int) -> int:
    """Do step 0, 1 … in a process and kill it (SIGKILL) once `acknowledged` steps are done.

    Returns how many were done; the one after them may have been done, or not.
    """
    factory.open(place)
    reader, writer = factory.context.Pipe(duplex=False)
    process = factory.context.Process(target=_work, args=(factory, place, step, writer))  # type: ignore[attr-defined]
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


def _work(factory: Factory[T], place: Path, step: Act[T], done: Connection) -> None:
    adapter, number = factory.open(place), 0
    while True:
        step(adapter, number)
        done.send(number)
        number += 1
