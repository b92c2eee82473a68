"""Reads a registry's objects for an audit; records findings, none that another copy of an object explains.

Between a registry and its readers are caches. One may show an older state of an object, or remember that
there was none. So an object that seems wrong is asked for again, past caches and after the time for which
the answer said that it may be shown; only if every copy is wrong, that is a finding.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from attestlayer.audit.findings import AuditFinding, AuditReason, Progress, difference
from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.errors import VerificationError
from attestlayer.reading.copies import Cached, Copy, Sighting
from attestlayer.reading.read_ahead import ReadAhead, fetching
from attestlayer.reading.registry import Registry

T = TypeVar("T")

AGAIN = 2
"""How often an object that seems wrong is asked for again: a cache may show a stale copy once more while it
fetches the new one (RFC 5861 section 3)."""

_ONCE_MORE_S = 1.0
"""Seconds before it is asked for the last time: what it should be was fetched already."""

PATIENCE_S = 600.0
"""Seconds that an audit waits in all for objects that stay wrong; what seems wrong after that is asked for
again at once. A wait that helped does not count: a healthy log is clean, however bad its caches are."""

_REMEMBERED = 4096  # names of which it is known when they were read


@dataclass
class RegistryReader:
    """Reads the registry's objects, and collects findings and counts. O(findings) memory.

    What is read without being counted is read a second time, or belongs to the views.
    """

    registry: Registry
    progress: Progress
    findings: list[AuditFinding] = field(default_factory=list)
    objects: int = 0
    length: int = 0
    patience_s: float = PATIENCE_S
    _cached: Cached | None = field(init=False)
    _fetch: Callable[[str], Copy] = field(init=False)
    _seen: dict[str, tuple[Sighting, ...]] = field(default_factory=dict)
    _order: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._cached = self.registry if isinstance(self.registry, Cached) else None
        self._fetch = fetching(self.registry)

    @property
    def ahead(self) -> ReadAhead | None:
        """The registry, if it supports read-ahead."""
        return self.registry if isinstance(self.registry, ReadAhead) else None

    def report(self, name: str, reason: AuditReason, detail: object) -> None:
        """Add a finding, unless it repeats the last one."""
        sightings = self._seen.get(name, ())
        finding = AuditFinding(name, reason, str(detail), tuple(map(str, sightings)))
        if not self.findings or self.findings[-1].object != name:
            self.patience_s = max(0.0, self.patience_s - sum(each.waited_s for each in sightings))
        if not self.findings or self.findings[-1] != finding:
            self.findings.append(finding)

    @property
    def is_cached(self) -> bool:
        """Whether what was read so far may have come from caches."""
        return bool(self._seen)

    def look(self, name: str, *, keep: bool = False) -> bytes | None:
        """An object that need not be there, and is not counted. `keep`: remember when until the end."""
        data, sighting = self._fetch(name)
        if sighting is not None:
            self._remember(name, (sighting,), keep=keep)
        return data

    def read(self, name: str) -> bytes | None:
        """An object that need not be there."""
        data = self.look(name)
        self.objects += 1
        self.length += len(data or b"")
        return data

    def other_copies(self, name: str) -> Iterator[bytes | None]:
        """The object as it is shown later, for one whose copy seems wrong; nothing where there are no caches.

        Waits until caches should have dropped the copy before.
        """
        for longest_s in (math.inf, *[_ONCE_MORE_S] * (AGAIN - 1)):
            sightings = self._seen.get(name)
            if self._cached is None or sightings is None:
                return
            data, sighting = self._cached.fetch_again(name, sightings[-1], min(longest_s, self.patience_s))
            if sighting is not None:
                self._remember(name, (*sightings, sighting))
            yield data

    def right(self, name: str, data: bytes | None, is_right: Callable[[bytes | None], bool]) -> bytes | None:
        """The first copy that is right, beginning with `data`; the last one if none is."""
        if not is_right(data):
            for data in self.other_copies(name):  # noqa: PLR1704
                if is_right(data):
                    break
        return data

    def need(self, name: str) -> bytes | None:
        """An object that must be there."""
        data = self.read(name)
        if data is None:
            data = self.right(name, data, lambda copy: copy is not None)
        if data is None:
            self.report(name, AuditReason.MISSING, "found no object, wanted one")
        return data

    def need_hashed(self, name: str, wanted: Hash) -> bytes | None:
        """An object that must be there and have the hash of its name; None if it has not."""
        data = self.need(name)
        if data is not None and sha256(data) != wanted:
            data = self.right(name, data, lambda copy: copy is not None and sha256(copy) == wanted) or data
        if data is not None and sha256(data) != wanted:
            detail = (
                f"its {len(data)} bytes hash to {format_hash(sha256(data))}, wanted {format_hash(wanted)}"
            )
            self.report(name, AuditReason.HASH_MISMATCH, detail)
            return None
        return data

    def need_parsed(self, name: str, parse: Callable[[bytes], T]) -> T | None:
        """An object that must be there, parsed; None, with a finding, if it can't be."""
        data = self.need(name)
        copies = (each for each in self.other_copies(name) if each is not None)
        while data is not None:
            try:
                return parse(data)
            except (ValueError, VerificationError) as error:
                trouble = error
            data = next(copies, None)
            if data is None:
                self.report(name, AuditReason.MALFORMED, trouble)
        return None

    def compare(self, name: str, wanted: bytes, *, needed: bool = True) -> bytes | None:
        """An object that must be exactly `wanted`, if it is there at all or `needed`. Returns its bytes."""
        data = self.need(name) if needed else self.read(name)
        if data is not None and data != wanted:
            absent = not needed
            data = self.right(name, data, lambda copy: copy == wanted or (absent and copy is None)) or data
        if data is not None and data != wanted:
            self.report(name, AuditReason.BYTES_DIFFER, difference(data, wanted))
        return data

    def _remember(self, name: str, sightings: tuple[Sighting, ...], *, keep: bool = False) -> None:
        if name not in self._seen and not keep:
            self._order.append(name)
            if len(self._order) > _REMEMBERED:
                del self._seen[self._order.popleft()]
        self._seen[name] = sightings
