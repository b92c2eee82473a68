"""The contents of a folder or of a ZIP: the kit's members, names that no kit has, and what is ignored.

Decides by names and sizes alone, before anything is read (REG-1.0 section 6.6).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from attestlayer.encoding import byte_order, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.manifest import DISCLOSURE, RECEIPT, is_disclosed_member, is_member

MAX_ENTRIES = 3100
"""Files and folders of a folder or a ZIP: 999 records, nine members, 2,000 ignored files, some folders."""
MAX_IGNORED = 2000
MAX_IGNORED_LENGTH = 16 * 1024 * 1024
"""Bytes of all ignored files together."""

_LARGE, _SMALL = 1024 * 1024, 4096
_NAMED = 10


@dataclass(frozen=True, slots=True)
class File:
    """A file of a folder or a ZIP: its path, its size in bytes, and how to open its content.

    `crc32`: the CRC-32 that a ZIP states.
    """

    path: str
    size: int
    open: Callable[[], BinaryIO]
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """Files by member name, in byte order; `is_moved`: all were in one top folder."""

    members: Mapping[str, File]
    unexpected: tuple[str, ...]
    ignored: tuple[str, ...]
    is_moved: bool


def arrange(files: Iterable[File]) -> Contents:
    """The contents that these files are.

    Raises `VerificationError` (container-limit-exceeded), `CouldNotCheckError` (input-not-a-kit).
    """
    ordered = sorted(files, key=lambda file: byte_order(file.path))
    ignored = [file for file in ordered if _is_ignored(file)]
    _check_ignored(ignored)
    kept = {file.path: file for file in ordered if not _is_ignored(file)}
    top = _top_folder(kept)
    named = {name[len(top) :]: file for name, file in kept.items()}
    _check_no_kits(named)
    belongs = is_disclosed_member if DISCLOSURE in named else is_member
    return Contents(
        {name: file for name, file in named.items() if belongs(name)},
        tuple(name for name in named if not belongs(name)),
        tuple(file.path for file in ignored),
        bool(top),
    )


def shown_names(names: Iterable[str]) -> str:
    """Names as a message shows them: ten, and how many more there are."""
    every = [shown(name) for name in names]
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def _is_ignored(file: File) -> bool:
    *folders, last = byte_order(file.path).lower().split(b"/")  # bytes: only A to Z are folded
    if b"@eadir" in folders:
        return file.size <= _LARGE and (b"@syno" in last or last.startswith(b"syno"))
    if last in {b".ds_store", b"thumbs.db", b"ehthumbs.db"} or last.startswith(b"._"):
        return file.size <= _LARGE
    return file.size <= _SMALL and _is_small_leftover(last)


def _is_small_leftover(last: bytes) -> bool:
    return (
        last in {b"desktop.ini", b".localized", b".directory", b"icon\r"}
        or last.startswith(b"~$")
        or (last.startswith(b".~lock.") and last.endswith(b"#"))
        or last.endswith(b":zone.identifier")
    )


def _check_ignored(ignored: list[File]) -> None:
    length = sum(file.size for file in ignored)
    if len(ignored) > MAX_IGNORED or length > MAX_IGNORED_LENGTH:
        raise VerificationError(
            Reason.CONTAINER_LIMIT_EXCEEDED,
            f"{len(ignored)} files with {length} bytes that systems leave behind, where at most "
            f"{MAX_IGNORED} with {MAX_IGNORED_LENGTH} are ignored: delete them and check again",
        )


def _top_folder(names: Iterable[str]) -> str:
    """The one folder that everything is in, with its slash, unless the kit is at the top."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    top = tops.pop() if len(tops) == 1 else ""
    return f"{top}/" if top else ""


def _check_no_kits(names: Iterable[str]) -> None:
    """Refuse a folder of kits: which of them is meant can't be known."""
    kits = {name for name in names if "/" not in name and byte_order(name).lower().endswith(b".zip")}
    for name in names:
        folder, _, rest = name.partition("/")
        if rest in {RECEIPT, DISCLOSURE}:
            kits.add(f"{folder}/")
    if kits and not {RECEIPT, DISCLOSURE} & set(names):
        found = sorted(kits, key=byte_order)
        message = f"it is no kit, but holds kits: {shown_names(found)}; check each of them by itself"
        raise CouldNotCheckError(Reason.INPUT_NOT_A_KIT, message)
