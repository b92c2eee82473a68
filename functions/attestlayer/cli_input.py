"""Opens what a command was pointed at, whatever that is: a kit, a device, folders without an end."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.files import open_kit
from attestlayer.kit import Kit


@contextmanager
def open_input(path: Path) -> Iterator[Kit]:
    """The kit at `path`. Raises `CouldNotCheckError` (input-…), `VerificationError` (container-…)."""
    if not is_plain(path):  # reading a pipe could wait for ever
        message = f"{path} is a device or a pipe, neither a file nor a folder"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
    try:
        with open_kit(path) as kit:
            yield kit
    except RecursionError as error:
        message = f"{path}: folders are nested deeper than any kit's"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message) from error


def is_plain(path: Path) -> bool:
    """Whether this is a file or a folder, or can't be told: then opening it says what is wrong."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return True
    return stat.S_ISREG(kind) or stat.S_ISDIR(kind)
