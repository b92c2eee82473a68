"""An audit's findings, and the check of a signed note."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.note import (
    ED25519,
    Note,
    VerifierKey,
    WitnessPolicy,
    cosignature_time,
    signature_verifies,
    signatures_by,
)
from attestlayer.log.notices import Role
from attestlayer.log.promises import WITNESS_WINDOW_S
from attestlayer.log.trust import Keyring


class AuditReason(StrEnum):
    """Reasons of findings: a closed list."""

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
    FROM_THE_FUTURE = "from-the-future"
    STANDS_STILL = "stands-still"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that is wrong: the object's name, the reason, and what was found and wanted in detail.

    `seen`: when each copy of the object was seen, if it came over a network. The same finding at another time
    is equal.
    """

    object: str
    reason: AuditReason
    detail: str
    seen: tuple[str, ...] = field(default=(), compare=False)


Progress = Callable[[str, int, int], None]
"""Called with the name of the work, the count that is done, and the total."""


def difference(found: bytes, wanted: bytes) -> str:
    """Where two byte strings differ first: offset, a few bytes of both, lengths."""
    at = next(
        (i for i, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other),
        min(len(found), len(wanted)),
    )
    parts = (found[at : at + 16].hex() or "the end", wanted[at : at + 16].hex() or "the end")
    return f"byte {at}: found {parts[0]}, wanted {parts[1]}; found {len(found)} bytes, wanted {len(wanted)}"


Trouble = tuple[AuditReason, str]


def check_note(note: Note, checkpoint: Checkpoint, keyring: Keyring, *, since: int) -> Iterator[Trouble]:
    """A note against its checkpoint (REG-1.0 section 11, rule 9): each valid key signed, no known line fails.

    `since`: timestamp of the first checkpoint of the same tree.
    """
    if note.text != checkpoint.note_text():
        parted = difference(note.text.encode(), checkpoint.note_text().encode())
        yield AuditReason.BYTES_DIFFER, f"the text is not its checkpoint's: {parted}"
    for key in keyring.keys_at(Role.REGISTRY, checkpoint.timestamp):
        if not signatures_by(note, VerifierKey(keyring.origin, ED25519, key.public)):
            yield (
                AuditReason.SIGNATURE_INVALID,
                f"no line of registry key {key.public.kid}, which was valid then",
            )
    known = [
        VerifierKey(keyring.origin, ED25519, key.public)
        for key in keyring.keys.values()
        if key.role == Role.REGISTRY and key.is_valid_at(checkpoint.timestamp)
    ]
    policy = keyring.witness_policy_at(checkpoint.timestamp)
    for named in (*known, *policy.witnesses.values()):
        for line in signatures_by(note, named):
            if not signature_verifies(note.text, line, named):
                yield (
                    AuditReason.SIGNATURE_INVALID,
                    f"the line of {named.name} with {line.data.hex()} does not verify",
                )
    yield from _check_quorum(note, checkpoint.timestamp, policy, since)


def _check_quorum(note: Note, timestamp: int, policy: WitnessPolicy, since: int) -> Iterator[Trouble]:
    cosigners = {
        name
        for name, witness in policy.witnesses.items()
        for line in signatures_by(note, witness)
        # An unchanged tree keeps the cosignatures of the round that made it (REG-1.0 section 11, rule 9).
        if since - WITNESS_WINDOW_S <= (cosignature_time(line) or 0) <= timestamp + WITNESS_WINDOW_S
        and signature_verifies(note.text, line, witness)
    }
    if not policy.is_met(cosigners):
        names = ", ".join(sorted(cosigners)) or "no witness"
        yield AuditReason.QUORUM_NOT_MET, f"found {names}, wanted quorum {policy.quorum}"
