"""One server a home: a second one is refused, whatever its port."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from issuer.errors import Code, ServiceError

_LOCK = "state/serve.lock"


@contextmanager
def only_server(home: Path) -> Iterator[None]:
    """Hold the home's lock against other servers. Raises HOME_UNUSABLE, which names the process that has it.

    The file holds the process id of its last holder; the system drops the lock of a process that ends.
    """
    try:
        descriptor = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServiceError(Code.HOME_UNUSABLE, f"{home / _LOCK}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            raise ServiceError(
                Code.HOME_UNUSABLE,
                f"{home} is served already, by process {holder or 'unknown'}: end that one first",
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
