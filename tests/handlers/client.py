"""What the tests call the local server with: the standard library's HTTP client, and a partner's steps."""

import http.client
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydantic_core

from attestlayer.encoding import format_hash, sha256
from attestlayer.kit.receipt import Nonce
from issuer.bootstrap import process
from issuer.bootstrap.home import initialise_home
from issuer.bootstrap.service import Service
from issuer.intake.sidecar import read_sidecar
from issuer.local.application import make_server
from issuer.log import face
from issuer.settings import Settings

ORIGIN = "registry.test"
SAMPLES = Path(__file__).parents[2] / "site/content/samples"
LANE, PROFILE = "PAY-01", "wire-transfer"
PACKET = {"lane_id": LANE, "profile_id": PROFILE, "reference": "client 7"}


class Headers(dict[str, str]):
    """By name, whatever its case: waitress writes them in its own."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        super().__init__((name.lower(), value) for name, value in pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return pydantic_core.from_json(self.body)

    @property
    def code(self) -> str:
        """The problem's code; the document is checked on the way."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem = self.json
        assert set(problem) == {"type", "title", "status", "code", "detail", "request_id", "errors"}
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["Request-Id"]
        assert problem["type"].endswith(problem["code"])
        assert "Traceback" not in self.body.decode()
        return str(problem["code"])

    @property
    def detail(self) -> str:
        return str(self.json["detail"])


@dataclass(frozen=True)
class Site:
    """A running server with the service behind it, and a workspace with its key."""

    service: Service
    url: str
    workspace_id: str
    key: str

    def raw(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Got:
        """One request, its target as it stands."""
        split = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Got(response.status, Headers(response.getheaders()), response.read())
        finally:
            connection.close()

    def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> Got:
        """One call of the API, with the key. `Idempotency_Key="…"` is a header."""
        sent = {"Authorization": f"Bearer {key or self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else pydantic_core.to_json(body)
            sent.setdefault("Content-Type", "application/json")
        return self.raw(method, path, data, sent)

    def open(self, lane: str = LANE, profile: str = PROFILE, **more: str) -> str:
        """A new packet's id."""
        body = {"lane_id": lane, "profile_id": profile, "reference": "client 7", **more}
        got = self.call("POST", "/v1/packets", body, Idempotency_Key=secrets.token_hex(8))
        assert got.status == 201, got
        return str(got.json["packet_id"])

    def announce(self, packet_id: str, name: str, kind: str, data: bytes, **metadata: str) -> Got:
        """A record that is to be uploaded."""
        body = {
            "name": name,
            "record_type": kind,
            "size": len(data),
            "sha256": format_hash(sha256(data)),
            "metadata": metadata,
        }
        return self.call("POST", f"/v1/packets/{packet_id}/records", body)

    def submit(self, packet_id: str, name: str, kind: str, data: bytes, **metadata: str) -> str:
        """A record, uploaded: its id."""
        got = self.announce(packet_id, name, kind, data, **metadata)
        assert got.status == 201, got
        form = got.json["upload"]
        assert self.upload(form["fields"], data).status == 204
        return str(got.json["record"]["record_id"])

    def upload(self, fields: Mapping[str, str], data: bytes | None, target: str = "/uploads") -> Got:
        """A form with fields and then the file."""
        kind, body = form(fields, data)
        return self.raw("POST", target, body, {"Content-Type": kind})

    def fill(self, packet_id: str, *, without: str = "") -> None:
        """The sample records of the lane, but for those of one type."""
        folder = SAMPLES / LANE / PROFILE
        today = datetime.fromtimestamp(self.service.clock.now(), UTC).date()
        for record in read_sidecar((folder / "records.json").read_bytes(), today).records:
            if record.record_type != without:
                data = (folder / record.file).read_bytes()
                self.submit(packet_id, record.file, record.record_type, data, **record.metadata)

    def nonce(self) -> str:
        """A client's nonce file, which names the newest checkpoint."""
        latest = face.read_latest(self.service.public)
        assert latest is not None
        return Nonce(latest.hash(), secrets.token_bytes(32)).format().decode()

    def issue(self, packet_id: str, nonce: str | None = None, idempotency: str | None = None) -> Got:
        """A request to issue."""
        body = {"client_nonce": self.nonce() if nonce is None else nonce}
        key = idempotency or secrets.token_hex(8)
        return self.call("POST", f"/v1/packets/{packet_id}/issue", body, Idempotency_Key=key)

    def balance(self) -> int:
        return int(self.call("GET", "/v1/workspace").json["credits_available"])

    def packet(self, packet_id: str) -> Any:
        return self.call("GET", f"/v1/packets/{packet_id}").json

    def publish(self) -> None:
        """Rounds until the waiting leaves are public and their kits delivered."""
        for _ in range(3):
            self.service.clock.sleep(1 - self.service.clock.now() % 1)
            self.service.sequencer.run()
            self.service.deliverer.run()
            if not self.service.ledger.waiting_leaves(2**40, 1):
                return
        raise AssertionError("the leaf did not get into the log")


def open_with(site: Site, body: object, **headers: str) -> Got:
    """A request to open a packet, with a key of its own."""
    return site.call("POST", "/v1/packets", body, **{"Idempotency_Key": secrets.token_hex(8), **headers})


def form(fields: Mapping[str, str], data: bytes | None) -> tuple[str, bytes]:
    """Content type and body of a form."""
    boundary = "----6d1f"
    out = b""
    for name, value in fields.items():
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if data is not None:
        head = 'Content-Disposition: form-data; name="file"; filename="x"\r\n'
        out += f"--{boundary}\r\n{head}Content-Type: application/pdf\r\n\r\n".encode() + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", out + f"--{boundary}--\r\n".encode()


@contextmanager
def running(home: Path, *, ticking: bool = False) -> Iterator[Site]:
    """A server on a free port, in a thread, with a new home of a cadence of one second."""
    before = (process._used or [None])[0]
    server = make_server(initialise_home(Settings(home, 1), ORIGIN), "127.0.0.1", 0, ticking=ticking)
    service = process.service()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield newcomer(service, server.url)
    finally:
        server.close()
        thread.join(30)
        assert not thread.is_alive()
        service.ledger.table.close()  # type: ignore[attr-defined]
        if before:
            process.use(before)


def newcomer(service: Service, url: str, *, tier: str = "growth", granted: int = 10) -> Site:
    """A workspace of its own on a running server."""
    workspace = service.workspaces.provision("Acme", tier, granted=granted)
    key = service.workspaces.make_key(workspace.workspace_id, "tests")
    return Site(service, url, workspace.workspace_id, key)
