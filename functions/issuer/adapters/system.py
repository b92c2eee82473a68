"""The operating system's clock and random bytes. No other module asks for either."""

import secrets
import time


class SystemClock:
    """A `Clock`: POSIX time of the machine, which its operator keeps in step (NTP)."""

    def now(self) -> float:
        """POSIX seconds, UTC; may step back when the machine's clock is set."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait at least `seconds`; not at all if that is not above 0."""
        time.sleep(max(0.0, seconds))


class SystemEntropy:
    """An `Entropy` from the operating system (getrandom)."""

    def token(self, length: int) -> bytes:
        """`length` random bytes, 1 or more. Raises `ValueError`."""
        if length < 1:
            raise ValueError(f"{length} random bytes were asked for, wanted 1 or more")
        return secrets.token_bytes(length)
