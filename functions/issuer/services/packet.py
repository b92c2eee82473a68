"""Packets and their records: open, submit, remove, check, withdraw."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attestlayer.encoding import format_hash, sha256, shown
from attestlayer.log import layout
from issuer.errors import Code, Fault, ServiceError
from issuer.intake.catalogue import Catalogue
from issuer.intake.evaluate import Outcome, Report, evaluate
from issuer.intake.policy import Policy
from issuer.kits.gather import gathered
from issuer.kits.ids import make_id
from issuer.kits.objects import record_object
from issuer.kits.tiers import Tier, tier_of
from issuer.ledger.ledger import Ledger
from issuer.model import Answer, Claim, Packet, PacketState, Record
from issuer.ports import Clock, Entropy, ObjectStore

LEASE_S = 60
"""Seconds for which an idempotent call owns its key."""

CHANGEABLE = frozenset({PacketState.OPEN, PacketState.BLOCKED, PacketState.READY})
"""States in which records come and go, and a packet can be issued or withdrawn."""


@dataclass(frozen=True, slots=True)
class PacketRequest:
    """What opens a packet. `reference` is the partner's own, never public."""

    lane_id: str
    profile_id: str
    reference: str
    cohort: str | None = None
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """A record that is to be uploaded: `size` bytes with this SHA-256 (32 bytes)."""

    name: str
    record_type: str
    size: int
    sha256: bytes
    metadata: dict[str, str]


