"""Disks that fill up or can't be written."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

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
