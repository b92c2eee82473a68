"""Puts a sealed kit together: a pure function of a packet, its evaluation, a nonce, ids and times."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from attestlayer.canonical import parse_json, take_members
from attestlayer.encoding import Hash, sha256
from attestlayer.kit.container import KitWriter
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
    SALT_LENGTH,
    Manifest,
    ManifestFile,
)
from attestlayer.kit.receipt import Nonce, Receipt
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, LeafRecord
from issuer.errors import Code, ServiceError
from issuer.intake.evaluate import Evaluation
from issuer.intake.examine import Examined
from issuer.intake.policy import Policy
from issuer.kits.names import record_path
from issuer.kits.readme import format_readme
from issuer.model import Binder, KitRegistry, Packet, Record
from issuer.ports import BinderRenderer, Signer


@dataclass(frozen=True, slots=True)
class Intake:
    """A packet that passed, with all that its kit is made of. `examined` is in order of submission."""

    packet: Packet
    policy: Policy
    examined: Sequence[Examined]
    evaluation: Evaluation
    nonce: Nonce
    nonce_checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed kit's parts that are not records, its signed receipt, and the records by path."""

    documents: Mapping[str, bytes]
    records: Mapping[str, Record]
    receipt: Receipt
    manifest_root: Hash

    def write(self, out: BinaryIO, read: Callable[[Record], bytes]) -> None:
        """Write the canonical ZIP. `read` gives a record's bytes; one record is in memory at a time.

        Raises `ServiceError` (CHANGED_MEANWHILE) if a record's bytes are not those that were accepted.
        """
        writer = KitWriter(out)
        # Members of the canonical ZIP are in the order of their names (REG-1.0 section 6).
        for name in sorted([*self.documents, *self.records]):
            if name in self.documents:
                writer.add(name, self.documents[name])
                continue
            data = read(self.records[name])
            # Read again since they were examined: the store could have been changed meanwhile.
            if sha256(data) != self.records[name].sha256:
                raise ServiceError(
                    Code.CHANGED_MEANWHILE, f"the stored bytes of {name} are not those accepted"
                )
            writer.add(name, data)
        writer.finish()

    def leaf(self, kit_digest: Hash) -> LeafRecord:
        """The leaf of this kit, once its digest is known."""
        receipt = self.receipt
        return Leaf(
            client_nonce_hash=receipt.client_nonce_hash,
            intake_policy_hash=receipt.intake_policy_hash,
            issued_at=receipt.issued_at,
            issuer_kid=receipt.issuer_kid,
            kit_digest=kit_digest,
            lane_id=receipt.lane_id,
            manifest_root=self.manifest_root,
            profile_id=receipt.profile_id,
            statement_hash=sha256(receipt.format()),
        ).record()


def seal(
    intake: Intake,
    *,
    registry: KitRegistry,
    kit_id: str,
    issued_at: int,
    renderer: BinderRenderer,
    signer: Signer,
) -> Sealed:
    """Make every document of the kit and sign the receipt. The same input makes the same bytes.

    `issued_at` is in POSIX seconds. Each document is made before what names its hash (REG-1.0 section 6):
    report and binder, manifest, trail, receipt.
    """
    issuer_kid = signer.public.kid
    paths = {
        one.record.record_id: record_path(number, one.record.name, str(one.media_type))
        for number, one in enumerate(intake.examined, 1)
    }
    report = _intake_report(intake, kit_id, paths)
    binder = _binder(intake, report, registry=registry, issued_at=issued_at, issuer_kid=issuer_kid)
    documents = {
        README: format_readme(
            kit_id=kit_id,
            lane_id=intake.policy.lane_id,
            profile_id=intake.policy.profile_id,
            issued_at=issued_at,
            registry=registry,
            issuer_kid=issuer_kid,
        ),
        BINDER: renderer.render(binder),
        INTAKE_REPORT: report.format(),
        CLIENT_NONCE: intake.nonce.format(),
    }
    if intake.nonce_checkpoint is not None:
        documents[NONCE_CHECKPOINT] = intake.nonce_checkpoint.format()
    records = {paths[one.record.record_id]: one.record for one in intake.examined}
    # The manifest lists what was there before it; the receipt binds manifest and trail.
    manifest = _manifest(kit_id, intake.packet.seed, documents, records)
    trail = _trail(intake, issued_at, manifest, documents)
    receipt = _receipt(intake, registry.origin, issued_at, manifest, trail, signer)
    documents |= {
        MANIFEST: manifest.format(),
        HASH_TRAIL: trail.format(),
        RECEIPT: receipt.format(),
    }
    return Sealed(documents, records, receipt, manifest.root())


