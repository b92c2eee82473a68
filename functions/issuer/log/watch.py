"""The watch over the clock: no time is signed that a second clock contradicts.

A checkpoint's time never goes back. One that was signed with a time ahead of the real one stops the log until
then, and nothing can take it back (decision page "One wrong clock reading").
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from attestlayer.encoding import format_time
from issuer.errors import ClockRefusedError
from issuer.ports import Clock

DIFFERENCE_S = 5
"""Seconds by which the clock and the second one may differ."""
OPERATOR_S = 300
"""Seconds by which the clock and the time that an operator types may differ."""

_DAY_S = 86_400
UNSEEN_S = _DAY_S
"""Seconds since the last round beyond which the first attempt of a process needs a second clock."""
UNATTENDED_S = 31 * _DAY_S
"""Seconds since the last round beyond which a home needs the operator's word, however long it has run."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """Both of this machine's clocks, read at one moment."""

    now: float
    monotonic: float

    def differs(self, later: "_Reading") -> bool:
        passed = later.monotonic - self.monotonic
        return abs((later.now - self.now) - passed) > DIFFERENCE_S


@dataclass
class ClockWatch:
    """Compares `clock` with a second clock, once an attempt at a round and at each time that it may sign.

    `store_time`: POSIX seconds by the store's clock, which then decides. Without one, the second clock is the
    monotonic one of this process, since its last attempt. `operator_time`: the time that the operator states.
    One process makes its attempts one after the other.
    """

    clock: Clock
    store_time: Callable[[], float] | None = None
    operator_time: int | None = None
    _reading: _Reading | None = field(default=None, init=False)

    def begin(self, last: int | None) -> None:
        """Begin an attempt. `last`: the time of the newest round, None before the first.

        Raises `ClockRefusedError`: then there is no round. This attempt is the next one's reference, so a
        machine that slept goes on.
        """
        before, self._reading = self._reading, self._read()
        if self.operator_time is not None:
            self._compare_with_operator(self.operator_time)
        if self.store_time is not None:
            self._compare_with_store(self.store_time)
        elif before is not None and before.differs(self._reading):
            raise ClockRefusedError(
                f"the clock jumped since the last attempt: it says {self._shown()}, and this process's "
                f"monotonic clock differs by over {DIFFERENCE_S} s. There is no round; the next attempt "
                "compares again"
            )
        elif last is not None and self.operator_time is None:
            self._check_gap(last, first=before is None)

    def check(self, now: float) -> None:
        """Check a reading of the clock within an attempt. Raises `ClockRefusedError` if the clock jumped."""
        assert self._reading is not None, "a round signs no time before an attempt has begun"
        if self._reading.differs(_Reading(now, self.clock.monotonic())):
            raise ClockRefusedError(
                f"the clock jumped during the round, from {self._shown()} to {format_time(int(now))}: "
                "nothing is signed with that time; the next attempt goes on"
            )

    def _read(self) -> _Reading:
        return _Reading(self.clock.now(), self.clock.monotonic())

    def _shown(self) -> str:
        assert self._reading is not None
        return format_time(int(self._reading.now))

    def _compare_with_operator(self, stated: int) -> None:
        assert self._reading is not None
        if abs(self._reading.now - stated) > OPERATOR_S:
            raise ClockRefusedError(
                f"the clock says {self._shown()}, the operator {format_time(stated)}: they differ by over "
                f"{OPERATOR_S} s. Set the clock right; there is no round"
            )

    def _compare_with_store(self, store_time: Callable[[], float]) -> None:
        # Read on both sides of the request, so that its duration does not count as a difference.
        before, store, after = self.clock.now(), store_time(), self.clock.now()
        # The store's answer is in whole seconds, rounded down, for some instant between the two reads.
        if not before - DIFFERENCE_S - 1 <= store <= after + DIFFERENCE_S:
            raise ClockRefusedError(
                f"the clock says {format_time(int(after))}, the store's {format_time(int(store))}: they "
                f"differ by over {DIFFERENCE_S} s, so no round is made"
            )

    def _check_gap(self, last: int, *, first: bool) -> None:
        """Refuse a time far after the newest round, which a single clock may have made up."""
        assert self._reading is not None
        gap = self._reading.now - last
        if gap <= (UNSEEN_S if first else UNATTENDED_S):
            return
        days = f"the clock says {self._shown()}, {int(gap // _DAY_S)} days after the newest round"
        second = "" if gap > UNATTENDED_S else ", or a running `issuer serve` that sees its clock run on"
        raise ClockRefusedError(
            f"{days}. A wrong time would stop the log until then, so there is no round. If it is right, "
            f"`issuer sequence --now {self._shown()}` says so{second}"
        )
