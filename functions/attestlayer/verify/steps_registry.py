"""Verification steps 11–15: inclusion, checkpoint, witnesses, times, notices (REG-1.0 section 12)."""

from collections.abc import Iterator

from attestlayer.encoding import format_hash, format_time
from attestlayer.errors import ForeignTrustRootError, Reason, Remark, VerificationError
from attestlayer.kit.manifest import CLIENT_NONCE, NONCE_CHECKPOINT, RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import Nonce
from attestlayer.log.checkpoint import Checkpoint, NoteBody, parse_note_body
from attestlayer.log.leaf import RegistryReceipt
from attestlayer.log.note import (
    ED25519,
    Note,
    VerifierKey,
    cosignature_time,
    signature_verifies,
    signatures_by,
)
from attestlayer.log.notices import Role
from attestlayer.log.promises import MERGE_DELAY_S, TRUST_ROOT_OLD_S, WITNESS_WINDOW_S
from attestlayer.log.trust import Keyring, KnownKey
from attestlayer.verify.evidence import Anchors, Evidence
from attestlayer.verify.report import NONE_DEMANDED, Aside, Observation, Unproven

_FILES = (REGISTRY_RECEIPT,)


def check_leaf_hash(evidence: Evidence) -> Iterator[Observation]:
    """Step 9 of a registry receipt by itself: the leaf's hash is its payload's."""
    record = evidence.registry_receipt.at_home().record
    if record.leaf.hash() != record.leaf_hash:
        message = f"the leaf's payload hashes to {format_hash(record.leaf.hash())}"
        yield VerificationError(Reason.LEAF_HASH_MISMATCH, message, _FILES)


def check_audit_path(evidence: Evidence) -> Iterator[Observation]:
    """Step 11: the audit path leads from the leaf to the checkpoint's root (RFC 9162 section 2.1.3.2)."""
    try:
        evidence.registry_receipt.needed().check_inclusion()
    except VerificationError as error:
        yield VerificationError(error.reason, str(error), _FILES)


def check_checkpoint(evidence: Evidence) -> Iterator[Observation]:
    """Step 12: the checkpoint is this registry's, signed twice, and no other face of the log."""
    receipt, anchors = evidence.registry_receipt.needed(), evidence.anchors
    checkpoint = receipt.checkpoint
    if checkpoint.origin != anchors.keyring.origin:
        message = f"the checkpoint is of {checkpoint.origin}, the trust root of {anchors.keyring.origin}"
        yield ForeignTrustRootError(Reason.ORIGIN_MISMATCH, message, _FILES)
    yield from _check_registry_key(receipt, anchors)
    yield from _check_note(receipt, anchors)
    if anchors.checkpoint:
        yield from _check_one_face(checkpoint, anchors.checkpoint, anchors.keyring)


def _check_registry_key(receipt: RegistryReceipt, anchors: Anchors) -> Iterator[Observation]:
    checkpoint = receipt.checkpoint
    key = anchors.keyring.key(Role.REGISTRY, checkpoint.kid)
    if key is None:
        message = f"key {checkpoint.kid} is not a registry key of the trust root"
        yield VerificationError(Reason.REGISTRY_KEY_UNKNOWN, message, _FILES)
        return
    if not key.is_valid_at(checkpoint.timestamp):
        message = f"the registry key was not valid at {format_time(checkpoint.timestamp)}"
        yield VerificationError(Reason.REGISTRY_KEY_NOT_VALID, message, _FILES)
    if key.revoked_at is not None and not _outlives_revocation(receipt, anchors, key):
        message = f"the registry key was revoked at {format_time(key.revoked_at)}, with no quorum before"
        yield VerificationError(Reason.REGISTRY_KEY_REVOKED, message, _FILES)
    if not key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):
        message = "the checkpoint's signature is not its registry key's"
        yield VerificationError(Reason.CHECKPOINT_SIGNATURE_INVALID, message, _FILES)


def _outlives_revocation(receipt: RegistryReceipt, anchors: Anchors, key: KnownKey) -> bool:
    """Whether cosignatures dated before the revocation meet a real quorum (never `quorum none`)."""
    timestamp, revoked_at = receipt.checkpoint.timestamp, key.revoked_at or 0
    # Section 12.4, step 12: what independent witnesses saw before the revocation can't have been made after
    # it.
    policy = anchors.keyring.witness_policy_at(timestamp)
    if anchors.trust is None or timestamp >= revoked_at or policy.is_met(()):
        return False
    return policy.is_met(_cosigners(receipt.note, policy.witnesses, timestamp, before=revoked_at))


