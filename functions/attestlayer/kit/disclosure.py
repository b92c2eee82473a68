"""The disclosure, `disclosure.json`: one record's manifest entry, and its way to the manifest root.

With the record, the receipt, the client nonce and the registry receipt it makes a *disclosed record*, which
shows one record of a kit and nothing of the others (REG-1.0 section 13, decision 12).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_constant,
    take_document,
    take_hash,
    take_object,
    take_string,
)
from attestlayer.encoding import Hash, format_hash, shown
from attestlayer.errors import Reason, malformed
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    DISCLOSURE,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
    ManifestFile,
    is_record,
    parse_manifest,
    take_file,
)
from attestlayer.log.merkle import leaf_hash, node_hash, prove_inclusion, root_of

MAX_WAY = 10
"""Hashes of the longest way: a manifest lists at most 999 records and five other files."""

LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, slots=True)
class Sibling:
    """A hash of the audit path, and its side."""

    side: str
    hash: Hash

    def members(self) -> Members:
        """The sibling as a JSON object, side and hash."""
        return {"hash": format_hash(self.hash), "side": self.side}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A record's manifest entry and its way to the root. How many files there are it does not say.

    Nor could it: a manifest root commits to its leaves, not to their number.
    """

    file: ManifestFile
    path: tuple[Sibling, ...]

    def root(self) -> Hash:
        """The manifest root that the audit path leads to."""
        hashed = leaf_hash(format_json(self.file.members()))
        # The side is stated, since neither index nor size of the manifest is disclosed.
        for sibling in self.path:
            pair = (sibling.hash, hashed) if sibling.side == LEFT else (hashed, sibling.hash)
            hashed = node_hash(*pair)
        return hashed

    def format(self) -> bytes:
        """The canonical bytes of `disclosure.json`."""
        path: list[Json] = [sibling.members() for sibling in self.path]
        return format_json(
            {"schema": "attestlayer/disclosure/1", "file": self.file.members(), "audit_path": path}
        )


def parse_disclosure(data: bytes) -> Disclosure:
    """A disclosure. Raises `FormatError` (manifest-malformed), `CouldNotCheckError`."""
    with malformed(Reason.MANIFEST_MALFORMED, DISCLOSURE):
        members = take_document(parse_json(data), "disclosure", ("audit_path", "file"))
        file, path = take_file(members["file"]), take_array(members, "audit_path")
        if not is_record(file.path):
            raise ValueError(f"file: {shown(file.path)} is not a record's path")
        if len(path) > MAX_WAY:
            raise ValueError(f"audit_path: {len(path)} hashes, at most {MAX_WAY} are possible")
        return Disclosure(file, tuple(_take_sibling(item) for item in path))


def _take_sibling(value: Json) -> Sibling:
    members = take_object(value, ("hash", "side"))
    side = take_string(members, "side")
    if side != LEFT:
        take_constant(members, "side", RIGHT)
    return Sibling(side, take_hash(members, "hash"))


def disclose(documents: Mapping[str, bytes], path: str) -> dict[str, bytes]:
    """The members of the disclosed record but for the record itself. `documents`: a verified kit's.

    Raises `ValueError` if the kit has no record of that name.
    """
    files = parse_manifest(documents[MANIFEST]).files
    index = next((n for n, file in enumerate(files) if file.path == path), None)
    if index is None or not is_record(path):
        raise ValueError(f"{shown(path)} is not a record of the kit")
    leaves = [leaf_hash(format_json(file.members())) for file in files]
    names = (RECEIPT, CLIENT_NONCE, NONCE_CHECKPOINT, REGISTRY_RECEIPT)
    shown_members = {name: documents[name] for name in names if name in documents}
    disclosure = Disclosure(files[index], _way(leaves, index))
    return {**shown_members, DISCLOSURE: disclosure.format()}


def _way(leaves: Sequence[Hash], index: int) -> tuple[Sibling, ...]:
    """The audit path of RFC 6962 section 2.1.1 with the side of each hash."""
    hashes = prove_inclusion(
        index, len(leaves), lambda level, at: root_of(leaves[at << level : (at + 1) << level])
    )
    sides: list[str] = []
    fn, sn = index, len(leaves) - 1
    while sn:  # RFC 9162 section 2.1.3.2 step 4: a level without a sibling has no hash
        if fn & 1:
            sides.append(LEFT)
        elif fn < sn:
            sides.append(RIGHT)
        fn, sn = fn >> 1, sn >> 1
    return tuple(Sibling(side, hashes[n]) for n, side in enumerate(sides))
