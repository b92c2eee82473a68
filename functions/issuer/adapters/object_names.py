"""The names that objects may have (`issuer.ports.ObjectStore`): the same in a folder and in a bucket."""

import re

from attestlayer.encoding import shown

_PART = re.compile(r"[A-Za-z0-9._-]{1,255}")  # 255: NAME_MAX of POSIX file systems
_PREFIX = re.compile(r"[A-Za-z0-9._/-]*")
_NAME_MAX = 1024  # bytes; the longest key that S3 takes, so that any store can move there


def is_name(text: str) -> bool:
    """Whether an object may have this name."""
    # No empty part, and none of dots alone: `.` and `..` mean other folders on a file system.
    parts = text.split("/")
    return len(text) <= _NAME_MAX and all(_PART.fullmatch(part) and part.strip(".") for part in parts)


def check_name(text: str) -> None:
    """Check an object's name. Raises `ValueError`, an error of ours: no user chooses these names."""
    if not is_name(text):
        raise ValueError(f"{shown(text)} is not an object name")


def folder_of(prefix: str) -> str:
    """The prefix up to its last slash, which may be empty. Raises `ValueError` if no name begins with it."""
    folder, slash, _ = prefix.rpartition("/")
    if not _PREFIX.fullmatch(prefix) or (slash and not is_name(folder)):
        raise ValueError(f"{shown(prefix)} does not begin any object name")
    return folder + slash
