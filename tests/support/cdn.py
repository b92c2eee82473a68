"""A CDN's double before a registry: caches, refusals, resets, in time that only waiting moves on."""

import gzip
import http.server
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path

from attestlayer.log import layout
from attestlayer.reading.web import HttpRegistry

MAX_AGE_S = layout.MUTABLE_MAX_AGE_S


@dataclass
class Time:
    """POSIX seconds that pass only while somebody waits."""

    at: float = 1_900_000_000.0
    waited: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.at += seconds
            self.waited.append(seconds)

    def registry(self, url: str) -> HttpRegistry:
        """The reader of a URL, in this time."""
        draw = random.Random(1).random
        return HttpRegistry(url, sleep=self.sleep, clock=self.now, passed=lambda: 0.0, draw=draw)


Origin = Callable[[str, float], bytes | None]
"""A registry's object by name, at a time."""


@dataclass
class Cdn:
    """Caches each object by itself for as long as its headers say, absence for 5 s, `no-cache` or not.

    `absent`: names of which the cache remembers at first that there is none. Every n-th request, by these
    numbers, is refused as one too many, or cut off before its answer; 0: none.
    """

    origin: Origin
    time: Time
    absent: Callable[[str], bool] = lambda name: False
    busy_every: int = 0
    reset_every: int = 0
    requests: int = 0
    cache: dict[str, tuple[float, bytes | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def copy(self, name: str) -> tuple[bytes | None, int]:
        """The copy that is shown now, and its age in seconds."""
        now = self.time.now()
        with self._lock:
            if name not in self.cache and self.absent(name):
                self.cache[name] = (now, None)
            stored = self.cache.get(name)
            lasts = 31_536_000 if stored and stored[1] and layout.is_immutable(name) else MAX_AGE_S
            if stored is None or now - stored[0] >= lasts:
                stored = self.cache[name] = (now, self.origin(name, now))
        return stored[1], int(now - stored[0])

    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: C901 - a class of four methods
        """The handler of its server."""
        cdn = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with cdn._lock:
                    cdn.requests += 1
                    number = cdn.requests
                if cdn.reset_every and number % cdn.reset_every == 0:
                    self.close_connection = True
                    return
                if cdn.busy_every and number % cdn.busy_every == 0:
                    self._refuse(number)
                    return
                self._answer(self.path.removeprefix("/"))

            def _refuse(self, number: int) -> None:
                date = formatdate(cdn.time.now(), usegmt=True)
                later = formatdate(cdn.time.now() + 2, usegmt=True)
                self.send_response_only(429 if number % 2 else 503)
                self.send_header("Date", date)
                self.send_header("Retry-After", "1" if number % 4 < 2 else later)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _answer(self, name: str) -> None:
                data, age = cdn.copy(name)
                self.send_response_only(404 if data is None else 200)
                packed = data is not None and sha256(name.encode()).digest()[0] % 2 == 0
                body = gzip.compress(data, 1, mtime=0) if packed and data is not None else data or b""
                if packed:
                    self.send_header("Content-Encoding", "gzip")
                caching = layout.headers_of(name)["Cache-Control"] if data else f"max-age={MAX_AGE_S}"
                for field_name, value in (("Cache-Control", caching), ("Age", str(age))):
                    self.send_header(field_name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for at in range(0, len(body), 4096):  # in pieces
                    self.wfile.write(body[at : at + 4096])
                    self.wfile.flush()

            def log_message(self, *args: object) -> None:
                del args

        return Handler


def folder(root: Path) -> Origin:
    """A registry that stays as it is in its folder."""

    def read(name: str, at: float) -> bytes | None:
        del at
        path = root / name
        return path.read_bytes() if path.is_file() else None

    return read


def one_in(count: int) -> Callable[[str], bool]:
    """Chooses one in so many names, always the same ones."""
    return lambda name: int.from_bytes(sha256(name.encode()).digest()[1:3], "big") % count == 0
