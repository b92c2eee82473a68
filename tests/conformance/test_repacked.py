"""A repacked ZIP is read in one way: other programs pack and unpack the same members as we do."""

import os
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from attestlayer.errors import Reason, Remark, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.verify.report import Verdict
from attestlayer.verify.verifier import explain
from support.build import Delivered, make, open_zip
from support.cases import small
from support.corpus import read_by_python, repacked
from support.packed import HONEST, WITH_LEFTOVERS, Maker
from support.thorough import thorough
from support.tools import missing, require
from support.verifiers import Given, NodeCommand, PythonCommand, differences

CHANGED = int(os.environ.get("ATTESTLAYER_MUTANTS", "100")) * 2  # noqa: TID251
"""Changed ZIPs that are compared: 20,000 before a release."""


def by_zip(*options: str) -> Callable[[Path, Path], None]:
    def pack(folder: Path, out: Path) -> None:
        subprocess.run([require("zip"), "-q", "-r", *options, out, "."], cwd=folder, check=True)

    return pack


def by_zip_from_a_pipe(folder: Path, out: Path) -> None:
    """The archive is written to a pipe, so sizes come behind the data."""
    with out.open("wb") as file:
        subprocess.run([require("zip"), "-q", "-r", "-", "."], cwd=folder, stdout=file, check=True)


def with_its_folder(folder: Path, out: Path) -> None:
    subprocess.run([require("zip"), "-q", "-r", out, folder.name], cwd=folder.parent, check=True)


