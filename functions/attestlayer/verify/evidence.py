"""The evidence under verification, its documents parsed once, and the anchors that the verifier trusts.

A missing or malformed document is reported by one step, its home; every other step that needs it is not
reached (REG-1.0 section 12.3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from attestlayer.encoding import Hash
from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.disclosure import Disclosure, parse_disclosure
from attestlayer.kit.intake import IntakeReport, Trail, parse_report, parse_trail
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    DISCLOSURE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
    Manifest,
    ManifestFile,
    parse_manifest,
)
from attestlayer.kit.receipt import Nonce, Receipt, parse_nonce, parse_receipt
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.leaf import LeafRecord, RegistryReceipt, parse_registry_receipt
from attestlayer.log.trust import Keyring, TrustRoot
from attestlayer.verify.report import Kind

T = TypeVar("T")

_NO_KIT = Kit({}, {})


class NotReachedError(Exception):
    """A step's input failed in another step."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The verifier's anchors: keys and, from a trust root, a checkpoint, witnesses and notices.

    With a JWKS alone `trust` is None: witnesses and notices can't be checked then. `now`: the time that
    the trust root's age is judged by, in POSIX seconds; without it, nothing is said of its age.
    """

    keyring: Keyring
    trust: TrustRoot | None
    now: int | None = None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The trust root's checkpoint, or None with a JWKS alone."""
        return self.trust.checkpoint if self.trust else None


def anchors_of(trust: TrustRoot, now: int | None = None) -> Anchors:
    """The anchors that a trust root gives."""
    return Anchors(trust.keyring, trust, now)


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
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
    """A kit, a disclosed record of one, or a registry receipt by itself: `alone`, with a kit of no members.

    `sealed_as`: the leaf that a sealed kit is to get, if it is not in the log yet.
    """

    def __init__(
        self,
        kind: Kind,
        anchors: Anchors,
        kit: Kit = _NO_KIT,
        *,
        alone: RegistryReceipt | None = None,
        sealed_as: LeafRecord | None = None,
    ) -> None:
        self.kind = kind
        self.anchors = anchors
        self.kit = kit
        self.sealed_as = sealed_as
        self._alone = alone

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
    def manifest(self) -> Document[Manifest]:
        """The document manifest.json; its home is step 2."""
        return self.parse(MANIFEST, parse_manifest)

    @cached_property
    def disclosure(self) -> Document[Disclosure]:
        """disclosure.json, which stands for a disclosed record's manifest; home: step 2."""
        return self.parse(DISCLOSURE, parse_disclosure)

    @cached_property
    def trail(self) -> Document[Trail]:
        """The document hash_trail.json; its home is step 5."""
        return self.parse(HASH_TRAIL, parse_trail)

    @cached_property
    def receipt(self) -> Document[Receipt]:
        """The document receipt.json; its home is step 6."""
        return self.parse(RECEIPT, parse_receipt)

    @cached_property
    def report(self) -> Document[IntakeReport]:
        """The document intake_report.json; its home is step 6."""
        return self.parse(INTAKE_REPORT, parse_report)

    @cached_property
    def registry_receipt(self) -> Document[RegistryReceipt]:
        """The document registry/registry_receipt.json; its home is step 9."""
        if self._alone is not None:
            return Document(self._alone, None)
        return self.parse(REGISTRY_RECEIPT, parse_registry_receipt)

    @cached_property
    def nonce(self) -> Document[Nonce]:
        """The document registry/client_nonce.txt; its home is step 14."""
        return self.parse(CLIENT_NONCE, parse_nonce)

    @cached_property
    def nonce_checkpoint(self) -> Document[Checkpoint]:
        """The document registry/nonce_checkpoint.json; its home is step 14."""
        return self.parse(NONCE_CHECKPOINT, parse_checkpoint)

    @property
    def listing(self) -> str:
        """The name of the document that lists the files."""
        return DISCLOSURE if self.kind == Kind.DISCLOSED_RECORD else MANIFEST

    def listed_files(self) -> tuple[ManifestFile, ...]:
        """The manifest's entries, or the one that a disclosed record brings."""
        if self.kind == Kind.DISCLOSED_RECORD:
            return (self.disclosure.needed().file,)
        return self.manifest.needed().files

    def manifest_root(self) -> Hash:
        """The Merkle root over the manifest's entries, or the one that a disclosed record's path leads to."""
        if self.kind == Kind.DISCLOSED_RECORD:
            return self.disclosure.needed().root()
        return self.manifest.needed().root()

    def leaf_record(self) -> LeafRecord:
        """The leaf: the registry receipt's, or the one about to be stored."""
        return self.sealed_as or self.registry_receipt.needed().record

    def lacks_notices(self) -> bool:
        """Whether the kit's checkpoint is newer than the trust root's and commits to other notices."""
        receipt, known = self.registry_receipt.value, self.anchors.checkpoint
        if receipt is None or known is None:
            return False
        checkpoint = receipt.checkpoint
        return checkpoint.sequence > known.sequence and checkpoint.notices_hash != known.notices_hash

    def not_before(self) -> int | None:
        """The time that the nonce's checkpoint shows, or None if it shows none."""
        if self.nonce.needed().checkpoint is None:
            return None
        checkpoint = self.nonce_checkpoint.needed()
        # Step 14 found the key. Revoked at any time, it dates nothing: who stole it could have dated a
        # checkpoint back.
        key = self.anchors.keyring.keys[checkpoint.kid]
        return checkpoint.timestamp if key.revoked_at is None else None

    def parse(self, name: str, parse: Callable[[bytes], T]) -> Document[T]:
        """A member as its parser reads it."""
        try:
            return Document(parse(self.document(name)), None)
        except VerificationError as error:
            # A parser knows no names: the failure is about the member that was parsed.
            error.files = error.files or (name,)
            return Document(None, error)
