"""The verifiers behind one protocol: kits and trust roots in, `attestlayer/verification-report/1` out.

The Python command, the JavaScript core under node, and the same in a real browser. Each is a stranger to
the others: they share the bytes, and what is compared.
"""

import base64
import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from attestlayer.cli.command import read_clock
from attestlayer.cli.main import main
from attestlayer.kit.container import read_zip
from support.browsers import JS, Page
from support.cases import Subject
from support.judge import write_folder
from support.single_file import run_all, write
from support.tools import require

Report = dict[str, Any]

_PARSING = (
    "not JSON",
    "not canonical JSON",
    "occurs twice in one object",
    "is not an integer from 0",
    "not UTF-8",
)
"""Where a document stops being one is worded by each parser for itself; that it does is not."""


@dataclass(frozen=True)
class Given:
    """A kit, a ZIP file or a folder, and the trust root to check it with."""

    kit: Path
    trust: Path


def load(path: Path) -> dict[str, Any]:
    """A vector."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))  # noqa: TID251
    return found


def unpack(data: bytes, folder: Path) -> None:
    """A canonical ZIP's members as files."""
    for name, member in read_zip(io.BytesIO(data)).members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"".join(member.chunks()))


def lay_out(vector: dict[str, Any], place: Path) -> list[Given]:
    """A vector as a file or a folder; a ZIP that can be unpacked, as both."""
    place.mkdir(parents=True)
    given = vector["input"]
    (place / "trust.json").write_text(given["trust"], encoding="utf-8")
    kit = place / "kit"
    if "folder" in given:
        folder = {name: base64.b64decode(data) for name, data in given["folder"].items()}  # noqa: TID251
        write_folder(kit, Subject(trust=b"", folder=folder, links=tuple(given.get("links", {}).items())))
    elif "zip" in given:
        kit.write_bytes(base64.b64decode(given["zip"]))  # noqa: TID251
    made = [Given(kit, place / "trust.json")]
    if "zip" in given and not vector["expect"].startswith(("container-", "input-")):
        unpack(kit.read_bytes(), place / "unpacked")
        made.append(Given(place / "unpacked", place / "trust.json"))
    return made


class Verifier(Protocol):
    """Answers `VERIFIER KIT TRUST` with a JSON report, for many at once."""

    name: str

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""


class PythonCommand:
    """`attestlayer verify KIT --trust TRUST --json`, in this process."""

    name = "python"

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""
        return [self._report(each) for each in given]

    def _report(self, given: Given) -> Report:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main(["verify", str(given.kit), "--trust", str(given.trust), "--json"])
        report: Report = json.loads(out.getvalue())  # noqa: TID251
        assert report["exit_code"] == code
        return report


class NodeCommand:
    """`node tests/js/verify.mjs`."""

    name = "node"

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""
        lines = "".join(json.dumps({"kit": str(g.kit), "trust": str(g.trust)}) + "\n" for g in given)
        command = [str(require("node")), str(JS / "verify.mjs"), "--many"]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251


class SingleFile:
    """`verify.py` with Python's own modules alone."""

    name = "verify.py"

    def __init__(self, place: Path) -> None:
        self._file = write(place)

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""
        lines = [["verify", str(g.kit), "--trust", str(g.trust), "--json"] for g in given]
        # By the same clock as the others: the age of a trust root is part of the report.
        return [json.loads(found.out) for found in run_all(self._file, lines, now=read_clock())]  # noqa: TID251


@dataclass
class InPage:
    """The verifier's modules in a browser's page. Links it can't see: browsers hand over none."""

    page: Page
    name: str

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""
        code = 'const { reportMany } = await import("/tests/js/in_page.mjs"); return reportMany(argument);'
        found = self.page.evaluate(code, [self._input(each) for each in given])
        return list(found)

    def _input(self, given: Given) -> dict[str, object]:
        trust = given.trust.read_text(encoding="utf-8")
        made: dict[str, object] = {"path": str(given.kit), "trust": trust, "trust_path": str(given.trust)}
        if given.kit.is_file():
            return {**made, "zip": _b64(given.kit)}
        names = [path for path in sorted(given.kit.rglob("*")) if path.is_file()]
        return {**made, "folder": {path.relative_to(given.kit).as_posix(): _b64(path) for path in names}}


def _b64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def command_report(command: Sequence[str | Path], given: Given) -> Report:
    """One report by a process of its own: `COMMAND KIT TRUST`. Its exit code is the report's."""
    done = subprocess.run(
        [*map(str, command), str(given.kit), str(given.trust)], capture_output=True, text=True, check=False
    )
    report: Report = json.loads(done.stdout)  # noqa: TID251
    assert report["exit_code"] == done.returncode, done.stderr
    return report


def python_process(given: Given) -> Report:
    """The Python command as a process of its own."""
    command = [sys.executable, "-m", "attestlayer", "verify", "--json", str(given.kit), "--trust"]
    done = subprocess.run([*command, str(given.trust)], capture_output=True, text=True, check=False)
    report: Report = json.loads(done.stdout)  # noqa: TID251
    assert report["exit_code"] == done.returncode, done.stderr
    return report


def differences(one: Sequence[Report], other: Iterable[Report]) -> list[tuple[str, object, object]]:
    """Where two verifiers' reports part: the path, and what each says."""
    pairs = [(_comparable(a), _comparable(b)) for a, b in zip(one, other, strict=True)]
    return [(str(a["kit"]), *_parted(a, b)) for a, b in pairs if a != b]


def _parted(one: Report, other: Report) -> tuple[object, object]:
    names = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    return {name: one.get(name) for name in names}, {name: other.get(name) for name in names}


def _comparable(report: Report) -> Report:
    """The whole report, but for how a parser words that bytes are no canonical JSON."""
    steps = [
        {**step, "failures": [_failure(failure) for failure in step["failures"]]} for step in report["steps"]
    ]
    return {**report, "steps": steps}


def _failure(failure: Report) -> Report:
    if any(words in failure["message"] for words in _PARSING):
        return {**failure, "message": "bytes that are not canonical JSON"}
    return failure