def by_7_zip(folder: Path, out: Path) -> None:
    tool = next((found for name in ("7zz", "7z", "7za") if (found := shutil.which(name))), None)
    if tool is None:
        missing("7-Zip is not installed")
    subprocess.run([tool, "a", "-tzip", out, "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def by_bsdtar(folder: Path, out: Path) -> None:
    command = [require("bsdtar"), "-c", "-f", out, "--format", "zip", "-C", folder, "."]
    subprocess.run([str(part) for part in command], check=True)


def by_jar(folder: Path, out: Path) -> None:
    subprocess.run([require("jar"), "cfM", out, "."], cwd=folder, check=True)


def by_python_archive(folder: Path, out: Path) -> None:
    shutil.make_archive(str(out.with_suffix("")), "zip", folder)


_GO = """package main

import ("archive/zip"; "os")

func main() {
    out, _ := os.Create(os.Args[2])
    w := zip.NewWriter(out)
    if err := w.AddFS(os.DirFS(os.Args[1])); err != nil { panic(err) }
    if err := w.Close(); err != nil { panic(err) }
}
"""


def by_go(folder: Path, out: Path) -> None:
    (out.parent / "pack.go").write_text(_GO)
    around = {**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}  # noqa: TID251
    command = [require("go"), "run", out.parent / "pack.go", folder, out]
    subprocess.run([str(part) for part in command], check=True, env=around)


PACKERS: dict[str, Callable[[Path, Path], None]] = {
    "zip": by_zip(),
    "zip-stored": by_zip("-0"),
    "zip-without-extra-fields": by_zip("-X", "-D"),
    "zip-with-zip64": by_zip("-fz"),
    "zip-with-descriptors": by_zip("-fd"),
    "zip-to-a-pipe": by_zip_from_a_pipe,
    "zip-of-the-folder": with_its_folder,
    "python": by_python_archive,
}
SLOW: dict[str, Callable[[Path, Path], None]] = {
    "7-zip": by_7_zip,
    "bsdtar": by_bsdtar,
    "jar": by_jar,
    "go": by_go,
}


def unpacked(kit: Delivered, folder: Path) -> Path:
    for name, data in kit.members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("packer", [*PACKERS.values(), *map(thorough, SLOW.values())], ids=[*PACKERS, *SLOW])
def test_what_a_program_packs_again_is_verified(packer: Callable[[Path, Path], None], tmp_path: Path) -> None:
    kit = make()
    packer(unpacked(kit, tmp_path / "kit"), tmp_path / "again.zip")
    opened = open_zip((tmp_path / "again.zip").read_bytes())
    report = explain(opened, kit.trust)
    assert (report.verdict, [note.remark for note in report.notes]) == (
        Verdict.VERIFIED,
        [Remark.CONTAINER_REPACKED],
    )
    assert opened.sealed_digest() == kit.kit().sealed_digest()


def contents(kit: Kit) -> dict[str, bytes]:
    return {name: b"".join(member.chunks()) for name, member in kit.members.items()}


def by_zipfile(data: bytes) -> dict[str, bytes]:
    """The files that Python's own reader finds, of whatever version. Raises what it raises."""
    found = {name: content for name, content in read_by_python(data).items() if not name.endswith("/")}
    if not any("/" in name for name in found):
        found = {name.replace("\\", "/"): content for name, content in found.items()}
    return {name.removeprefix("./"): content for name, content in found.items()}


def differs(kit: Kit, found: dict[str, bytes]) -> str:
    """In what the members differ from what another program found; nothing if they don't."""
    members = contents(kit)
    tops = {name[: -len(member)] for member in members for name in found if name.endswith(f"/{member}")} | {
        ""
    }
    fits = [
        top for top in tops if {top + name: data for name, data in members.items()}.items() <= found.items()
    ]
    if not fits:
        return "other members"
    count = sum(1 for name in found if not name.endswith(("/", "\\")))
    return "" if count == len(members) + len(kit.unexpected) + len(kit.ignored) else "another number of files"


@pytest.mark.parametrize("maker", [maker for _, maker in HONEST.values()], ids=HONEST)
def test_other_programs_find_the_same_members_in_what_is_packed_again(maker: Maker, tmp_path: Path) -> None:
    data = maker(small().members)
    assert differs(open_zip(data), by_zipfile(data)) == ""
    (tmp_path / "a.zip").write_bytes(data)
    command = [require("unzip"), "-q", tmp_path / "a.zip", "-d", tmp_path / "out"]
    assert subprocess.run(command, check=False).returncode in {0, 1}  # 1: a warning, as of backslashes
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found = {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in files}
    assert differs(open_zip(data), found) == ""


@pytest.mark.parametrize("part", range(4))
def test_what_is_accepted_of_changed_zips_holds_what_python_finds(part: int) -> None:
    accepted = compared = 0
    for data in repacked(f"repacked {part}", CHANGED // 4):
        try:
            kit = open_zip(data)
        except VerificationError as error:
            assert error.reason.startswith(("container-", "input-"))
            continue
        accepted += 1
        if explain(kit, small().trust).verdict == Verdict.VERIFIED:
            assert contents(kit) == small().members
        try:
            found = by_zipfile(data)
        except (zipfile.BadZipFile, NotImplementedError, zlib.error, ValueError):
            continue  # a version that it doesn't know, a checksum of what is not read here
        compared += 1
        assert differs(kit, found) == ""
    assert 0 < compared <= accepted


def test_every_verifier_says_the_same_of_changed_zips(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(small().trust.format())
    given = []
    cut = HONEST["by-python"][1](small().members)[:-40]
    for number, data in enumerate([cut, *repacked("compared", CHANGED)]):
        (tmp_path / f"{number}.zip").write_bytes(data)
        given.append(Given(tmp_path / f"{number}.zip", tmp_path / "trust.json"))
    expected = PythonCommand().reports(given)
    assert differences(expected, NodeCommand().reports(given)) == []
    words = {f["reason"] for report in expected for step in report["steps"] for f in step["failures"]}
    assert {Reason.CONTAINER_AMBIGUOUS, Reason.CONTAINER_INCOMPLETE} <= words
    assert {"VERIFIED", "NOT VERIFIED"} <= {report["verdict"] for report in expected}


def test_the_leftovers_of_each_way_are_listed() -> None:
    for name, (_, maker) in HONEST.items():
        assert bool(open_zip(maker(small().members)).ignored) == (name in WITH_LEFTOVERS), name
