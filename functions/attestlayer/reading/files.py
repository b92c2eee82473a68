"""Reads kits and trust roots from the file system, and replaces files in one step.

Does I/O; decides nothing but what a folder holds.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from attestlayer.encoding import byte_order, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import Kit, KitBuilder, read_zip
from attestlayer.log.trust import TrustRoot, parse_trust

_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_LITTER_START = "._"
_MAX_LITTER = 64 * 1024
"""Bytes up to which a file that an operating system leaves in folders is ignored."""

_MAX_INPUT = 16 * 1024 * 1024


@contextmanager
def open_kit(path: Path) -> Iterator[Kit]:
    """The kit in a ZIP file or in a folder of its members.

    Raises `CouldNotCheckError` (input-…), `VerificationError` (container-…).
    """
    check_plain(path)
    try:
        if path.is_dir():
            yield _read_folder(path)
        else:
            with path.open("rb") as stream:
                yield read_zip(stream)
    except OSError as error:
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, _os_message(path, error)) from error


def read_trust(path: Path) -> TrustRoot:
    """The trust root in a file. Raises `CouldNotCheckError` that names the file."""
    data = read_input(path, Reason.TRUST_ROOT_UNUSABLE)
    try:
        return parse_trust(data)
    except CouldNotCheckError as error:
        raise CouldNotCheckError(error.reason, f"{path}: {error}") from error


def read_input(path: Path, reason: Reason = Reason.INPUT_UNREADABLE, limit: int = _MAX_INPUT) -> bytes:
    """A file's bytes, at most `limit`. Raises `CouldNotCheckError` with `reason`."""
    check_plain(path, reason)
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise CouldNotCheckError(reason, _os_message(path, error)) from error
    if len(data) > limit:
        raise CouldNotCheckError(reason, f"{path} has over {limit} bytes")
    return data


def replace_file(place: Path, data: bytes) -> None:
    """Write a new file and rename it to `place`: readers see the old content or the new. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:  # also on an interrupt, no temporary file stays
        with suppress(OSError):
            Path(name).unlink()
        raise


def check_plain(path: Path, reason: Reason = Reason.INPUT_UNREADABLE) -> None:
    """Refuse a device or a pipe, which could block forever. A path that can't be examined fails when read."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise CouldNotCheckError(reason, f"{path} is a device or a pipe, neither a file nor a folder")


def _read_folder(root: Path) -> Kit:
    builder = KitBuilder()
    ignored: list[str] = []
    for name, path, size in _list_files(root):
        if _is_litter(path.name, size):
            ignored.append(name)
        else:
            builder.add(name, size, _opener(path))
    return builder.finish(tuple(ignored))


def _list_files(root: Path) -> list[tuple[str, Path, int]]:
    """All files below `root` in order of their names. Raises `VerificationError` (container-link)."""
    files: list[tuple[str, Path, int]] = []
    strange: list[str] = []
    folders = [(root, "")]  # no recursion: how deep a folder goes is the sender's choice
    while folders:
        folder, prefix = folders.pop()
        # Links are not followed: a link could lead out of the kit, or in a circle (REG-1.0 section 6.6).
        for entry in os.scandir(folder):
            name = prefix + entry.name
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                folders.append((Path(entry.path), f"{name}/"))
            elif stat.S_ISREG(status.st_mode):
                files.append((name, Path(entry.path), status.st_size))
            else:
                strange.append(name)
    if strange:
        name = min(strange, key=byte_order)  # one of several, the same for every verifier
        raise VerificationError(
            Reason.CONTAINER_LINK, f"{shown(name)} is a link or a device, not a file", (name,)
        )
    return sorted(files, key=lambda file: byte_order(file[0]))


def _is_litter(name: str, size: int) -> bool:
    return size <= _MAX_LITTER and (name in _LITTER or name.startswith(_LITTER_START))


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _os_message(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"
