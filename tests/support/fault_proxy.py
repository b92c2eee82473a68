"""A proxy in front of a cloud's server that fails the n-th write: below the client library, on the wire."""

import http.client
import re
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_WRITING = frozenset({"PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"})
_PK = re.compile(rb'"pk": ?\{"S": ?"([^"]*)"')


class HttpFault(StrEnum):
    """What becomes of a request that writes. `done`: the server did it all the same."""

    DROPPED = "dropped"
    LOST = "lost"
    ERROR = "500"
    ERROR_DONE = "500 done"
    SLOW_DOWN = "503"
    TIMED_OUT = "timed out done"
    DOWN = "down"
    LOST_DOWN = "lost, down"

    @property
    def is_done(self) -> bool:
        """Whether the server is asked to do it."""
        return self in (HttpFault.LOST, HttpFault.ERROR_DONE, HttpFault.TIMED_OUT, HttpFault.LOST_DOWN)

    @property
    def stays_down(self) -> bool:
        """Whether no request after it is answered, until the proxy is disarmed."""
        return self in (HttpFault.DOWN, HttpFault.LOST_DOWN)


@dataclass
class _State:
    """What the proxy has seen since it was armed. `names`: the writes, in order of arrival."""

    names: list[str] = field(default_factory=list)
    at: int = -1
    fault: HttpFault = HttpFault.DROPPED
    down: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def meet(self, name: str | None) -> HttpFault | None:
        """What becomes of a request; a write if it has a name."""
        with self.lock:
            if self.down:
                return HttpFault.DROPPED
            if name is None:
                return None
            self.names.append(name)
            if len(self.names) - 1 != self.at:
                return None
            self.down = self.fault.stays_down
            return self.fault


class FaultProxy:
    """Listens on a free port of 127.0.0.1; passes everything on to `upstream` but what it is armed for."""

    def __init__(self, upstream: str) -> None:
        self._state = state = _State()
        split = urlsplit(upstream)
        host, port = str(split.hostname), int(split.port or 80)

        class Handler(_Faulty):
            def connect(self) -> http.client.HTTPConnection:
                return http.client.HTTPConnection(host, port, timeout=30)

            def meet(self, name: str | None) -> HttpFault | None:
                return state.meet(name)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def arm(self, at: int, fault: HttpFault) -> None:
        """Count writes from here; fail number `at`."""
        with self._state.lock:
            self._state.names.clear()
            self._state.at, self._state.fault, self._state.down = at, fault, False

    def disarm(self) -> None:
        """Pass everything on, and count from here."""
        self.arm(-1, HttpFault.DROPPED)

    @property
    def names(self) -> list[str]:
        """The writes since it was armed or disarmed."""
        return list(self._state.names)

    @property
    def met(self) -> bool:
        """Whether the write that was to fail was reached."""
        return len(self._state.names) > self._state.at

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


_KEPT_S = 1.0
"""How long a connection to upstream is used again; the servers keep an idle one for five seconds."""


class Passing(BaseHTTPRequestHandler):
    """A handler that passes requests on as they are, since they are signed."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    _upstream: http.client.HTTPConnection | None = None
    _used_at = 0.0

    def connect(self) -> http.client.HTTPConnection:
        """To upstream."""
        raise NotImplementedError

    def answer(self, body: bytes) -> None:
        """Answer one request."""
        raise NotImplementedError

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client went first
            self.close_connection = True

    def _answer(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Upstream's answer: status, headers, body."""
        connection, self._upstream = self._upstream, None
        if not connection or time.monotonic() > self._used_at + _KEPT_S:
            connection = self.connect()
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = response.status, response.getheaders(), response.read()
        self._upstream, self._used_at = connection, time.monotonic()
        return answer

    def finish(self) -> None:
        if self._upstream:
            self._upstream.close()
        super().finish()

    def reply(self, status: int, headers: list[tuple[str, str]], answer: bytes) -> None:
        """Answer as upstream did."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        told = {name.lower(): value for name, value in headers}.get("content-length", "0")
        self.send_header("Content-Length", told if self.command == "HEAD" else str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


class _Faulty(Passing):
    def meet(self, name: str | None) -> HttpFault | None:
        raise NotImplementedError

    def answer(self, body: bytes) -> None:
        fault = self.meet(self._name(body))
        if fault is None:
            self.reply(*self.ask(body))
            return
        self.close_connection = True
        if fault.is_done:
            self.ask(body)
        if fault is HttpFault.TIMED_OUT:
            self._wait_for_the_client()
        elif fault in (HttpFault.ERROR, HttpFault.ERROR_DONE):
            self._fail(500, "InternalError", "InternalServerError")
        elif fault is HttpFault.SLOW_DOWN:
            self._fail(503, "SlowDown", "ThrottlingException")

    def _name(self, body: bytes) -> str | None:
        """What a write is of, or None for a read."""
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if operation in _WRITING:
            places = dict.fromkeys(found.decode().partition("#")[0] for found in _PK.findall(body))
            return f"ledger {operation} {' '.join(places)}"
        if operation or self.command in ("GET", "HEAD"):
            return None
        bucket, _, key = self.path.partition("?")[0].removeprefix("/").partition("/")
        return f"{bucket.partition('-')[0]} {key}{' deleted' if self.command == 'DELETE' else ''}"

    def _fail(self, status: int, s3_code: str, dynamodb_code: str) -> None:
        if self.headers.get("X-Amz-Target"):
            kind, answer = "application/x-amz-json-1.0", f'{{"__type":"com.amazonaws#{dynamodb_code}"}}'
            status = 400 if status == 503 else status  # how DynamoDB throttles
        else:
            kind, answer = "application/xml", f"<Error><Code>{s3_code}</Code></Error>"
        self.send_response_only(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(answer)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.encode())
        self.wfile.flush()

    def _wait_for_the_client(self) -> None:
        """Until the client has had enough, and has closed."""
        self.connection.settimeout(30)
        try:
            while self.connection.recv(4096):
                pass
        except (TimeoutError, OSError):
            return
