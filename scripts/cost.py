"""Computes the service's cost from the requests that its code makes, counted on a local cloud."""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import cloud
import cost_page
import counting
from counting import Counts, Measured

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("functions", "tests")]
PAGE = ROOT / "site/content/cost.md"
ORIGIN = "registry.localhost"
LANE, PROFILE = "PAY-01", "wire-transfer"
LEAVES, ROUNDS = 17, 5


class Measurer:
    """Runs a part of the service and returns the requests and the time that it took."""

    def __init__(self, url: str) -> None:
        self._url = url

    def _taken(self) -> Counts:
        with urllib.request.urlopen(self._url + counting.TAKE, timeout=60) as answer:
            return dict(json.load(answer))

    def __call__(self, part: Callable[[], object]) -> Measured:
        self._taken()
        before = time.process_time()
        part()
        cpu_ms = (time.process_time() - before) * 1000
        counts = self._taken()
        return Measured(counts, cpu_ms, counts.pop(counting.WAITED))


def make_places(endpoint: str, signing: str) -> dict[str, str]:
    """Buckets, table and keys, and the environment that names them."""
    s3, kms, table = (
        boto3.client(name, endpoint_url=endpoint, region_name="us-east-1")
        for name in ("s3", "kms", "dynamodb")
    )
    for name in ("registry", "private"):
        s3.create_bucket(Bucket=name)
    table.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    keys = {}
    for role in ("registry", "issuer"):
        tags = {"attestlayer:role": role, "attestlayer:origin": ORIGIN}
        created = kms.create_key(
            KeySpec="ECC_NIST_EDWARDS25519",
            KeyUsage="SIGN_VERIFY",
            Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
        )
        keys[role] = f"kms:{created['KeyMetadata']['KeyId']}"
    if signing == "wrapped":
        keys["issuer"] = f"wrapped:{kms.create_key()['KeyMetadata']['KeyId']}:keys/issuer.seed"
    return {
        **cloud.CREDENTIALS,
        "ATTESTLAYER_ORIGIN": ORIGIN,
        "ATTESTLAYER_CADENCE_SECONDS": "1",
        "ATTESTLAYER_BASE_URL": "http://127.0.0.1",
        "ATTESTLAYER_REGISTRY_BUCKET": "registry",
        "ATTESTLAYER_PRIVATE_BUCKET": "private",
        "ATTESTLAYER_TABLE": "ledger",
        "ATTESTLAYER_REGISTRY_KEYS": keys["registry"],
        "ATTESTLAYER_ISSUER_KEYS": keys["issuer"],
    }


