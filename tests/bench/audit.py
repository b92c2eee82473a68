"""Time, memory and reads of `attestlayer audit` on a large log: as a folder, and over HTTP on loopback.

    python tests/bench/audit.py [--leaves 1000000] [--round 1000] [--at FOLDER] [CASE …]

A case is `floor`, `folder`, `interrupted`, `folder-N` or `http-N`, N jobs, or `slow-N`, over HTTP from a
server that waits 20 ms before each answer; without one: floor, folder, http-1, http-8.
The log (real formats, all objects of each leaf) is made once in FOLDER, by default below the system's
temporary folder, and found there the next time: a million leaves are 8 GB of small files and some
minutes. A line of JSON a case: seconds, CPU seconds, peak resident memory of the auditing process, what
it read, and how many times the *floor*'s CPU that is. The floor opens, reads and hashes every file once
and verifies each signature once: no audit can do less. `interrupted` audits with a state file and is
killed again and again on the way.
"""

import argparse
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("functions", "tests")]

from attestlayer.audit.journal import EVERY_S  # noqa: E402
from attestlayer.encoding import format_time  # noqa: E402
from attestlayer.log import layout  # noqa: E402
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint  # noqa: E402
from attestlayer.log.note import ED25519, VerifierKey, parse_note, signature_verifies  # noqa: E402
from attestlayer.log.notices import Role  # noqa: E402
from attestlayer.log.trust import Keyring, parse_trust  # noqa: E402
from attestlayer.reading.registry import MAX_OBJECT  # noqa: E402
from issuer.adapters.local.directory import DirectoryStore  # noqa: E402
from issuer.services.index import Indexer  # noqa: E402
from support.large import LargeLog  # noqa: E402

CASES = ("floor", "folder", "http-1", "http-8")
_KILLS = 5
_SLOW_S = 0.02
_AUDIT = """
import sys
from attestlayer.cli.main import main
code = main(sys.argv[1:])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(peak.split()[1])
sys.exit(code)
"""
"""The command, which says its own peak: what wait4 says of a child counts whom it was forked from, too."""
_NGINX = """
worker_processes 1; daemon off; error_log stderr; pid {folder}/pid;
events {{ worker_connections 256; }}
http {{
  access_log off; log_not_found off; keepalive_requests 1000000; tcp_nodelay on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""

Found = dict[str, object]


def made(folder: Path, leaves: int, size: int) -> Path:
    """The registry of so many leaves, `size` a round; made if it is not there."""
    home = folder / f"{leaves}-{size}"
    if not home.exists():
        unfinished = home.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        started = time.monotonic()
        log = LargeLog(unfinished, children=2)
        log.grow([*[size] * (leaves // size), *[leaves % size] * bool(leaves % size)], _told)
        indexer = Indexer(DirectoryStore(log.root, state=unfinished / "state"), _private(unfinished))
        while indexer.run().more:
            pass
        unfinished.rename(home)
        _say({"case": "made", "leaves": leaves, "seconds": round(time.monotonic() - started, 1)})
    return home / "registry"


def _private(home: Path) -> DirectoryStore:
    return DirectoryStore(home / "private", state=home / "state/private", private=True)


def _told(size: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kmade {size} leaves")


def floor(root: Path) -> Found:
    """Open, read and hash every file; verify each signature once. In this process."""
    files = length = 0
    started, cpu = time.monotonic(), time.process_time()
    for folder, _, names in os.walk(root):
        for name in names:
            descriptor = os.open(f"{folder}/{name}", os.O_RDONLY)
            data = os.read(descriptor, MAX_OBJECT)
            os.close(descriptor)
            hashlib.sha256(data)
            files, length = files + 1, length + len(data)
    trust = parse_trust((root / layout.TRUST).read_bytes())
    signatures = _signatures(root, trust.keyring)
    found: Found = {"objects": files, "bytes": length, "signatures": signatures}
    seconds, cpu_s = time.monotonic() - started, time.process_time() - cpu
    return found | {"seconds": round(seconds, 1), "cpu_s": round(cpu_s, 1)}


def _signatures(root: Path, keyring: Keyring) -> int:
    key = keyring.key(Role.REGISTRY, next(k.public.kid for k in keyring.keys_at(Role.REGISTRY, 2**40)))
    assert key
    named, count = VerifierKey(keyring.origin, ED25519, key.public), 0
    for path in (root / "v1/checkpoints").glob("*.json"):
        checkpoint = parse_checkpoint(path.read_bytes())
        assert key.public.verifies(checkpoint.signature, checkpoint.signed_bytes())
        count += 1 + _note_line(root, checkpoint, named)
    return count


def _note_line(root: Path, checkpoint: Checkpoint, named: VerifierKey) -> int:
    """A note of the newest checkpoint stands for each round's, which has as many lines."""
    note = parse_note((root / layout.CHECKPOINT).read_text())
    for line in note.signatures:
        signature_verifies(note.text, line, named)
    return len(note.signatures)


