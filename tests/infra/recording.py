"""A proxy that writes down, in IAM's words, what each role asks of the local cloud."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from infra.iam import Call
from support.fault_proxy import Passing

ACCOUNT = "arn:aws:{service}:us-east-1:000000000000:{name}"
_ON_OBJECTS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
_LISTING = {"list-type", "prefix", "start-after", "continuation-token"}
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}


class Recorder:
    """Passes everything on to `upstream`; `calls` are by role. A request outside `acting` is an error."""

    def __init__(self, upstream: str) -> None:
        split = urlsplit(upstream)
        host, port = str(split.hostname), int(split.port or 80)
        self.calls: dict[str, set[Call]] = {}
        self.unknown: list[str] = []
        self._role: str | None = None
        self._lock = threading.Lock()
        recorder = self

        class Handler(Passing):
            def connect(self) -> http.client.HTTPConnection:
                return http.client.HTTPConnection(host, port, timeout=60)

            def answer(self, body: bytes) -> None:
                found = self.ask(body)
                recorder.note(
                    list(calls_of(self.command, self.path, dict(self.headers.items()), body, found[0]))
                )
                self.reply(*found)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @contextmanager
    def acting(self, role: str) -> Iterator[None]:
        """What is asked meanwhile is asked by this role."""
        assert self._role is None
        self._role = role
        try:
            yield
        finally:
            self._role = None

    def note(self, calls: list[Call]) -> None:
        """Write calls down."""
        with self._lock:
            if self._role is None:
                self.unknown += [f"{each.action} {each.resource}" for each in calls]
            else:
                self.calls.setdefault(self._role, set()).update(calls)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def calls_of(method: str, target: str, headers: dict[str, str], body: bytes, status: int) -> Iterator[Call]:
    """What a request must be allowed to do. TLS is taken for granted: this proxy has none."""
    headers = {name.lower(): value for name, value in headers.items()}
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    if service.startswith("DynamoDB_"):
        yield from _dynamodb(operation, json.loads(body))  # noqa: TID251
    elif service == "TrentService":
        key = str(json.loads(body)["KeyId"])  # noqa: TID251
        yield Call(f"kms:{operation}", ACCOUNT.format(service="kms", name=f"key/{key}"))
    elif service:
        raise ValueError(f"{service} is not known here")
    else:
        yield from _s3(method, target, headers, body, status)


def _dynamodb(operation: str, asked: dict[str, object]) -> Iterator[Call]:
    if operation == "TransactWriteItems":
        items = asked["TransactItems"]
        assert isinstance(items, list)
        pairs = [(_IN_TRANSACTIONS[kind], each["TableName"]) for item in items for kind, each in item.items()]
    elif "RequestItems" in asked:
        tables = asked["RequestItems"]
        assert isinstance(tables, dict)
        pairs = [(operation, table) for table in tables]
    else:
        pairs = [(operation, asked["TableName"])]
    for action, table in pairs:
        yield Call(f"dynamodb:{action}", ACCOUNT.format(service="dynamodb", name=f"table/{table}"))


def _s3(method: str, target: str, headers: dict[str, str], body: bytes, status: int) -> Iterator[Call]:
    split = urlsplit(target)
    bucket, _, key = unquote(split.path).removeprefix("/").partition("/")
    arn, query = f"arn:aws:s3:::{bucket}", parse_qs(split.query, keep_blank_values=True)
    context = {f"s3:{name}": headers[name] for name in ("if-none-match", "if-match") if name in headers}
    context["aws:SecureTransport"] = "true"
    if method == "POST" and not key:  # a presigned form: who signed it lends its right
        name = re.search(rb'name="key"\r\n\r\n([^\r]+)\r\n', body)
        assert name is not None
        yield Call("s3:PutObject", f"{arn}/{name[1].decode()}", context)
    elif not key:
        if method not in ("GET", "HEAD") or query.keys() - _LISTING:
            raise ValueError(f"{method} {target} is not known here")
        yield Call("s3:ListBucket", arn, context)
    else:
        if {name for name in query if not name.lower().startswith(("x-amz-", "response-", "x-id"))}:
            raise ValueError(f"{method} {target} is not known here")
        yield Call(_ON_OBJECTS[method], f"{arn}/{key}", context)
        if status == 404 and method in ("GET", "HEAD"):  # without it the answer were 403
            yield Call("s3:ListBucket", arn, {"aws:SecureTransport": "true"})