@dataclass(frozen=True)
class Packets:
    """What a partner does with packets before issuing. `scratch`: for records while they are looked at."""

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    catalogue: Catalogue
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

    def open(self, workspace_id: str, request: PacketRequest) -> Packet:
        """A new packet, not stored yet: `store` does it with the claim's answer.

        Raises `ServiceError` (UNKNOWN_LANE, INVALID_REQUEST).
        """
        policy = self.catalogue.find(request.lane_id, request.profile_id)
        if request.supersedes and not self.ledger.packet_of_kit(workspace_id, request.supersedes):
            raise ServiceError(
                Code.INVALID_REQUEST, f"supersedes: this workspace issued no kit {shown(request.supersedes)}"
            )
        self.publish_policy(policy)
        now = self.clock.now()
        return Packet(
            packet_id=make_id("pkt", now, self.entropy),
            workspace_id=workspace_id,
            lane_id=policy.lane_id,
            profile_id=policy.profile_id,
            policy_hash=policy.policy_hash,
            reference=request.reference,
            cohort=request.cohort,
            supersedes=request.supersedes,
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
        self.public.create(layout.policy_path(policy.policy_hash), policy.document)

    def get(self, workspace_id: str, packet_id: str) -> Packet:
        """The workspace's packet. Somebody else's is NOT_FOUND like one that never was."""
        packet = self.ledger.packet(packet_id)
        if packet is None or packet.workspace_id != workspace_id:
            raise ServiceError(Code.NOT_FOUND, f"this workspace has no packet {shown(packet_id)}")
        return packet

    def policy_of(self, packet: Packet) -> Policy:
        """The policy that the packet was opened under."""
        policy = self.catalogue.by_hash(packet.policy_hash)
        if policy is None:
            raise ServiceError(Code.INTERNAL, f"policy {format_hash(packet.policy_hash)} is not installed")
        return policy

    def add_record(self, workspace_id: str, packet_id: str, request: RecordRequest) -> Record:
        """Announce a record; its bytes are then stored under `record_object`.

        The same announcement again, while its bytes are not there, gives the same record: a caller that
        lost the answer can ask once more.

        Raises `ServiceError` (WRONG_STATE, RECORD_REFUSED, TOO_LARGE, CHANGED_MEANWHILE).
        """
        packet = self._changeable(workspace_id, packet_id)
        if announced := self._announced(packet, request):
            return announced
        policy = self.policy_of(packet)
        _check_record(packet, policy, request)
        now = self.clock.now()
        record = Record(
            record_id=make_id("rec", now, self.entropy),
            name=request.name,
            record_type=request.record_type,
            metadata=dict(request.metadata),
            size=request.size,
            sha256=request.sha256,
            submitted_at=max(int(now), packet.opened_at),
        )
        self._store_records(packet, (*packet.records, record))
        return record

    def _announced(self, packet: Packet, request: RecordRequest) -> Record | None:
        """The record that says the same as the request and has no bytes yet."""
        for record in packet.records:
            told = RecordRequest(record.name, record.record_type, record.size, record.sha256, record.metadata)
            if told == request and not self.private.exists(record_object(packet.packet_id, record)):
                return record
        return None

    def remove_record(self, workspace_id: str, packet_id: str, record_id: str) -> None:
        """Take a record out again, with its bytes. Raises NOT_FOUND, WRONG_STATE."""
        packet = self._changeable(workspace_id, packet_id)
        removed = [record for record in packet.records if record.record_id == record_id]
        if not removed:
            raise ServiceError(Code.NOT_FOUND, f"the packet has no record {shown(record_id)}")
        self._store_records(packet, tuple(r for r in packet.records if r.record_id != record_id))
        self.private.delete(record_object(packet_id, removed[0]))

    def check(self, workspace_id: str, packet_id: str) -> tuple[Packet, Report]:
        """Hold the records against the policy, without issuing: free. The packet becomes ready or blocked."""
        packet = self._changeable(workspace_id, packet_id)
        policy = self.policy_of(packet)
        now = int(self.clock.now())
        report = self._evaluate(packet, policy, now)
        return self._store_state(packet, report), report

    def report(self, packet: Packet) -> tuple[Report, int]:
        """What blocks the packet, and the time that counts; changes nothing.

        That is now while records come and go, and for a packet that was issued the time of its last
        attempt, so that its report stays the same. Raises WRONG_STATE for a withdrawn packet.
        """
        if packet.state == PacketState.WITHDRAWN:
            raise ServiceError(Code.WRONG_STATE, "the packet is withdrawn, its records are deleted")
        policy = self.policy_of(packet)
        at = int(self.clock.now()) if packet.state in CHANGEABLE else packet.attempts[-1].at
        return self._evaluate(packet, policy, at), at

    def withdraw(self, workspace_id: str, packet_id: str) -> Packet:
        """Give a packet up before it is issued; its records are deleted."""
        packet = self._changeable(workspace_id, packet_id)
        withdrawn = replace(packet, state=PacketState.WITHDRAWN, version=packet.version + 1)
        self.ledger.replace_packet(withdrawn)
        for record in packet.records:
            self.private.delete(record_object(packet_id, record))
        return withdrawn

    def _changeable(self, workspace_id: str, packet_id: str) -> Packet:
        packet = self.get(workspace_id, packet_id)
        if packet.state not in CHANGEABLE:
            wanted = ", ".join(sorted(CHANGEABLE))
            raise ServiceError(Code.WRONG_STATE, f"the packet is {packet.state}, wanted one of {wanted}")
        return packet

    def _store_records(self, packet: Packet, records: tuple[Record, ...]) -> None:
        self.ledger.replace_packet(
            replace(packet, records=records, state=PacketState.OPEN, version=packet.version + 1)
        )

    def _evaluate(self, packet: Packet, policy: Policy, now: int) -> Report:
        with gathered(self.private, packet, self.scratch) as records:
            return evaluate(policy, records.examine(policy), now)

    def _store_state(self, packet: Packet, report: Report) -> Packet:
        state = PacketState.READY if report.outcome == Outcome.PASS else PacketState.BLOCKED
        if packet.state == state:
            return packet
        changed = replace(packet, state=state, version=packet.version + 1)
        self.ledger.replace_packet(changed)
        return changed


def _check_record(packet: Packet, policy: Policy, request: RecordRequest) -> None:
    faults = [*_faults(policy, request)]
    if any(record.sha256 == request.sha256 for record in packet.records):
        faults.append(
            Fault(
                "/sha256",
                "duplicate",
                "the packet has a record with the same bytes",
                "Submit each file once.",
            )
        )
    if faults:
        found = "; ".join(fault.detail for fault in faults)
        raise ServiceError(Code.RECORD_REFUSED, f"{shown(request.name)}: {found}", faults=tuple(faults))
    total = sum(record.size for record in packet.records) + request.size
    if len(packet.records) >= policy.max_records or total > policy.max_total_size:
        raise ServiceError(
            Code.TOO_LARGE,
            f"with it the packet has {len(packet.records) + 1} records of {total} bytes; at most "
            f"{policy.max_records} records and {policy.max_total_size} bytes are allowed",
        )


def _faults(policy: Policy, request: RecordRequest) -> Sequence[Fault]:
    found: list[Fault] = []
    record_type = policy.record_type(request.record_type)
    if record_type is None:
        known = ", ".join(each.type_id for each in policy.record_types)
        detail = f"record type {shown(request.record_type)} is unknown"
        found.append(Fault("/record_type", "unknown-type", detail, f"Use one of {known}."))
    elif request.size > record_type.max_size:
        detail = f"the file has {request.size} bytes, at most {record_type.max_size} are allowed"
        fix = f"Submit a smaller file, or several: up to {record_type.max_count} of this type are taken."
        found.append(Fault("/size", "too-large", detail, fix))
    if request.size == 0 or request.sha256 == sha256(b""):
        found.append(Fault("/size", "empty", "the file is empty", "Submit the file with its content."))
    return found
