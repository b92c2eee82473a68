"""The system's clock. The only module that asks it."""

import time


class SystemClock:
    """A `Clock`: POSIX time of the machine, which its operator keeps in step (NTP)."""

    def now(self) -> float:
        """POSIX seconds, UTC; may step back when the machine's clock is set."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`; not at all if that is not above 0."""
        time.sleep(max(0.0, seconds))
