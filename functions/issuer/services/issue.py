"""Issuing: evaluate, seal, verify what was stored, and only then debit, in one transaction."""

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from attestlayer.canonical import Members, format_json, parse_json
from attestlayer.encoding import Hash, format_hash, format_time, sha256
from attestlayer.errors import FormatError, VerificationError
from attestlayer.kit.receipt import Nonce, parse_nonce
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.leaf import LeafRecord
from attestlayer.log.notices import Role
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify_sealed
from issuer.errors import Code, LogHaltedError, ServiceError, StoreError
from issuer.intake.blocker_report import format_blocker_report
from issuer.intake.catalogue import Catalogue
from issuer.intake.evaluate import Evaluation, Outcome, evaluate
from issuer.intake.policy import Policy
from issuer.kits.assemble import Intake, Sealed, seal
from issuer.kits.names import make_id, sealed_object
from issuer.kits.record_files import RecordFiles, fetched_records
from issuer.ledger.ledger import Ledger
from issuer.log import face
from issuer.model import (
    OPEN_STATES,
    Acceptance,
    Answer,
    Attempt,
    Claim,
    CreditEntry,
    CreditKind,
    Issued,
    KitRegistry,
    Packet,
    PacketState,
    WaitingLeaf,
)
from issuer.ports import BinderRenderer, Clock, Entropy, Examiner, ObjectStore, Signer

CLOCK_AHEAD_S = 5
"""Seconds that `issued_at` may be ahead of the clock."""
LOG_BEHIND_S = 300
"""Seconds that the log's newest checkpoint may be old: a log that stands still takes no promises.

So may it be ahead of the clock: until that has caught up there is no round.
"""
SEAL_FRESH_S = 60
"""Seconds from `issued_at` to acceptance; a kit that took longer is sealed anew."""
_TRIES = 3
_AVAILABLE = "available"


