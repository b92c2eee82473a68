"""The demo: a partner's own client against `issuer serve`, then a reviewer without a network.

Uses the partner API over HTTP as a partner would, with Python's standard library alone; reads a folder of
records with the service's own code; makes the home and the workspace with the operator's command; checks
the kit with the reviewer's command.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from issuer.errors import ServiceError
from issuer.intake.catalogue import load_policies
from issuer.intake.sidecar import SIDECAR, SidecarRecord, assign_by_folder, check_files, read_sidecar

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SAMPLES = ROOT / "site/content/samples"
Json = dict[str, object]


def held_back(lane: str, profile: str, records: list[Json]) -> list[Json]:
    """The record that is held back, so that the first attempt fails: the last of which none is to spare."""
    least = {each.type_id: each.min_count for each in load_policies().find(lane, profile).record_types}
    number = Counter(str(record["record_type"]) for record in records)
    return [one for one in records if number[str(one["record_type"])] == least[str(one["record_type"])]][-1:]


class DemoError(Exception):
    """The demo can't go on; the message says why."""


@dataclass(frozen=True)
class Response:
    """An HTTP answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """A partner's client: one base address, one API key."""

    base: str
    key: str = field(repr=False)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        if data is not None:
            sent["Content-Type"] = "application/json"
        return fetch(self.base + path, method, data, sent)

    def require(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Make a call that must succeed. Raises `DemoError`."""
        answer = self.call(method, path, body, **headers)
        if answer.status >= 400:
            raise DemoError(f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}")
        return answer


def fetch(
    url: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None
) -> Response:
    """One HTTP exchange on its own connection. Raises `OSError` if there is no answer in 60 s."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, data, headers or {})
        answer = connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def say(text: str = "") -> None:
    print(text, flush=True)


def heading(number: int, text: str) -> None:
    say()
    say(f"{number}. {text}")


def run(
    *command: str | Path, check: bool = True, settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of our own commands. `settings`: variables added to its environment. Raises `DemoError`."""
    words, environment = [str(word) for word in command], {**os.environ, **(settings or {})}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if check and done.returncode:
        raise DemoError(
            f"{' '.join(map(str, command[:3]))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


def main() -> int:
    """Run the demo. 0: all went as it should; 1: it did not; 2: the given records are not complete."""
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    arguments = parse_arguments()
    home: Path = arguments.home or Path(tempfile.mkdtemp(prefix="attestlayer-demo-")) / "home"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers: list[subprocess.Popen[bytes]] = []
    try:
        if arguments.cloud:
            return run_in_cloud(arguments, home)
        make_home(home)
        key, workspace = provision("--home", home)
        base = start_server(home, arguments.cadence, servers)
        return Demo(arguments, home, Client(base, key), workspace, base).run()
    except DemoError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted.", file=sys.stderr)
        return 130
    except (OSError, http.client.HTTPException) as error:
        print(f"\nThe demo stopped: {error}. See {home / 'serve.log'}", file=sys.stderr)
        return 1
    finally:
        for server in servers:
            server.terminate()
            server.wait(30)


def cadence(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 60):
        raise argparse.ArgumentTypeError(f"found {text!a}, wanted 1 to 60 seconds")
    return text


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="From an empty folder to a verified kit."
    )
    parser.add_argument("--home", type=Path, help="where everything goes (a new temporary folder)")
    parser.add_argument("--records", type=Path, help="a folder of your own records")
    parser.add_argument("--lane", default="PAY-01", help="lane (PAY-01)")
    parser.add_argument("--profile", default="wire-transfer", help="profile (wire-transfer)")
    parser.add_argument("--cadence", type=cadence, default="3", metavar="S", help="seconds, 1 to 60 (3)")
    parser.add_argument("--serve", action="store_true", help="keep serving at the end, until Ctrl-C")
    parser.add_argument("--cloud", action="store_true", help="on the local cloud, not in a home folder")
    return parser.parse_args()


def make_home(home: Path) -> None:
    heading(1, f"The operator makes a home: {home}")
    say(indent(run(BIN / "issuer", "init", "--home", home).stdout))


def run_in_cloud(arguments: argparse.Namespace, home: Path) -> int:
    """The same job on the local cloud: the template's stack, its functions, the CDN's stand-in."""
    import cloud  # with the packages of scripts/setup dev and scripts/servers

    heading(1, "The project's own template is deployed on a local cloud, and deployed again")
    home.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    with cloud.running(int(arguments.cadence)) as stack:
        if cloud.again(stack):
            raise DemoError("deploying again changed something")
        ticker = threading.Thread(target=cloud.tick, args=(stack, int(arguments.cadence), ended))
        ticker.start()
        try:
            key, workspace = provision(settings=stack.environment())
            return Demo(arguments, home, Client(stack.api, key), workspace, stack.registry).run()
        finally:
            ended.set()
            ticker.join()


def provision(*place: str | Path, settings: dict[str, str] | None = None) -> tuple[str, str]:
    heading(2, "The operator provisions a partner's workspace")
    done = run(
        *(BIN / "issuer", "workspace", "provision", *place, "Example Advisory", "--tier", "starter"),
        *("--contact", "Dana Okafor,dana@advisory.example,owner"),
        settings=settings,
    )
    words = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    say(indent(done.stdout.replace(words["API"][2], words["API"][2][:12] + "…")))
    return words["API"][2], words["workspace"][1]


def start_server(home: Path, cadence: str, servers: list[subprocess.Popen[bytes]]) -> str:
    """`issuer serve` on a free port; the process goes to `servers` at once, so that it is ended anyhow."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (home / "serve.log").open("wb")
    command = [BIN / "issuer", "serve", "--home", home, "--port", str(port), "--cadence", cadence]
    server = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, start_new_session=True)
    servers.append(server)
    base = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if fetch(f"{base}/v1/checkpoints/latest.json").status == 200:
                return base
        except OSError:
            time.sleep(0.05)
    server.kill()
    raise DemoError(
        f"issuer serve did not start; see {home / 'serve.log'}:\n{(home / 'serve.log').read_text()}"
    )


@dataclass
class Demo:
    """The parts of the partner and of the reviewer, step by step."""

    arguments: argparse.Namespace
    home: Path
    client: Client
    workspace: str
    registry: str
    packet: str = ""

    def run(self) -> int:
        records = self.read_records()
        self.open_packet()
        own = self.arguments.records is not None
        later = [] if own else held_back(self.arguments.lane, self.arguments.profile, records)
        heading(4, f"The client submits {len(records) - len(later)} of {len(records)} records")
        for record in records:
            if record not in later:
                self.submit(record)
        nonce = self.make_nonce()
        answer = self.issue(nonce, "first")
        if own and answer["outcome"] == "FAIL":
            self.show_blockers()
            say("\nThe records are not complete: nothing was issued and no credit was taken.")
            return 2
        if not own:
            self.expect_fail(answer)
            heading(6, "The client completes the set")
            for record in later:
                self.submit(record)
            answer = self.issue(nonce, "second")
        self.expect_pass(answer)
        self.fetch_kit()
        self.verify()
        self.break_it()
        self.ask_registry(answer)
        self.tell_where()
        return 0

    def read_records(self) -> list[Json]:
        """The records of a folder: listed in its records.json, or in one sub-folder for each record type."""
        folder = self.arguments.records or SAMPLES / self.arguments.lane / self.arguments.profile
        if not folder.is_dir():
            raise DemoError(f"{folder} is not a folder of records")
        try:
            records = [
                {
                    "name": record.file.rpartition("/")[2],
                    "record_type": record.record_type,
                    "metadata": record.metadata,
                    "data": (folder / file).read_bytes(),
                }
                for file, record in self.list_records(folder)
            ]
        except OSError as error:
            raise DemoError(f"{error.filename}: {error.strerror}") from error
        except ServiceError as error:
            raise DemoError(str(error)) from error
        if not records:
            raise DemoError(f"{folder} holds no records")
        return records

    def list_records(self, folder: Path) -> list[tuple[str, SidecarRecord]]:
        """Each file of the folder, with what its sidecar or its sub-folder says of it."""
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        if SIDECAR not in files:
            policy = load_policies().find(self.arguments.lane, self.arguments.profile)
            return [(record.file, record) for record in assign_by_folder(policy, files)]
        sidecar = read_sidecar((folder / SIDECAR).read_bytes(), datetime.now(UTC).date())
        there = check_files(sidecar, files)
        return [(there[record.file], record) for record in sidecar.records]

    def open_packet(self) -> None:
        lane, profile = self.arguments.lane, self.arguments.profile
        heading(3, f"The partner opens a packet for {lane}/{profile} over the API")
        body = {"lane_id": lane, "profile_id": profile, "reference": "engagement 2041"}
        opened = self.client.require("POST", "/v1/packets", body, Idempotency_Key=str(uuid.uuid4())).json()
        self.packet = str(opened["packet_id"])
        say(indent(f"packet {self.packet}, balance {self.balance()} credits"))

    def submit(self, record: Json) -> None:
        data = record["data"]
        assert isinstance(data, bytes)
        body = {
            "name": record["name"],
            "record_type": record["record_type"],
            "size": len(data),
            "sha256": b64url(hashlib.sha256(data).digest()),
            "metadata": record["metadata"],
        }
        answer = self.client.require("POST", f"/v1/packets/{self.packet}/records", body).json()
        upload = answer["upload"]
        assert isinstance(upload, dict)
        done = post_form(upload["url"], upload["fields"], str(record["name"]), data)
        if done.status >= 400:
            raise DemoError(f"upload of {record['name']}: {done.status} {done.body.decode(errors='replace')}")
        say(indent(f"{record['record_type']:24} {len(data):>8} bytes  {record['name']}"))

    def make_nonce(self) -> Path:
        heading(5, "The client makes a nonce that names the newest checkpoint; the partner asks to issue")
        latest = self.home / "nonce_checkpoint.json"
        latest.write_bytes(fetch(f"{self.registry}/v1/checkpoints/latest.json").body)
        nonce = self.home / "client_nonce.txt"
        nonce.unlink(missing_ok=True)
        run(BIN / "attestlayer", "nonce", "-o", nonce, "--checkpoint", latest)
        return nonce

    def issue(self, nonce: Path, attempt: str) -> Json:
        body = {"client_nonce": nonce.read_text()}
        path = f"/v1/packets/{self.packet}/issue"
        return self.client.require("POST", path, body, Idempotency_Key=f"{self.packet}-{attempt}").json()

    def expect_fail(self, answer: Json) -> None:
        if answer["outcome"] != "FAIL" or self.balance() != 10:
            raise DemoError(f"an incomplete set was not refused for free: {answer['outcome']}")
        self.show_blockers()
        say(indent(f"FAIL: nothing was issued; the balance is {self.balance()} credits as before"))

    def show_blockers(self) -> None:
        answer = self.client.require("GET", f"/v1/packets/{self.packet}/blockers", Accept="text/plain")
        say(indent(answer.body.decode()))

    def expect_pass(self, answer: Json) -> None:
        if answer["outcome"] != "PASS" or self.balance() != 9:
            raise DemoError(f"a complete set was not issued for one credit: {answer['outcome']}")
        receipt = answer["receipt"]
        assert isinstance(receipt, dict)
        say(indent(f"PASS: {answer['kit_id']}, the balance is {self.balance()} credits"))
        say(indent(f"signed receipt, in the log by {receipt['merge_by']} at the latest"))

    def balance(self) -> object:
        return self.client.require("GET", "/v1/workspace").json()["credits_available"]

    def fetch_kit(self) -> None:
        heading(7, "The log takes the leaf; the kit is finished")
        state: object = "sealed"
        while state == "sealed":
            answer = self.client.require("GET", f"/v1/packets/{self.packet}", Prefer="wait=25")
            state = answer.json()["state"]
        redirect = self.client.require("GET", f"/v1/packets/{self.packet}/kit")
        kit = fetch(redirect.headers["location"])
        if kit.status != 200:
            raise DemoError(f"the kit's address answered {kit.status}")
        (self.home / "kit.zip").write_bytes(kit.body)
        (self.home / "trust.json").write_bytes(fetch(f"{self.registry}/v1/trust.json").body)
        say(indent(f"{len(kit.body)} bytes, {redirect.headers.get('repr-digest', '')}"))

    def verify(self) -> None:
        offline = shutil.which("unshare") and run("unshare", "-rn", "true", check=False).returncode == 0
        how = "with the network off" if offline else "without using the network"
        heading(8, f"A reviewer verifies it, {how}")
        command = ["unshare", "-rn"] if offline else []
        done = run(*command, *self.verify_command(self.home / "kit.zip"), check=False)
        say(indent(done.stdout))
        if done.returncode or "VERIFIED" not in done.stdout.split("\n")[0]:
            raise DemoError(f"the kit was not verified: {done.returncode}")

    def break_it(self) -> None:
        heading(9, "The kit is unpacked and one byte of a record is changed")
        folder = self.home / "kit-changed"
        shutil.rmtree(folder, ignore_errors=True)
        with zipfile.ZipFile(self.home / "kit.zip") as archive:
            archive.extractall(folder)
        untouched = run(*self.verify_command(folder), check=False)
        record = min((folder / "records").iterdir())
        data = bytearray(record.read_bytes())
        data[len(data) // 2] ^= 1
        record.write_bytes(data)
        changed = run(*self.verify_command(folder), check=False)
        say(indent(changed.stdout.partition("\nTrust root")[0]))
        if (untouched.returncode, changed.returncode) != (0, 3) or "NOT VERIFIED" not in changed.stdout:
            raise DemoError("the unpacked kit was refused, or the changed one was not")

    def ask_registry(self, answer: Json) -> None:
        heading(10, "The static registry answers anybody")
        leaf = answer["leaf"]
        assert isinstance(leaf, dict)
        for path in (
            f"/v1/entries/{leaf['leaf_hash']}.json",
            f"/v1/proofs/inclusion?leaf_hash={leaf['leaf_hash']}",
            "/v1/proofs/consistency?from_size=0&to_size=1",
            "/v1/checkpoints/latest.json",
            "/v1/jwks/registry.jwks.json",
            "/v1/stats",
            "/checkpoint",
            "/tile/0/000.p/1",
        ):
            answer = fetch(self.registry + path)
            say(indent(f"{answer.status}  {len(answer.body):>5} bytes  {path}"))
            if answer.status != 200:
                raise DemoError(f"{path} answered {answer.status}")

    def tell_where(self) -> None:
        say("\nFiles:")
        for name, what in (
            ("kit.zip", "the delivered kit"),
            ("trust.json", "the trust root to verify it with"),
            ("registry", "the public registry, as any web server can serve it"),
            ("serve.log", "what the service said"),
        ):
            if (self.home / name).exists():
                say(indent(f"{self.home / name}  {what}"))
        say(f"\nCheck it yourself:\n  {shlex.join(map(str, self.verify_command(self.home / 'kit.zip')))}")
        if self.arguments.serve:
            say(f"\nServing at {self.client.base} until Ctrl-C. API key: {self.client.key}")
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                say()

    def verify_command(self, kit: Path) -> list[str | Path]:
        return [BIN / "attestlayer", "verify", kit, "--trust", self.home / "trust.json"]


def post_form(url: str, fields: dict[str, str], name: str, data: bytes) -> Response:
    """An upload form's fields and the file, as multipart/form-data."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    safe = name.encode("ascii", "replace").decode().replace('"', "_")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    body = b"".join(parts) + head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return fetch(url, "POST", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def indent(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.rstrip("\n").split("\n"))


if __name__ == "__main__":
    sys.exit(main())
