"""What a file is, judged by its content: the closed lists, and what recognising it came to."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

MAX_SIZE = 100 * 1024 * 1024
"""Bytes of the largest record: the records of one kit are at most this in all (REG-1.0 section 6)."""
MAX_JSON_SIZE = 10 * 1024 * 1024
"""Bytes of the largest JSON record: parsed whole, it takes up to 25 times its size in memory."""
MAX_MAIL_SIZE = 25 * 1024 * 1024
"""Bytes of the largest mail message: mail servers' usual limit. It is parsed whole too."""


class MediaType(StrEnum):
    """The media types that a policy may accept; each is recognised by its content, never by its name."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    PNG = "image/png"
    JPEG = "image/jpeg"
    CSV = "text/csv"
    JSON = "application/json"
    TXT = "text/plain"
    EML = "message/rfc822"
    ZIP = "application/zip"

    @property
    def label(self) -> str:
        """What people call it: `PDF`, `DOCX`, `EML` …"""
        return self.name


class FlawKind(StrEnum):
    """Why a file can't be taken, whatever the policy. Each is a `GeneralCheck` of the same word."""

    EMPTY = "not-empty"
    TOO_LARGE = "not-too-large"
    UNRECOGNISED = "recognised"
    UNREADABLE = "readable"
    ENCRYPTED = "not-encrypted"
    EXECUTABLE = "no-executables"
    MACROS = "no-macros"
    NESTED_ARCHIVE = "no-nested-archives"
    EXPANDS = "expands-within-bounds"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a file. `found` says what and where, as half a sentence for people."""

    kind: FlawKind
    found: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is. `media_type` is None if that can't be said; `flaws` are all that was found wrong."""

    media_type: MediaType | None
    flaws: tuple[Flaw, ...] = ()


_BY_EXTENSION = {
    "pdf": MediaType.PDF,
    "docx": MediaType.DOCX,
    "xlsx": MediaType.XLSX,
    "png": MediaType.PNG,
    "jpg": MediaType.JPEG,
    "jpeg": MediaType.JPEG,
    "csv": MediaType.CSV,
    "json": MediaType.JSON,
    "txt": MediaType.TXT,
    "eml": MediaType.EML,
    "zip": MediaType.ZIP,
}
# What systems leave in folders and archives; nobody means them as records. Finder writes AppleDouble files
# (`._name`, in archives under __MACOSX), Office a lock file (`~$name`) while a document is open.
_LEFT_BY_SYSTEMS = frozenset(
    {".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".localized", "ehthumbs.db"}
)
_LEFT_STARTS = ("._", "~$")


def extension(name: str) -> str:
    """The lower-case extension of a file name without its point; empty if there is none."""
    return PurePosixPath(name.replace("\\", "/").replace("\0", "")).suffix[1:].lower()


def named_type(name: str) -> MediaType | None:
    """The accepted media type that a file name's extension claims, or None."""
    return _BY_EXTENSION.get(extension(name))


def is_left_by_system(path: str) -> bool:
    """Whether a path in a folder or archive is what macOS, Windows or Office leave beside people's files."""
    parts = path.replace("\\", "/").lower().split("/")
    return any(part in _LEFT_BY_SYSTEMS for part in parts) or parts[-1].startswith(_LEFT_STARTS)


def list_labels(media_types: tuple[MediaType, ...]) -> str:
    """Media types as a sentence lists them: `PDF, DOCX or EML`."""
    labels = [media_type.label for media_type in media_types]
    return " or ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
