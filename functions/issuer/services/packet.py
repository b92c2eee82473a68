"""Packets and their records: open, submit, remove, check, withdraw."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from attestlayer.encoding import Hash, format_hash, sha256, shown
from attestlayer.log import layout
from issuer.errors import Code, Fault, ServiceError
from issuer.intake.catalogue import Catalogue
from issuer.intake.evaluate import Evaluation, Outcome, evaluate
from issuer.intake.policy import Policy
from issuer.intake.values import show
from issuer.kits.names import RECORD_OBJECT, make_id, record_object
from issuer.kits.record_files import fetched_records
from issuer.kits.retention import after_adding, after_removing, after_withdrawal, objects_that_go
from issuer.kits.terms import Tier, tier_of
from issuer.ledger.ledger import Ledger
from issuer.model import OPEN_STATES, Answer, Claim, Packet, PacketState, Record
from issuer.ports import Clock, Entropy, Examiner, ObjectStore

LEASE_S = 60
"""Seconds for which an idempotent call owns its key."""


@dataclass(frozen=True)
class Packets:
    """What a partner does with packets before issuing. `scratch`: for records while they are looked at."""

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    catalogue: Catalogue
    examiner: Examiner
    clock: Clock
    entropy: Entropy
    scratch: Path | None = None

    def claim(self, workspace_id: str, key: str, request: bytes) -> Claim | Answer:
        """Claim an Idempotency-Key for a request, or the answer it had. Raises as `Ledger.claim`."""
        now = int(self.clock.now())
        claim = Claim(
            workspace_id, key, hashlib.sha256(request).digest(), self.entropy.token(16).hex(), now + LEASE_S
        )
        return self.ledger.claim(claim, now) or claim

    def open(
        self,
        workspace_id: str,
        lane_id: str,
        profile_id: str,
        reference: str,
        *,
        cohort: str | None = None,
        supersedes: str | None = None,
    ) -> Packet:
        """A new packet, not stored yet: `store` does it with the claim's answer.

        `reference` is the partner's own, never public. Raises `ServiceError` (UNKNOWN_LANE, INVALID_REQUEST).
        """
        policy = self.catalogue.find(lane_id, profile_id)
        if supersedes and not self.ledger.packet_of_kit(workspace_id, supersedes):
            raise ServiceError(
                Code.INVALID_REQUEST, f"supersedes: this workspace issued no kit {shown(supersedes)}"
            )
        self.publish_policy(policy)
        now = self.clock.now()
        return Packet(
            packet_id=make_id("pkt", now, self.entropy),
            workspace_id=workspace_id,
            lane_id=policy.lane_id,
            profile_id=policy.profile_id,
            intake_policy_hash=policy.intake_policy_hash,
            reference=reference,
            cohort=cohort,
            supersedes=supersedes,
            state=PacketState.OPEN,
            version=1,
            opened_at=int(now),
            seed=self.entropy.token(32),
        )

    def store(self, packet: Packet, claim: Claim, answer: Answer) -> None:
        """Store a new packet with the answer to its request, within the tier's number of open packets."""
        workspace = self.ledger.workspace(packet.workspace_id)
        tier: Tier = tier_of(workspace.tier if workspace else "")
        self.ledger.create_packet(packet, claim, answer, tier.open_packets)

    def publish_policy(self, policy: Policy) -> None:
        """Make the policy public under its hash, before its first use."""
        self.public.create(layout.policy_path(policy.intake_policy_hash), policy.document)

    def get(self, workspace_id: str, packet_id: str) -> Packet:
        """The workspace's packet. Somebody else's is NOT_FOUND like one that never was."""
        packet = self.ledger.packet(packet_id)
        if packet is None or packet.workspace_id != workspace_id:
            raise ServiceError(Code.NOT_FOUND, f"this workspace has no packet {shown(packet_id)}")
        return packet

    def policy_of(self, packet: Packet) -> Policy:
        """The policy that the packet was opened under."""
        policy = self.catalogue.by_hash(packet.intake_policy_hash)
        if policy is None:
            raise ServiceError(
                Code.INTERNAL, f"policy {format_hash(packet.intake_policy_hash)} is not installed"
            )
        return policy

    def add_record(
        self,
        packet: Packet,
        *,
        name: str,
        record_type: str,
        size: int,
        sha256: Hash,
        metadata: Mapping[str, str],
    ) -> Record:
        """Announce a record; its bytes are then stored under `record_object`.

        The same announcement again, while its bytes are not there, gives the same record: a caller that
        lost the answer can ask once more.

        Raises `ServiceError` (WRONG_STATE, RECORD_REFUSED, TOO_LARGE, CHANGED_MEANWHILE).
        """
        _check_open(packet)
        now = self.clock.now()
        record = Record(
            record_id=make_id("rec", now, self.entropy),
            name=name,
            record_type=record_type,
            metadata=dict(metadata),
            size=size,
            sha256=sha256,
            # A clock that was set back must not date a record before its packet: trails are in order of time.
            submitted_at=max(int(now), packet.opened_at),
        )
        if announced := self._announced(packet, record):
            return announced
        _check_record(packet, self.policy_of(packet), record)
        self.ledger.replace_packet(after_adding(packet, record))
        return record

    def _announced(self, packet: Packet, record: Record) -> Record | None:
        """The packet's record that says the same and has no bytes yet."""
        for other in packet.records:
            same = replace(record, record_id=other.record_id, submitted_at=other.submitted_at) == other
            if same and not self.private.exists(record_object(packet.packet_id, other)):
                return other
        return None

    def remove_record(self, workspace_id: str, packet_id: str, record_id: str) -> None:
        """Take a record out again, with its bytes. Raises NOT_FOUND, WRONG_STATE."""
        packet = self._open_packet(workspace_id, packet_id)
        if all(record.record_id != record_id for record in packet.records):
            raise ServiceError(Code.NOT_FOUND, f"the packet has no record {shown(record_id)}")
        self._store_less(packet, after_removing(packet, frozenset({record_id})))

    def check(self, workspace_id: str, packet_id: str) -> tuple[Packet, Evaluation]:
        """Hold the records against the policy, without issuing: free. The packet becomes ready or blocked."""
        packet = self._open_packet(workspace_id, packet_id)
        policy = self.policy_of(packet)
        now = int(self.clock.now())
        evaluation = self._evaluate(packet, policy, now)
        return self._store_state(packet, evaluation), evaluation

    def evaluation(self, packet: Packet) -> tuple[Evaluation, int]:
        """What blocks the packet, and the time that counts; changes nothing.

        That is now while records come and go, and for a packet that was issued the time of its last
        attempt, so that its blocker report stays the same. Raises WRONG_STATE for a withdrawn packet,
        KIT_DELETED for one whose kit was deleted.
        """
        if packet.deleted_at is not None:
            raise ServiceError(Code.KIT_DELETED, "the kit was deleted, and with it all data of its records")
        if packet.state == PacketState.WITHDRAWN:
            raise ServiceError(Code.WRONG_STATE, "the packet is withdrawn, its records are deleted")
        policy = self.policy_of(packet)
        at = int(self.clock.now()) if packet.state in OPEN_STATES else packet.attempts[-1].at
        return self._evaluate(packet, policy, at), at

    def withdraw(self, workspace_id: str, packet_id: str) -> Packet:
        """Give a packet up before it is issued; its records are deleted."""
        packet = self._open_packet(workspace_id, packet_id)
        withdrawn = after_withdrawal(packet)
        self._store_less(packet, withdrawn)
        return withdrawn

    def takes_upload(self, name: str) -> bool:
        """Whether the upload form for object `name` still counts: an open packet has that record."""
        packet = self._packet_with(name)
        return packet is not None and packet.state in OPEN_STATES

    def has_record(self, name: str) -> bool:
        """Whether object `name` is that of a record which a packet has, in any state."""
        return self._packet_with(name) is not None

    def _packet_with(self, name: str) -> Packet | None:
        match = RECORD_OBJECT.fullmatch(name)
        packet = self.ledger.packet(match[1]) if match else None
        names = [record_object(packet.packet_id, each) for each in packet.records] if packet else []
        return packet if name in names else None

    def _open_packet(self, workspace_id: str, packet_id: str) -> Packet:
        packet = self.get(workspace_id, packet_id)
        _check_open(packet)
        return packet

    def _store_less(self, packet: Packet, less: Packet) -> None:
        """Store the packet's next version, which lacks some data; then delete the objects of that data."""
        self.ledger.replace_packet(less)
        # Last: from here on nobody reads them. What a crash leaves is named by no packet, and maintenance
        # deletes it.
        for name in objects_that_go(packet, less):
            self.private.delete(name)

    def _evaluate(self, packet: Packet, policy: Policy, now: int) -> Evaluation:
        with fetched_records(self.private, packet, self.scratch) as files:
            if files.missing and packet.state not in OPEN_STATES:
                raise ServiceError(
                    Code.WRONG_STATE, f"the packet is {packet.state}, and the retention of its records ended"
                )
            return evaluate(policy, files.examine(policy, self.examiner), now)

    def _store_state(self, packet: Packet, evaluation: Evaluation) -> Packet:
        state = PacketState.READY if evaluation.outcome == Outcome.PASS else PacketState.BLOCKED
        if packet.state == state:
            return packet
        changed = replace(packet, state=state, version=packet.version + 1)
        self.ledger.replace_packet(changed)
        return changed


