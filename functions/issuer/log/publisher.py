"""Finishes a committed round: tiles, the signature, and everything that follows from it.

Any number of publishers may run the same round, after any crash: what is not yet stored they store,
and it is the same bytes, since `signed/<sequence>` is taken from whoever stored it first.
"""

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from attestlayer import layout
from attestlayer.canonical import format_json
from attestlayer.checkpoint import Checkpoint
from attestlayer.encoding import format_hash
from attestlayer.keyring import Keyring, read_notices
from attestlayer.merkle import prove_consistency
from attestlayer.note import (
    ED25519,
    MAX_SIGNATURES,
    Note,
    Signature,
    VerifierKey,
    append_signatures,
    cosignature_time,
    signature_verifies,
    signatures_by,
)
from attestlayer.notices import IncidentReason, Role, late_merge
from attestlayer.policy import NO_QUORUM, WitnessPolicy
from attestlayer.receipt import MERGE_DELAY_S
from attestlayer.steps_registry import WITNESS_WINDOW_S
from attestlayer.trust import make_trust_root
from issuer.errors import Code, LogHaltedError, ObjectConflictError, ServiceError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.publication import Growth, consistency_object, entry_objects, views
from issuer.log.state import (
    HEAD,
    Batch,
    Head,
    SignedRound,
    parse_batch,
    parse_head,
    parse_signed,
    signed_name,
)
from issuer.model import CreditEntry, CreditKind, QueuedNotice
from issuer.ports import Clock, Ledger, ObjectStore, Signer, Witnesses

_AT_ONCE = 512
"""Objects handed to the store in one `create_many`."""

_TRIES = 8


class SupersededError(Exception):
    """Another writer has committed a later round: this publisher stops, nothing is wrong."""