def child(arguments: list[str]) -> Found:
    """Run this program, or the audit, in a process of its own; its answer and what it used."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        text=True,
    )
    assert process.stdout and process.stderr
    out, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(arguments)} ended with {code}: {out} {said}")
    found: Found = json.loads(out)  # noqa: TID251
    seconds, cpu_s = time.monotonic() - started, used.ru_utime + used.ru_stime
    found = {"seconds": round(seconds, 1), "cpu_s": round(cpu_s, 1)} | found
    return found | {"peak_mib": round(int(said) / 1024, 1)} if said.isdigit() else found


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "functions")}  # noqa: TID251


def as_of(root: Path) -> list[str]:
    """The option that names the time of the log: it is nobody's present."""
    return ["--at", format_time(parse_checkpoint((root / layout.LATEST).read_bytes()).timestamp)]


def audited(place: str, root: Path, *options: str) -> Found:
    """Audit a registry in a process of its own."""
    found = child(["-c", _AUDIT, "audit", place, "--json", *as_of(root), *options])
    assert found["clean"], found["findings"]
    return {
        name: found.get(name) for name in ("seconds", "cpu_s", "peak_mib", "objects", "requests", "bytes")
    }


def interrupted(root: Path, whole_s: float) -> Found:
    """Audit with a state file, killed again and again when it was written at least once, then to its end."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        state = ["--state", f"{folder}/state"]
        command = [sys.executable, "-m", "attestlayer", "audit", str(root), "--json", *as_of(root), *state]
        for _ in range(_KILLS):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_environment())
            time.sleep(max(2 * EVERY_S, whole_s / (_KILLS + 1)))
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = audited(str(root), root, *state)
        length = Path(folder, "state").stat().st_size
        again = audited(str(root), root, *state)
    total = round(time.monotonic() - started, 1)
    return found | {"kills": _KILLS, "seconds": total, "state_bytes": length, "again_s": again["seconds"]}


@contextmanager
def served(root: Path, folder: Path) -> Iterator[str]:
    """The folder behind nginx, or behind a threaded Python server where there is none."""
    if shutil.which("nginx") is None:
        with _threaded(root) as url:
            yield url
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, root=root))
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], cwd=folder)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _threaded(root: Path, wait_s: float = 0.0) -> Iterator[str]:
    handler = partial(_Files, wait_s, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, wait_s: float, *arguments: Any, **options: Any) -> None:
        self._wait_s = wait_s
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        time.sleep(self._wait_s)
        super().do_GET()

    def log_message(self, *args: object) -> None:
        del args


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


def measure(case: str, root: Path, whole_s: float) -> Found:
    """Run one case."""
    if case == "floor":
        return child([__file__, "--only-floor", str(root)])
    if case == "folder":
        return audited(str(root), root)
    what, _, jobs = case.partition("-")
    if what == "folder":
        return audited(str(root), root, "--jobs", jobs)
    if what == "slow":
        with _threaded(root, _SLOW_S) as url:
            return audited(url, root, "--jobs", jobs)
    if case == "interrupted":
        return interrupted(root, whole_s)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx's worker is another user
        with served(root, Path(folder)) as url:
            return audited(url, root, "--jobs", jobs)


def _say(found: Found) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Measure the audit of a large log.")
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--round", type=int, default=1000, help="leaves of one checkpoint")
    parser.add_argument("--at", type=Path, default=Path(tempfile.gettempdir(), "attestlayer-bench"))
    parser.add_argument("--only-floor", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("cases", metavar="CASE", nargs="*", default=CASES)
    given = parser.parse_args(arguments)
    if given.only_floor:
        _say(floor(given.only_floor))
        return
    root = made(given.at, given.leaves, given.round)
    base, whole_s = 0.0, 60.0
    for case in given.cases:
        found = {"case": case, "leaves": given.leaves} | measure(case, root, whole_s)
        base = float(str(found["cpu_s"])) if case == "floor" else base
        whole_s = float(str(found["seconds"])) if case == "folder" else whole_s
        if base and case != "floor":
            found["times_floor"] = round(float(str(found["cpu_s"])) / base, 1)
        _say(found)


if __name__ == "__main__":
    main(sys.argv[1:])
