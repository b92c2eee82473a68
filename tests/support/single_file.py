"""The single-file verifier as tests make and run it."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from attestlayer.kit.receipt import BOUNDARY
from attestlayer.version import VERSION
from issuer.adapters.release_files import read_sources
from issuer.release.single_file import make_single_file
from support.tools import missing

NOW = 1_800_000_000
HERE = Path(__file__).parent
OLDEST, NEWEST = 8, 13
"""Minor versions of Python 3 that the single file is made for, and that these tests know."""


@dataclass(frozen=True)
class Result:
    """What a command line came to."""

    code: int
    out: str
    err: str


@cache
def text() -> str:
    """verify.py."""
    return make_single_file(read_sources(), VERSION, BOUNDARY)


def source() -> str:
    """The verifier's code, which verify.py holds as one string."""
    (found,) = (
        node.value.value
        for node in ast.parse(text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    )
    assert isinstance(found, str)
    return found


def write(folder: Path) -> Path:
    """verify.py in a folder."""
    place = folder / "verify.py"
    place.write_text(text(), encoding="utf-8")
    return place


def python(minor: int) -> str:
    """An interpreter of Python 3.`minor`."""
    if sys.version_info[:2] == (3, minor):
        return sys.executable
    places = [Path(p) for p in (shutil.which(f"python3.{minor}"),) if p]
    places += sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python3"))
    if not places:
        missing(f"there is no Python 3.{minor} here")
    return str(places[-1])


def python_2() -> str:
    """An interpreter of Python 2.7."""
    places = [str(path) for path in Path("~/.pyenv/versions").expanduser().glob("2.7.*/bin/python2")]
    found = [*places, *(p for p in (shutil.which("python2.7"),) if p and ".pyenv" not in p)]
    if not found:
        missing("there is no Python 2.7 here")
    return found[0]


def isolated(place: Path, *arguments: str | Path, interpreter: str = sys.executable, cwd: Path) -> Result:
    """One command line, as a person would give it: nothing but Python's own can be imported."""
    command = [interpreter, "-I", "-S", "-W", "error", str(place), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, env=environment(), check=False, timeout=300)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_all(
    place: Path, lines: Sequence[Sequence[str]], interpreter: str = sys.executable, now: int = NOW
) -> list[Result]:
    """Many command lines in one isolated process, at one time."""
    command = [
        interpreter,
        "-I",
        "-S",
        "-W",
        "error",
        str(HERE / "drive_single_file.py"),
        str(place),
        str(now),
    ]
    done = subprocess.run(
        command,
        input=json.dumps(lines).encode(),
        capture_output=True,
        env=environment(),
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr.decode()
    return [Result(*found) for found in json.loads(done.stdout)]  # noqa: TID251


def environment() -> dict[str, str]:
    """A terminal of known width, and no home with a trust root."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}  # noqa: TID251
    return {**kept, "COLUMNS": "80", "PYTHONUTF8": "1", "HOME": "/nonexistent"}
