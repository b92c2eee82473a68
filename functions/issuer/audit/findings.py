"""Findings of the operator's audit, and the inspection that reads private objects and collects them."""

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
    """What is wrong with private state: a closed list of words that operators see."""

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
    KEPT_TOO_LONG = "kept-too-long"
    STRAY = "stray"
    ORPHAN = "orphan"
    ROUND_OPEN = "round-open"
    SUPERSEDED = "superseded"
    UNCOMMITTED = "uncommitted"


NOTES = frozenset(
    {PrivateReason.ORPHAN, PrivateReason.ROUND_OPEN, PrivateReason.SUPERSEDED, PrivateReason.UNCOMMITTED}
)
"""Reasons for traces of writers that were killed or lost a race: reported as notes, not as findings."""

LEDGER = "ledger"
"""The `object` of findings about the ledger, which is no object of a store."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect or note.

    `object`: name of a private object, leaf hash, packet id or id of a ledger line. `reason`: a member of
    `PrivateReason` or `LedgerReason`. `detail`: a sentence with the values found and wanted.
    """

    object: str
    reason: StrEnum
    detail: str


Seen = TypeVar("Seen")


def look_twice(
    look: Callable[[], tuple[Seen, list[Finding]]], notes: Collection[StrEnum]
) -> tuple[Seen, list[Finding]]:
    """Run `look`, and run it again if it found more than notes. Only findings of both looks are returned.

    The service may work meanwhile: an operation that is half done at the first look is done at the second,
    while a real defect stays. So there are no false alarms, at twice the cost when something is wrong.
    """
    seen, findings = look()
    if all(each.reason in notes for each in findings):
        return seen, findings
    # By object and reason: the detail of a real defect may change meanwhile, such as an age.
    before = {(each.object, each.reason) for each in findings}
    seen, findings = look()
    return seen, [each for each in findings if (each.object, each.reason) in before]


Progress = Callable[[str, int, int], None]
"""Called with the kind of work, how many steps are done, and of how many."""


@dataclass(frozen=True)
class AuditPorts:
    """What the audit needs. `issuers`: the issuer's keys by kid; `scratch`: folder for copies of objects."""

    log: LogPorts
    issuers: Mapping[str, Signer]
    scratch: Path | None = None


@dataclass
class Inspection:
    """One pass over private state: reads objects, counts them, and collects findings."""

    ports: AuditPorts
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    objects: int = 0
    length: int = 0

    @property
    def private(self) -> ObjectStore:
        """The store whose objects are audited."""
        return self.ports.log.private

    @property
    def public(self) -> ObjectStore:
        """The registry, to compare with; the core's audit checks the registry itself."""
        return self.ports.log.public

    def find(self, name: str, reason: PrivateReason, detail: object) -> None:
        """Add a finding or a note; which one it is follows from `reason`."""
        self.findings.append(Finding(name, reason, str(detail)))

    def count(self, length: int) -> None:
        """Count one object of `length` bytes as read."""
        self.objects += 1
        self.length += length

    def need(self, name: str) -> bytes | None:
        """The bytes of a private object that must exist.

        None, with a finding, if it is missing or unreadable.
        """
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
        """Whether the bytes are equal. If not, a finding says where they begin to differ."""
        if found != wanted:
            self.find(name, reason, difference(found, wanted))
        return found == wanted

    def hashes(self, name: str, data: bytes, wanted: bytes) -> bool:
        """Whether the object's bytes have the SHA-256 that its name or a record states.

        If not, adds a finding.
        """
        return self.hashed(name, sha256(data), len(data), wanted)

    def hashed(self, name: str, found: bytes, length: int, wanted: bytes) -> bool:
        """As `hashes`, for an object of which only SHA-256 and length are known."""
        if found != wanted:
            detail = f"its {length} bytes hash to {found.hex()}, wanted {wanted.hex()}"
            self.find(name, PrivateReason.HASH_MISMATCH, detail)
        return found == wanted