def _check_open(packet: Packet) -> None:
    if packet.state not in OPEN_STATES:
        wanted = ", ".join(sorted(OPEN_STATES))
        raise ServiceError(Code.WRONG_STATE, f"the packet is {packet.state}, wanted one of {wanted}")


def _check_record(packet: Packet, policy: Policy, record: Record) -> None:
    faults = [*_faults(policy, record)]
    if any(other.sha256 == record.sha256 for other in packet.records):
        faults.append(
            Fault(
                "/sha256",
                "duplicate",
                "the packet has a record with the same bytes",
                "Submit each file once.",
            )
        )
    if faults:
        details = "; ".join(fault.detail for fault in faults)
        raise ServiceError(Code.RECORD_REFUSED, f"{show(record.name)}: {details}", faults=tuple(faults))
    total = sum(other.size for other in packet.records) + record.size
    if len(packet.records) >= policy.max_records or total > policy.max_total_size:
        raise ServiceError(
            Code.TOO_LARGE,
            f"with it the packet has {len(packet.records) + 1} records of {total} bytes; at most "
            f"{policy.max_records} records and {policy.max_total_size} bytes are allowed",
        )


def _faults(policy: Policy, record: Record) -> Iterator[Fault]:
    record_type = policy.record_type(record.record_type)
    if record_type is None:
        known = ", ".join(each.type_id for each in policy.record_types)
        detail = f"record type {shown(record.record_type)} is unknown"
        yield Fault("/record_type", "unknown-type", detail, f"Use one of {known}.")
    elif record.size > record_type.max_size:
        detail = f"the file has {record.size} bytes, at most {record_type.max_size} are allowed"
        fix = f"Submit a smaller file, or several: up to {record_type.max_count} of this type are taken."
        yield Fault("/size", "too-large", detail, fix)
    if record.size == 0 or record.sha256 == sha256(b""):
        yield Fault("/size", "empty", "the file is empty", "Submit the file with its content.")
