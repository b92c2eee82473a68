"""The folder for unfinished files: one's own while one lives, gone when one was killed."""

import subprocess
import sys
from pathlib import Path

from issuer.adapters.scratch import Scratch


def test_files_of_a_killed_process_are_gone_at_the_next_start(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from issuer.adapters.scratch import Scratch\n"
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
