"""A registry read by golang.org/x/mod/sumdb, the go command's own transparency log client."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from attestlayer.log import layout
from attestlayer.log.leaf import parse_registry_receipt
from support.log import TestLog, queue
from support.serving import served
from support.thorough import thorough
from support.tools import missing, require
from support.witnesses import Pool, Witness

GO = Path(__file__).parent / "go"

_NO_NETWORK = ("module lookup disabled", "dial tcp")
ROUNDS = {1: [1], 256: [256], 257: [100, 156, 1], 1000: [300, 1, 0, 500, 199]}


def build(program: str, folder: Path) -> Path:
    """A Go program of this folder, compiled; its modules come from Go's cache, or are downloaded into it."""
    binary = folder / program
    command = [require("go"), "build", "-o", binary, "."]
    built = subprocess.run(command, cwd=GO / program, capture_output=True, text=True, check=False)
    if built.returncode and any(sign in built.stderr for sign in _NO_NETWORK):
        missing(f"modules of {program} are not there and can't be downloaded: {built.stderr.strip()}")
    assert built.returncode == 0, built.stderr
    return binary


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("reader", tmp_path_factory.mktemp("go"))


Registries = Callable[[int], Path]


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Registries:
    """The home of a registry of a size."""

    @cache
    def home(size: int) -> Path:
        log = TestLog(tmp_path_factory.mktemp(f"log{size}"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("os.fsync", lambda descriptor: None)
            ports = log.init()
            for count in ROUNDS[size]:
                log.round(ports, count)
        return log.home

    return home


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


@pytest.mark.parametrize("size", [1, 256, 257, thorough(1000)])
def test_the_go_reader_checks_a_registry_of_any_size(
    reader: Path, registries: Registries, size: int, tmp_path: Path
) -> None:
    home, rounds = registries(size), ROUNDS[size]
    assert export_proofs(home, tmp_path / "proofs") == size
    found = read(reader, home, None, str(tmp_path / "proofs"))
    assert found.returncode == 0, found.stderr
    done = json.loads(found.stdout)  # noqa: TID251
    assert (done["size"], done["receipts"], done["proofs"]) == (size, size, size)
    assert done["checkpoints"] == len(rounds) + 1
    assert done["consistency"] == len([count for count in rounds if count]) - 1
    assert done["records"] >= min(size, 16)
    assert done["tiles"] == {1: 1, 256: 2, 257: 3, 1000: 5}[size]


def test_the_go_reader_reads_over_http(reader: Path, registries: Registries) -> None:
    with served(registries(257) / "registry") as url:
        found = read(reader, registries(257), url)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["receipts"] == 257  # noqa: TID251


def test_the_go_reader_refuses_what_is_damaged(reader: Path, registries: Registries, tmp_path: Path) -> None:
    """Else its agreement above would mean nothing."""
    import shutil

    home = tmp_path / "home"
    shutil.copytree(registries(257), home)
    for name in ("tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "checkpoint"):
        path = home / "registry" / name
        sound = path.read_bytes()
        path.write_bytes(sound[:-9] + bytes([sound[-9] ^ 1]) + sound[-8:])
        assert read(reader, home).returncode == 1, name
        path.write_bytes(sound + b"\0")
        assert read(reader, home).returncode == 1, name
        path.write_bytes(sound)
    assert read(reader, home).returncode == 0


def test_published_code_reads_the_proofs_with_all_cosignatures(tmp_path: Path) -> None:
    """github.com/transparency-dev/formats, which witnesses and other logs build on."""
    log = TestLog(tmp_path / "home")
    pool = Pool([Witness(f"witness{number}.example.net", log.clock) for number in range(2)])
    ports = replace(log.init(), witnesses=pool)
    data = {"valid_from": "2027-01-15T08:00:00Z", "policy": pool.policy("all")}
    queue(ports, "witness.policy", data)
    for count in (1, 2, 300):
        log.round(ports, count)
    assert export_proofs(log.home, tmp_path / "proofs") == 303
    vkey = (log.home / "registry" / layout.REGISTRY_VKEY).read_text().strip()
    witnesses = [witness.key.format() for witness in pool.members]
    command = [str(build("formats", tmp_path)), vkey, str(tmp_path / "proofs")]
    found = subprocess.run([*command, *witnesses], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, '{"proofs":303}\n'), found.stderr
    stranger = Witness("stranger.example.net", log.clock).key.format()
    found = subprocess.run([*command, *witnesses, stranger], capture_output=True, text=True, check=False)
    assert found.returncode == 1
