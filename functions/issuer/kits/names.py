"""Names of records in a kit, made from the client's file names (REG-1.0 section 6)."""

import re
import unicodedata
from pathlib import PurePosixPath

_SLUG_MAX = 48
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


def record_path(number: int, name: str) -> str:
    """`records/<NNN>-<slug>[.<ext>]` for record `number` (1 … 999) with the client's file name `name`."""
    path = PurePosixPath(name.replace("\\", "/"))
    extension = _plain(path.suffix.removeprefix("."))
    known = _EXTENSION.fullmatch(extension) is not None
    slug = re.sub(r"[^a-z0-9]+", "-", _plain(path.stem if known else path.name)).strip("-")
    slug = slug[:_SLUG_MAX].strip("-") or "record"
    return f"records/{number:03}-{slug}" + (f".{extension}" if known else "")


def _plain(text: str) -> str:
    """Lower-case ASCII letters and what else is ASCII; accents are dropped, other scripts vanish."""
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").decode("ascii").lower()
