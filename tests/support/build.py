"""Builds deterministic logs and kits from the core alone, and forgeries consistent but for one thing.

A `Log` publishes rounds and yields registry receipts and trust roots. `seal` and `deliver` make a kit
from a `Plan`; each of its `Hooks` changes one part *before* the hashes and signatures that cover it
are made, so what comes out is wrong in exactly the way that the test says.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from attestlayer.canonical import Members, format_json, parse_json
from attestlayer.encoding import Hash, format_base64, parse_time, sha256
from attestlayer.keys import PrivateKey
from attestlayer.kit.container import Kit, KitWriter
from attestlayer.kit.intake import (
    CheckResult,
    EventType,
    IntakeReport,
    ReportCheck,
    ReportRecord,
    Trail,
    accepted,
    chain_events,
    evaluated,
    opened,
    rendered,
    sealed,
    submitted,
)
from attestlayer.kit.manifest import (
    BINDER,
    CLIENT_NONCE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    README,
    RECEIPT,
    REGISTRY_RECEIPT,
    SALT_LENGTH,
    UNLISTED,
    Manifest,
    ManifestFile,
    is_record,
)
from attestlayer.kit.receipt import Nonce, Receipt
from attestlayer.kit.zip_reader import read_zip
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, LeafRecord, RegistryReceipt
from attestlayer.log.merkle import HashReader, TreeHead, prove_inclusion, root_of
from attestlayer.log.note import COSIGNATURE, ED25519, Note, Signature, VerifierKey
from attestlayer.log.notices import Notices, NoticeType, Role, key_added
from attestlayer.log.trust import TrustRoot, make_trust_root, parse_trust
from support.notes import cosign_note, sign_note

T = TypeVar("T")
NoticeContent = tuple[NoticeType, Members]
EventContent = tuple[int, EventType, Members]

ORIGIN = "registry.example.org"
START = parse_time("2026-01-31T12:00:00Z")
"""The time of sequence 0."""
CADENCE_S = 60
ISSUED_AT = START + 90
"""Between sequence 1 (seen by the nonce's maker) and sequence 2 (holds the leaf)."""


def private_key(label: str) -> PrivateKey:
    """The key of a test role: its seed is the SHA-256 of the label."""
    return PrivateKey(sha256(f"attestlayer test key {label}".encode()))


REGISTRY = private_key("registry")
ISSUER = private_key("issuer")
STRANGER = private_key("stranger")
"""A key that no notice names."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A witness with its key; `name` is the key's name and the policy's."""

    name: str
    private: PrivateKey

    @property
    def key(self) -> VerifierKey:
        """Its verifier key of type 0x04."""
        return VerifierKey(self.name, COSIGNATURE, self.private.public)

    def cosign(self, text: str, time: int) -> Signature:
        """Its cosignature line over `text` at `time`."""
        return cosign_note(text, self.key, self.private, time)


def witness(number: int) -> Witness:
    """The test witness of that number."""
    return Witness(name=f"witness.example.net/w{number}", private=private_key(f"witness {number}"))


def ml_dsa_witness(name: str) -> str:
    """The verifier key of a witness of type 0x06. Its key is 1,312 bytes that follow from the name."""
    data = b"\x06" + hashlib.shake_256(name.encode()).digest(1312)
    key_id = sha256(name.encode() + b"\n" + data)[:4]
    return f"{name}+{key_id.hex()}+{format_base64(data)}"


def quorum_policy(witnesses: Iterable[Witness], threshold: str = "all") -> str:
    """A tlog-policy text whose quorum is `threshold` of these witnesses."""
    listed = list(witnesses)
    lines = "".join(f"witness {w.name} {w.key.format()}\n" for w in listed)
    return f"{lines}group quorum {threshold} {' '.join(w.name for w in listed)}\nquorum quorum\n"


def witness_policy(valid_from: str, policy: str) -> NoticeContent:
    """A `witness.policy` notice."""
    return NoticeType.WITNESS_POLICY, {"valid_from": valid_from, "policy": policy}


def key_revoked(key: PrivateKey, revoked_at: str) -> NoticeContent:
    """A `key.revoked` notice."""
    data: Members = {"kid": key.public.kid, "revoked_at": revoked_at, "reason": "key-compromised"}
    return NoticeType.KEY_REVOKED, data


def key_retired(key: PrivateKey, valid_until: str) -> NoticeContent:
    """A `key.retired` notice."""
    return NoticeType.KEY_RETIRED, {"kid": key.public.kid, "valid_until": valid_until}


def same(value: T) -> T:
    """The hook that changes nothing."""
    return value


def hash_reader(leaves: list[Hash]) -> HashReader:
    """Reads complete subtrees from a list of leaf hashes."""
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round publishes, and what a test changes about it.

    `edit` changes the checkpoint before it is signed; `note_text` the text before it is signed.
    `signers` sign the note, the first of them the JSON form; `cosigners` add (witness, seconds after the
    checkpoint) lines; `lines` are put behind all others.
    """

    leaves: tuple[LeafRecord, ...] = ()
    notices: tuple[NoticeContent, ...] = ()
    after: int = CADENCE_S
    signers: tuple[PrivateKey, ...] = (REGISTRY,)
    cosigners: tuple[tuple[Witness, int], ...] = ()
    lines: tuple[Signature, ...] = ()
    edit: Callable[[Checkpoint], Checkpoint] = same
    note_text: Callable[[str], str] = same


@dataclass(frozen=True)
class Published:
    """A round as it stands in the log."""

    checkpoint: Checkpoint
    note: Note
    notices: Notices


class Log:
    """A small log. `Log()` has published sequence 0 with the keys of registry and issuer."""

    def __init__(
        self,
        *,
        origin: str = ORIGIN,
        registry: PrivateKey = REGISTRY,
        issuer: PrivateKey = ISSUER,
        notices: tuple[NoticeContent, ...] = (),
    ) -> None:
        self.origin = origin
        self.notices = Notices(origin, ())
        self.leaves: list[Hash] = []
        self.rounds: list[Published] = []
        added = (
            key_added(Role.REGISTRY, registry.public, START),
            key_added(Role.ISSUER, issuer.public, START),
        )
        self.publish(Round(notices=(*added, *notices), signers=(registry,)))

    @property
    def last(self) -> Published:
        """The newest round."""
        return self.rounds[-1]

    def publish(self, plan: Round) -> Published:
        """Publish a round."""
        last = self.rounds[-1].checkpoint if self.rounds else None
        timestamp = last.timestamp + plan.after if last else START
        self.notices = self.notices.extended(timestamp, plan.notices)
        self.leaves += [record.leaf.hash() for record in plan.leaves]
        unsigned = Checkpoint(
            origin=self.origin,
            sequence=len(self.rounds),
            head=TreeHead(len(self.leaves), root_of(self.leaves)),
            timestamp=timestamp,
            prev_checkpoint_hash=last.hash() if last else None,
            notices_hash=self.notices.hash(),
            kid=plan.signers[0].public.kid,
        )
        checkpoint = sign_checkpoint(plan.edit(unsigned), plan.signers[0])
        self.rounds.append(Published(checkpoint, make_note(checkpoint, plan), self.notices))
        return self.last

    def receipt(self, record: LeafRecord, sequence: int = -1) -> RegistryReceipt:
        """The registry receipt of a published leaf, in the newest round unless another is named."""
        found, index = self.rounds[sequence], self.leaves.index(record.leaf.hash())
        leaves = self.leaves[: found.checkpoint.head.size]
        path = prove_inclusion(index, len(leaves), hash_reader(leaves))
        return RegistryReceipt(record, index, path, found.checkpoint, found.note)

    def trust(self, sequence: int = -1) -> TrustRoot:
        """The trust root of a round, the newest unless another is named."""
        found = self.rounds[sequence]
        return make_trust_root(found.checkpoint, found.notices)


def sign_checkpoint(checkpoint: Checkpoint, key: PrivateKey) -> Checkpoint:
    """The checkpoint with `key`'s signature; its `kid` stays what it is."""
    return replace(checkpoint, signature=key.sign(checkpoint.signed_bytes()))


def make_note(checkpoint: Checkpoint, plan: Round) -> Note:
    """The checkpoint's text form, signed as `plan` says."""
    text = plan.note_text(checkpoint.note_text())
    own = [sign_note(text, VerifierKey(checkpoint.origin, ED25519, k.public), k) for k in plan.signers]
    cosigned = [w.cosign(text, checkpoint.timestamp + seconds) for w, seconds in plan.cosigners]
    return Note(text, (*own, *cosigned, *plan.lines))


POLICY: Members = {
    "schema": "attestlayer/intake-policy/1",
    "lane_id": "PAY-01",
    "profile_id": "wire-transfer",
}
"""As much of an intake policy as verification reads."""


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a forger or a fault changes, each before the hashes and signatures that cover it are made.

    `listed`: README, binder, nonce and records, before the report speaks of them. `report`, `manifest`,
    `events`, `trail`, `receipt` (before it is signed), `leaf`, `record`, `registry_receipt`: the value.
    `report_bytes` … `registry_receipt_bytes`: its file. `unlisted`: members put in after the manifest was
    made. `sealed`: all members before the digest is taken. `delivered`: all members at the very end.
    """

    listed: Callable[[dict[str, bytes]], dict[str, bytes]] = same
    report: Callable[[IntakeReport], IntakeReport] = same
    report_bytes: Callable[[bytes], bytes] = same
    manifest: Callable[[Manifest], Manifest] = same
    manifest_bytes: Callable[[bytes], bytes] = same
    events: Callable[[list[EventContent]], list[EventContent]] = same
    trail: Callable[[Trail], Trail] = same
    trail_bytes: Callable[[bytes], bytes] = same
    receipt: Callable[[Receipt], Receipt] = same
    receipt_bytes: Callable[[bytes], bytes] = same
    sealed: Callable[[dict[str, bytes]], dict[str, bytes]] = same
    leaf: Callable[[Leaf], Leaf] = same
    record: Callable[[LeafRecord], LeafRecord] = same
    registry_receipt: Callable[[RegistryReceipt], RegistryReceipt] = same
    registry_receipt_bytes: Callable[[bytes], bytes] = same
    delivered: Callable[[dict[str, bytes]], dict[str, bytes]] = same


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A kit to be issued. `nonce_checkpoint`: what the nonce names, or None for a nonce without one."""

    kit_id: str = "kit_01J9ZX3A8B5C6D7E8F9GAHBKCM"
    origin: str = ORIGIN
    records: tuple[tuple[str, bytes], ...] = (("records/001-a.txt", b"one\n"),)
    readme: bytes = b"Read me.\n"
    binder: bytes = b"%PDF-1.7\n%%EOF\n"
    policy: Members = field(default_factory=lambda: dict(POLICY))
    nonce_checkpoint: Checkpoint | None = None
    nonce_random: bytes = bytes(range(32))
    issued_at: int = ISSUED_AT
    issuer: PrivateKey = ISSUER
    supersedes: str | None = None
    hooks: Hooks = field(default_factory=Hooks)


@dataclass(frozen=True)
class SealedKit:
    """A kit without its registry receipt, and the leaf that it gets."""

    plan: Plan
    members: dict[str, bytes]
    receipt: Receipt
    record: LeafRecord

    @property
    def zip(self) -> bytes:
        """The canonical ZIP."""
        return make_zip(self.members)


def seal(plan: Plan) -> SealedKit:
    """The sealed kit of a plan."""
    hooks = plan.hooks
    files = _listed_files(plan)
    manifest = hooks.manifest(_manifest(plan.kit_id, files))
    manifest_data = hooks.manifest_bytes(manifest.format())
    trail = hooks.trail(
        chain_events(plan.kit_id, hooks.events(_events(plan, files, manifest, manifest_data)))
    )
    trail_data = hooks.trail_bytes(trail.format())
    receipt = _receipt(plan, manifest, sha256(manifest_data), trail.head())
    members = {
        **files,
        MANIFEST: manifest_data,
        HASH_TRAIL: trail_data,
        RECEIPT: hooks.receipt_bytes(receipt.format()),
    }
    members = hooks.sealed(members)
    return SealedKit(plan, members, receipt, hooks.record(hooks.leaf(_leaf(receipt, members)).record()))


def deliver(kit: SealedKit, receipt: RegistryReceipt) -> dict[str, bytes]:
    """The members of the delivered kit."""
    hooks = kit.plan.hooks
    data = hooks.registry_receipt_bytes(hooks.registry_receipt(receipt).format())
    return hooks.delivered({**kit.members, REGISTRY_RECEIPT: data})


def _listed_files(plan: Plan) -> dict[str, bytes]:
    checkpoint = plan.nonce_checkpoint
    nonce = Nonce(checkpoint.hash() if checkpoint else None, plan.nonce_random)
    files = {README: plan.readme, BINDER: plan.binder, CLIENT_NONCE: nonce.format(), **dict(plan.records)}
    if checkpoint:
        files[NONCE_CHECKPOINT] = checkpoint.format()
    files = plan.hooks.listed(files)
    report = plan.hooks.report(_report(plan, {name: files[name] for name in files if is_record(name)}))
    return {**files, INTAKE_REPORT: plan.hooks.report_bytes(report.format())}


def _report(plan: Plan, records: dict[str, bytes]) -> IntakeReport:
    described = tuple(
        ReportRecord(name, name[12:], "invoice", "text/plain", len(records[name]), {"note": "–"})
        for name in sorted(records)
    )
    check = ReportCheck("REC-01", tuple(sorted(records)), CheckResult.PASS, "all there")
    return IntakeReport(plan.kit_id, plan.policy, described, (check,))


def _manifest(kit_id: str, files: Mapping[str, bytes]) -> Manifest:
    listed = sorted(name for name in files if name not in UNLISTED)
    return Manifest(kit_id, tuple(manifest_file(name, files[name]) for name in listed))


def manifest_file(name: str, data: bytes) -> ManifestFile:
    """A file's entry; the salt follows from the name."""
    return ManifestFile(name, _salt(name), sha256(data), len(data))


def _salt(name: str) -> bytes:
    return sha256(f"salt {name}".encode())[:SALT_LENGTH]


def _events(
    plan: Plan, files: Mapping[str, bytes], manifest: Manifest, manifest_data: bytes
) -> list[EventContent]:
    records = sorted(name for name in files if is_record(name))
    at = plan.issued_at
    report_hash = sha256(files[INTAKE_REPORT])
    submissions = [submitted(sha256(files[name]), len(files[name])) for name in records]
    return [
        (at - 20, EventType.PACKET_OPENED, opened(_salt(HASH_TRAIL))),
        *((at - 10, EventType.RECORD_SUBMITTED, data) for data in submissions),
        (at - 5, EventType.INTAKE_EVALUATED, evaluated(sha256(format_json(plan.policy)), report_hash)),
        *((at - 5, EventType.RECORD_ACCEPTED, accepted(manifest_file(n, files[n]))) for n in records),
        (at - 1, EventType.BINDER_RENDERED, rendered(sha256(files[BINDER]))),
        (at, EventType.MANIFEST_SEALED, sealed(sha256(manifest_data), manifest.root())),
    ]


def _receipt(plan: Plan, manifest: Manifest, manifest_sha256: Hash, trail_head: Hash) -> Receipt:
    nonce = Nonce(plan.nonce_checkpoint.hash() if plan.nonce_checkpoint else None, plan.nonce_random)
    unsigned = Receipt(
        origin=plan.origin,
        kit_id=plan.kit_id,
        lane_id=str(plan.policy["lane_id"]),
        profile_id=str(plan.policy["profile_id"]),
        issued_at=plan.issued_at,
        issuer_kid=plan.issuer.public.kid,
        manifest_sha256=manifest_sha256,
        manifest_root=manifest.root(),
        hash_trail_head=trail_head,
        intake_policy_hash=sha256(format_json(plan.policy)),
        client_nonce_hash=nonce.hash(),
        supersedes=plan.supersedes,
    )
    return sign_receipt(plan.hooks.receipt(unsigned), plan.issuer)


def sign_receipt(receipt: Receipt, key: PrivateKey) -> Receipt:
    """The receipt with `key`'s signature; its `issuer_kid` stays what it is."""
    return replace(receipt, signature=key.sign(receipt.signed_bytes()))


def _leaf(receipt: Receipt, members: Mapping[str, bytes]) -> Leaf:
    return Leaf(
        client_nonce_hash=receipt.client_nonce_hash,
        intake_policy_hash=receipt.intake_policy_hash,
        issued_at=receipt.issued_at,
        issuer_kid=receipt.issuer_kid,
        kit_digest=sha256(make_zip(members)),
        lane_id=receipt.lane_id,
        manifest_root=receipt.manifest_root,
        profile_id=receipt.profile_id,
        statement_hash=sha256(members.get(RECEIPT, b"")),
    )


@dataclass(frozen=True)
class Delivered:
    """A delivered kit and the trust root to check it with."""

    members: dict[str, bytes]
    trust: TrustRoot
    log: Log
    sealed: SealedKit

    @property
    def zip(self) -> bytes:
        """The canonical ZIP."""
        return make_zip(self.members)

    def kit(self) -> Kit:
        """The kit as read from the ZIP."""
        return open_zip(self.zip)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A log of four rounds: keys, a round that the nonce names, other leaves, the round of the kit's leaf.

    `genesis` and `later` are notices of the first and of one more last round; `merge` is the round of
    the leaf. With `dated` the nonce names sequence 1. `log_origin` is the log's, `registry` its key.
    """

    plan: Plan = field(default_factory=Plan)
    dated: bool = True
    nonce_round: Round = field(default_factory=Round)
    merge: Round = field(default_factory=Round)
    genesis: tuple[NoticeContent, ...] = ()
    later: tuple[NoticeContent, ...] = ()
    later_signer: PrivateKey = REGISTRY
    log_origin: str = ORIGIN
    registry: PrivateKey = REGISTRY
    issuer: PrivateKey = ISSUER


def make(scenario: Scenario | None = None) -> Delivered:
    """The delivered kit of a scenario, and its log's newest trust root."""
    scenario = scenario or Scenario()
    log = Log(
        origin=scenario.log_origin,
        registry=scenario.registry,
        issuer=scenario.issuer,
        notices=scenario.genesis,
    )
    seen = log.publish(scenario.nonce_round).checkpoint
    plan = replace(scenario.plan, nonce_checkpoint=seen) if scenario.dated else scenario.plan
    kit = seal(plan)
    log.publish(replace(scenario.merge, leaves=(*OTHER_LEAVES, kit.record)))
    receipt = log.receipt(kit.record)
    if scenario.later:
        log.publish(Round(notices=scenario.later, signers=(scenario.later_signer,)))
    return Delivered(deliver(kit, receipt), log.trust(), log, kit)


def other_leaf(number: int) -> LeafRecord:
    """A leaf of some other kit."""
    return Leaf(
        client_nonce_hash=sha256(b"nonce %d" % number),
        intake_policy_hash=sha256(format_json(POLICY)),
        issued_at=START + 61,
        issuer_kid=ISSUER.public.kid,
        kit_digest=sha256(b"kit %d" % number),
        lane_id="PAY-01",
        manifest_root=sha256(b"manifest %d" % number),
        profile_id="wire-transfer",
        statement_hash=sha256(b"statement %d" % number),
    ).record()


OTHER_LEAVES = (other_leaf(1), other_leaf(2))


def make_zip(members: Mapping[str, bytes]) -> bytes:
    """The canonical ZIP of these members, whatever they are."""
    out = io.BytesIO()
    writer = KitWriter(out)
    for name in sorted(members):
        writer.add(name, members[name])
    writer.finish()
    return out.getvalue()


def open_zip(data: bytes) -> Kit:
    """The kit in these bytes."""
    return read_zip(io.BytesIO(data))


def reparsed(trust: TrustRoot) -> TrustRoot:
    """The trust root as a verifier reads it from its file."""
    return parse_trust(trust.format())


def edit_json(data: bytes, change: Callable[[Members], object]) -> bytes:
    """A JSON document with `change` made to its members, in canonical form again."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    change(value)
    return format_json(value)
