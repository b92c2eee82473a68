"""Names: of packets and kits, of objects in the private store, of records in a kit."""

import re
import unicodedata
from pathlib import PurePosixPath

from ulid import ULID

from issuer.intake.media import extension, named_type
from issuer.model import Record
from issuer.ports import Entropy

RECORDS, SEALED, KITS = "records/", "sealed/", "kits/"
"""Folders of the private store; `issuer.kits.terms` says when their contents expire."""

RECORD_OBJECT = re.compile(rf"{RECORDS}(pkt_[0-9A-Z]+)/rec_[0-9A-Z]+")
"""The names that `record_object` gives, with the packet's id."""
SEALED_OBJECT = re.compile(rf"{SEALED}([0-9a-f]{{64}})\.zip")
"""The names that `sealed_object` gives, with the digest."""

_RANDOM_LENGTH = 10
_SLUG_MAX = 48
_ENDINGS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "xml",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "message/rfc822": "eml",
    "text/csv": "csv",
    "text/plain": "txt",
}
"""The usual ending of each `MediaType`."""


def make_id(prefix: str, now: float, entropy: Entropy) -> str:
    """`<prefix>_` and a ULID, so that ids sort by time: milliseconds of `now`, then 80 random bits."""
    milliseconds = int(now * 1000).to_bytes(6, "big")
    return f"{prefix}_{ULID.from_bytes(milliseconds + entropy.token(_RANDOM_LENGTH))}"


def record_object(packet_id: str, record: Record) -> str:
    """The object of a record's bytes."""
    return f"{RECORDS}{packet_id}/{record.record_id}"


def sealed_object(kit_digest: bytes) -> str:
    """The object of a sealed kit, named by its digest."""
    return f"{SEALED}{kit_digest.hex()}.zip"


def delivered_object(kit_id: str) -> str:
    """The object of a delivered kit."""
    return f"{KITS}{kit_id}.zip"


def record_path(number: int, name: str, media_type: str) -> str:
    """`records/<NNN>-<slug>[.<ext>]` for record `number` (1 … 999) with the client's file name `name`.

    REG-1.0 section 6 has the form; the slug is what is left of the name in lower-case ASCII. A name that ends
    as no accepted type does (`letter`, `report.v2`, `example.com`) gets the ending of its media type, so that
    the file opens with a double click, and in its type's program alone.
    """
    # A browser on Windows may send a path with backslashes; only the last part is the name.
    path = PurePosixPath(name.replace("\\", "/"))
    known = named_type(path.name) is not None
    slug = re.sub(r"[^a-z0-9]+", "-", _plain(path.stem if known else path.name)).strip("-")
    slug = slug[:_SLUG_MAX].strip("-") or "record"
    return f"records/{number:03}-{slug}.{extension(path.name) if known else _ENDINGS[media_type]}"


def _plain(text: str) -> str:
    """Lower-case ASCII letters and what else is ASCII; accents are dropped, other scripts vanish."""
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").decode("ascii").lower()
