"""Kills `issuer serve` again and again while partners issue over HTTP, then holds it to its promises.

    scripts/soak [--kills N] [--seed S] [--minutes M]

Ends after N kills or M minutes, whichever comes first. The seed fixes the moments of the kills.
"""

import argparse
import contextlib
import http.client
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from attestlayer.log.checkpoint import parse_checkpoint
from fault.promises import Kept, bring_to_rest, check_kept
from handlers.client import SAMPLES, Got, Site
from issuer.bootstrap.home import initialise_home, open_home
from issuer.intake.sidecar import read_sidecar
from issuer.settings import Settings

ORIGIN = "registry.test"
LANE, PROFILE = "HUMAN-01", "change-approval"
PARTNERS = 4
LEASE_OVER_S = 61
ACCEPTED_A_LIFE = (0, 0, 0, 1, 1, 2)
LIFE_S = 10
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LATEST = "registry/v1/checkpoints/latest.json"


class EndedError(Exception):
    """The soak is over: this partner stops asking."""


@dataclass
class Counts:
    """What was seen on the way."""

    kills: int = 0
    killed_starting: int = 0
    requests: int = 0
    unanswered: int = 0
    put_aside: int = 0
    polls: int = 0


@dataclass
class Soak:
    """One soak: a home, a port, the partners' notes. `accepted`: answers by packet."""

    home: Path
    seed: int
    port: int = 0
    counts: Counts = field(default_factory=Counts)
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, kills: int, minutes: float) -> Kept:
        """Start, kill, start again; then let everything come to rest and check it."""
        service = initialise_home(Settings(self.home, cadence_s=1), ORIGIN)
        workspace = service.workspaces.provision("Test", "portfolio", granted=100_000)
        key = service.workspaces.make_key(workspace.workspace_id, "soak")
        self.port = free_port()
        site = Site(service, f"http://127.0.0.1:{self.port}", workspace.workspace_id, key)
        threads = [
            threading.Thread(target=self._guarded, args=(work,))
            for work in (*(Partner(self, site, number).run for number in range(PARTNERS)), self._watch)
        ]
        for thread in threads:
            thread.start()
        try:
            self._kill_often(kills, time.monotonic() + 60 * minutes)
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()
        assert self.troubles == [], self.troubles
        with self._servers() as servers:
            servers.start()
            servers.wait()
            self._ask_again(site)
            servers.kill()
        service = open_home(Settings(self.home, cadence_s=1))
        bring_to_rest(service)
        leaves = {packet_id: answer["leaf"]["leaf_hash"] for packet_id, answer in self.accepted.items()}
        return check_kept(service, self.home / "registry", workspace.workspace_id, leaves)

    def _kill_often(self, kills: int, until: float) -> None:
        chance = random.Random(self.seed)
        with self._servers() as servers:
            while self.counts.kills < kills and time.monotonic() < until and not self.troubles:
                servers.start()
                starting = chance.random() < 0.15
                if not starting:
                    servers.wait()
                    self._let_work(chance.choice(ACCEPTED_A_LIFE), until)
                time.sleep(chance.uniform(0.0, 0.1 if starting else 0.4))
                servers.kill()
                self.counts.kills += 1
                self.counts.killed_starting += starting

    def _let_work(self, accepted: int, until: float) -> None:
        """Wait for so many more accepted kits, and always for the first, however fast the machine is.

        Not for ever: for the first until the soak ends, for others a while.
        """
        wanted, over = max(1, len(self.accepted) + accepted), time.monotonic() + LIFE_S
        while len(self.accepted) < wanted and not self.troubles:
            if time.monotonic() > (over if self.accepted else until):
                return
            time.sleep(0.005)

    def _servers(self) -> "Servers":
        return Servers(["--home", str(self.home), "--port", str(self.port), "--cadence", "1"], self.home)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except EndedError:
            pass
        except BaseException as error:
            self.troubles.append(f"{type(error).__name__}: {error}")

    def _watch(self) -> None:
        """The public face never goes back."""
        last = -1
        while not self.ended.wait(0.005):
            sequence = parse_checkpoint((self.home / LATEST).read_bytes()).sequence
            assert sequence >= last, f"latest.json went back from {last} to {sequence}"
            last = sequence
            self.counts.polls += 1

    def _ask_again(self, site: Site) -> None:
        """Whoever asks again with his key gets the answer that he was given."""
        for packet_id, (key, nonce) in self.asked.items():
            if packet_id in self.accepted:
                got = site.issue(packet_id, nonce, key)
                assert (got.status, got.json) == (202, self.accepted[packet_id]), got


