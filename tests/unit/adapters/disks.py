"""Disks that fill up or can't be written."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from support.tools import missing

Limit = Callable[[int], AbstractContextManager[None]]


class SmallDisk:
    """A file system of `size` bytes in memory, which can be made read-only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True, capture_output=True)

    def fill(self) -> Path:
        """Fill the disk with one file, and say which."""
        path = self.path / "filler"
        with path.open("wb", buffering=0) as file:
            for chunk in (4096, 1):
                try:
                    while file.write(b"0" * chunk) == chunk:
                        pass
                except OSError:
                    continue
        return path


@contextmanager
def small_disk_at(path: Path, size: str = "1m") -> Iterator[SmallDisk]:
    """A new small disk at the folder `path`; skips where file systems can't be mounted."""
    path.mkdir()
    options = ["-o", f"size={size}"]
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", *options, "tmpfs", str(path)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        missing("the right to mount a file system")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True, capture_output=True)