class Partner:
    """A partner's calls, as the events that the HTTP API makes of them."""

    def __init__(self, service: Any) -> None:
        from issuer.handlers import issue

        self._handler = issue.handler
        workspace = service.workspaces.provision("Example Advisory", "growth", granted=50)
        self._key = service.workspaces.make_key(workspace.workspace_id, "cost")
        self.calls = 0

    def call(self, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        """One call that must succeed."""
        from issuer.local.wsgi import LambdaContext

        sent = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        sent |= {name.lower().replace("_", "-"): value for name, value in headers.items()}
        request_id = f"req_{secrets.token_hex(8)}"
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": sent,
            "requestContext": {
                "requestId": request_id,
                "stage": "$default",
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = self._handler(event, LambdaContext(request_id))
        self.calls += 1
        if int(answer["statusCode"]) >= 400:
            raise SystemExit(f"cost: {method} {path}: {answer['statusCode']} {answer['body']}")
        return dict(json.loads(answer["body"] or "{}"))

    def submit(self, today: Any) -> str:
        """A packet with all sample records of a profile."""
        import demo

        from attestlayer.encoding import format_hash, sha256
        from issuer.intake.sidecar import read_sidecar

        body = {"lane_id": LANE, "profile_id": PROFILE, "reference": "cost"}
        packet = self.call("POST", "/v1/packets", body, Idempotency_Key=secrets.token_hex(8))["packet_id"]
        folder = ROOT / "site/content/samples" / LANE / PROFILE
        for record in read_sidecar((folder / "records.json").read_bytes(), today).records:
            data = (folder / record.file).read_bytes()
            announced = {
                "name": record.file,
                "record_type": record.record_type,
                "size": len(data),
                "sha256": format_hash(sha256(data)),
                "metadata": dict(record.metadata),
            }
            form = self.call("POST", f"/v1/packets/{packet}/records", announced)["upload"]
            done = demo.post_form(form["url"], form["fields"], record.file, data)
            if done.status >= 400:
                raise SystemExit(f"cost: upload of {record.file}: {done.status} {done.body[:200]!r}")
        return str(packet)

    def issue(self, packet: str, nonce: bytes) -> None:
        """A PASS, then one look at the packet and one at the kit's address."""
        body = {"client_nonce": nonce.decode()}
        path = f"/v1/packets/{packet}/issue"
        answer = self.call("POST", path, body, Idempotency_Key=secrets.token_hex(8))
        if answer["outcome"] != "PASS":
            raise SystemExit(f"cost: the samples were not issued: {answer}")

    def look(self, packet: str) -> None:
        """A partner's last call: the packet's state."""
        self.call("GET", f"/v1/packets/{packet}")


def measure(signing: str) -> dict[str, Measured]:
    """Requests of a minute without leaves, and of one leaf, for one way to sign (`kms` or `wrapped`)."""
    os.environ.update(cloud.CREDENTIALS)
    log = ROOT / "dist/cost.log"
    log.parent.mkdir(exist_ok=True)
    with cloud.ministack(log) as endpoint:
        places = make_places(endpoint, signing)
        latency = json.dumps(cost_page.PRICES["assumed"]["latency_ms"])
        command = [sys.executable, counting.__file__, endpoint, latency]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as counter:
            try:
                url = f"http://127.0.0.1:{int(counter.stdout.readline())}"  # type: ignore[union-attr]
                os.environ.update(places, AWS_ENDPOINT_URL=url)
                return measured_parts(Measurer(url))
            finally:
                counter.terminate()


@dataclass(frozen=True)
class Rounds:
    """Makes rounds of the log and measures them."""

    service: Any
    measurer: Measurer

    def next(self, leaves: int) -> Measured:
        """Measure the next round, which must take `leaves` leaves."""
        time.sleep(1.1)  # the next instant of the grid
        return self.measurer(lambda: self._make(leaves))

    def _make(self, leaves: int) -> None:
        while self.service.sequencer.run().leaves != leaves:
            time.sleep(0.1)

    def idle(self) -> Measured:
        """Measure a round without leaves: the mean of several."""
        self.next(0)  # drops the batch before
        return _mean([self.next(0) for _ in range(ROUNDS)])


def measured_parts(measurer: Measurer) -> dict[str, Measured]:
    """Requests of each part. A round is measured twice: with one leaf, and with all the others."""
    from issuer.bootstrap import process
    from issuer.bootstrap.cloud import initialise_cloud
    from issuer.settings import read_settings

    service: Any = initialise_cloud(read_settings())  # type: ignore[arg-type]
    process.use(service)
    rounds, partner = Rounds(service, measurer), Partner(service)
    rounds.next(0)
    today = datetime.now(UTC).date()
    packets: list[str] = []
    nonces = make_nonces(service)
    partner.submit(today)  # the first call opens what a warm function has open
    partner.calls = 0
    intake = measurer(lambda: packets.extend(partner.submit(today) for _ in range(LEAVES)))
    first, *others = zip(packets, nonces, strict=True)
    issuing = measurer(lambda: [partner.issue(*each) for each in others])
    with_leaves = rounds.next(LEAVES - 1)
    delivering = measurer(lambda: _deliver(service, LEAVES - 1))
    partner.issue(*first)
    looks = measurer(lambda: [partner.look(packet) for packet in packets])
    calls = partner.calls / LEAVES
    with_one = rounds.next(1)
    _deliver(service, 1)
    idle, deliver_idle = rounds.idle(), measurer(service.deliverer.run)
    leaf = (with_leaves - with_one).divided(LEAVES - 2)
    return {
        "round": idle,
        "more, if it has leaves": with_one - idle - leaf,
        "deliver": deliver_idle,
        "index": measurer(service.indexer.run),
        "release": measurer(service.kit_of_verifiers.refresh),
        "intake": intake.divided(LEAVES),
        "issuing": issuing.divided(LEAVES - 1),
        "looks": looks.divided(LEAVES),
        "leaf in a round": leaf,
        "delivery": (delivering - deliver_idle).divided(LEAVES - 1),
        "calls": Measured({"http_api": calls, "lambda_request": calls}, 0.0),
    }


def make_nonces(service: Any) -> list[bytes]:
    """A nonce for each leaf, which names the newest checkpoint."""
    from attestlayer.kit.receipt import Nonce
    from issuer.log import face

    latest = face.read_latest(service.public)
    assert latest is not None
    return [Nonce(latest.hash(), secrets.token_bytes(32)).format() for _ in range(LEAVES)]


def _deliver(service: Any, leaves: int) -> None:
    delivered = len(service.deliverer.run().delivered)
    if delivered != leaves:
        raise SystemExit(f"cost: {delivered} kits were delivered, wanted {leaves}")


def _mean(parts: list[Measured]) -> Measured:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.counts)
    counts = {name: value / len(parts) for name, value in total.items()}
    number = len(parts)
    return Measured(
        counts, sum(part.cpu_ms for part in parts) / number, sum(part.waited_ms for part in parts) / number
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Count what the code asks for, and price it.")
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    arguments = parser.parse_args()
    from issuer.bootstrap.telemetry import Metric

    measured = {signing: measure(signing) for signing in ("wrapped", "kms")}
    text = cost_page.page(measured, len(Metric), f"{LANE}/{PROFILE}")
    if arguments.print:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
