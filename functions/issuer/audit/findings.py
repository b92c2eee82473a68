"""What the operator's audit finds, and the examiner that reads private objects and notes what is wrong."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from attestlayer.audit.findings import difference
from attestlayer.encoding import sha256
from issuer.errors import StoreError
from issuer.log.store import LogPorts
from issuer.ports import ObjectStore, Signer


class PrivateReason(StrEnum):
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


NOTES = frozenset(
    {PrivateReason.ORPHAN, PrivateReason.ROUND_OPEN, PrivateReason.SUPERSEDED, PrivateReason.UNCOMMITTED}
)
"""Reasons for what a killed or beaten writer leaves behind: worth knowing, no finding."""

LEDGER = "ledger"
"""What findings in the ledger are about, instead of an object."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or a note.

    `object`: a private object's name, leaf hash, packet id or ledger line. `reason`: of one closed list;
    `detail`: what was found and wanted.
    """

    object: str
    reason: StrEnum
    detail: str


Seen = TypeVar("Seen")


def look_twice(
    look: Callable[[], tuple[Seen, list[Finding]]], notes: Collection[StrEnum]
) -> tuple[Seen, list[Finding]]:
    """Look, and look again if anything but notes was found: what both looks found counts.

    The service may be at work meanwhile, and what is half done at one look is done at the next.
    """
    seen, findings = look()
    if all(each.reason in notes for each in findings):
        return seen, findings
    before = {(each.object, each.reason) for each in findings}
    seen, findings = look()
    return seen, [each for each in findings if (each.object, each.reason) in before]


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

    def find(self, name: str, reason: PrivateReason, detail: object) -> None:
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
            self.find(name, PrivateReason.UNREADABLE, error.detail)
            return None
        self.count(len(data or b""))
        if data is None:
            self.find(name, PrivateReason.MISSING, "found no object, wanted one")
        return data

    def compare(
        self, name: str, found: bytes, wanted: bytes, reason: PrivateReason = PrivateReason.BYTES_DIFFER
    ) -> bool:
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
            self.find(name, PrivateReason.HASH_MISMATCH, detail)
        return found == wanted
