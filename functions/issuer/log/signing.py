"""Signs rounds: checkpoint, note and cosignatures. The first publisher to store them fixes them for all."""

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
from issuer.log.cosignatures import carried_lines, other_lines, verified_lines
from issuer.log.state import Batch, Head, SignedRound, signed_name
from issuer.log.store import LogPorts
from issuer.ports import Signer, WitnessAnswers


@dataclass(frozen=True)
class RoundSigner:
    """Signs committed rounds, each once: a stored signature is never replaced."""

    ports: LogPorts

    def sign(
        self, head: Head, batch: Batch, keyring: Keyring, previous: SignedRound | None = None
    ) -> SignedRound:
        """The signed round that is stored, or a new one, stored now.

        `previous`: the round before, passed only by the sequencer that has just committed this one. Then
        the look for a stored signature is saved: a publisher that was faster is met when storing.
        Raises `LogHaltedError` (also without a quorum), `ServiceError` (KEY_UNUSABLE), `StoreError`.
        """
        signed = None if previous else self.ports.read_signed(head.sequence)
        if signed is None:
            if previous is None and head.sequence:
                previous = self.ports.read_signed(head.sequence - 1)
            candidate = self._make_signed(head, batch, keyring, previous)
            # Before it is stored: `signed/<sequence>` is never deleted, so a bad one would stop the log.
            _check_signed(candidate, head, batch, keyring)
            signed = self._store(candidate)
        # Again, as it may be another publisher's, or come from a store that lost a bit.
        _check_signed(signed, head, batch, keyring)
        return signed

    def _store(self, candidate: SignedRound) -> SignedRound:
        """Store the signed round. Returns the one that is stored, which may be another publisher's."""
        name = signed_name(candidate.checkpoint.sequence)
        # Two publishers may both have signed, with two timestamps. Neither checkpoint has been seen by
        # anybody but the witnesses, which cosign tree heads without timestamps of ours: the loser's is
        # dropped.
        try:
            self.ports.private.create(name, candidate.format())
        except ObjectConflictError:
            signed = self.ports.read_signed(candidate.checkpoint.sequence)
            if signed is None:
                raise StoreError(f"{name} was stored and is not there") from None
            return signed
        return candidate

    def _make_signed(
        self, head: Head, batch: Batch, keyring: Keyring, previous: SignedRound | None
    ) -> SignedRound:
        # An instant of the grid (REG-1.0 section 11, rule 2). Not before the batch, whose time is after the
        # last checkpoint: timestamps increase even if the clock was set back in between.
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
        # Same tree, same note text: the lines of the round before are valid for this one too, so an idle log
        # asks no witness (REG-1.0 section 11, rule 9).
        before = previous.note if previous and previous.note.text == checkpoint.note_text() else None
        own = tuple(_sign_note(checkpoint, signer, before) for signer in signers)
        note, policy = Note(checkpoint.note_text(), own), keyring.witness_policy_at(timestamp)
        carried = carried_lines(note, before, policy) if before else ()
        lines = carried or self._cosigned(head, note, policy, timestamp)
        return SignedRound(checkpoint, append_signatures(note, lines))

    def signers_at(self, keyring: Keyring, timestamp: int) -> list[Signer]:
        """Signers of all registry keys that count at `timestamp` (REG-1.0 section 9.4).

        The first one signs JSON checkpoints, all of them sign the note. Raises `ServiceError` (KEY_UNUSABLE)
        if no key counts or one that counts is not at hand.
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
        """New cosignatures that meet the policy, one a witness, then lines of other types.

        A line counts only if its signature verifies and its time is within `WITNESS_WINDOW_S` of the
        checkpoint's: a verifier accepts no other (REG-1.0 section 9.5). Raises `LogHaltedError`.
        """
        answers = self._ask(head, note, policy) if policy.quorum != NO_QUORUM else {}
        answered = Note(note.text, tuple(line for answer in answers.values() for line in answer))
        lines = {
            name: line
            for name, line in verified_lines(answered, policy).items()
            if abs((cosignature_time(line) or 0) - timestamp) <= WITNESS_WINDOW_S
        }
        room = MAX_SIGNATURES - len(note.signatures)
        # A note holds a limited number of lines (REG-1.0 section 2.10): leave out witnesses that the quorum
        # does not need, the last ones of the policy first.
        for name in reversed(tuple(lines)):
            if len(lines) > room and policy.is_met(lines.keys() - {name}):
                del lines[name]
        if len(lines) > room:
            raise LogHaltedError(
                f"witness quorum {policy.quorum} takes {len(lines)} lines, a note has {room}"
            )
        if not policy.is_met(lines.keys()):
            # Before giving up: if the round is signed late, the incident names the witnesses as its cause,
            # whichever publisher signs it.
            settle_cause(self.ports.private, head.sequence, IncidentReason.WITNESSES_UNAVAILABLE)
            raise QuorumMissedError(
                f"witness quorum {policy.quorum} is not met by {', '.join(lines) or 'nobody'}; trying again"
            )
        return (*lines.values(), *other_lines(note, answers, policy))[:room]

    def _ask(self, head: Head, note: Note, policy: WitnessPolicy) -> WitnessAnswers:
        """Unverified witness lines (C2SP tlog-witness). Raises `LogHaltedError`, `SupersededError`.

        A witness that has seen a larger tree halts the log, unless head has moved on meanwhile.
        """
        if self.ports.witnesses is None:
            return {}
        size, read = head.tree.size, face.tree_reader(self.ports.public, head.tree.size)
        try:
            return self.ports.witnesses.cosign(note, policy, lambda old: prove_consistency(old, size, read))
        except LogHaltedError:
            self.ports.check_current(head)
            raise


def _check_signed(signed: SignedRound, head: Head, batch: Batch, keyring: Keyring) -> None:
    """Check that each key that counts signed the round of head and batch. Raises `LogHaltedError`.

    A signed round is published as it is and never changes: a flipped bit or a faulty signer must stop here.
    """
    checkpoint, note = signed.checkpoint, signed.note
    wanted = (head.origin, head.sequence, head.tree, head.previous)
    found = (checkpoint.origin, checkpoint.sequence, checkpoint.head, checkpoint.prev_checkpoint_hash)
    # A trust root checks the JSON checkpoint's signature, key and notices as a verifier does (REG-1.0 section
    # 9.6).
    try:
        make_trust_root(checkpoint, batch.notices, keyring)
    except ValueError as error:
        raise LogHaltedError(f"{signed_name(head.sequence)}: {error}") from error
    keys = [
        VerifierKey(checkpoint.origin, ED25519, key.public)
        for key in keyring.keys_at(Role.REGISTRY, checkpoint.timestamp)
    ]
    signers = [key for key in keys if _signed_by(note, key)]
    # A line of a key known at the timestamp must verify; other lines are nobody's (C2SP signed-note).
    known = [*keys, *keyring.witness_policy_at(checkpoint.timestamp).witnesses.values()]
    if (
        found != wanted
        or checkpoint.timestamp < batch.time
        or note.text != checkpoint.note_text()
        or signers != keys
        or not all(signature_verifies(note.text, x, key) for key in known for x in signatures_by(note, key))
    ):
        raise LogHaltedError(f"{signed_name(head.sequence)} is not of the round that head names, or damaged")


def _signed_by(note: Note, key: VerifierKey) -> bool:
    return any(signature_verifies(note.text, line, key) for line in signatures_by(note, key))


def _sign_note(checkpoint: Checkpoint, signer: Signer, before: Note | None) -> Signature:
    """The signer's note line: the one in `before`, the previous note of the same text, or a new one.

    Ed25519 is deterministic (RFC 8032), so a new line would be the same bytes for one more request to KMS.
    """
    key, text = VerifierKey(checkpoint.origin, ED25519, signer.public), checkpoint.note_text()
    for line in signatures_by(before, key) if before else ():
        if signature_verifies(text, line, key):
            return line
    return Signature(key.name, key.key_id, signer.sign(text.encode()))
