"""The manifest: names, sizes, salted hashes of a kit's files, and the Merkle root over them.

Also the names that a kit's members can have (REG-1.0 section 6).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
    take_object,
    take_string,
    take_value,
)
from attestlayer.encoding import Hash, format_base64url, format_hash, parse_base64url, parse_kit_id, shown
from attestlayer.errors import Reason, malformed
from attestlayer.log.merkle import leaf_hash, root_of

README = "README.txt"
BINDER = "binder.pdf"
HASH_TRAIL = "hash_trail.json"
INTAKE_REPORT = "intake_report.json"
MANIFEST = "manifest.json"
RECEIPT = "receipt.json"
CLIENT_NONCE = "registry/client_nonce.txt"
NONCE_CHECKPOINT = "registry/nonce_checkpoint.json"
REGISTRY_RECEIPT = "registry/registry_receipt.json"
DISCLOSURE = "disclosure.json"
"""Makes a container a disclosed record; no kit has it."""

UNLISTED = frozenset({HASH_TRAIL, MANIFEST, RECEIPT, REGISTRY_RECEIPT})
"""Members that the manifest does not list: they come after it or hold it."""

_WITH_DISCLOSURE = frozenset({DISCLOSURE, RECEIPT, CLIENT_NONCE, NONCE_CHECKPOINT, REGISTRY_RECEIPT})

ALWAYS_LISTED = frozenset({README, BINDER, INTAKE_REPORT, CLIENT_NONCE})

MAX_RECORDS = 999
MAX_RECORDS_LENGTH = 100 * 1024 * 1024
"""Bytes of all records together."""
MAX_MEMBER_LENGTH = 16 * 1024 * 1024
"""Bytes of the largest members that are no records."""
MAX_MEMBER_LENGTHS = {
    BINDER: MAX_MEMBER_LENGTH,
    INTAKE_REPORT: MAX_MEMBER_LENGTH,
    HASH_TRAIL: 2 * 1024 * 1024,
    MANIFEST: 2 * 1024 * 1024,
    REGISTRY_RECEIPT: 256 * 1024,
}
"""Bytes of members that are no records."""
MAX_OTHER_LENGTH = 64 * 1024
"""Bytes of each other member."""

SALT_LENGTH = 16

_RECORD = re.compile(r"records/([0-9]{3})-[a-z0-9-]{1,48}(\.[a-z0-9]{1,8})?")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One listed file. `salt`: 16 bytes, so that a short record can't be guessed from its hash."""

    path: str
    salt: bytes
    sha256: Hash
    size: int

    def members(self) -> Members:
        """The entry as a JSON object, whose canonical bytes are a Merkle leaf."""
        return {
            "path": self.path,
            "salt": format_base64url(self.salt),
            "sha256": format_hash(self.sha256),
            "size": self.size,
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest; `files` in byte order of their paths."""

    kit_id: str
    files: tuple[ManifestFile, ...]

    def format(self) -> bytes:
        """The canonical bytes of `manifest.json`."""
        files: list[Json] = [file.members() for file in self.files]
        return format_json({"schema": "attestlayer/manifest/1", "kit_id": self.kit_id, "files": files})

    def root(self) -> Hash:
        """RFC 6962 tree hash over the canonical bytes of each entry."""
        return root_of(leaf_hash(format_json(file.members())) for file in self.files)

    def records(self) -> list[ManifestFile]:
        """The listed records, in order of their numbers."""
        return [file for file in self.files if is_record(file.path)]


def is_record(path: str) -> bool:
    """Whether `path` is a record's name: `records/<NNN>-<slug>[.<ext>]`."""
    return _RECORD.fullmatch(path) is not None


def is_member(path: str) -> bool:
    """Whether a kit can have a member named `path`."""
    return path in UNLISTED or path in ALWAYS_LISTED or path == NONCE_CHECKPOINT or is_record(path)


def member_limit(path: str) -> int:
    """The most bytes that a member has, which is no record."""
    return MAX_MEMBER_LENGTHS.get(path, MAX_OTHER_LENGTH)


def is_disclosed_member(path: str) -> bool:
    """Whether a disclosed record can have a member named `path`."""
    return path in _WITH_DISCLOSURE or is_record(path)


def parse_manifest(data: bytes) -> Manifest:
    """A manifest. Raises `FormatError` (manifest-malformed), `CouldNotCheckError`."""
    with malformed(Reason.MANIFEST_MALFORMED, MANIFEST):
        members = take_document(parse_json(data), "manifest", ("kit_id", "files"))
        files = tuple(take_file(item) for item in take_array(members, "files"))
        _check_paths([file.path for file in files])
        return Manifest(take_value(members, "kit_id", parse_kit_id), files)


def take_file(value: Json) -> ManifestFile:
    """An entry from parsed JSON. Raises `ValueError`; whether its path can stand there is not checked."""
    members = take_object(value, ("path", "salt", "sha256", "size"))
    return ManifestFile(
        path=take_string(members, "path"),
        salt=take_salt(members, "salt"),
        sha256=take_hash(members, "sha256"),
        size=take_integer(members, "size"),
    )


def take_salt(members: Members, name: str) -> bytes:
    """Member `name` as a salt: 16 bytes, of which only the form can be checked. Raises `ValueError`."""
    return take_value(members, name, lambda text: parse_base64url(text, SALT_LENGTH))


def _check_paths(paths: Sequence[str]) -> None:
    for path in paths:
        if path in UNLISTED or not is_member(path):
            raise ValueError(f"files: {shown(path)} is not a path that a manifest lists")
    if any(left >= right for left, right in pairwise(paths)):  # names are ASCII
        raise ValueError("files: not in byte order of their paths, or one occurs twice")
    if missing := ALWAYS_LISTED - set(paths):
        raise ValueError(f"files: {', '.join(sorted(missing))} not listed")
    numbers = [int(match[1]) for path in paths if (match := _RECORD.fullmatch(path))]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        raise ValueError("files: records are not numbered from 001 without a gap, or there is none")
