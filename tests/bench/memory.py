"""Peak memory and time of the largest packets: 999 records, and one record of 100 MiB.

    python tests/bench/memory.py [<case>]

Each case runs in a process of its own; a line of JSON for each says the peak resident memory (MiB) after
each phase and the seconds that it took. The kit is verified in one more process, as a client does.
"""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("functions", "tests")]

from attestlayer.encoding import Hash  # noqa: E402
from attestlayer.log.trust import parse_trust  # noqa: E402
from attestlayer.reading.files import open_kit  # noqa: E402
from attestlayer.verify.verifier import verify  # noqa: E402
from issuer.adapters.binder.renderer import TypstBinder  # noqa: E402
from issuer.kits.names import record_object  # noqa: E402
from issuer.log.face import read_trust_root  # noqa: E402
from support.log import TestLog  # noqa: E402
from support.service import TestService  # noqa: E402

MIB = 1024 * 1024


def many(service: TestService, packet_id: str, folder: Path) -> None:
    """999 records of a line each."""
    del folder
    for number in range(1, 1000):
        service.submit(packet_id, f"note {number}.txt", f"record {number}\n".encode())


def large(service: TestService, packet_id: str, folder: Path) -> None:
    """One text of exactly 100 MiB, written and uploaded in pieces."""
    path, line = folder / "large.txt", b"The quick brown fox jumps over the lazy dog, again and again.\n"
    piece = (line * (MIB // len(line) + 1))[: MIB - 1] + b"\n"
    with path.open("wb") as out:
        for _ in range(100):
            out.write(piece)
    with path.open("rb") as stream:
        digest = Hash(hashlib.file_digest(stream, "sha256").digest())
    record = service.packets.add_record(
        service.read(packet_id),
        name="large.txt",
        record_type="note",
        size=path.stat().st_size,
        sha256=digest,
        metadata={},
    )
    service.ports.private.create_file(record_object(packet_id, record), path)
    path.unlink()


CASES: dict[str, Callable[[TestService, str, Path], None]] = {"999 records": many, "100 MiB": large}


def peak() -> float:
    """Peak resident memory of this process so far, MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def measure(case: str, folder: Path) -> dict[str, object]:
    """Submit, issue, publish and deliver a case here; leaves kit.zip and trust.json in `folder`."""
    found: dict[str, object] = {"case": case, "start_mib": peak()}
    service = TestService(TestLog(folder / "home"), TypstBinder()).start()
    packet = service.packet()
    CASES[case](service, packet.packet_id, folder)
    found["submitted_mib"] = peak()
    started = time.monotonic()
    answer = service.issue(packet)
    found |= {"status": answer.status, "issue_s": round(time.monotonic() - started, 2), "issued_mib": peak()}
    service.round()
    started = time.monotonic()
    run = service.deliver()
    found |= {"deliver_s": round(time.monotonic() - started, 2), "delivered_mib": peak()}
    (kit_id,) = run.delivered
    path = service.kit_path(kit_id)
    path.rename(folder / "kit.zip")
    (folder / "trust.json").write_bytes(read_trust_root(service.ports.public).format())
    return found | {"kit_bytes": (folder / "kit.zip").stat().st_size}


def check(folder: Path) -> dict[str, object]:
    """Verify the kit in `folder` in this process."""
    trust, started = parse_trust((folder / "trust.json").read_bytes()), time.monotonic()
    with open_kit(folder / "kit.zip") as kit:
        files = verify(kit, trust).files
    return {"verified_files": files, "verify_s": round(time.monotonic() - started, 2), "verified_mib": peak()}


def run(case: str) -> dict[str, object]:
    """A case in two processes of its own."""
    with tempfile.TemporaryDirectory(prefix="attestlayer-bench-") as folder:
        return _child("measure", case, folder) | _child("check", case, folder)


def _child(what: str, case: str, folder: str) -> dict[str, object]:
    command = [sys.executable, __file__, what, case, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))  # noqa: TID251
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout))  # noqa: TID251


def main(arguments: list[str]) -> None:
    if len(arguments) == 3:
        what, case, folder = arguments
        found = measure(case, Path(folder)) if what == "measure" else check(Path(folder))
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for case in arguments or CASES:
        sys.stdout.write(json.dumps(run(case)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
