"""A connection to a web server with a deadline for each answer, through the proxy that the system names.

`http.client` has a limit for each wait on the socket and none for their sum: a server that sends a byte a
second would keep a reader for ever.
"""

import http.client
import io
import re
import socket
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from attestlayer.encoding import shown
from attestlayer.reading.copies import unreadable

_LINE = re.compile(r"[!-~]+(?: [ -~]*)?")  # no control characters: a redirect's target is a stranger's


@dataclass
class Deadline:
    """How long an answer may still take. `clock`: seconds, of any start; `wait_s`: longest single wait."""

    clock: Callable[[], float]
    wait_s: float
    ends: float = 0.0
    _set: float = 0.0

    def allow(self, seconds: float) -> None:
        """Set the end so many seconds from now."""
        self.ends = self.clock() + seconds

    def left(self) -> float:
        """Seconds that the next wait may take. Raises `TimeoutError` after the end."""
        left = self.ends - self.clock()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        return min(left, self.wait_s)

    def start(self, connected: socket.socket) -> None:
        """Begin with a new socket."""
        self._set = self.wait_s
        connected.settimeout(self._set)

    def limit(self, connected: socket.socket) -> None:
        """Limit the socket's next wait. Raises `TimeoutError` after the end."""
        if (left := self.left()) != self._set:  # a system call, and the same as before for most objects
            connected.settimeout(left)
            self._set = left


class _TimedReads(io.RawIOBase):
    """Reads of a socket, each of which waits no longer than the deadline allows."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = connected, deadline
        self._reads = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._deadline.limit(self._socket)
        return self._reads.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._reads.close()
        super().close()


class _TimedSocket:
    """The part of a socket that `http.client` uses, with timed reads."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = connected, deadline
        deadline.start(connected)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode  # http.client reads bytes
        return io.BufferedReader(_TimedReads(self._socket, self._deadline))

    def sendall(self, data: bytes) -> None:
        self._deadline.limit(self._socket)
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


@dataclass
class Connection:
    """One kept connection to a server. `absolute`: a proxy reads the requests, which name the server."""

    opened: http.client.HTTPConnection
    absolute: bool

    def get(self, target: str, fields: dict[str, str]) -> http.client.HTTPResponse:
        """Send a GET, and read the answer up to its body. Raises `OSError`, `HTTPException`.

        The message is made here: `http.client` takes a fifth of a request's time for it.
        """
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if not all(_LINE.fullmatch(line) for line in lines):
            raise http.client.InvalidURL(f"{shown(target)} can't be asked for")
        self.opened.sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        response = http.client.HTTPResponse(self.opened.sock, method="GET")
        response.begin()
        return response

    def close(self) -> None:
        """Close it."""
        self.opened.close()


def connect(base: SplitResult, deadline: Deadline) -> Connection:
    """Connect to the server of a URL, or to the proxy for it. Raises `OSError`, `CouldNotCheckError`.

    Certificates are checked with the system's trust store, or with what SSL_CERT_FILE and SSL_CERT_DIR name.
    """
    host, secure = base.hostname or "", base.scheme == "https"
    proxy = proxy_of(base)
    at = (proxy.hostname or "", proxy.port or 80) if proxy else (host, base.port)
    opened: http.client.HTTPConnection
    if secure:
        opened = http.client.HTTPSConnection(*at, timeout=deadline.wait_s, context=_trust_store())
    else:
        opened = http.client.HTTPConnection(*at, timeout=deadline.wait_s)
    if proxy and secure:
        opened.set_tunnel(host, base.port or 443, headers=proxy_headers(proxy))
    opened.auto_open = 0  # it would connect again by itself, without the deadline
    opened.connect()
    opened.sock = _TimedSocket(opened.sock, deadline)
    return Connection(opened, absolute=proxy is not None and not secure)


def proxy_of(base: SplitResult) -> SplitResult | None:
    """The proxy that the environment or the system names for a URL: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.

    Raises `CouldNotCheckError` if it is none that can be used.
    """
    text = urllib.request.getproxies().get(base.scheme)
    if not text or urllib.request.proxy_bypass(base.netloc):
        return None
    try:
        proxy = urlsplit(text if "://" in text else f"http://{text}")
        named = proxy.scheme == "http" and proxy.hostname and proxy.port != 0
    except ValueError:
        named = None
    if not named:
        raise unreadable(f"the proxy for {base.scheme} is {shown(text)}, wanted http://HOST:PORT")
    return proxy


def proxy_headers(proxy: SplitResult) -> dict[str, str]:
    """The header fields that a proxy with a user name and a password needs (RFC 7617)."""
    if proxy.username is None:
        return {}
    named = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(named.encode()).decode()}"}


@lru_cache(maxsize=1)
def _trust_store() -> ssl.SSLContext:
    """Reading the store takes some 10 ms, so that all connections share it."""
    return ssl.create_default_context()
