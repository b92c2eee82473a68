"""What the operator's audit finds, and the examiner that reads private objects and notes what is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from attestlayer.audit.findings import difference
from attestlayer.encoding import sha256
from issuer.errors import StoreError
from issuer.log.store import LogPorts
from issuer.ports import ObjectStore, Signer


class Word(StrEnum):
    """Why private state is not what it should be: a closed list."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    BYTES_DIFFER = "bytes-differ"
    HASH_MISMATCH = "hash-mismatch"
    ROOT_MISMATCH = "root-mismatch"
    HEAD_MISMATCH = "head-mismatch"
    PUBLIC_DIFFERS = "public-differs"
    CHAIN_BROKEN = "chain-broken"
    ORIGIN_MISMATCH = "origin-mismatch"
    FACE_AHEAD = "face-ahead"
    FACE_BEHIND = "face-behind"
    KEY_NOT_VALID = "key-not-valid"
    KEY_MISSING = "key-missing"
    KEY_UNKNOWN = "key-unknown"
    SIGNATURE_INVALID = "signature-invalid"
    QUORUM_NOT_MET = "quorum-not-met"
    LEDGER_DAMAGED = "ledger-damaged"
    LEDGER_AHEAD = "ledger-ahead"
    LEDGER_BEHIND = "ledger-behind"
    NONCE_MISSING = "nonce-missing"
    NOTICE_REFUSED = "notice-refused"
    RECEIPT_MISMATCH = "receipt-mismatch"
    STRAY = "stray"
    ORPHAN = "orphan"
    ROUND_OPEN = "round-open"
    SUPERSEDED = "superseded"
    UNCOMMITTED = "uncommitted"


NOTES = frozenset({Word.ORPHAN, Word.ROUND_OPEN, Word.SUPERSEDED, Word.UNCOMMITTED})
"""Words for what a killed or beaten writer leaves behind: worth knowing, no finding."""

LEDGER = "ledger"
"""What findings in the ledger are about, instead of an object."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or a note: the private object's name, the word, what was found and wanted."""

    object: str
    reason: Word
    detail: str


Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""


@dataclass(frozen=True)
class AuditPorts:
    """What the audit works on: the log's ports, the issuer's keys by kid, a folder for copies."""

    log: LogPorts
    issuers: Mapping[str, Signer]
    scratch: Path | None = None


@dataclass
class Examiner:
    """Reads private objects; findings and counts gather here."""

    ports: AuditPorts
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    objects: int = 0
    length: int = 0

    @property
    def private(self) -> ObjectStore:
        """The private store."""
        return self.ports.log.private

    @property
    def public(self) -> ObjectStore:
        """The public store."""
        return self.ports.log.public

    def find(self, name: str, reason: Word, detail: object) -> None:
        """Note a finding, or what is only a note."""
        self.findings.append(Finding(name, reason, str(detail)))

    def count(self, length: int) -> None:
        """Count an object that was read."""
        self.objects += 1
        self.length += length

    def need(self, name: str) -> bytes | None:
        """A private object that must be there and readable."""
        try:
            data = self.private.read(name)
        except StoreError as error:
            self.find(name, Word.UNREADABLE, error.detail)
            return None
        self.count(len(data or b""))
        if data is None:
            self.find(name, Word.MISSING, "found no object, wanted one")
        return data

    def compare(self, name: str, found: bytes, wanted: bytes, reason: Word = Word.BYTES_DIFFER) -> bool:
        """Whether bytes are what they must be; else a finding says where they part."""
        if found != wanted:
            self.find(name, reason, difference(found, wanted))
        return found == wanted

    def hashes(self, name: str, data: bytes, wanted: bytes) -> bool:
        """Whether an object has the hash that its name or a record gives; else a finding."""
        return self.hashed(name, sha256(data), len(data), wanted)

    def hashed(self, name: str, found: bytes, length: int, wanted: bytes) -> bool:
        """As `hashes`, where only the hash and the length are at hand."""
        if found != wanted:
            detail = f"its {length} bytes hash to {found.hex()}, wanted {wanted.hex()}"
            self.find(name, Word.HASH_MISMATCH, detail)
        return found == wanted