def _check_note(receipt: RegistryReceipt, anchors: Anchors) -> Iterator[Observation]:
    checkpoint, note = receipt.checkpoint, receipt.note
    if note.text != checkpoint.note_text():
        body = _note_body(note)
        if body.origin != checkpoint.origin:
            message = f"the note is of {body.origin}, the checkpoint of {checkpoint.origin}"
            yield VerificationError(Reason.ORIGIN_MISMATCH, message, _FILES)
        else:
            message = "the note says another size or root than the checkpoint"
            yield VerificationError(Reason.NOTE_MISMATCH, message, _FILES)
    signed = False
    # Each line by a key known at the checkpoint's timestamp must verify; one that does must be there. Other
    # lines are nobody's: they are carried and count for nothing (C2SP signed-note).
    for key in anchors.keyring.keys.values():
        if key.role != Role.REGISTRY or not key.is_valid_at(checkpoint.timestamp):
            continue
        named = VerifierKey(checkpoint.origin, ED25519, key.public)
        for line in signatures_by(note, named):
            if signature_verifies(note.text, line, named):
                signed = signed or _counts_on_note(receipt, anchors, key)
            else:
                message = f"a line of registry key {key.public.kid} does not verify"
                yield VerificationError(Reason.NOTE_SIGNATURE_INVALID, message, _FILES)
    if not signed:
        message = "the note has no valid line of a registry key that counts at its time"
        yield VerificationError(Reason.NOTE_SIGNATURE_INVALID, message, _FILES)


def _note_body(note: Note) -> NoteBody:
    try:
        return parse_note_body(note.text)
    except VerificationError as error:
        error.files = _FILES
        raise


def _counts_on_note(receipt: RegistryReceipt, anchors: Anchors, key: KnownKey) -> bool:
    """Whether revocation leaves `key` its line. That of the checkpoint's own key was judged before."""
    judged = key.revoked_at is None or key.public.kid == receipt.checkpoint.kid
    return judged or _outlives_revocation(receipt, anchors, key)


def _check_one_face(checkpoint: Checkpoint, known: Checkpoint, keyring: Keyring) -> Iterator[Observation]:
    """The checkpoint does not contradict the one that the verifier knows: no split view.

    Said only of what the registry signed: else anybody could make up an accusation.
    """
    # Two checkpoints of one number, or two roots of one size, can't be of one append-only log.
    if checkpoint.sequence == known.sequence and checkpoint.hash() != known.hash():
        message = f"the trust root knows another checkpoint {known.sequence}: the log shows two faces"
    elif checkpoint.head.size == known.head.size and checkpoint.head.root != known.head.root:
        message = f"the trust root knows another root of size {known.head.size}: the log shows two faces"
    else:
        return
    key = keyring.key(Role.REGISTRY, checkpoint.kid)
    if key and key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):
        yield VerificationError(Reason.CHECKPOINT_CONFLICT, message, _FILES)


def check_witnesses(evidence: Evidence) -> Iterator[Observation]:
    """Step 13: the quorum of the policy in force at the checkpoint's time cosigned, in time."""
    receipt, anchors = evidence.registry_receipt.needed(), evidence.anchors
    note, timestamp = receipt.note, receipt.checkpoint.timestamp
    policy = anchors.keyring.witness_policy_at(timestamp)
    for witness in policy.witnesses.values():
        if not all(signature_verifies(note.text, line, witness) for line in signatures_by(note, witness)):
            message = f"a cosignature of witness {witness.name} does not verify"
            yield VerificationError(Reason.WITNESS_SIGNATURE_INVALID, message, _FILES)
    cosigners = _cosigners(note, policy.witnesses, timestamp)
    if not policy.is_met(cosigners):
        message = f"quorum {policy.quorum} is not met by {', '.join(sorted(cosigners)) or 'no witness'}"
        yield VerificationError(Reason.WITNESS_QUORUM_NOT_MET, message, _FILES)
    if policy.is_met(()):
        yield Unproven(NONE_DEMANDED)


def _cosigners(
    note: Note, witnesses: dict[str, VerifierKey], timestamp: int, before: int | None = None
) -> set[str]:
    """Names of the witnesses whose valid cosignature is dated near `timestamp` (and before `before`)."""
    cosigners = set()
    for name, witness in witnesses.items():
        for line in signatures_by(note, witness):
            time = cosignature_time(line)
            if time is None or abs(time - timestamp) > WITNESS_WINDOW_S:
                continue
            if (before is None or time < before) and signature_verifies(note.text, line, witness):
                cosigners.add(name)
    return cosigners


def check_merge_time(evidence: Evidence) -> Iterator[Observation]:
    """Step 14, the log's half: issued before the checkpoint, merged in time or with a public incident."""
    receipt, anchors = evidence.registry_receipt.needed(), evidence.anchors
    issued_at, timestamp = receipt.record.leaf.issued_at, receipt.checkpoint.timestamp
    if issued_at > timestamp:
        message = f"issued at {format_time(issued_at)}, behind its checkpoint of {format_time(timestamp)}"
        yield VerificationError(Reason.ISSUED_AFTER_CHECKPOINT, message, _FILES)
    merge_by = issued_at + MERGE_DELAY_S
    # The merge delay (REG-1.0 section 11, rule 6), measured between two signed times.
    if timestamp <= merge_by:
        return
    message = f"in the log at {format_time(timestamp)}, promised by {format_time(merge_by)}"
    if anchors.keyring.is_late_merge(receipt.leaf_index):
        yield Aside(Remark.LATE_MERGE, f"{message}; a public incident says so")
    elif anchors.trust is None:  # a JWKS holds no incidents
        yield Aside(Remark.LATE_MERGE, f"{message}; only a trust root knows whether an incident says why")
    else:
        hint = "no incident known here says why: update the trust root and check again"
        yield VerificationError(Reason.LATE_MERGE_UNEXPLAINED, f"{message}; {hint}", _FILES)


