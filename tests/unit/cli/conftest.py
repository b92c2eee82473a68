"""A kit with its documents in a folder, and the command run in this process without a network."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestlayer.canonical import format_json
from attestlayer.cli.main import main
from attestlayer.kit.manifest import RECEIPT, REGISTRY_RECEIPT
from attestlayer.log.notices import Role
from support import build

NOW = build.START + 3 * 86400


@dataclass(frozen=True)
class Result:
    """What a command line came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the command used a network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the installed trust root, and a terminal of known width."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config" / "attestlayer" / "trust.json"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line at a fixed time."""

    def run(*arguments: str | Path) -> Result:
        code = main([str(a) for a in arguments], clock=lambda: NOW, entropy=lambda length: b"\x07" * length)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture(scope="session")
def delivered() -> build.Delivered:
    """A good kit."""
    return build.make()


@pytest.fixture
def files(tmp_path: Path, delivered: build.Delivered) -> Path:
    """A folder with kit.zip, trust.json and the documents around them."""
    folder = tmp_path / "files"
    folder.mkdir()
    contents = {
        "kit.zip": delivered.zip,
        "trust.json": delivered.trust.format(),
        "registry_receipt.json": delivered.members[REGISTRY_RECEIPT],
        "receipt.json": delivered.members[RECEIPT],
        "jwks.json": format_json(delivered.trust.keyring.jwks(Role.REGISTRY)),
        "checkpoint.json": delivered.log.rounds[1].checkpoint.format(),
        "note.txt": delivered.log.last.note.format().encode(),
        "notices.json": delivered.log.notices.format(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def write_folder(place: Path, members: dict[str, bytes]) -> Path:
    """A kit unpacked."""
    for name, data in members.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place