@dataclass(frozen=True)
class Issuer:
    """Issues kits. `signers`: the issuer's keys by kid; `scratch`: for unfinished files."""

    registry: KitRegistry
    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    catalogue: Catalogue
    signers: Mapping[str, Signer]
    examiner: Examiner
    renderer: BinderRenderer
    clock: Clock
    entropy: Entropy
    scratch: Path | None = None

    def issue(self, packet: Packet, nonce_file: bytes, claim: Claim) -> Answer:
        """Carry out one claimed request. The answer is stored with the claim before it is returned.

        PASS: 202 with the signed receipt. FAIL: 200 with the blockers, nothing debited. Raises
        `ServiceError`, having changed nothing but the packet's attempts and state; the claim is given up
        then, so that the same key can be used again.
        """
        try:
            return self._issue(packet, nonce_file, claim)
        except ServiceError:
            self.ledger.release(claim)
            raise

    def _issue(self, packet: Packet, nonce_file: bytes, claim: Claim) -> Answer:
        if packet.state not in OPEN_STATES:
            wanted = ", ".join(sorted(OPEN_STATES))
            raise ServiceError(Code.WRONG_STATE, f"the packet is {packet.state}, wanted one of {wanted}")
        nonce, nonce_checkpoint = self._read_nonce(nonce_file)
        policy = self._read_policy(packet)
        now = int(self.clock.now())
        with fetched_records(self.private, packet, self.scratch) as files:
            examined = files.examine(policy, self.examiner)
            evaluation = evaluate(policy, examined, now)
            if evaluation.outcome == Outcome.PASS:
                self._account(packet)  # before the attempt is noted: without a credit nothing changes
            packet = self._note_attempt(packet, policy, evaluation, now)
            if evaluation.outcome == Outcome.FAIL:
                answer = _failed(packet, policy, evaluation, now)
                self.ledger.settle(claim, answer)
                return answer
            intake = Intake(packet, policy, examined, evaluation, nonce, nonce_checkpoint)
            return self._issue_intake(intake, files, claim)

    def _issue_intake(self, intake: Intake, files: RecordFiles, claim: Claim) -> Answer:
        for _ in range(_TRIES):
            if answer := self._renew(claim) or self._seal_and_accept(intake, files, claim):
                return answer
        raise ServiceError(
            Code.INTERNAL, f"sealing took over {SEAL_FRESH_S} s, {_TRIES} times; nothing was debited"
        )

    def _read_nonce(self, nonce_file: bytes) -> tuple[Nonce, Checkpoint | None]:
        try:
            nonce = parse_nonce(nonce_file)
        except FormatError as error:
            raise ServiceError(Code.NONCE_MALFORMED, str(error)) from error
        # Only to say so early: what counts is the ledger's one transaction, which refuses a used nonce too.
        if self.ledger.nonce_used(nonce.hash()):
            raise ServiceError(Code.NONCE_USED, f"nonce {format_hash(nonce.hash())} was used; make a new one")
        if nonce.checkpoint is None:
            return nonce, None
        data = self.public.read(layout.checkpoint_path(nonce.checkpoint))
        if data is None or sha256(data) != nonce.checkpoint:
            raise ServiceError(
                Code.NONCE_CHECKPOINT_UNKNOWN,
                f"this registry has no checkpoint {format_hash(nonce.checkpoint)}; name the newest, or none",
            )
        return nonce, parse_checkpoint(data)

    def _read_policy(self, packet: Packet) -> Policy:
        policy = self.catalogue.by_hash(packet.intake_policy_hash)
        stored = self.public.read(layout.policy_path(packet.intake_policy_hash))
        if policy is None or stored != policy.document:
            raise StoreError(
                f"policy {format_hash(packet.intake_policy_hash)} can't be read back from the registry"
            )
        return policy

    def _note_attempt(self, packet: Packet, policy: Policy, evaluation: Evaluation, now: int) -> Packet:
        passed = evaluation.outcome == Outcome.PASS
        attempt = Attempt(
            number=len(packet.attempts) + 1,
            at=now,
            outcome=evaluation.outcome.value,
            blockers=len(evaluation.blockers),
            report=format_blocker_report(evaluation, packet.packet_id, policy, now),
        )
        noted = replace(
            packet,
            state=PacketState.READY if passed else PacketState.BLOCKED,
            attempts=(*packet.attempts, attempt),
            version=packet.version + 1,
        )
        self.ledger.replace_packet(noted)
        return noted

    def _renew(self, claim: Claim) -> Answer | None:
        """Renew the claim's lease for one try; the answer if another call took it over and had one."""
        now = int(self.clock.now())
        return self.ledger.claim(replace(claim, lease_until=now + SEAL_FRESH_S), now)

    def _seal_and_accept(self, intake: Intake, files: RecordFiles, claim: Claim) -> Answer | None:
        """One try: None if the kit must be sealed again: it took too long, or its account was emptied."""
        source = self._account(intake.packet)
        trust = face.read_trust_root(self.public)
        now = self.clock.now()
        issued_at = self._issue_time(intake, trust, now)
        sealed = seal(
            intake,
            registry=self.registry,
            kit_id=make_id("kit", now, self.entropy),
            issued_at=issued_at,
            renderer=self.renderer,
            signer=self._signer(trust, issued_at),
        )
        record = self._store_sealed(files, sealed, trust)
        accepted_at = int(self.clock.now())
        packet, answer = _accepted(intake.packet, sealed, record)
        acceptance = Acceptance(
            claim=claim,
            packet=packet,
            nonce_hash=intake.nonce.hash(),
            leaf=_waiting(packet, sealed, record),
            debit=_debit(packet, source, accepted_at),
            answer=answer,
            now=accepted_at,
        )
        if accepted_at - issued_at > SEAL_FRESH_S:
            self._discard(acceptance)
            return None
        return self._accept(acceptance, source)

    def _accept(self, acceptance: Acceptance, source: str) -> Answer | None:
        """Issue the kit, which is stored and verified but promised to nobody, in one transaction."""
        try:
            self.ledger.accept(acceptance)
        except StoreError:
            raise  # it may be accepted, now or later: only maintenance may delete the sealed copy
        except ServiceError as error:
            self._discard(acceptance)
            if error.code is Code.NO_CREDITS and source != _AVAILABLE:
                return None  # the cohort's reserve went meanwhile: what is available pays
            raise
        return acceptance.answer

    def _discard(self, acceptance: Acceptance) -> None:
        """Delete a sealed copy that was not accepted, once the ledger, read again, does not name it."""
        digest = acceptance.leaf.kit_digest
        with suppress(StoreError):  # then it stays, and maintenance deletes it
            if not self.ledger.names_kit(digest, acceptance):
                self.private.delete(sealed_object(digest))

    def _account(self, packet: Packet) -> str:
        """The account that pays: the cohort's reserve, else what is available. Raises NO_CREDITS."""
        accounts = [f"reserved:{packet.cohort}"] if packet.cohort else []
        for account in [*accounts, _AVAILABLE]:
            if self.ledger.balance(packet.workspace_id, account) > 0:
                return account
        raise ServiceError(Code.NO_CREDITS, "the balance is 0 credits, issuing takes 1; nothing was changed")

    def _issue_time(self, intake: Intake, trust: TrustRoot, now: float) -> int:
        """`issued_at`: now, and not before anything that the kit's trail names. Raises LOG_STALLED."""
        if self.ledger.noted_round() < trust.checkpoint.sequence:
            raise LogHaltedError("the ledger is older than the log: it was lost or came from a backup")
        behind = now - trust.checkpoint.timestamp
        if behind > LOG_BEHIND_S:
            raise ServiceError(
                Code.LOG_STALLED,
                f"the newest checkpoint is {int(behind)} s old, at most {LOG_BEHIND_S} s are accepted",
                retry_after_s=60,
            )
        # The trail is in order of time (REG-1.0 section 6), and the nonce's checkpoint is older than the kit.
        nonce_time = intake.nonce_checkpoint.timestamp if intake.nonce_checkpoint else 0
        if -behind > LOG_BEHIND_S:
            raise ServiceError(
                Code.LOG_STALLED,
                f"the newest checkpoint is {int(-behind)} s ahead of the clock, at most {LOG_BEHIND_S} s are "
                "accepted: the clock is wrong, or was",
                retry_after_s=60,
            )
        submitted = [record.submitted_at for record in intake.packet.records]
        issued_at = max(int(now), intake.packet.opened_at, *submitted, nonce_time)
        if issued_at - now > CLOCK_AHEAD_S:
            raise ServiceError(
                Code.LOG_STALLED,
                f"the packet's or the nonce's time {format_time(issued_at)} is ahead of the clock",
                retry_after_s=int(issued_at - now),
            )
        return issued_at

    def _signer(self, trust: TrustRoot, issued_at: int) -> Signer:
        # The first key is the one that signs: that is said by the notices, not by a setting.
        keys = trust.keyring.keys_at(Role.ISSUER, issued_at)
        if not keys or keys[0].public.kid not in self.signers:
            wanted = keys[0].public.kid if keys else "one that the notices name"
            raise ServiceError(Code.KEY_UNUSABLE, f"issuer key {wanted} is not at hand")
        return self.signers[keys[0].public.kid]

    def _store_sealed(self, files: RecordFiles, sealed: Sealed, trust: TrustRoot) -> LeafRecord:
        """Store the sealed kit under its digest, read it back and verify what was stored."""
        with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=self.scratch) as folder:
            made, stored = Path(folder, "made.zip"), Path(folder, "stored.zip")
            with made.open("wb") as out:
                sealed.write(out, files.read)
            digest = _file_hash(made)
            # Written, then read back into another file: what is verified is what the store really has.
            self.private.create_file(sealed_object(digest), made)
            if not self.private.fetch(sealed_object(digest), stored):
                raise StoreError("the sealed kit was stored and is not there")
            record = sealed.leaf(digest)
            try:
                with open_kit(stored) as kit:
                    verify_sealed(kit, trust, record)
            except VerificationError as error:
                raise StoreError(f"the stored kit does not verify ({error.reason}): {error}") from error
        return record


