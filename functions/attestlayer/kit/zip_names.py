"""The names of a ZIP's entries, read in one way only (REG-1.0 section 6.8)."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from attestlayer.encoding import shown
from attestlayer.kit.container import ambiguous

_ODD = re.compile(rb"[\x00-\x1f\x7f:\\]")
_DOWNLOADED = b":zone.identifier"


def read_paths(names: Sequence[tuple[bytes, int]]) -> list[bytes]:
    """The path of each entry, by its name and the host of its maker; one of a folder ends in a slash.

    The path of the entry `./` is empty. Raises `VerificationError` (container-ambiguous).
    """
    has_slash = any(b"/" in name for name, _ in names)
    paths = [_read_path(name, host == 0 and not has_slash) for name, host in names]
    _check_different([path for path in paths if path])
    return paths


def name_text(name: bytes) -> str:
    """A name as text, in which bytes that are no UTF-8 stand as they do in a folder's names."""
    return name.decode("utf-8", "surrogateescape")


def _read_path(name: bytes, may_have_backslash: bool) -> bytes:
    path = name.replace(b"\\", b"/") if may_have_backslash else name
    if path == b"./":
        return b""
    path = path[2:] if path.startswith(b"./") else path
    folded = path.lower()
    parts = (folded[:-1] if folded.endswith(b"/") else folded).split(b"/")
    if not {b"", b".", b".."}.isdisjoint(parts):
        raise ambiguous(f"the name {shown(name_text(name))} leads elsewhere")
    if parts[-1] in {b"icon\r", b"._icon\r"}:
        parts[-1] = parts[-1][:-1]
    elif parts[-1].endswith(_DOWNLOADED):
        parts[-1] = parts[-1][: -len(_DOWNLOADED)]
    if _ODD.search(b"/".join(parts)):
        raise ambiguous(f"the name {shown(name_text(name))} holds what systems read differently")
    return path


def _check_different(paths: Sequence[bytes]) -> None:
    """No two names are one on a system that folds A to Z, and none is a file and a folder at once."""
    folded = sorted(path.lower() for path in paths)
    for one, other in pairwise(folded):
        if one == other:
            raise ambiguous(f"two entries are named {shown(name_text(one))}, with A to Z folded")
    for path in folded:
        if not path.endswith(b"/"):
            at = bisect_left(folded, path + b"/")
            if at < len(folded) and folded[at].startswith(path + b"/"):
                raise ambiguous(f"{shown(name_text(path))} is a file and a folder, with A to Z folded")
