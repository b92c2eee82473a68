"""The handlers on a local cloud, called as Lambda calls them: with events of API Gateway and Scheduler."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from handlers.client import ORIGIN, Got, Headers, Site, form
from issuer.bootstrap import process
from issuer.bootstrap.cloud import initialise_cloud
from issuer.handlers import issue
from issuer.local.wsgi import LambdaContext
from support import cloud_home


@dataclass(frozen=True)
class CloudSite(Site):
    """A partner whose calls are events, and whose uploads and downloads go to the bucket's addresses."""

    def raw(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Got:
        answer = issue.handler(event(method, target, body, headers or {}), LambdaContext("req-1"))
        found = Headers((name, str(value)) for name, value in dict(answer["headers"]).items())  # type: ignore[call-overload]
        return Got(int(str(answer["statusCode"])), found, str(answer["body"]).encode())

    def submit(self, packet_id: str, name: str, kind: str, data: bytes, **metadata: str) -> str:
        got = self.announce(packet_id, name, kind, data, **metadata)
        assert got.status == 201, got
        upload = got.json["upload"]
        assert send(upload["url"], upload["fields"], data).status == 204
        return str(got.json["record"]["record_id"])


def event(method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """An HTTP API event, payload version 2.0, with the members that API Gateway documents."""
    path, _, query = target.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "24/Nov/2026:19:00:00 +0000",
            "timeEpoch": 1795546800000,
        },
        "body": None if body is None else body.decode(),
        "isBase64Encoded": False,
    }


def send(url: str, fields: Mapping[str, str], data: bytes) -> Got:
    """A form to a presigned address."""
    kind, body = form(fields, data)
    return fetch(urllib.request.Request(url, body, {"Content-Type": kind}))


def fetch(request: urllib.request.Request | str) -> Got:
    """One request to the bucket."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Got(answer.status, Headers(answer.headers.items()), answer.read())
    except urllib.error.HTTPError as error:
        return Got(error.code, Headers(error.headers.items()), error.read())


@contextmanager
def running_cloud(place: Path) -> Iterator[CloudSite]:
    """A service in a cloud of its own, with a cadence of one second, and a workspace with ten credits."""
    before = list(process._used)
    service = initialise_cloud(cloud_home.settings(place, ORIGIN, cadence_s=1))
    process.use(service)
    try:
        workspace = service.workspaces.provision("Acme", "growth", granted=10)
        key = service.workspaces.make_key(workspace.workspace_id, "tests")
        yield CloudSite(service, "https://api.example.org", workspace.workspace_id, key)
    finally:
        process._used[:] = before
