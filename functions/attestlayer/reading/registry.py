"""Reads a registry's objects from a folder or over HTTP(S). Does I/O; decides nothing about them.

Absence is None, every other failure is an error: a registry that can't be read is not a damaged one.
"""

import http.client
import os
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from attestlayer.encoding import shown
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.reading.failures import describe_failure

MAX_OBJECT = 32 * 1024 * 1024
"""Bytes of the longest object that is read: twice the longest entry bundle, 256 entries of 64 KiB."""

TIMEOUT_S = 30.0
_TRIES = 4
_REDIRECTS = 3
_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_USER_AGENT = "attestlayer/1"


class Registry(Protocol):
    """A registry's public objects by name, without a leading slash."""

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None if there is no such object. Raises `CouldNotCheckError`."""

    def names(self) -> Iterator[str] | None:
        """The names of everything there, in no order, or None where it can't be listed."""


@dataclass
class FolderRegistry:
    """A registry in a folder: the operator's, or a mirror. `requests`: files asked for so far."""

    root: Path
    requests: int = 0

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise _unreadable(f"{self.root} is not a folder")

    def read(self, name: str) -> bytes | None:
        """The file's bytes. A link in its place is an error, a device or a folder no object."""
        self.requests += 1
        try:
            descriptor = os.open(f"{self.root}/{name}", _READING)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(f"{name}: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            return _limited(name, _read_all(descriptor, status.st_size))
        except OSError as error:
            raise _unreadable(f"{name}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def names(self) -> Iterator[str]:
        """Every file, link and device below the folder."""
        folders = [""]
        while folders:
            prefix = folders.pop()
            try:
                with os.scandir(self.root / prefix) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{prefix}{entry.name}/")
                        else:
                            yield prefix + entry.name
            except OSError as error:
                raise _unreadable(f"{prefix or self.root}: {error.strerror}") from error


@dataclass
class HttpRegistry:
    """A registry at a base URL. Keeps one connection; retries after busy answers and cut connections.

    `requests`: sent so far.
    """

    url: str
    timeout_s: float = TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    _base: SplitResult = field(init=False)
    _connection: http.client.HTTPConnection | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._base = urlsplit(self.url.rstrip("/") + "/")
        if self._base.scheme not in {"http", "https"} or not self._base.hostname:
            raise _unreadable(f"{shown(self.url)} is not an http or https URL")
        if self._base.query or self._base.fragment or self._base.username:
            raise _unreadable(f"{shown(self.url)}: wanted a host and a path only")

    def read(self, name: str) -> bytes | None:
        """GET the object. 404 is None; any other status, or no answer, is an error."""
        target = self._base.path + quote(name)
        for _ in range(_REDIRECTS + 1):
            status, location, data = self._get(name, target)
            if status == 200:
                return _limited(name, data)
            if status == 404:
                return None
            if status not in {301, 302, 307, 308} or location is None:
                raise _unreadable(f"{name}: HTTP status {status}")
            target = self._redirected(name, target, location)
        raise _unreadable(f"{name}: over {_REDIRECTS} redirects")

    def names(self) -> None:
        """A web server lists nothing."""
        return

    def _get(self, name: str, target: str) -> tuple[int, str | None, bytes]:
        trouble = ""
        for attempt in range(_TRIES):
            if attempt:
                self.sleep(0.25 * 2**attempt)
            try:
                status, location, data = self._get_once(target)
            except (OSError, http.client.HTTPException) as error:
                self._close()
                trouble = describe_failure(error)
                # A wrong certificate does not get right by trying again.
                if isinstance(error, ssl.SSLCertVerificationError):
                    break
                continue
            if status != 429 and status < 500:
                return status, location, data
            trouble = f"HTTP status {status}"
        raise _unreadable(f"{self._base.geturl()}{name}: {trouble}")

    def _get_once(self, target: str) -> tuple[int, str | None, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._base.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._base.hostname or "", self._base.port, timeout=self.timeout_s)
        self.requests += 1
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        self._connection.request("GET", target, headers=headers)
        response = self._connection.getresponse()
        data = response.read(MAX_OBJECT + 1)
        left = response.length
        if len(data) <= MAX_OBJECT and left:  # a read with a limit does not raise on a cut body
            raise http.client.IncompleteRead(data, left)
        if len(data) > MAX_OBJECT or response.will_close:
            self._close()
        if response.getheader("Content-Encoding", "identity") != "identity":
            raise _unreadable(f"{target}: it came compressed, though identity was asked for")
        return response.status, response.getheader("Location"), data

    def _redirected(self, name: str, target: str, location: str) -> str:
        base = f"{self._base.scheme}://{self._base.netloc}"
        url = urlsplit(urljoin(base + target, location))
        # A redirect must not lead an audit to another host, whose objects would be taken for this registry's.
        if (url.scheme, url.netloc) != (self._base.scheme, self._base.netloc):
            raise _unreadable(f"{name}: redirected to another host, {shown(location)}")
        return url.path + (f"?{url.query}" if url.query else "")

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def open_registry(place: str) -> Registry:
    """The registry at a URL or in a folder. Raises `CouldNotCheckError`."""
    if place.startswith(("http://", "https://")):
        return HttpRegistry(place)
    return FolderRegistry(Path(place))


def _read_all(descriptor: int, size: int) -> bytes:
    """All bytes of an open file of about `size` bytes, or one more than an object may have."""
    data = os.read(descriptor, min(size, MAX_OBJECT) + 1)
    while len(data) <= MAX_OBJECT and (more := os.read(descriptor, MAX_OBJECT + 1 - len(data))):
        data += more
    return data


def _limited(name: str, data: bytes) -> bytes:
    if len(data) > MAX_OBJECT:
        raise _unreadable(f"{name} has over {MAX_OBJECT} bytes")
    return data


def _unreadable(message: str) -> CouldNotCheckError:
    return CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
