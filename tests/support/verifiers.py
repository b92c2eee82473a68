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
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from attestlayer.cli.command import read_clock
from attestlayer.cli.main import main
from attestlayer.kit.zip_reader import read_zip
from support.browsers import JS, Page
from support.cases import Subject
from support.judge import write_folder
from support.single_file import NOW, run_all, write
from support.tools import require

Report = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """A kit, a ZIP file or a folder, and the trust root to check it with. `alone`: a registry receipt."""

    kit: Path
    trust: Path
    alone: bool = False

    def words(self, *options: str) -> list[str]:
        """The command line that checks it."""
        command = "verify-receipt" if self.alone else "verify"
        return [command, str(self.kit), "--trust", str(self.trust), *options]


def load(path: Path) -> dict[str, Any]:
    """A vector."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))  # noqa: TID251
    return found


def unpack(data: bytes, folder: Path) -> None:
    """The files of a ZIP that can be read, by Python's own reader. Raises what either of the two raises."""
    read_zip(io.BytesIO(data))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    has_slash = any("/" in name for name in files)
    for raw, content in files.items():
        name = raw if has_slash else raw.replace("\\", "/")
        if not name.endswith("/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


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
            code = main(given.words("--json"))
        report: Report = json.loads(out.getvalue())  # noqa: TID251
        assert report["exit_code"] == code
        return report

    def texts(self, given: Sequence[Given]) -> list[str]:
        """The report of each for people."""
        return [self._text(each) for each in given]

    def _text(self, given: Given) -> str:
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stdout(out):
            main(given.words(), clock=lambda: NOW)
        out.seek(0)
        return out.read()


class NodeCommand:
    """`node tests/js/verify.mjs`."""

    name = "node"

    def reports(self, given: Sequence[Given]) -> list[Report]:
        """The report of each."""
        lines = "".join(
            json.dumps({"kit": str(g.kit), "trust": str(g.trust), "alone": g.alone}) + "\n" for g in given
        )
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
        lines = [each.words("--json") for each in given]
        # By the same clock as the others: the age of a trust root is part of the report.
        return [json.loads(found.out) for found in run_all(self._file, lines, now=read_clock())]  # noqa: TID251

    def texts(self, given: Sequence[Given]) -> list[str]:
        """The report of each for people."""
        return [found.out for found in run_all(self._file, [each.words() for each in given])]


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
        trust = _b64(given.trust)
        made: dict[str, object] = {"path": str(given.kit), "trust": trust, "trust_path": str(given.trust)}
        if given.alone:
            return {**made, "alone": _b64(given.kit)}
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
    """Where two verifiers' reports part, to the last word: the path, and what each says."""
    return [(str(a["kit"]), *_parted(a, b)) for a, b in zip(one, other, strict=True) if a != b]


def _parted(one: Report, other: Report) -> tuple[object, object]:
    names = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    return {name: one.get(name) for name in names}, {name: other.get(name) for name in names}
