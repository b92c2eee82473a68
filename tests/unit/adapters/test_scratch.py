"""The folder for unfinished files: one's own while one lives, gone when one was killed."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from issuer.adapters.local.scratch import Scratch


def test_files_of_a_killed_process_are_gone_at_the_next_start(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from issuer.adapters.local.scratch import Scratch\n"
        "made = Scratch(pathlib.Path(sys.argv[1]))\n"
        "(made.path / 'record').write_bytes(b'a client record')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    assert len(list(tmp_path.rglob("record"))) == 1
    scratch = Scratch(tmp_path)
    assert list(tmp_path.rglob("record")) == []
    assert scratch.path.is_dir()


def test_files_of_a_living_process_stay(tmp_path: Path) -> None:
    one = Scratch(tmp_path)
    (one.path / "record").write_bytes(b"a client record")
    other = Scratch(tmp_path)
    assert other.path != one.path
    assert (one.path / "record").exists()
    place = one.path
    del one
    assert not place.exists()


def test_a_folder_that_is_being_made_is_not_taken_for_one_that_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, others = fcntl.flock, []

    def another_starts(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not others:
            others.append(None)  # its own lock lets nobody in
            others.append(Scratch(tmp_path))
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", another_starts)
    scratch = Scratch(tmp_path)
    assert scratch.path.is_dir()
    assert len(others) == 2