def salt_of(seed: bytes, path: str) -> bytes:
    """The salt of a manifest entry or of the trail: HMAC-SHA256 of its path under the seed, 16 bytes."""
    if not seed:
        raise ValueError("the packet's seed was deleted with its records: it makes no salts any more")
    # The seed is secret: who has one file of a kit can't guess another one's leaf from its likely content.
    return hmac.new(seed, path.encode("ascii"), hashlib.sha256).digest()[:SALT_LENGTH]


def _manifest(
    kit_id: str, seed: bytes, documents: Mapping[str, bytes], records: Mapping[str, Record]
) -> Manifest:
    contents = {path: (sha256(data), len(data)) for path, data in documents.items()}
    contents |= {path: (record.sha256, record.size) for path, record in records.items()}
    files = (ManifestFile(path, salt_of(seed, path), *contents[path]) for path in sorted(contents))
    return Manifest(kit_id, tuple(files))


def _trail(intake: Intake, at: int, manifest: Manifest, documents: Mapping[str, bytes]) -> Trail:
    packet = intake.packet
    submissions = [
        (record.submitted_at, EventType.RECORD_SUBMITTED, submitted(record.sha256, record.size))
        for record in packet.records
    ]
    report_hash = sha256(documents[INTAKE_REPORT])
    return chain_events(
        manifest.kit_id,
        [
            # Without the salt, the head in the receipt would let its holder try guesses at each record.
            (packet.opened_at, EventType.PACKET_OPENED, opened(salt_of(packet.seed, HASH_TRAIL))),
            *submissions,
            (at, EventType.INTAKE_EVALUATED, evaluated(intake.policy.intake_policy_hash, report_hash)),
            *((at, EventType.RECORD_ACCEPTED, accepted(file)) for file in manifest.records()),
            (at, EventType.BINDER_RENDERED, rendered(sha256(documents[BINDER]))),
            (at, EventType.MANIFEST_SEALED, sealed(sha256(manifest.format()), manifest.root())),
        ],
    )


def _receipt(
    intake: Intake, origin: str, issued_at: int, manifest: Manifest, trail: Trail, signer: Signer
) -> Receipt:
    unsigned = Receipt(
        origin=origin,
        kit_id=manifest.kit_id,
        lane_id=intake.policy.lane_id,
        profile_id=intake.policy.profile_id,
        issued_at=issued_at,
        issuer_kid=signer.public.kid,
        manifest_sha256=sha256(manifest.format()),
        manifest_root=manifest.root(),
        hash_trail_head=trail.head(),
        intake_policy_hash=intake.policy.intake_policy_hash,
        client_nonce_hash=intake.nonce.hash(),
        supersedes=intake.packet.supersedes,
    )
    return replace(unsigned, signature=signer.sign(unsigned.signed_bytes()))


def _intake_report(intake: Intake, kit_id: str, paths: Mapping[str, str]) -> IntakeReport:
    records = tuple(
        ReportRecord(
            path=paths[one.record.record_id],
            name=one.record.name,
            record_type=one.record.record_type,
            media_type=str(one.media_type),
            size=one.record.size,
            metadata=one.record.metadata,
        )
        for one in intake.examined
    )
    checks = tuple(
        ReportCheck(
            rule=check.rule_id,
            records=tuple(paths[record_id] for record_id in check.record_ids),
            result=CheckResult(check.result.value),
            found=check.found,
        )
        for check in intake.evaluation.checks
    )
    return IntakeReport(kit_id, take_members(parse_json(intake.policy.document)), records, checks)


def _binder(
    intake: Intake, report: IntakeReport, *, registry: KitRegistry, issued_at: int, issuer_kid: str
) -> Binder:
    policy, nonce = intake.policy, intake.nonce
    return Binder(
        kit_id=report.kit_id,
        origin=registry.origin,
        verify_page=registry.verify_page,
        lane_id=policy.lane_id,
        lane_title=policy.lane_title,
        profile_id=policy.profile_id,
        profile_title=policy.title,
        profile_summary=policy.summary,
        intake_policy_hash=policy.intake_policy_hash,
        issued_at=issued_at,
        issuer_kid=issuer_kid,
        client_nonce_hash=nonce.hash(),
        nonce_checkpoint=nonce.checkpoint,
        supersedes=intake.packet.supersedes,
        records=report.records,
        hashes=tuple(one.record.sha256 for one in intake.examined),
        checks=report.checks,
        sentences={rule.rule_id: rule.sentence for rule in policy.rules()},
    )
