"""Retries with exponential backoff and full jitter."""

import secrets
import time
from collections.abc import Iterator

from issuer.errors import StoreError

_RANDOM = secrets.SystemRandom()
_sleep = time.sleep


class Tries:
    """The tries of one call: `for _ in tries`, each that failed told to `failed`, and a return ends them.

    Between tries it waits with full jitter: anything from 0 to a bound that doubles from `first_s` up to
    `most_s`, so that those who failed together don't come back together. When the last one failed, the
    loop raises `StoreError` with its error.
    """

    def __init__(self, what: str, *, count: int, first_s: float, most_s: float) -> None:
        self._what = what
        self._count = count
        self._bound, self._most_s = first_s, most_s
        self._error: Exception | None = None

    def failed(self, error: Exception) -> None:
        """Note why this try failed."""
        self._error = error

    def __iter__(self) -> Iterator[int]:
        for number in range(self._count):
            if number:
                _sleep(_RANDOM.uniform(0, self._bound))
                self._bound = min(2 * self._bound, self._most_s)
            yield number
        raise StoreError(f"{self._what}: {first_line(self._error)} ({self._count} tries)") from self._error


def first_line(error: Exception | None) -> str:
    """What an error says, without a client library's inner life below it."""
    return str(error).partition("\n")[0]
