"""Opens what a command was pointed at, whatever that is: a kit, a device, folders without an end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.kit.container import Kit
from attestlayer.reading.files import NOT_PLAIN, is_plain, open_kit


@contextmanager
def open_input(path: Path) -> Iterator[Kit]:
    """The kit at `path`. Raises `CouldNotCheckError` (input-…), `VerificationError` (container-…)."""
    if not is_plain(path):  # reading a pipe could wait for ever
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"{path} {NOT_PLAIN}")
    try:
        with open_kit(path) as kit:
            yield kit
    except RecursionError as error:
        message = f"{path}: folders are nested deeper than any kit's"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message) from error
