"""What verification looks at: a kit's documents, parsed once, and what the verifier trusts.

A document that does not parse is reported by the one step it is home to; every other step that
needs it is not reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from attestlayer.encoding import Hash
from attestlayer.errors import Reason, Remark, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.intake_report import IntakeReport, parse_report
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
    Manifest,
    parse_manifest,
)
from attestlayer.kit.nonce import Nonce, parse_nonce
from attestlayer.kit.receipt import Receipt, parse_receipt
from attestlayer.kit.trail import Trail, parse_trail
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.keyring import Keyring
from attestlayer.log.leaf import LeafRecord
from attestlayer.log.registry_receipt import RegistryReceipt, parse_registry_receipt
from attestlayer.log.trust import TrustRoot

T = TypeVar("T")


class NotReachedError(Exception):
    """A step's input failed in another step."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Something to know about a kit that does not make it fail."""

    remark: Remark
    message: str


Finding = VerificationError | Aside


@dataclass(frozen=True, slots=True)
class Anchors:
    """What the verifier was given: keys and, from a trust root, a checkpoint, witnesses and notices.

    With a JWKS alone `trust` is None: witnesses and notices can't be checked then.
    """

    keyring: Keyring
    trust: TrustRoot | None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The trust root's checkpoint."""
        return self.trust.checkpoint if self.trust else None


def anchors_of(trust: TrustRoot) -> Anchors:
    """The anchors that a trust root gives."""
    return Anchors(trust.keyring, trust)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """A parsed document, or why there is none."""

    value: T | None
    error: VerificationError | None

    def at_home(self) -> T:
        """The document, in the step that reports its failure. Raises `VerificationError`."""
        if self.error is not None:
            raise self.error
        return self.needed()

    def needed(self) -> T:
        """The document, in any other step. Raises `NotReachedError`."""
        if self.value is None:
            raise NotReachedError
        return self.value


class Evidence:
    """A kit under verification. `sealed_as`: the leaf that a kit not yet in the log is to get."""

    def __init__(self, kit: Kit, anchors: Anchors, sealed_as: LeafRecord | None = None) -> None:
        self.kit = kit
        self.anchors = anchors
        self.sealed_as = sealed_as

    def document(self, name: str) -> bytes:
        """A member's bytes. Raises `VerificationError` (file-missing; registry-receipt-missing)."""
        data = self.kit.documents.get(name)
        if data is None:
            reason = Reason.REGISTRY_RECEIPT_MISSING if name == REGISTRY_RECEIPT else Reason.FILE_MISSING
            raise VerificationError(reason, f"{name} is missing", (name,))
        return data

    def document_hash(self, name: str) -> Hash:
        """SHA-256 of a member that other documents name; not reached if it is missing."""
        if name not in self.kit.members:
            raise NotReachedError
        return self.kit.members[name].sha256

    @cached_property
    def manifest(self) -> Outcome[Manifest]:
        """manifest.json; home: step 2."""
        return self.parse(MANIFEST, parse_manifest)

    @cached_property
    def trail(self) -> Outcome[Trail]:
        """hash_trail.json; home: step 5."""
        return self.parse(HASH_TRAIL, parse_trail)

    @cached_property
    def receipt(self) -> Outcome[Receipt]:
        """receipt.json; home: step 6."""
        return self.parse(RECEIPT, parse_receipt)

    @cached_property
    def report(self) -> Outcome[IntakeReport]:
        """intake_report.json; home: step 6."""
        return self.parse(INTAKE_REPORT, parse_report)

    @cached_property
    def registry_receipt(self) -> Outcome[RegistryReceipt]:
        """registry/registry_receipt.json; home: step 9."""
        return self.parse(REGISTRY_RECEIPT, parse_registry_receipt)

    @cached_property
    def nonce(self) -> Outcome[Nonce]:
        """registry/client_nonce.txt; home: step 14."""
        return self.parse(CLIENT_NONCE, parse_nonce)

    @cached_property
    def nonce_checkpoint(self) -> Outcome[Checkpoint]:
        """registry/nonce_checkpoint.json; home: step 14."""
        return self.parse(NONCE_CHECKPOINT, parse_checkpoint)

    def manifest_root(self) -> Hash:
        """The Merkle root over the manifest's entries."""
        return self.manifest.needed().root()

    def leaf_record(self) -> LeafRecord:
        """The leaf: the registry receipt's, or the one about to be stored."""
        return self.sealed_as or self.registry_receipt.needed().record

    def not_before(self) -> int | None:
        """The time that the nonce's checkpoint shows, or None if it shows none."""
        if self.nonce.needed().checkpoint is None:
            return None
        checkpoint = self.nonce_checkpoint.needed()
        key = self.anchors.keyring.keys[checkpoint.kid]
        return checkpoint.timestamp if key.revoked_at is None else None

    def parse(self, name: str, parse: Callable[[bytes], T]) -> Outcome[T]:
        """A member as its parser reads it."""
        try:
            return Outcome(parse(self.document(name)), None)
        except VerificationError as error:
            error.files = error.files or (name,)
            return Outcome(None, error)