@dataclass(frozen=True)
class LogPorts:
    """What the log needs. `signers`: the registry's keys by kid; `cadence_s`: seconds between checkpoints."""

    origin: str
    cadence_s: int
    public: ObjectStore
    private: ObjectStore
    ledger: Ledger
    signers: Mapping[str, Signer]
    clock: Clock
    witnesses: Witnesses | None = None

    def grid_time(self) -> int:
        """The latest instant of the cadence's grid that is not after the clock."""
        return int(self.clock.now() // self.cadence_s) * self.cadence_s


@dataclass(frozen=True)
class Publisher:
    """Finishes rounds."""

    ports: LogPorts

    def bring_public(self, head: Head) -> Checkpoint:
        """Head's checkpoint: the public one, or that of its round, which is finished now.

        Raises `LogHaltedError` unless the public face is this log's, at head or one round behind it;
        `SupersededError` if it is ahead since head has moved on.
        """
        latest = face.read_latest(self.ports.public)
        if latest and latest.sequence > head.sequence:
            self.check_current(head)
            raise LogHaltedError(
                f"the public checkpoint {latest.sequence} is ahead of head {head.sequence}: head came from "
                "a backup, or two logs share one registry. Nothing was signed; see the page on recovery"
            )
        if latest and latest.sequence == head.sequence:
            signed = self.read_signed(head.sequence)
            if signed is None or signed.checkpoint != latest or latest.head != head.tree:
                raise LogHaltedError(
                    f"the public checkpoint {latest.sequence} is not the one that this log signed"
                )
            return latest
        behind = (latest.sequence, latest.hash()) if latest else (-1, None)
        if behind != (head.sequence - 1, head.previous):
            raise LogHaltedError(
                f"the public checkpoint {behind[0]} is not the one before head {head.sequence}: the registry "
                "came from a backup, or is another log's. Nothing was signed; see the page on recovery"
            )
        return self.finish(head)

    def finish(self, head: Head) -> Checkpoint:
        """Bring head's round to the public, whatever of it is there already.

        Raises `LogHaltedError` if what it reads does not agree, `SupersededError` if head has moved on.
        """
        public = self.ports.public
        batch = self._read_batch(head)
        growth = Growth(face.read_edge(public, batch.before), batch)
        if growth.head() != head.tree:
            raise LogHaltedError(
                f"the tiles of round {head.sequence} do not make the root that was committed"
            )
        self._create(growth.objects())
        keyring = read_notices(batch.notices)
        signed = self._sign(head, batch, keyring)
        self._promise_kept(batch, signed)
        self._create({layout.notices_path(batch.notices.hash()): batch.notices.format()})
        self._create(dict(entry_objects(batch, signed, growth)) | consistency_object(batch, growth))
        self._create({layout.checkpoint_path(signed.checkpoint.hash()): signed.checkpoint.format()})
        if head.sequence % layout.BUNDLED == layout.BUNDLED - 1:
            self._create(self._bundle(head.sequence))
        for name, data in views(batch, signed, keyring, self.ports.cadence_s).items():
            self._replace(name, data, head)
        return signed.checkpoint

    def read_signed(self, sequence: int) -> SignedRound | None:
        """The signed round, or None if it was not signed yet."""
        name = signed_name(sequence)
        data = self.ports.private.read(name)
        return None if data is None else parse_signed(data, name)

    def _read_batch(self, head: Head) -> Batch:
        data = self.ports.private.read(head.batch)
        if data is None:
            self.check_current(head)  # a later round may have made it superfluous
            raise LogHaltedError(f"the batch of round {head.sequence}, {head.batch}, is missing")
        batch = parse_batch(data, head.batch)
        named = (head.sequence, head.batch_time, head.notices_hash)
        if (batch.sequence, batch.time, batch.notices.hash()) != named:
            raise LogHaltedError(f"{head.batch} is not the batch of round {head.sequence}")
        return batch

    def _sign(self, head: Head, batch: Batch, keyring: Keyring) -> SignedRound:
        """The round's signature: the stored one, or a new one if there is none."""
        signed = self.read_signed(head.sequence)
        if signed is None:
            made = self._make_signed(head, batch, keyring)
            _check_signed(made, head, batch, keyring)
            with suppress(ObjectConflictError):  # another publisher was first: its bytes count
                self.ports.private.create(signed_name(head.sequence), made.format())
            signed = self.read_signed(head.sequence)
        if signed is None:
            raise StoreError(f"{signed_name(head.sequence)} was stored and is not there")
        _check_signed(signed, head, batch, keyring)
        return signed

    def _make_signed(self, head: Head, batch: Batch, keyring: Keyring) -> SignedRound:
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
        note = Note(checkpoint.note_text(), tuple(_sign_note(checkpoint, signer) for signer in signers))
        policy = keyring.witness_policy_at(timestamp)
        lines = self._carried(head, note, policy) or self._cosigned(head, note, policy, timestamp)
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

    def _carried(self, head: Head, note: Note, policy: WitnessPolicy) -> tuple[Signature, ...]:
        """The cosignatures of the round before if they are of the same tree and meet the policy, or none."""
        previous = self.read_signed(head.sequence - 1) if head.sequence else None
        if previous is None or previous.note.text != note.text:
            return ()
        lines = _verified(previous.note, policy)
        return tuple(lines.values()) if policy.is_met(lines.keys()) else ()

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
            raise LogHaltedError(
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
            self.check_current(head)
            raise

    def _promise_kept(self, batch: Batch, signed: SignedRound) -> None:
        """Leaves that come into a checkpoint after their `merge_by`: a public notice, the credit back."""
        ledger, timestamp = self.ports.ledger, signed.checkpoint.timestamp
        late = [n for n, leaf in enumerate(batch.leaves) if timestamp > leaf.issued_at + MERGE_DELAY_S]
        if not late:
            return
        first = batch.before.size
        kind, data = late_merge(first + late[0], first + late[-1], IncidentReason.OUTAGE)
        ledger.queue_notice(QueuedNotice(kind.value, format_json(data)))
        for n in late:
            waiting = ledger.waiting_leaf(batch.leaves[n].hash())
            if waiting:
                ledger.post_credits(_returned(waiting.workspace_id, waiting.leaf_hash, timestamp))

    def _bundle(self, sequence: int) -> dict[str, bytes]:
        """The bundle that this round's checkpoint fills."""
        number = sequence // layout.BUNDLED
        checkpoints: list[Checkpoint] = []
        for each in range(number * layout.BUNDLED, sequence + 1):
            signed = self.read_signed(each)
            if signed is None:
                raise LogHaltedError(f"{signed_name(each)} is missing")
            checkpoints.append(signed.checkpoint)
        for one, other in itertools.pairwise(checkpoints):
            if other.prev_checkpoint_hash != one.hash():
                raise LogHaltedError(f"{signed_name(one.sequence)} is damaged: the next one names another")
        objects = [checkpoint.members() for checkpoint in checkpoints]
        return {layout.checkpoint_bundle_path(number): format_json(objects)}

    def _create(self, objects: Mapping[str, bytes]) -> None:
        items = list(objects.items())
        for at in range(0, len(items), _AT_ONCE):
            self.ports.public.create_many(dict(items[at : at + _AT_ONCE]))

    def _replace(self, name: str, data: bytes, head: Head) -> None:
        """Replace a mutable object: its tag first, then head again, then compare-and-swap on the tag."""
        for _ in range(_TRIES):
            current = self.ports.public.read_tagged(name)
            if current and current.data == data:
                return
            self.check_current(head)
            try:
                self.ports.public.replace(name, data, current.tag if current else None)
            except StaleTagError:
                continue
            return
        raise StoreError(f"{name} was replaced by others {_TRIES} times in a row")

    def check_current(self, head: Head) -> None:
        """Check that head is still head. Raises `SupersededError` if it has moved on."""
        stored = self.ports.private.read(HEAD)
        if stored is None:
            raise LogHaltedError("head is gone: restore nothing, see the page on recovery")
        if parse_head(stored) != head:
            raise SupersededError


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


def _sign_note(checkpoint: Checkpoint, signer: Signer) -> Signature:
    key = VerifierKey(checkpoint.origin, ED25519, signer.public)
    return Signature(key.name, key.key_id, signer.sign(checkpoint.note_text().encode()))


def _returned(workspace_id: str, leaf_hash: bytes, at: int) -> CreditEntry:
    return CreditEntry(
        entry_id=f"return-{format_hash(leaf_hash)}",
        workspace_id=workspace_id,
        at=at,
        kind=CreditKind.RETURNED,
        amount=1,
        source="consumed",
        target="available",
        reference=f"late merge of leaf {format_hash(leaf_hash)}",
    )
