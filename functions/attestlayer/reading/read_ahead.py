"""Reads ahead: several threads fetch objects whose names are known before they are asked for.

The caller gets the answers that it would get from a single registry, in the order of its own questions;
what is fetched and never asked for has no effect. Does I/O; decides nothing.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol, runtime_checkable

from attestlayer.errors import CouldNotCheckError
from attestlayer.reading.copies import Cached, Copy, Sighting
from attestlayer.reading.registry import Registry

HELD = 64 * 1024 * 1024
"""Bytes of fetched objects that may wait for the caller; at this limit fetching pauses."""

_PART = 8  # names that one thread takes at a time
_KEPT = 8  # calls of `expect` of which what was not asked for is kept


@runtime_checkable
class Counting(Protocol):
    """A registry that counts its requests, retries and redirects included."""

    requests: int


Answer = Copy | CouldNotCheckError
"""An object, or why it could not be read."""


@dataclass
class _Part:
    """Names that one thread fetches, those of them still wanted, and the answers: see `Answer`."""

    names: tuple[str, ...]
    wanted: set[str]
    answers: dict[str, Answer] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class ReadAhead:
    """A registry read by `jobs` threads, each with a connection of its own, and by the caller's.

    Memory: `HELD` bytes and one object a thread, whatever the server sends. `close` ends the threads.
    """

    def __init__(self, open_one: Callable[[], Registry], jobs: int, held: int = HELD) -> None:
        self._open, self._limit, self._held = open_one, held, 0
        self._own = open_one()
        self._fetch_own = fetching(self._own)
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
        """Have these fetched: they will be asked for soon, in about this order."""
        fresh = [name for name in dict.fromkeys(names) if name not in self._parts]
        self._calls.append(fresh)
        # What was expected and never asked for is dropped some calls later: else wrong hints would fill the
        # memory.
        if len(self._calls) > _KEPT:
            for name in self._calls.popleft():
                self._take(name)
        for at in range(0, len(fresh), _PART):
            names = tuple(fresh[at : at + _PART])
            part = _Part(names, set(names))
            # Before it is queued: a reader that comes at once waits for this part instead of asking twice.
            self._parts.update(dict.fromkeys(names, part))
            self._queue.put(part)

    def peek(self, name: str) -> bytes | None:
        """The object if it could be fetched, waiting for it; it stays available for `read`."""
        if name not in self._parts:
            self.expect([name])
        part = self._parts[name]
        part.done.wait()
        answer = part.answers.get(name)
        return answer.data if isinstance(answer, Copy) else None

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None if there is none. Raises `CouldNotCheckError`."""
        return self.fetch(name).data

    def fetch(self, name: str) -> Copy:
        """The object, with when it was seen if it came over a network. Raises `CouldNotCheckError`."""
        part = self._parts.get(name)
        if part is None:
            return self._fetch_own(name)
        # A part is answered as a whole; waiting for the rest of it costs less than a second request.
        part.done.wait()
        answer = self._take(name)
        if answer is None:  # left out, since too much is held
            return self._fetch_own(name)
        if isinstance(answer, CouldNotCheckError):
            raise answer
        return answer

    def fetch_again(self, name: str, sighting: Sighting, longest_s: float) -> Copy:
        """The object past caches, once the copy that was seen is stale or `longest_s` are over.

        Raises `CouldNotCheckError`.
        """
        if isinstance(self._own, Cached):
            return self._own.fetch_again(name, sighting, longest_s)
        return self._fetch_own(name)

    def names(self) -> Iterator[str] | None:
        """The names of everything there, or None where it can't be listed."""
        return self._own.names()

    @property
    def requests(self) -> int:
        """Requests sent so far, by all threads."""
        return sum(each.requests for each in self._registries if isinstance(each, Counting))

    def close(self) -> None:
        """Stop fetching; each thread ends after its current part."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)

    def _take(self, name: str) -> Answer | None:
        """The answer, which is no longer held, or None if the object was not fetched."""
        part = self._parts.pop(name, None)
        if part is None:
            return None
        with self._lock:
            part.wanted.discard(name)
            answer = part.answers.pop(name, None)
            self._held -= _length(answer)
        return answer

    def _work(self) -> None:
        registry = self._open()
        self._registries.append(registry)
        fetch = fetching(registry)
        while (part := self._queue.get()) is not None:
            for name in part.names:
                self._answer(fetch, part, name)
            part.done.set()

    def _answer(self, fetch: Callable[[str], Copy], part: _Part, name: str) -> None:
        # Soft limit, checked before each object: each thread can exceed it by one object.
        if self._closed or self._held > self._limit or name not in part.wanted:
            return
        answer: Answer
        try:
            answer = fetch(name)
        except CouldNotCheckError as error:
            answer = error
        except Exception:  # a fault of ours, which happens again to who asks for it
            return
        with self._lock:
            # The caller may have given up on the name meanwhile: then nobody would ever take it out.
            if name in part.wanted:
                part.answers[name] = answer
                self._held += _length(answer)


def fetching(registry: Registry) -> Callable[[str], Copy]:
    """How a registry's objects are fetched: as copies that were seen if caches may lie in between."""
    return registry.fetch if isinstance(registry, Cached) else lambda name: Copy(registry.read(name), None)


def _length(answer: Answer | None) -> int:
    return len(answer.data or b"") if isinstance(answer, Copy) else 0
