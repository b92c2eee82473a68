"""Signs rounds: checkpoint, note and cosignatures, fixed for all publishers by who stores them first."""

from dataclasses import dataclass, replace

from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import prove_consistency
from attestlayer.log.note import (
    ED25519,
    MAX_SIGNATURES,
    NO_QUORUM,
    Note,
    Signature,
    VerifierKey,
    WitnessPolicy,
    append_signatures,
    cosignature_time,
    signature_verifies,
    signatures_by,
)
from attestlayer.log.notices import IncidentReason, Role
from attestlayer.log.promises import WITNESS_WINDOW_S
from attestlayer.log.trust import Keyring, make_trust_root
from issuer.errors import (
    Code,
    LogHaltedError,
    ObjectConflictError,
    QuorumMissedError,
    ServiceError,
    StoreError,
)
from issuer.log import face
from issuer.log.cause import settle_cause
from issuer.log.state import Batch, Head, SignedRound, signed_name
from issuer.log.store import LogPorts
from issuer.ports import Signer


@dataclass(frozen=True)
class RoundSigner:
    """Signs committed rounds."""

    ports: LogPorts

    def sign(
        self, head: Head, batch: Batch, keyring: Keyring, previous: SignedRound | None = None
    ) -> SignedRound:
        """The round's signature: the stored one, or a new one if there is none.

        `previous`: the round before, from who has just committed this one. Then nobody has signed it, or
        only just.
        """
        signed = None if previous else self.ports.read_signed(head.sequence)
        if signed is None:
            if previous is None and head.sequence:
                previous = self.ports.read_signed(head.sequence - 1)
            made = self._make_signed(head, batch, keyring, previous)
            _check_signed(made, head, batch, keyring)
            signed = self._store(made)
        _check_signed(signed, head, batch, keyring)
        return signed

    def _store(self, made: SignedRound) -> SignedRound:
        """What is stored: this one, or another publisher's, who was first."""
        name = signed_name(made.checkpoint.sequence)
        try:
            self.ports.private.create(name, made.format())
        except ObjectConflictError:
            signed = self.ports.read_signed(made.checkpoint.sequence)
            if signed is None:
                raise StoreError(f"{name} was stored and is not there") from None
            return signed
        return made

    def _make_signed(
        self, head: Head, batch: Batch, keyring: Keyring, previous: SignedRound | None
    ) -> SignedRound:
        timestamp = max(batch.time, self.ports.grid_time())
        signers = self.signers_at(keyring, timestamp)
        unsigned = Checkpoint(
            origin=head.origin,
            sequence=head.sequence,
            head=head.tree,
            timestamp=timestamp,
            prev_checkpoint_hash=head.previous,
            notices_hash=head.notices_hash,
            kid=signers[0].public.kid,
        )
        checkpoint = replace(unsigned, signature=signers[0].sign(unsigned.signed_bytes()))
        before = previous.note if previous and previous.note.text == checkpoint.note_text() else None
        own = tuple(_sign_note(checkpoint, signer, before) for signer in signers)
        note, policy = Note(checkpoint.note_text(), own), keyring.witness_policy_at(timestamp)
        lines = _carried(before, policy) or self._cosigned(head, note, policy, timestamp)
        return SignedRound(checkpoint, append_signatures(note, lines))

    def signers_at(self, keyring: Keyring, timestamp: int) -> list[Signer]:
        """Signers of all registry keys that count at `timestamp`, the one for JSON checkpoints first.

        Raises `ServiceError` (KEY_UNUSABLE) if one is not at hand, or there is none.
        """
        kids = [key.public.kid for key in keyring.keys_at(Role.REGISTRY, timestamp)]
        if not kids or any(kid not in self.ports.signers for kid in kids):
            held = ", ".join(self.ports.signers) or "none"
            raise ServiceError(
                Code.KEY_UNUSABLE,
                f"the notices name registry keys {', '.join(kids)}; the keys at hand are {held}",
            )
        return [self.ports.signers[kid] for kid in kids]

    def _cosigned(
        self, head: Head, note: Note, policy: WitnessPolicy, timestamp: int
    ) -> tuple[Signature, ...]:
        """New cosignatures that meet the policy, dated as a verifier wants them. Raises `LogHaltedError`."""
        offered = self._ask(head, note, policy) if policy.quorum != NO_QUORUM else ()
        lines = {
            name: line
            for name, line in _verified(Note(note.text, offered), policy).items()
            if abs((cosignature_time(line) or 0) - timestamp) <= WITNESS_WINDOW_S
        }
        room = MAX_SIGNATURES - len(note.signatures)
        for name in reversed(tuple(lines)):  # more than a note can hold: leave out who is not needed
            if len(lines) > room and policy.is_met(lines.keys() - {name}):
                del lines[name]
        if len(lines) > room:
            raise LogHaltedError(
                f"witness quorum {policy.quorum} takes {len(lines)} lines, a note has {room}"
            )
        if not policy.is_met(lines.keys()):
            settle_cause(self.ports.private, head.sequence, IncidentReason.WITNESSES_UNAVAILABLE)
            raise QuorumMissedError(
                f"witness quorum {policy.quorum} is not met by {', '.join(lines) or 'nobody'}; trying again"
            )
        return tuple(lines.values())

    def _ask(self, head: Head, note: Note, policy: WitnessPolicy) -> tuple[Signature, ...]:
        """What the witnesses answer. One that knows more than head halts the log, if head is still head."""
        if self.ports.witnesses is None:
            return ()
        size, read = head.tree.size, face.tree_reader(self.ports.public, head.tree.size)
        try:
            return self.ports.witnesses.cosign(note, policy, lambda old: prove_consistency(old, size, read))
        except LogHaltedError:
            self.ports.check_current(head)
            raise


