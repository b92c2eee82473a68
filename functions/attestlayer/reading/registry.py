"""Reads a registry's objects from a folder or over HTTP(S). Does I/O; decides nothing about them.

Absence is None, every other failure is an error: a registry that can't be read is not a damaged one.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from attestlayer.reading.copies import MAX_OBJECT, check_bound, unreadable
from attestlayer.reading.web import HttpRegistry

_READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Registry(Protocol):
    """A registry's public objects by name, without a leading slash."""

    def read(self, name: str) -> bytes | None:
        """The object's bytes, or None if there is no such object. Raises `CouldNotCheckError`."""

    def names(self) -> Iterator[str] | None:
        """The names of everything there, in no order, or None where it can't be listed."""


@dataclass
class FolderRegistry:
    """A registry in a folder: the operator's, or a mirror. `requests`: files asked for so far."""

    root: Path
    requests: int = 0

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise unreadable(f"{self.root} is not a folder")

    def read(self, name: str) -> bytes | None:
        """The file's bytes. A link in its place is an error, a device or a folder no object."""
        self.requests += 1
        try:
            descriptor = os.open(f"{self.root}/{name}", _READING)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(f"{name}: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = _read_all(descriptor, status.st_size)
            check_bound(name, len(data), MAX_OBJECT)
            return data
        except OSError as error:
            raise unreadable(f"{name}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def names(self) -> Iterator[str]:
        """Every file, link and device below the folder."""
        folders = [""]
        while folders:
            prefix = folders.pop()
            try:
                with os.scandir(self.root / prefix) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{prefix}{entry.name}/")
                        else:
                            yield prefix + entry.name
            except OSError as error:
                raise unreadable(f"{prefix or self.root}: {error.strerror}") from error


def open_registry(place: str) -> Registry:
    """The registry at a URL or in a folder. Raises `CouldNotCheckError`."""
    if place.startswith(("http://", "https://")):
        return HttpRegistry(place)
    return FolderRegistry(Path(place))


def _read_all(descriptor: int, size: int) -> bytes:
    """All bytes of an open file of about `size` bytes, or one more than an object may have."""
    data = os.read(descriptor, min(size, MAX_OBJECT) + 1)
    while len(data) <= MAX_OBJECT and (more := os.read(descriptor, MAX_OBJECT + 1 - len(data))):
        data += more
    return data
