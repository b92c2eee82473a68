"""`issuer packet add FOLDER` as people have folders: systems' files, unreadable ones, a second run."""

import json
import os
import shutil
from pathlib import Path

import pytest

from .test_commands import WIRE, Operator

LEFT = (".DS_Store", "Thumbs.db", "desktop.ini", "._n.txt", "~$n.docx", "__MACOSX/._n.txt", "__MACOSX/x")


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    """An operator with a home."""
    operator = Operator(tmp_path / "home", capsys)
    assert operator("init") == 0
    return operator


def write(folder: Path, **files: str) -> Path:
    """A folder with notes in a sub-folder for their type."""
    (folder / "supporting-document").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "supporting-document" / f"{name}.txt").write_text(text)
    return folder


def records(operator: Operator, packet: str) -> list[str]:
    """The names of a packet's records."""
    assert operator("packet", "show", packet) == 0
    return sorted(line.split()[-1].strip("'\"") for line in operator.out.splitlines() if "record " in line)


def test_what_systems_leave_is_passed_over_and_said_so(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "a", n="note")
    for place in (folder, folder / "supporting-document"):
        for name in LEFT:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(b"\0" + str(place / name).encode())
    assert operator("packet", "add", packet, folder) == 0, operator.err
    assert operator.out.count("passed over  ") == 2 * len(LEFT)
    assert f"1 added, 0 there already, {2 * len(LEFT)} passed over, 0 not added" in operator.out
    assert records(operator, packet) == ["n.txt"]


def test_they_are_passed_over_beside_a_sidecar_too(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), tmp_path / "c"
    shutil.copytree(WIRE, folder)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    assert operator("packet", "add", packet, folder) == 0, operator.err
    assert operator("packet", "check", packet) == 0


def test_one_file_that_can_not_be_added_does_not_lose_the_rest_and_a_second_run_goes_on(
    operator: Operator, tmp_path: Path
) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "d", a="1", b="", c="3")
    (folder / "stray.txt").write_text("Where does this belong?")
    (folder / "supporting-document/gone.txt").symlink_to("nowhere")
    os.mkfifo(folder / "supporting-document/pipe.txt")
    (folder / "linked").symlink_to(folder / "supporting-document")
    assert operator("packet", "add", packet, folder) == 2
    assert "2 added, 0 there already, 0 passed over, 5 not added" in operator.out
    for name in ("b.txt", "stray.txt", "gone.txt", "pipe.txt", "linked"):
        assert 'not added: "' in operator.err
        assert name in operator.err
    assert "run the same again" in operator.err
    assert records(operator, packet) == ["a.txt", "c.txt"]
    for name in ("stray.txt", "supporting-document/gone.txt", "supporting-document/pipe.txt", "linked"):
        (folder / name).unlink()
    write(folder, b="2")
    assert operator("packet", "add", packet, folder) == 0, operator.err
    assert "1 added, 2 there already, 0 passed over, 0 not added" in operator.out
    assert records(operator, packet) == ["a.txt", "b.txt", "c.txt"]


def test_an_announced_record_gets_its_bytes_in_a_second_run(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "e", a="1")
    assert operator("packet", "add", packet, folder) == 0
    (stored,) = (path for path in (operator.home / "private").rglob("rec_*"))
    stored.unlink()  # as if the first run had been cut off
    assert operator("packet", "add", packet, folder) == 0
    assert "1 added, 0 there already" in operator.out
    assert stored.exists()


def test_what_differs_from_the_packet_is_said_and_left(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "f", a="1", b="2", c="3")
    assert operator("packet", "add", packet, folder) == 0
    write(folder, a="other")
    (folder / "supporting-document/b.txt").rename(folder / "supporting-document/new.txt")
    (folder / "approval").mkdir()
    (folder / "supporting-document/c.txt").rename(folder / "approval/c.txt")
    assert operator("packet", "add", packet, folder) == 2
    assert "0 added, 0 there already, 0 passed over, 3 not added" in operator.out
    for words in ("with other bytes", 'with the name "b.txt"', 'with the type "supporting-document"'):
        assert words in operator.err, words
    assert f"issuer packet remove {packet} rec_" in operator.err
    assert records(operator, packet) == ["a.txt", "b.txt", "c.txt"]


def test_other_metadata_is_said_with_its_values(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), tmp_path / "g"
    shutil.copytree(WIRE, folder)
    assert operator("packet", "add", packet, folder) == 0
    sidecar = json.loads((folder / "records.json").read_text())  # noqa: TID251
    name, value = next(iter(sidecar["records"][0]["metadata"].items()))
    sidecar["records"][0]["metadata"] = {**sidecar["records"][0]["metadata"], name: "INV-1"}
    (folder / "records.json").write_text(json.dumps(sidecar))
    assert operator("packet", "add", packet, folder) == 2
    assert f'with {name} "{value}"' in operator.err
    assert "1 not added" in operator.out


def test_files_of_one_name_in_two_folders_are_two_records(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "h", n="1")
    (folder / "supporting-document/old").mkdir()
    (folder / "supporting-document/old/n.txt").write_text("2")
    assert operator("packet", "add", packet, folder) == 0
    assert operator("packet", "add", packet, folder) == 0
    assert "0 added, 2 there already" in operator.out


def test_a_name_that_is_not_utf_8_is_named_and_loses_nothing_else(operator: Operator, tmp_path: Path) -> None:
    packet, folder = operator.open(operator.provision()), write(tmp_path / "i", n="1")
    (folder / "supporting-document/odd\udcff.txt").write_text("2")
    assert operator("packet", "add", packet, folder) == 2
    assert "1 added, 0 there already, 0 passed over, 1 not added" in operator.out
    assert r"odd\udcff.txt" in operator.err
    assert "rename the file" in operator.err
    assert records(operator, packet) == ["n.txt"]