def _check_signed(signed: SignedRound, head: Head, batch: Batch, keyring: Keyring) -> None:
    """Check that a round was signed as head and batch say, by every key that counts. Raises `LogHaltedError`.

    What was signed is published as it is, for ever: a flipped bit, or a signer's fault, must stop here.
    """
    checkpoint, note = signed.checkpoint, signed.note
    named = (head.origin, head.sequence, head.tree, head.previous)
    found = (checkpoint.origin, checkpoint.sequence, checkpoint.head, checkpoint.prev_checkpoint_hash)
    try:
        make_trust_root(checkpoint, batch.notices)
    except ValueError as error:
        raise LogHaltedError(f"{signed_name(head.sequence)}: {error}") from error
    keys = [
        VerifierKey(checkpoint.origin, ED25519, key.public)
        for key in keyring.keys_at(Role.REGISTRY, checkpoint.timestamp)
    ]
    signers = [key for key in keys if _signed_by(note, key)]
    known = [*keys, *keyring.witnesses()]
    if (
        found != named
        or checkpoint.timestamp < batch.time
        or note.text != checkpoint.note_text()
        or signers != keys
        or not all(signature_verifies(note.text, x, key) for key in known for x in signatures_by(note, key))
    ):
        raise LogHaltedError(f"{signed_name(head.sequence)} is not of the round that head names, or damaged")


def _signed_by(note: Note, key: VerifierKey) -> bool:
    return any(signature_verifies(note.text, line, key) for line in signatures_by(note, key))


def _verified(note: Note, policy: WitnessPolicy) -> dict[str, Signature]:
    """A valid line of each of the policy's witnesses that has one, by the witness's name."""
    return {
        name: line
        for name, witness in policy.witnesses.items()
        for line in signatures_by(note, witness)
        if signature_verifies(note.text, line, witness)
    }


def _carried(before: Note | None, policy: WitnessPolicy) -> tuple[Signature, ...]:
    """The cosignatures of the round before, whose tree is the same, if they meet the policy, or none."""
    lines = _verified(before, policy) if before else {}
    return tuple(lines.values()) if policy.is_met(lines.keys()) else ()


def _sign_note(checkpoint: Checkpoint, signer: Signer, before: Note | None) -> Signature:
    """The signer's line: that of the round before, whose text is the same, or a new one."""
    key, text = VerifierKey(checkpoint.origin, ED25519, signer.public), checkpoint.note_text()
    for line in signatures_by(before, key) if before else ():
        if signature_verifies(text, line, key):
            return line
    return Signature(key.name, key.key_id, signer.sign(text.encode()))
