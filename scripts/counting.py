"""A proxy in front of a local cloud that counts requests as AWS charges them. It runs as its own process.

python scripts/counting.py UPSTREAM LATENCIES     (prints its port)

LATENCIES: JSON, milliseconds by service (s3, dynamodb, kms): an answer is given no earlier than that.
"""

import base64
import http.client
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KB = 1024
TAKE = "/_taken"
"""Path at which the proxy returns its counts and sets them to zero."""
WAITED = "waited_ms"


Counts = dict[str, float]


@dataclass(frozen=True)
class Measured:
    """One part's requests by kind, milliseconds of CPU on this machine, and of waiting for answers."""

    counts: Counts
    cpu_ms: float
    waited_ms: float = 0.0

    def __sub__(self, other: "Measured") -> "Measured":
        names = self.counts.keys() | other.counts.keys()
        counts = {name: self.counts.get(name, 0.0) - other.counts.get(name, 0.0) for name in names}
        return Measured(
            counts, max(self.cpu_ms - other.cpu_ms, 0.0), max(self.waited_ms - other.waited_ms, 0.0)
        )

    def divided(self, by: int) -> "Measured":
        counts = {name: value / by for name, value in self.counts.items()}
        return Measured(counts, self.cpu_ms / by, self.waited_ms / by)


class Meter:
    """Counts since the last `take`, and the milliseconds in which at least one request was under way.

    A request is assumed to last as long as the service's latency, however long it takes here.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._spans: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    def add(self, counts: dict[str, int], begun: float, ended: float) -> None:
        with self._lock:
            self._counts.update(counts)
            self._spans.append((begun, ended))

    def take(self) -> dict[str, float]:
        """Return the counts since the last call, and start again from zero."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            spans, self._spans = self._spans, []
        return {**counts, WAITED: covered(spans) * 1000}


def covered(spans: list[tuple[float, float]]) -> float:
    """Seconds that lie in at least one of the spans."""
    total = until = 0.0
    for begun, ended in sorted(spans):
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total


def charged(method: str, target: str, asked: str, body: bytes, answer: bytes) -> dict[str, int]:
    """One request as AWS charges it, by kind. `asked`: the X-Amz-Target header, empty for S3."""
    if asked.startswith("DynamoDB"):
        return dynamodb(asked.rpartition(".")[2], json.loads(body), json.loads(answer or b"{}"))
    if asked.startswith("TrentService"):
        sign = asked.endswith(".Sign")
        return {"kms_sign" if sign else "kms_other": 1, "kms": 1}
    if method in ("PUT", "POST"):
        return {"s3_put": 1, "s3": 1}
    if method == "GET" and "list-type" in urlsplit(target).query:
        return {"s3_put": 1, "s3": 1, "s3_list": 1}  # a list is charged like a PUT
    return {"s3": 1} if method == "DELETE" else {"s3_get": 1, "s3": 1}


def dynamodb(operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, int]:
    """Units of a request: a transaction writes twice, a strongly consistent read is one unit for 4 KB."""
    units: Counter[str] = Counter(dynamodb=1)
    if operation == "TransactWriteItems":
        for each in asked["TransactItems"]:
            ((_, item),) = each.items()
            units["dynamodb_write_unit"] += 2 * _blocks(_size(item.get("Item") or item["Key"]), KB)
    elif operation in ("PutItem", "DeleteItem", "UpdateItem"):
        units["dynamodb_write_unit"] += _blocks(_size(asked.get("Item") or asked["Key"]), KB)
    elif operation == "BatchGetItem":
        asked_for = sum(len(table["Keys"]) for table in asked["RequestItems"].values())
        items = [item for items in answer.get("Responses", {}).values() for item in items]
        units["dynamodb_read_unit"] += sum(_blocks(_size(item), 4 * KB) for item in items)
        units["dynamodb_read_unit"] += asked_for - len(items)
    else:
        items = answer.get("Items") or [answer.get("Item", {})]
        units["dynamodb_read_unit"] += _blocks(sum(map(_size, items)), 4 * KB)
    return dict(units)


def _blocks(size: int, block: int) -> int:
    return max(1, -(-size // block))


def _size(item: dict[str, Any]) -> int:
    """Bytes of an item: names and values."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: dict[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind == "B":
        return len(base64.b64decode(held))
    if kind == "M":
        return 3 + _size(held)
    if kind == "L":
        return 3 + sum(map(_value, held))
    return len(str(held).encode())


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `upstream` and counts those that were answered."""

    request_queue_size = 128

    def __init__(self, upstream: str, latency_ms: dict[str, float]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlsplit(upstream)
        self.latency_ms = latency_ms
        self.meter = Meter()


class Handler(BaseHTTPRequestHandler):
    """Handles a connection's requests."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def pass_on(self) -> None:
        """Send the request upstream, count it, and pass the answer on no earlier than the latency."""
        if self.path == TAKE:
            self.reply(200, [], json.dumps(self.server.meter.take()).encode())
            return
        begun = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = self.server.upstream
        connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port, timeout=120)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "content-length", "expect"):
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        asked = self.headers.get("X-Amz-Target", "")
        counts = charged(self.command, self.path, asked, body, data) if answer.status < 500 else {}
        service = next(iter(self.server.latency_ms.keys() & counts.keys()), "s3")
        ended = begun + self.server.latency_ms[service] / 1000
        self.server.meter.add(counts, begun, ended)
        time.sleep(max(0.0, ended - time.monotonic()))
        self.reply(answer.status, answer.getheaders(), data)
        connection.close()

    def reply(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        """Send an answer. To a HEAD it has the Content-Length of the body that is left out."""
        length = {name.lower(): value for name, value in headers}.get("content-length", str(len(data)))
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Leave standard error alone: it is the measured program's."""


if __name__ == "__main__":
    proxy = Proxy(sys.argv[1], json.loads(sys.argv[2]))
    print(proxy.server_address[1], flush=True)
    proxy.serve_forever()