def check_nonce_time(evidence: Evidence) -> Iterator[Observation]:
    """Step 14, the client's half: issued after the checkpoint that the client's nonce names."""
    nonce = evidence.nonce.at_home()
    if nonce.checkpoint is None:
        if NONCE_CHECKPOINT in evidence.kit.members:
            message = "the nonce names no checkpoint, but the kit holds one for it"
            yield VerificationError(Reason.NONCE_CHECKPOINT_MISMATCH, message, (NONCE_CHECKPOINT,))
        yield Aside(Remark.NOT_BEFORE_NOT_SHOWN, "the nonce names no checkpoint, so it dates nothing")
        return
    yield from _check_nonce_checkpoint(evidence, nonce)


def _check_nonce_checkpoint(evidence: Evidence, nonce: Nonce) -> Iterator[Observation]:
    if NONCE_CHECKPOINT not in evidence.kit.members:
        message = "the checkpoint that the nonce names is missing"
        raise VerificationError(Reason.NONCE_CHECKPOINT_MISMATCH, message, (NONCE_CHECKPOINT,))
    checkpoint = evidence.nonce_checkpoint.at_home()
    if checkpoint.hash() != nonce.checkpoint:
        message = f"the nonce names another checkpoint than {format_hash(checkpoint.hash())}"
        yield VerificationError(Reason.NONCE_CHECKPOINT_MISMATCH, message, (CLIENT_NONCE, NONCE_CHECKPOINT))
    key = evidence.anchors.keyring.key(Role.REGISTRY, checkpoint.kid)
    if (
        key is None
        or checkpoint.origin != evidence.anchors.keyring.origin
        or not key.is_valid_at(checkpoint.timestamp)
        or key.is_revoked_at(checkpoint.timestamp)
        or not key.public.verifies(checkpoint.signature, checkpoint.signed_bytes())
    ):
        message = "the checkpoint that the nonce names is not signed by a key of this registry valid then"
        yield VerificationError(Reason.NONCE_CHECKPOINT_INVALID, message, (NONCE_CHECKPOINT,))
    elif key.revoked_at is not None:
        yield Aside(
            Remark.NOT_BEFORE_NOT_SHOWN,
            f"the key of the nonce's checkpoint was revoked at {format_time(key.revoked_at)}",
        )
    issued_at = evidence.receipt.needed().issued_at
    if checkpoint.timestamp > issued_at:
        seen_at = format_time(checkpoint.timestamp)
        message = f"issued at {format_time(issued_at)}, before the nonce's checkpoint of {seen_at}"
        yield VerificationError(Reason.ISSUED_BEFORE_NONCE, message, (NONCE_CHECKPOINT,))


def check_receipt_origin(evidence: Evidence) -> Iterator[Observation]:
    """Step 12, the kit's part: the signed receipt names the registry that holds its leaf."""
    named, actual = evidence.receipt.needed().origin, evidence.registry_receipt.needed().checkpoint.origin
    if named != actual:
        message = f"the receipt names registry {named}, its leaf is in {actual}"
        yield VerificationError(Reason.ORIGIN_MISMATCH, message, (RECEIPT, REGISTRY_RECEIPT))


def check_notices(evidence: Evidence) -> Iterator[Observation]:
    """Step 15: the leaf is not withdrawn, as far as the trust root knows. Superseded: a note."""
    receipt, anchors = evidence.registry_receipt.needed(), evidence.anchors
    leaf, keyring = receipt.record.leaf.hash(), anchors.keyring
    # By the payload's hash: a stated leaf hash could name another leaf.
    if leaf in keyring.withdrawn:
        message = f"AttestLayer withdrew this kit: {keyring.withdrawn[leaf]}"
        yield VerificationError(Reason.KIT_WITHDRAWN, message, _FILES)
    if leaf in keyring.superseded:
        by = format_hash(keyring.superseded[leaf])
        yield Aside(Remark.SUPERSEDED, f"superseded by the kit with leaf {by}")
    if anchors.checkpoint:
        yield from _check_age(receipt.checkpoint, anchors.checkpoint, anchors.now)


def _check_age(checkpoint: Checkpoint, known: Checkpoint, now: int | None) -> Iterator[Observation]:
    """What a trust root does not know for its age."""
    as_of = format_time(known.timestamp)
    if checkpoint.origin != known.origin:  # whose notices are another log's
        yield Unproven(f"not known: trust root of {known.origin}")
    elif checkpoint.sequence > known.sequence:
        message = f"not known: trust root of {as_of}"
        yield Unproven(message)
        yield Aside(
            Remark.WITHDRAWAL_UNKNOWN,
            f"whether the kit was withdrawn is {message}, from before its checkpoint",
        )
    if now is not None and now - known.timestamp > TRUST_ROOT_OLD_S:
        yield Aside(Remark.TRUST_ROOT_OLD, f"the trust root is of {as_of}, over 30 days ago")
