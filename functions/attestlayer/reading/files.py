"""Reads kits and trust roots from the file system, and replaces files in one step.

Does I/O; decides nothing but what a folder holds.
"""

import errno
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from attestlayer.encoding import byte_order, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import Kit, collect
from attestlayer.kit.contents import MAX_ENTRIES, File, arrange
from attestlayer.kit.zip_reader import read_zip
from attestlayer.log.trust import TrustRoot, parse_trust

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
            with open_regular(path) as stream:
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
        with open_regular(path) as stream:
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


def read_start(path: Path, length: int) -> bytes:
    """A file's first bytes, fewer if it has no more. Raises `CouldNotCheckError`."""
    check_plain(path)
    try:
        with open_regular(path) as stream:
            return stream.read(length)
    except OSError as error:
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, _os_message(path, error)) from error


class _RegularFile(io.FileIO):
    """A regular file opened without blocking. Reading raises `OSError` where it would have to wait.

    A few special files, such as /proc/kmsg, say that they are regular files, and block those who read them.
    """

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        if count is None:
            raise OSError(errno.EAGAIN, "a device or a pipe, neither a file nor a folder")
        return count


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """A regular file, open to be read. Never blocks; raises `OSError`, also for a device, a pipe or a link.

    What was opened is looked at, not the path: that can be made another file at any time.
    """
    names = ["O_BINARY", "O_CLOEXEC", "O_NONBLOCK", *([] if follow else ["O_NOFOLLOW"])]
    flags = sum(getattr(os, name, 0) for name in names)  # each where the platform has it
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENXIO, "a device or a pipe, neither a file nor a folder", str(path))
        return io.BufferedReader(_RegularFile(descriptor, "rb"))
    except BaseException:
        os.close(descriptor)
        raise


def _read_folder(root: Path) -> Kit:
    return collect(arrange(_list_files(root)))


def _list_files(root: Path) -> list[File]:
    """All files below `root`, in no order.

    Raises `VerificationError` (container-link, container-limit-exceeded).
    """
    files: list[File] = []
    strange: list[str] = []
    folders, count = [(root, "")], 0  # no recursion: how deep a folder goes is the sender's choice
    while folders:
        folder, prefix = folders.pop()
        # Links are not followed: a link could lead out of the kit, or in a circle (REG-1.0 section 6.6).
        with os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                _check_count(count)
                name = prefix + entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    folders.append((Path(entry.path), f"{name}/"))
                elif stat.S_ISREG(status.st_mode):
                    files.append(File(name, status.st_size, _opener(Path(entry.path), name, status)))
                else:
                    strange.append(name)
    if strange:
        raise _link(min(strange, key=byte_order))  # one of several, the same for every verifier
    return files


def _check_count(count: int) -> None:
    if count > MAX_ENTRIES:
        message = f"the folder holds more than {MAX_ENTRIES} files and folders: a kit never has so many"
        raise VerificationError(Reason.CONTAINER_LIMIT_EXCEEDED, message)


def _link(name: str) -> VerificationError:
    message = f"{shown(name)} is a link or a device, not a file"
    return VerificationError(Reason.CONTAINER_LINK, message, (name,))


def _opener(path: Path, name: str, listed: os.stat_result) -> Callable[[], BinaryIO]:
    """Opens the file that was listed, and no other: a path can be made another file before it is read."""

    def opened() -> BinaryIO:
        try:
            stream = open_regular(path, follow=False)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):  # a link (FreeBSD: EMLINK), a device
                raise _link(name) from error
            raise
        found = os.fstat(stream.fileno())
        if listed.st_ino and (found.st_dev, found.st_ino) != (listed.st_dev, listed.st_ino):
            stream.close()
            message = f"{shown(name)} was changed while it was read"
            raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message, (name,))
        return stream

    return opened


def _os_message(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"
