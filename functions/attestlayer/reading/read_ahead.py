"""Reads ahead: objects whose names are known are fetched by several threads before they are asked for.

Who reads gets the same answers in the same order as from one registry by itself; what is fetched and
never asked for has no effect. Does I/O; decides nothing.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol, runtime_checkable

from attestlayer.errors import CouldNotCheckError
from attestlayer.reading.registry import Registry

HELD = 64 * 1024 * 1024
"""Bytes that may wait to be asked for: beyond them nothing more is fetched ahead."""

_PART = 8  # names that one thread takes at a time
_KEPT = 8  # calls of `expect` of which what was not asked for is kept


@runtime_checkable
class Counting(Protocol):
    """A registry that counts what it asks for, tries again and redirects included."""

    requests: int


@dataclass
class _Part:
    """Some names, those still wanted, and what was found: bytes, None, or why it could not be read."""

    names: tuple[str, ...]
    wanted: set[str]
    found: dict[str, bytes | CouldNotCheckError | None] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class ReadAhead:
    """A registry read by `jobs` threads, each with a connection of its own, and by the caller's.

    Memory: `HELD` bytes and one object a thread, whatever the server sends. `close` ends the threads.
    """

    def __init__(self, open_one: Callable[[], Registry], jobs: int, held: int = HELD) -> None:
        self._open, self._limit, self._held = open_one, held, 0
        self._own = open_one()
        self._registries: list[Registry] = [self._own]
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Part | None] = SimpleQueue()
        self._parts: dict[str, _Part] = {}
        self._calls: deque[list[str]] = deque()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(jobs)]
        for thread in self._threads:
            thread.start()

    def expect(self, names: Iterable[str]) -> None:
        """These will be asked for soon, in about this order."""
        fresh = [name for name in dict.fromkeys(names) if name not in self._parts]
        self._calls.append(fresh)
        if len(self._calls) > _KEPT:
            for name in self._calls.popleft():
                self._take(name)
        for at in range(0, len(fresh), _PART):
            names = tuple(fresh[at : at + _PART])
            part = _Part(names, set(names))
            self._parts.update(dict.fromkeys(names, part))
            self._queue.put(part)

    def peek(self, name: str) -> bytes | None:
        """The object as far as it could be fetched, kept for who asks for it."""
        if name not in self._parts:
            self.expect([name])
        part = self._parts[name]
        part.done.wait()
        found = part.found.get(name)
        return found if isinstance(found, bytes) else None

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None if there is none. Raises `CouldNotCheckError`."""
        part = self._parts.get(name)
        if part is None:
            return self._own.read(name)
        part.done.wait()
        known, found = self._take(name)
        if not known:  # left out, since too much is held
            return self._own.read(name)
        if isinstance(found, CouldNotCheckError):
            raise found
        return found

    def names(self) -> Iterator[str] | None:
        """The names of everything there, or None where it can't be listed."""
        return self._own.names()

    @property
    def requests(self) -> int:
        """What was asked for so far, by all."""
        return sum(each.requests for each in self._registries if isinstance(each, Counting))

    def close(self) -> None:
        """Let the threads end after what they are at; nothing is fetched ahead any more."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)

    def _take(self, name: str) -> tuple[bool, bytes | CouldNotCheckError | None]:
        """Whether the object was fetched, and what was found; it is held no more."""
        part = self._parts.pop(name, None)
        if part is None:
            return False, None
        with self._lock:
            part.wanted.discard(name)
            known = name in part.found
            found = part.found.pop(name, None)
            self._held -= len(found) if isinstance(found, bytes) else 0
        return known, found

    def _work(self) -> None:
        registry = self._open()
        self._registries.append(registry)
        while (part := self._queue.get()) is not None:
            for name in part.names:
                self._fetch(registry, part, name)
            part.done.set()

    def _fetch(self, registry: Registry, part: _Part, name: str) -> None:
        if self._closed or self._held > self._limit or name not in part.wanted:
            return
        found: bytes | CouldNotCheckError | None
        try:
            found = registry.read(name)
        except CouldNotCheckError as error:
            found = error
        except Exception:  # a fault of ours, which happens again to who asks for it
            return
        with self._lock:
            if name in part.wanted:
                part.found[name] = found
                self._held += len(found) if isinstance(found, bytes) else 0
