"""Files that a command writes: new ones only, and removed again if they could not be finished."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


class OutputError(Exception):
    """A new file could not be written. The message names it and says how to go on."""


@contextlib.contextmanager
def new_file(place: Path) -> Iterator["NewFile"]:
    """A new file to write to, removed again if anything is raised. Raises `OutputError`."""
    try:
        stream = place.open("xb")
    except OSError as error:
        raise OutputError(_unwritable(place, error)) from error
    with stream:
        try:
            yield NewFile(place, stream)
        except BaseException:
            place.unlink()
            raise


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is written. Its errors are not those of a file that is read at the same time."""

    place: Path
    stream: BinaryIO

    def write(self, data: bytes) -> None:
        """Write all of `data`. Raises `OutputError`."""
        self._carry_out(lambda: self.stream.write(data))

    def flush(self) -> None:
        """Give everything to the system. Raises `OutputError`."""
        self._carry_out(self.stream.flush)

    def _carry_out(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            raise OutputError(_unwritable(self.place, error)) from error


def _unwritable(place: Path, error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return f"{place} exists already: name a new file, none is overwritten"
    if isinstance(error, FileNotFoundError):
        return f"{place}: there is no folder {place.parent}"
    return f"{place} could not be written: {error.strerror or error}"


def create_file(place: Path, data: bytes) -> None:
    """Write a new file. Raises `OutputError`, also if there is one of that name."""
    with new_file(place) as file:
        file.write(data)
        file.flush()
