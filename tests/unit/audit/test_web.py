"""Reading over HTTP: how long it waits, how much it takes, which way it goes. It waits in a double's time."""

import gzip
import http.server
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import formatdate

import pytest

from attestlayer.errors import CouldNotCheckError
from attestlayer.reading.answers import DEFAULT_FRESH_S, CutError, fresh_for, inflate, retry_after
from attestlayer.reading.copies import MAX_OBJECT, bound_of
from attestlayer.reading.web import LONGEST_BUSY_S, TIMEOUT_S, HttpRegistry
from support.cdn import Time
from support.serving import running

NOW = 1_900_000_000
Reply = tuple[int, dict[str, str], bytes]


@pytest.fixture
def answering() -> Iterator[Callable[..., tuple[str, list[dict[str, str]]]]]:
    """Starts a server that gives answers in turn, the last one for ever; its URL, and what it was asked."""
    stack: list[http.server.ThreadingHTTPServer] = []

    def start(*replies: Reply) -> tuple[str, list[dict[str, str]]]:
        asked: list[dict[str, str]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, fields, body = replies[min(len(asked), len(replies) - 1)]
                asked.append(
                    {"path": self.path, **{key.lower(): value for key, value in self.headers.items()}}
                )
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(body)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                del args

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        stack.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in stack:
        server.shutdown()
        server.server_close()


def field(**values: str) -> Callable[[str], str | None]:
    """Header fields by name, `_` for `-`."""
    return {name.replace("_", "-"): value for name, value in values.items()}.get


@pytest.mark.parametrize(
    ("status", "told", "wanted"),
    [
        (429, "7", 7),
        (503, "0", 0),
        (429, formatdate(NOW + 9, usegmt=True), 9),
        (503, "Tuesday, 17-Mar-30 17:46:45 GMT", 5),  # RFC 850's form, which recipients must take
        (503, formatdate(NOW - 9, usegmt=True), 0),
    ],
)
def test_a_busy_server_is_asked_again_when_it_says(
    answering: Callable[..., tuple[str, list[dict[str, str]]]], status: int, told: str, wanted: float
) -> None:
    url, asked = answering((status, {"Retry-After": told}, b""), (200, {}, b"here"))
    time = Time(NOW)
    assert time.registry(url).read("a") == b"here"
    assert len(asked) == 2
    # Up to a second later, so that not all readers come at once.
    (waited,) = time.waited
    assert wanted <= waited < wanted + 1


def test_a_date_is_compared_with_the_servers_own_clock() -> None:
    later, date = formatdate(NOW + 100, usegmt=True), formatdate(NOW + 97, usegmt=True)
    assert retry_after(field(Retry_After=later, Date=date), NOW - 5000) == 3


@pytest.mark.parametrize("told", ["", "soon", "-1", "1.5", "٣", "1e3", "Tue, 99 Foo 2030"])
def test_a_malformed_time_to_wait_counts_as_none(told: str) -> None:
    assert retry_after(field(Retry_After=told), NOW) is None


def test_ten_requests_a_second_do_not_stop_a_reader(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    busy: Reply = (429, {"Retry-After": "1"}, b"")
    url, asked = answering(*[busy] * 30, (200, {}, b"here"))
    assert Time(NOW).registry(url).read("a") == b"here"
    assert len(asked) == 31


def test_a_server_that_stays_busy_is_given_up_and_the_message_says_after_how_long(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    for fields, words in (({}, "waited"), ({"Retry-After": "3600"}, "to be asked again after 3600 s")):
        url, _ = answering((429, fields, b""))
        time = Time(NOW)
        with pytest.raises(CouldNotCheckError, match=words):
            time.registry(url).read("a")
        assert sum(time.waited) <= LONGEST_BUSY_S


def test_waits_without_a_word_grow_and_differ(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    waits = []
    for drawn in (0.0, 0.9):
        url, _ = answering(*[(503, {}, b"")] * 5, (200, {}, b"here"))
        time = Time(NOW)
        HttpRegistry(url, sleep=time.sleep, clock=time.now, draw=lambda drawn=drawn: drawn).read("a")
        waits.append(time.waited)
        assert waits[-1] == sorted(waits[-1])
        assert waits[-1][-1] > 8 * waits[-1][0]
    assert all(one < other for one, other in zip(*waits, strict=True))


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (field(Cache_Control="public, max-age=5"), 5),
        (field(Cache_Control="max-age=5, s-maxage=30", Age="10"), 20),
        (field(Cache_Control="MAX-AGE=5", Age="9"), 0),
        (field(Cache_Control="no-store"), 0),
        (field(Cache_Control="public, max-age=31536000, immutable"), DEFAULT_FRESH_S),
        (field(Cache_Control="x-max-age=7"), DEFAULT_FRESH_S),
        (field(), DEFAULT_FRESH_S),
        (field(Age="many"), DEFAULT_FRESH_S),
        (field(Expires=formatdate(NOW + 8), Date=formatdate(NOW)), 8),
        (field(Expires="0", Date=formatdate(NOW)), DEFAULT_FRESH_S),
    ],
)
def test_an_answer_says_how_long_caches_may_show_it(
    fields: Callable[[str], str | None], wanted: float
) -> None:
    assert fresh_for(fields) == wanted


def test_an_object_is_asked_for_again_past_caches_when_the_copy_is_stale(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    url, asked = answering((404, {"Cache-Control": "max-age=5", "Age": "2"}, b""), (200, {}, b"here"))
    time = Time(NOW)
    registry = time.registry(url)
    first = registry.fetch("a")
    assert first.data is None and first.sighting
    again = registry.fetch_again("a", first.sighting, 60)
    assert again.data == b"here"
    assert time.waited == [4]
    assert "cache-control" not in asked[0] and asked[1]["cache-control"] == "no-cache"
    assert str(first.sighting) == "2030-03-17T17:46:40Z, 2 s old in a cache"
    assert str(again.sighting) == "2030-03-17T17:46:44Z, asked past caches"


@pytest.mark.parametrize("start", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", "HTTP/1.1 200 O"])
def test_a_server_that_sends_a_byte_now_and_then_is_ended_by_the_deadline(start: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            kept.append(peer)
            with suppress(OSError):  # the test is over
                peer.recv(65536)
                peer.sendall(start.encode())  # and nothing more

    threading.Thread(target=serve, daemon=True).start()
    # Time passes with each look at the clock: the second wait for bytes finds that it is over.
    ticks = iter(range(0, 10**9, int(TIMEOUT_S)))
    registry = HttpRegistry(
        f"http://127.0.0.1:{listening.getsockname()[1]}",
        sleep=lambda seconds: None,
        passed=lambda: float(next(ticks)),
    )
    with pytest.raises(CouldNotCheckError, match="took too long"):
        registry.read("v1/entries/a.json")
    listening.close()
    for peer in kept:
        peer.close()


def test_small_objects_have_small_bounds_and_none_is_below_what_the_formats_allow() -> None:
    assert bound_of("tile/entries/000") == bound_of("v1/checkpoints/bundle/000") == MAX_OBJECT
    assert bound_of("v1/notices/a.json") == bound_of("v1/trust.json") == MAX_OBJECT
    for name in ("tile/0/000", "v1/entries/a.json", "v1/proofs/inclusion/a.json", "v1/checkpoints/a.json"):
        assert bound_of(name) == 1024 * 1024


def test_an_object_over_its_bound_is_ended_early(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    url, _ = answering((200, {"Content-Length": str(2**40)}, b"x"))
    with pytest.raises(CouldNotCheckError, match="over 1048576 bytes"):
        Time(NOW).registry(url).read("tile/0/000")
    url, _ = answering((200, {"Content-Length": "", "Connection": "close"}, bytes(1024 * 1024 + 1)))
    with pytest.raises(CouldNotCheckError, match="over 1048576 bytes"):
        Time(NOW).registry(url).read("tile/0/000")


def test_gzip_is_taken_and_inflated_within_the_bound(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    url, asked = answering((200, {"Content-Encoding": "gzip"}, gzip.compress(b"here")))
    assert Time(NOW).registry(url).read("a") == b"here"
    assert asked[0]["accept-encoding"] == "gzip"
    bomb = gzip.compress(bytes(64 * 1024 * 1024), 9)
    assert len(bomb) < 1024 * 1024
    url, _ = answering((200, {"Content-Encoding": "gzip"}, bomb))
    with pytest.raises(CouldNotCheckError, match="over 1048576 bytes"):
        Time(NOW).registry(url).read("tile/0/000")
    url, _ = answering((200, {"Content-Encoding": "br"}, b"x"))
    with pytest.raises(CouldNotCheckError, match="'br', wanted gzip or none"):
        Time(NOW).registry(url).read("a")


def test_damaged_compression_is_tried_again(
    answering: Callable[..., tuple[str, list[dict[str, str]]]],
) -> None:
    packed, coded = gzip.compress(b"here"), {"Content-Encoding": "gzip"}
    url, _ = answering((200, coded, packed[:-3]), (200, coded, b"x" + packed), (200, coded, packed))
    assert Time(NOW).registry(url).read("a") == b"here"


def test_inflating_takes_members_one_after_the_other_and_no_more_than_the_limit() -> None:
    assert inflate(gzip.compress(b"a") + gzip.compress(b"b"), "x-gzip", 9) == b"ab"
    assert inflate(gzip.compress(b"abc"), "gzip", 1) == b"ab"  # one more than the limit
    assert inflate(b"", "gzip", 1) == b""
    for damaged in (zlib.compress(b"a"), gzip.compress(b"a") + b"x", gzip.compress(b"a")[:-1]):
        with pytest.raises(CutError):
            inflate(damaged, "gzip", 9)


def _clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_proxy_of_the_environment_is_used_but_for_hosts_without(
    answering: Callable[..., tuple[str, list[dict[str, str]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = answering((200, {}, b"here"))
    _clear(monkeypatch)
    monkeypatch.setenv("http_proxy", url.replace("http://", "http://me:pass%20word@"))
    assert Time(NOW).registry("http://registry.test/below").read("a") == b"here"
    assert asked[0]["path"] == "http://registry.test/below/a"
    assert (asked[0]["host"], asked[0]["proxy-authorization"]) == ("registry.test", "Basic bWU6cGFzcyB3b3Jk")
    monkeypatch.setenv("no_proxy", "127.0.0.1,.test")
    assert Time(NOW).registry(url).read("b") == b"here"
    assert asked[1]["path"] == "/b"
    assert "proxy-authorization" not in asked[1]


def test_https_goes_through_the_proxy_as_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(f"{self.path} {self.headers['Proxy-Authorization']}")
            self.send_error(407)

        def log_message(self, *args: object) -> None:
            del args

    _clear(monkeypatch)
    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("http://", "http://me:word@"))
        with pytest.raises(CouldNotCheckError, match="407"):
            Time(NOW).registry("https://registry.test").read("a")
    assert set(asked) == {"registry.test:443 Basic bWU6d29yZA=="}


@pytest.mark.parametrize(
    "proxy", ["https://proxy.test:1", "socks5://proxy.test", "http://proxy.test:x", "http://"]
)
def test_a_proxy_that_can_not_be_used_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _clear(monkeypatch)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(CouldNotCheckError, match="wanted http://HOST:PORT"):
        Time(NOW).registry("https://registry.test").read("a")
