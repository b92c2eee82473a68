"""A registry read by golang.org/x/mod/sumdb, the go command's own transparency log client."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from attestlayer import layout
from attestlayer.registry_receipt import parse_registry_receipt
from support.log import TestLog
from support.tools import missing, require

READER = Path(__file__).parent / "go" / "reader"

ROUNDS = {1: [1], 256: [256], 257: [100, 156, 1], 1000: [300, 1, 0, 500, 199]}


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader, compiled once."""
    go, binary = require("go"), tmp_path_factory.mktemp("go") / "reader"
    built = subprocess.run(
        [go, "build", "-o", binary, "."], cwd=READER, capture_output=True, text=True, check=False
    )
    if "golang.org/x/mod" in built.stderr and built.returncode:
        missing(f"golang.org/x/mod is not there and can't be downloaded: {built.stderr.strip()}")
    assert built.returncode == 0, built.stderr
    return binary


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A registry of each size."""
    homes = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        for size, rounds in ROUNDS.items():
            log = TestLog(tmp_path_factory.mktemp(f"log{size}"))
            ports = log.init()
            for count in rounds:
                log.round(ports, count)
            homes[size] = log.home
    return homes


def read(reader: Path, home: Path, place: str | None = None, *more: str) -> subprocess.CompletedProcess[str]:
    vkey = (home / "registry" / layout.REGISTRY_VKEY).read_text().strip()
    command = [str(reader), vkey, place or str(home / "registry"), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def export_proofs(home: Path, folder: Path) -> int:
    """The tlog-proof of every receipt, as files."""
    folder.mkdir()
    receipts = sorted((home / "registry/v1/proofs/inclusion").iterdir())
    for path in receipts:
        proof = parse_registry_receipt(path.read_bytes()).tlog_proof()
        (folder / f"{path.stem}.tlog-proof").write_text(proof, encoding="utf-8")
    return len(receipts)


@pytest.mark.parametrize("size", ROUNDS)
def test_the_go_reader_checks_a_registry_of_any_size(
    reader: Path, registries: dict[int, Path], size: int, tmp_path: Path
) -> None:
    home, rounds = registries[size], ROUNDS[size]
    assert export_proofs(home, tmp_path / "proofs") == size
    found = read(reader, home, None, str(tmp_path / "proofs"))
    assert found.returncode == 0, found.stderr
    done = json.loads(found.stdout)  # noqa: TID251
    assert (done["size"], done["receipts"], done["proofs"]) == (size, size, size)
    assert done["checkpoints"] == len(rounds) + 1
    assert done["consistency"] == len([count for count in rounds if count]) - 1
    assert done["records"] >= min(size, 16)
    assert done["tiles"] == {1: 1, 256: 2, 257: 3, 1000: 5}[size]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_go_reader_reads_over_http(reader: Path, registries: dict[int, Path]) -> None:
    with served(registries[257] / "registry") as url:
        found = read(reader, registries[257], url)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["receipts"] == 257  # noqa: TID251


def test_the_go_reader_refuses_what_is_damaged(
    reader: Path, registries: dict[int, Path], tmp_path: Path
) -> None:
    """Else its agreement above would mean nothing."""
    import shutil

    home = tmp_path / "home"
    shutil.copytree(registries[257], home)
    for name in ("tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "checkpoint"):
        path = home / "registry" / name
        sound = path.read_bytes()
        path.write_bytes(sound[:-9] + bytes([sound[-9] ^ 1]) + sound[-8:])
        assert read(reader, home).returncode == 1, name
        path.write_bytes(sound + b"\0")
        assert read(reader, home).returncode == 1, name
        path.write_bytes(sound)
    assert read(reader, home).returncode == 0
