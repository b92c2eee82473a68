"""A command line in this process that may ask a registry on 127.0.0.1."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestlayer.cli.main import main
from support.serving import served


@dataclass(frozen=True)
class Result:
    """What a command line came to; `words`: standard output on one line."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Standard output without its line breaks."""
        return " ".join(self.out.split())


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the installed trust root, and a terminal of known width."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    place = tmp_path / "config" / "attestlayer" / "trust.json"
    place.parent.mkdir(parents=True)
    return place


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line at a time."""

    def run(now: int, *arguments: str | Path) -> Result:
        code = main([str(a) for a in arguments], clock=lambda: now)
        return Result(code, *capsys.readouterr())

    return run


@dataclass(frozen=True)
class Place:
    """A registry's public objects in a folder, and its address."""

    folder: Path
    url: str


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Place]:
    """An empty registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with served(folder) as url:
        yield Place(folder, url)