@dataclass
class Partner:
    """Opens packets, submits records, issues; asks again with the same key until there is an answer."""

    soak: Soak
    site: Site
    number: int
    aside: list[tuple[float, str]] = field(default_factory=list)

    def run(self) -> None:
        """Issue until the soak ends. A packet whose call hangs on a dead process's lease is left aside."""
        folder = SAMPLES / LANE / PROFILE
        records = read_sidecar((folder / "records.json").read_bytes(), date(2026, 11, 21)).records
        while True:
            if self.aside and time.monotonic() > self.aside[0][0]:
                self._issue(self.aside.pop(0)[1])
            body = {"lane_id": LANE, "profile_id": PROFILE, "reference": f"partner {self.number}"}
            opened = self._ask("POST", "/v1/packets", body, secrets.token_hex(8))
            if opened.status != 201:
                assert opened.code == "in-progress", opened
                continue
            packet_id = str(opened.json["packet_id"])
            for record in records:
                data = (folder / record.file).read_bytes()
                self._submit(packet_id, record.file, record.record_type, data, record.metadata)
            self._issue(packet_id)

    def _submit(self, packet_id: str, name: str, kind: str, data: bytes, metadata: dict[str, str]) -> None:
        """Announce and upload. An announcement whose answer was lost is taken back first."""
        while True:
            got = self._patient(lambda: self.site.announce(packet_id, name, kind, data, **metadata))
            if got.status == 201:
                break
            assert got.code == "record-refused", got
            packet = self._ask("GET", f"/v1/packets/{packet_id}").json
            for record in packet["records"]:
                if record["name"] == name:
                    self._ask("DELETE", f"/v1/packets/{packet_id}/records/{record['record_id']}")
        fields = got.json["upload"]["fields"]
        sent = self._patient(lambda: self.site.upload(fields, data))
        assert sent.status == 204, sent

    def _issue(self, packet_id: str) -> None:
        """Issue under the packet's key; a call that is still held by a dead process is put aside."""
        latest = parse_checkpoint((self.soak.home / LATEST).read_bytes())
        nonce = Nonce(latest.hash(), sha256(packet_id.encode())).format().decode()
        key, nonce = self.soak.asked.setdefault(packet_id, (secrets.token_hex(8), nonce))
        path = f"/v1/packets/{packet_id}/issue"
        got = self._ask("POST", path, {"client_nonce": nonce}, key)
        if got.status == 202:
            self.soak.accepted[packet_id] = got.json
        else:
            assert got.status != 200, f"the samples do not pass: {got.json}"
            assert got.code == "in-progress", got
            self.soak.counts.put_aside += 1
            self.aside.append((time.monotonic() + LEASE_OVER_S, packet_id))

    def _ask(self, method: str, path: str, body: object = None, key: str | None = None) -> Got:
        headers = {"Idempotency_Key": key} if key else {}
        return self._patient(lambda: self.site.call(method, path, body, **headers))

    def _patient(self, ask: Callable[[], Got]) -> Got:
        """Ask until there is an answer that is not a trouble of the server's."""
        while not self.soak.ended.is_set():
            self.soak.counts.requests += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                got = ask()
                if got.status < 500:
                    return got
                assert got.code in {"log-stalled", "storage-failed"}, got
            self.soak.counts.unanswered += 1
            time.sleep(0.05)
        raise EndedError


class Servers:
    """One `issuer serve` after the other, forked from a process that has imported everything."""

    def __init__(self, arguments: Sequence[str], home: Path) -> None:
        with (home.parent / "serve.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "serving.py"), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT / "functions")},  # noqa: TID251
            )
        self._pid = 0

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid:
            self.kill()
        self._process.communicate()

    def start(self) -> None:
        """Start one."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._pid = int(self._line("pid "))

    def wait(self) -> None:
        """Wait until it serves."""
        self._line("registry, ")

    def kill(self) -> None:
        """Kill it: it gets no chance to tidy up. That it ended by itself is an error."""
        pid, self._pid = self._pid, 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = int(self._line("ended "))
        assert status == -signal.SIGKILL, f"issuer serve ended by itself: {status}"

    def _line(self, start: str) -> str:
        """What follows in the next line that begins so; a server's own is passed over once it is dead."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(start):
                return line.removeprefix(start)
            assert start == "ended ", f"found {line!r}, wanted {start}"
        raise AssertionError("the process that starts the servers is gone")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak and print its counts. Returns 0 if every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="kills at most (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="fixes the moments (1)")
    parser.add_argument("--minutes", type=float, default=20, metavar="M", help="minutes at most (20)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder, "home"), options.seed)
        begun = time.monotonic()
        try:
            kept = soak.run(options.kills, options.minutes)
        except AssertionError as error:
            print(f"RED, seed {options.seed}, {soak.counts}: {error}")
            print(Path(folder, "serve.log").read_text()[-4000:])
            return 1
        print(f"seed {options.seed}, {time.monotonic() - begun:.0f} s, {soak.counts}")
        print(f"all kept: {kept}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
