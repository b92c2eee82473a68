"""A WSGI application on a port of this machine, by waitress, that can be ended from any thread or signal."""

import contextlib
import errno
import socket
import threading
from typing import Any

from waitress import create_server  # type: ignore[import-untyped]
from waitress.wasyncore import close_all  # type: ignore[import-untyped]

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError

THREADS = 32
"""Requests answered at the same time. Half of them may be waiting because of `Prefer`."""
IDENT = "AttestLayer"


class HttpServer:
    """Answers on a socket that listens at `url`, from `run` until `close`."""

    def __init__(self, application: Any, listening: socket.socket, url: str, max_body_length: int) -> None:
        self.url = url
        self._map: dict[int, Any] = {}
        self._server: Any = create_server(
            application,
            map=self._map,
            sockets=[listening],
            threads=THREADS,
            ident=IDENT,
            max_request_body_size=max_body_length,
            clear_untrusted_proxy_headers=True,
        )
        self._closing = threading.Event()

    def run(self) -> None:
        """Answer requests in this thread's loop and in waitress' threads."""
        try:
            # waitress' own run() ends by SystemExit alone, which no other thread can raise in it.
            while not self._closing.is_set():
                self._server.asyncore.loop(timeout=1, use_poll=True, map=self._map, count=1)
        finally:
            self._server.task_dispatcher.shutdown()
            close_all(self._map)

    def close(self) -> None:
        """Make `run` return. For any thread and for signal handlers; closing again does nothing."""
        self._closing.set()
        # The loop may be in poll() for another second: a byte on its pipe wakes it.
        with contextlib.suppress(OSError):  # the loop may have ended meanwhile
            self._server.pull_trigger()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0: any free one. Raises PORT_IN_USE, INVALID_REQUEST."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ServiceError(
            Code.INVALID_REQUEST, f"host {shown(host)} is not an address of this machine"
        ) from error
    listening = socket.socket(family, kind, protocol)
    try:
        # A restarted server can bind although old connections are still in TIME_WAIT.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise _unusable(host, port, error) from error
    return listening


def _unusable(host: str, port: int, error: OSError) -> ServiceError:
    if error.errno == errno.EADDRINUSE:
        detail = f"port {port} of {host} is in use by another program: end it, or choose another with --port"
        return ServiceError(Code.PORT_IN_USE, detail)
    return ServiceError(Code.PORT_IN_USE, f"port {port} of {host} can't be used: {error.strerror}")


def url_of(host: str, listening: socket.socket) -> str:
    """The address of a listening socket, under the name that the caller gave it."""
    authority = f"[{host}]" if ":" in host else host  # RFC 3986 section 3.2.2: IPv6 in brackets
    return f"http://{authority}:{listening.getsockname()[1]}"