def _file_hash(path: Path) -> Hash:
    with path.open("rb") as stream:
        return Hash(hashlib.file_digest(stream, "sha256").digest())


def _accepted(packet: Packet, sealed: Sealed, record: LeafRecord) -> tuple[Packet, Answer]:
    receipt = sealed.receipt
    issued = Issued(
        kit_id=receipt.kit_id,
        kit_digest=record.leaf.kit_digest,
        leaf_hash=record.leaf_hash,
        issued_at=receipt.issued_at,
        merge_by=receipt.merge_by,
        receipt=receipt.format(),
    )
    body: Members = {
        "outcome": "PASS",
        "packet_id": packet.packet_id,
        "kit_id": receipt.kit_id,
        "credits_consumed": 1,
        "merge_by": format_time(receipt.merge_by),
        "receipt": parse_json(receipt.format()),
        "leaf": record.members(),
        "wait_at": f"/v1/packets/{packet.packet_id}",
        "kit_at": f"/v1/packets/{packet.packet_id}/kit",
    }
    accepted = replace(packet, state=PacketState.SEALED, issued=issued, version=packet.version + 1)
    return accepted, Answer(202, format_json(body))


def _failed(packet: Packet, policy: Policy, evaluation: Evaluation, now: int) -> Answer:
    body: Members = {
        "outcome": "FAIL",
        "packet_id": packet.packet_id,
        "credits_consumed": 0,
        "attempt": len(packet.attempts),
        "blocker_report": parse_json(format_blocker_report(evaluation, packet.packet_id, policy, now)),
    }
    return Answer(200, format_json(body), report_of=(packet.packet_id, len(packet.attempts)))


def _waiting(packet: Packet, sealed: Sealed, record: LeafRecord) -> WaitingLeaf:
    return WaitingLeaf(
        leaf_hash=record.leaf_hash,
        issued_at=sealed.receipt.issued_at,
        merge_by=sealed.receipt.merge_by,
        entry=record.leaf.entry(),
        workspace_id=packet.workspace_id,
        packet_id=packet.packet_id,
        kit_digest=record.leaf.kit_digest,
    )


def _debit(packet: Packet, source: str, now: int) -> CreditEntry:
    issued = packet.issued
    assert issued is not None
    return CreditEntry(
        entry_id=f"consume-{format_hash(issued.leaf_hash)}",
        workspace_id=packet.workspace_id,
        at=now,
        kind=CreditKind.CONSUMED,
        amount=1,
        source=source,
        target="consumed",
        reference=issued.kit_id,
    )
