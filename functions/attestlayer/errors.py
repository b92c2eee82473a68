"""Verification errors, and the closed list of reason words that every verifier reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Reason(StrEnum):
    """Why a kit is not verified, or could not be checked (REG-1.0, appendix A).

    The list is closed: Python, JavaScript and the specification hold the same words, and each word
    has a test vector. The number is the step of `verify` that reports it first.
    """

    # Could not check: nothing is said of the kit itself.
    INPUT_NOT_A_KIT = "input-not-a-kit"
    INPUT_UNREADABLE = "input-unreadable"
    CONTAINER_INCOMPLETE = "container-incomplete"
    SCHEMA_NEWER = "schema-newer"
    TRUST_ROOT_UNUSABLE = "trust-root-unusable"
    TRUST_ROOT_OUTDATED = "trust-root-outdated"
    REGISTRY_UNREACHABLE = "registry-unreachable"
    REGISTRY_STALE = "registry-stale"
    # 1 container
    CONTAINER_AMBIGUOUS = "container-ambiguous"
    CONTAINER_LIMIT_EXCEEDED = "container-limit-exceeded"
    CONTAINER_LINK = "container-link"
    FILE_UNEXPECTED = "file-unexpected"
    # 2 manifest
    MANIFEST_MALFORMED = "manifest-malformed"
    FILE_MISSING = "file-missing"
    # 3 files
    FILE_SIZE_MISMATCH = "file-size-mismatch"
    FILE_HASH_MISMATCH = "file-hash-mismatch"
    # 4 manifest root
    MANIFEST_ROOT_MISMATCH = "manifest-root-mismatch"
    # 5 hash trail
    TRAIL_MALFORMED = "trail-malformed"
    TRAIL_CHAIN_BROKEN = "trail-chain-broken"
    TRAIL_EVENT_MISMATCH = "trail-event-mismatch"
    TRAIL_TIME_MISMATCH = "trail-time-mismatch"
    # 6 receipt
    RECEIPT_MALFORMED = "receipt-malformed"
    RECEIPT_MANIFEST_MISMATCH = "receipt-manifest-mismatch"
    RECEIPT_TRAIL_MISMATCH = "receipt-trail-mismatch"
    RECEIPT_POLICY_MISMATCH = "receipt-policy-mismatch"
    RECEIPT_NONCE_MISMATCH = "receipt-nonce-mismatch"
    KIT_ID_MISMATCH = "kit-id-mismatch"
    REPORT_MALFORMED = "report-malformed"
    REPORT_RECORDS_MISMATCH = "report-records-mismatch"
    # 7 issuer key
    ISSUER_KEY_UNKNOWN = "issuer-key-unknown"
    ISSUER_KEY_NOT_VALID = "issuer-key-not-valid"
    ISSUER_KEY_REVOKED = "issuer-key-revoked"
    # 8 receipt signature
    RECEIPT_SIGNATURE_INVALID = "receipt-signature-invalid"
    # 9 leaf
    REGISTRY_RECEIPT_MISSING = "registry-receipt-missing"
    REGISTRY_RECEIPT_MALFORMED = "registry-receipt-malformed"
    LEAF_MALFORMED = "leaf-malformed"
    LEAF_MISMATCH = "leaf-mismatch"
    LEAF_HASH_MISMATCH = "leaf-hash-mismatch"
    # 10 kit digest
    KIT_DIGEST_MISMATCH = "kit-digest-mismatch"
    # 11 inclusion
    INCLUSION_PROOF_INVALID = "inclusion-proof-invalid"
    # 12 checkpoint
    CHECKPOINT_MALFORMED = "checkpoint-malformed"
    CHECKPOINT_SIGNATURE_INVALID = "checkpoint-signature-invalid"
    CHECKPOINT_CONFLICT = "checkpoint-conflict"
    NOTE_MALFORMED = "note-malformed"
    NOTE_MISMATCH = "note-mismatch"
    NOTE_SIGNATURE_INVALID = "note-signature-invalid"
    ORIGIN_MISMATCH = "origin-mismatch"
    REGISTRY_KEY_UNKNOWN = "registry-key-unknown"
    REGISTRY_KEY_NOT_VALID = "registry-key-not-valid"
    REGISTRY_KEY_REVOKED = "registry-key-revoked"
    # 13 witnesses
    WITNESS_QUORUM_NOT_MET = "witness-quorum-not-met"
    WITNESS_SIGNATURE_INVALID = "witness-signature-invalid"
    # 14 times
    NONCE_MALFORMED = "nonce-malformed"
    NONCE_CHECKPOINT_MISMATCH = "nonce-checkpoint-mismatch"
    NONCE_CHECKPOINT_INVALID = "nonce-checkpoint-invalid"
    ISSUED_BEFORE_NONCE = "issued-before-nonce"
    ISSUED_AFTER_CHECKPOINT = "issued-after-checkpoint"
    LATE_MERGE_UNEXPLAINED = "late-merge-unexplained"
    # 15 notices
    KIT_WITHDRAWN = "kit-withdrawn"


class Remark(StrEnum):
    """Facts that a verified kit's report points out (REG-1.0, appendix A)."""

    NOT_BEFORE_NOT_SHOWN = "not-before-not-shown"
    LATE_MERGE = "late-merge"
    SUPERSEDED = "superseded"
    WITHDRAWAL_UNKNOWN = "withdrawal-unknown"
    TRUST_ROOT_OLD = "trust-root-old"
    FILES_IGNORED = "files-ignored"
    CONTAINER_REPACKED = "container-repacked"


COULD_NOT_CHECK = frozenset(
    {
        Reason.INPUT_NOT_A_KIT,
        Reason.INPUT_UNREADABLE,
        Reason.CONTAINER_INCOMPLETE,
        Reason.SCHEMA_NEWER,
        Reason.TRUST_ROOT_UNUSABLE,
        Reason.TRUST_ROOT_OUTDATED,
        Reason.REGISTRY_UNREACHABLE,
        Reason.REGISTRY_STALE,
    }
)


class AttestLayerError(Exception):
    """Every error of the core that a caller can do something about."""


class NoEd25519Error(AttestLayerError):
    """The installed cryptographic library has no Ed25519, so no signature can be checked or made."""

    def __init__(self) -> None:
        super().__init__(
            "no signature can be checked or made here: this machine's cryptographic library refuses Ed25519, "
            "as OpenSSL does in FIPS mode. Nothing was decided. To check a kit here, use verify.py of the "
            "registry's /v1/verify-kit.zip, which has Ed25519 of its own"
        )


class VerificationError(AttestLayerError):
    """Something does not verify. `reason` is the word, `files` the kit members it is about."""

    def __init__(self, reason: Reason, message: str, files: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.files = files


class FormatError(VerificationError):
    """Bytes that are not the one spelling of the document they should be."""


class ForeignTrustRootError(VerificationError):
    """The trust root is of another registry than the kit (origin-mismatch): said before other failures."""


class CouldNotCheckError(VerificationError):
    """No verdict is possible: no usable input, no usable trust root, no registry, or a newer format."""


@contextmanager
def malformed(reason: Reason, what: str) -> Iterator[None]:
    """Turn a `ValueError` of a value parser into a `FormatError` that names the document."""
    try:
        yield
    except ValueError as error:
        raise FormatError(reason, f"{what}: {error}") from error
