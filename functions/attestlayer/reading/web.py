"""Reads a registry's objects over HTTP(S), through caches and proxies, with limits on time and length.

Retries after busy answers and cut connections. Does I/O; decides nothing about the objects.
"""

import http.client
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from attestlayer.encoding import shown
from attestlayer.errors import CouldNotCheckError
from attestlayer.reading.answers import Field, age_of, fields_of, fresh_for, inflate, retry_after
from attestlayer.reading.connection import Connection, Deadline, connect, proxy_headers, proxy_of
from attestlayer.reading.copies import Copy, Sighting, bound_of, check_bound, unreadable
from attestlayer.reading.failures import describe_failure

TIMEOUT_S = 30.0
"""Seconds of the longest single wait for the server, and of what an empty object may take in all."""

SLOWEST = 64 * 1024
"""Bytes a second that a server has to send: an object's deadline is `TIMEOUT_S` and its bound over this."""

LONGEST_BUSY_S = 300.0
"""Seconds that are waited in all for one object while the server answers that it is busy."""

_TRIES = 4
_REDIRECTS = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_MAX_REFUSAL = 64 * 1024  # bytes of an answer's body that is no object
_ALWAYS = {"User-Agent": "attestlayer-audit/1", "Accept-Encoding": "gzip"}
_PAST_CACHES = {"Cache-Control": "no-cache", "Pragma": "no-cache"}  # RFC 9111 sections 5.2.1.4 and 5.4


class _Answer(NamedTuple):
    status: int
    field: Field
    body: bytes


@dataclass
class _Request:
    """One object that is asked for, and what that has cost so far."""

    name: str
    target: str
    headers: dict[str, str]
    bound: int
    taken_s: float = 0.0
    tries: int = 0
    busy: int = 0
    waited_s: float = 0.0


