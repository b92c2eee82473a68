"""What an audit finds, and the examiner that reads objects and notes what is wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.reading.read_ahead import ReadAhead
from attestlayer.reading.registry import Registry


class Word(StrEnum):
    """Why an object is not what the log says: a closed list."""

    MISSING = "missing"
    MALFORMED = "malformed"
    BYTES_DIFFER = "bytes-differ"
    HASH_MISMATCH = "hash-mismatch"
    ENTRY_MISMATCH = "entry-mismatch"
    ENTRY_REPEATED = "entry-repeated"
    ROOT_MISMATCH = "root-mismatch"
    TREE_UNREADABLE = "tree-unreadable"
    CHAIN_BROKEN = "chain-broken"
    ORDER_WRONG = "order-wrong"
    ORIGIN_MISMATCH = "origin-mismatch"
    KEY_NOT_VALID = "key-not-valid"
    SIGNATURE_INVALID = "signature-invalid"
    QUORUM_NOT_MET = "quorum-not-met"
    NOTICES_REWRITTEN = "notices-rewritten"
    NOTICES_CONTRADICT = "notices-contradict"
    POLICY_MISMATCH = "policy-mismatch"
    PROOF_INVALID = "proof-invalid"
    RECEIPT_MISMATCH = "receipt-mismatch"
    TIME_WRONG = "time-wrong"
    LATE_MERGE = "late-merge"
    TRUST_CONFLICT = "trust-conflict"
    VIEW_OUTDATED = "view-outdated"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the object's name, the word, what was found and what was wanted."""

    object: str
    reason: Word
    detail: str


Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""


@dataclass
class Examiner:
    """Reads objects; findings and counts gather here. O(findings) memory."""

    registry: Registry
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    objects: int = 0
    length: int = 0

    @property
    def ahead(self) -> ReadAhead | None:
        """The registry, if it likes to know what will be read."""
        return self.registry if isinstance(self.registry, ReadAhead) else None

    def find(self, name: str, reason: Word, detail: object) -> None:
        """Note a finding; the same one twice is one."""
        finding = Finding(name, reason, str(detail))
        if not self.findings or self.findings[-1] != finding:
            self.findings.append(finding)

    def read(self, name: str) -> bytes | None:
        """An object that need not be there."""
        data = self.registry.read(name)
        self.objects += 1
        self.length += len(data or b"")
        return data

    def need(self, name: str) -> bytes | None:
        """An object that must be there."""
        data = self.read(name)
        if data is None:
            self.find(name, Word.MISSING, "found no object, wanted one")
        return data

    def need_hashed(self, name: str, wanted: Hash) -> bytes | None:
        """An object that must be there and have the hash of its name; None if it has not."""
        data = self.need(name)
        if data is not None and sha256(data) != wanted:
            found = format_hash(sha256(data))
            self.find(
                name,
                Word.HASH_MISMATCH,
                f"its {len(data)} bytes hash to {found}, wanted {format_hash(wanted)}",
            )
            return None
        return data

    def compare(self, name: str, wanted: bytes, *, needed: bool = True) -> bytes | None:
        """An object that must be exactly `wanted`, if it is there at all or `needed`; what was found."""
        data = self.need(name) if needed else self.read(name)
        if data is not None and data != wanted:
            self.find(name, Word.BYTES_DIFFER, difference(data, wanted))
        return data


def difference(found: bytes, wanted: bytes) -> str:
    """Where two byte strings part: offset, a few bytes of both, lengths."""
    at = next(
        (i for i, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other),
        min(len(found), len(wanted)),
    )
    parts = (found[at : at + 16].hex() or "the end", wanted[at : at + 16].hex() or "the end")
    return f"byte {at}: found {parts[0]}, wanted {parts[1]}; found {len(found)} bytes, wanted {len(wanted)}"
