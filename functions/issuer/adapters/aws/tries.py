"""Retries with exponential backoff and full jitter."""

import secrets
import time
from collections.abc import Iterator

from issuer.errors import StoreError

_RANDOM = secrets.SystemRandom()
_sleep = time.sleep


class Tries:
    """The tries of one call: `for _ in tries` makes a try, reports an error to `failed`, returns on success.

    Between tries it waits for a random time from 0 to a bound, which doubles from `first_s` seconds up to
    `most_s`. So callers that failed together don't come back together. After `count` failures the loop raises
    `StoreError` with the last error.
    """

    def __init__(self, what: str, *, count: int, first_s: float, most_s: float) -> None:
        self._what = what
        self._count = count
        self._bound, self._most_s = first_s, most_s
        self._error: Exception | None = None

    def failed(self, error: Exception) -> None:
        """Record the error of the current try, for the case that it is the last one."""
        self._error = error

    def __iter__(self) -> Iterator[int]:
        for number in range(self._count):
            if number:
                _sleep(_RANDOM.uniform(0, self._bound))
                self._bound = min(2 * self._bound, self._most_s)
            yield number
        raise StoreError(f"{self._what}: {first_line(self._error)} ({self._count} tries)") from self._error


def first_line(error: Exception | None) -> str:
    """The first line of an error's message: client libraries put their internals on the lines below."""
    return str(error).partition("\n")[0]