@dataclass
class HttpRegistry:
    """A registry at a base URL, read over one kept connection.

    `requests`: sent so far. `sleep`, `clock` (POSIX seconds), `passed` (seconds of any start) and `draw`
    (0 ≤ x < 1, for jitter) can be others in tests.
    """

    url: str
    timeout_s: float = TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time  # noqa: TID251 - says when a copy was seen
    passed: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random
    requests: int = 0
    _base: SplitResult = field(init=False)
    _deadline: Deadline = field(init=False)
    _connection: Connection | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._base = urlsplit(self.url.rstrip("/") + "/")
        if self._base.scheme not in {"http", "https"} or not self._base.hostname:
            raise unreadable(f"{shown(self.url)} is not an http or https URL")
        if self._base.query or self._base.fragment or self._base.username:
            raise unreadable(f"{shown(self.url)}: wanted a host and a path only")
        self._deadline = Deadline(self.passed, self.timeout_s)

    def read(self, name: str) -> bytes | None:
        """GET the object. 404 is None; any other status, or no answer, is an error."""
        return self._fetch(name, {}).data

    def fetch(self, name: str) -> Copy:
        """As `read`, with when it was seen and how long caches may show it."""
        return self._fetch(name, {})

    def fetch_again(self, name: str, sighting: Sighting, longest_s: float) -> Copy:
        """GET the object past caches, once the copy that was seen is stale or `longest_s` are over."""
        wait = max(0.0, min(sighting.stale_at - self.clock(), longest_s))
        if wait:
            self.sleep(wait)
        data, seen = self._fetch(name, _PAST_CACHES)
        return Copy(data, seen and seen._replace(waited_s=wait))

    def names(self) -> None:
        """A web server lists nothing."""
        return

    def _fetch(self, name: str, headers: dict[str, str]) -> Copy:
        request = _Request(name, self._base.path + quote(name), headers, bound_of(name))
        for _ in range(_REDIRECTS + 1):
            answer = self._answer(request)
            if answer.status in {200, 404}:
                now = self.clock()
                # One second more: header fields count whole seconds.
                stale_at = now + fresh_for(answer.field) + 1
                seen = Sighting(now, stale_at, age_of(answer.field), bool(headers))
                return Copy(answer.body if answer.status == 200 else None, seen)
            location = answer.field("Location")
            if answer.status not in {301, 302, 307, 308} or location is None:
                raise unreadable(f"{name}: HTTP status {answer.status}")
            request = replace(request, target=self._redirected(name, request.target, location))
        raise unreadable(f"{name}: over {_REDIRECTS} redirects")

    def _answer(self, request: _Request) -> _Answer:
        """The server's answer, once it is neither busy nor in trouble. Raises `CouldNotCheckError`."""
        while True:
            try:
                answer = self._send(request)
            except (OSError, http.client.HTTPException) as error:
                self._close()
                # A wrong certificate does not become right by trying again.
                last = isinstance(error, ssl.SSLCertVerificationError) or self._allowance(request) <= 0
                self._pause_after(request, describe_failure(error), last=last)
                continue
            if answer.status in {429, 503}:
                self._wait_as_told(request, answer)
            elif answer.status >= 500:
                self._pause_after(request, f"HTTP status {answer.status}", last=False)
            else:
                return answer

    def _pause_after(self, request: _Request, trouble: str, *, last: bool) -> None:
        request.tries += 1
        if last or request.tries >= _TRIES:
            raise unreadable(f"{self._base.geturl()}{request.name}: {trouble}")
        self.sleep(self._backoff(request.tries))

    def _wait_as_told(self, request: _Request, answer: _Answer) -> None:
        """Wait as long as a busy server says (RFC 6585 section 4, RFC 9110 section 15.6.4), or back off."""
        request.busy += 1
        told = retry_after(answer.field, self.clock())
        # Up to a second later than told: not all readers at once.
        wait = self._backoff(request.busy) if told is None else told + self.draw()
        if request.waited_s + wait > LONGEST_BUSY_S:
            when = "" if told is None else f", to be asked again after {told:.0f} s"
            limit = f"waited {request.waited_s:.0f} s of at most {LONGEST_BUSY_S:.0f} s for an object"
            raise unreadable(f"{request.name}: HTTP status {answer.status}{when}; {limit}")
        request.waited_s += wait
        self.sleep(wait)

    def _backoff(self, tries: int) -> float:
        """Exponential, with half of it jitter."""
        longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (tries - 1))
        return longest * (1 + self.draw()) / 2

    def _allowance(self, request: _Request) -> float:
        """Seconds that the object may still take, all tries together; waits while it is busy don't count."""
        return self.timeout_s + request.bound / SLOWEST - request.taken_s

    def _send(self, request: _Request) -> _Answer:
        started = self.passed()
        self._deadline.allow(self._allowance(request))
        try:
            return self._exchange(request)
        finally:
            request.taken_s += self.passed() - started

    def _exchange(self, request: _Request) -> _Answer:
        if self._connection is None:
            self._connection = connect(self._base, self._deadline)
        target, headers = request.target, {"Host": self._base.netloc, **_ALWAYS, **request.headers}
        if self._connection.absolute:
            headers |= proxy_headers(proxy_of(self._base) or self._base)
            target = f"{self._base.scheme}://{self._base.netloc}{target}"
        self.requests += 1
        response = self._connection.get(target, headers)
        fields = fields_of(response.getheaders())
        try:
            return _Answer(response.status, fields, self._body(request, response, fields))
        except CouldNotCheckError:
            self._close()
            raise

    def _body(self, request: _Request, response: http.client.HTTPResponse, fields: Field) -> bytes:
        """The body of an object, inflated, or the start of a refusal's. Ended early where it is too long."""
        is_object = response.status == 200
        bound = request.bound if is_object else _MAX_REFUSAL
        stated = response.length
        if is_object and stated is not None:
            check_bound(request.name, stated, bound)
            # An answer that says how long it is gets the time for that.
            self._deadline.allow(min(self._allowance(request), self.timeout_s + stated / SLOWEST))
        data = response.read(bound + 1)
        if len(data) <= bound and response.length:  # a read with a limit does not raise on a cut body
            raise http.client.IncompleteRead(data, response.length)
        if len(data) > bound or response.will_close:
            self._close()
        if not is_object:
            return b""
        try:
            whole = inflate(data, fields("Content-Encoding"), bound)
        except ValueError as error:
            raise unreadable(f"{request.name}: {error}") from error
        check_bound(request.name, max(len(data), len(whole)), bound)
        return whole

    def _redirected(self, name: str, target: str, location: str) -> str:
        base = f"{self._base.scheme}://{self._base.netloc}"
        url = urlsplit(urljoin(base + target, location))
        # A redirect must not lead an audit to another host, whose objects would be taken for this registry's.
        if (url.scheme, url.netloc) != (self._base.scheme, self._base.netloc):
            raise unreadable(f"{name}: redirected to another origin, {shown(location)}")
        return url.path + (f"?{url.query}" if url.query else "")

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
