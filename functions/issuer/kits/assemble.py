"""Puts a sealed kit together: a pure function of a packet, its evaluation, a nonce, ids and times."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from attestlayer.canonical import parse_json, take_members
from attestlayer.encoding import Hash, format_hash, format_time, sha256
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
from attestlayer.kit.receipt import BOUNDARY, Nonce, Receipt
from attestlayer.log.leaf import Leaf, LeafRecord
from attestlayer.log.promises import MERGE_DELAY_S
from issuer.errors import Code, ServiceError
from issuer.intake.evaluate import Report
from issuer.intake.examine import Examined
from issuer.intake.policy import Policy
from issuer.kits.names import record_path
from issuer.kits.readme import Readme
from issuer.model import Binder, BinderCheck, BinderRecord, Packet, Record
from issuer.ports import BinderRenderer, Signer


@dataclass(frozen=True, slots=True)
class Sealing:
    """All that a sealed kit is made of. `examined` in order of submission; `issued_at` POSIX seconds."""

    origin: str
    kit_id: str
    issued_at: int
    packet: Packet
    policy: Policy
    examined: Sequence[Examined]
    report: Report
    nonce: Nonce
    nonce_checkpoint: bytes | None


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
        for name in sorted([*self.documents, *self.records]):
            if name in self.documents:
                writer.add(name, self.documents[name])
                continue
            data = read(self.records[name])
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


def seal(sealing: Sealing, renderer: BinderRenderer, signer: Signer) -> Sealed:
    """Make every document of the kit and sign the receipt. The same input makes the same bytes."""
    paths = {
        one.record.record_id: record_path(number, one.record.name)
        for number, one in enumerate(sealing.examined, 1)
    }
    report = _intake_report(sealing, paths)
    documents = {
        README: _readme(sealing, signer.public.kid),
        BINDER: renderer.render(_binder(sealing, report, signer.public.kid)),
        INTAKE_REPORT: report.format(),
        CLIENT_NONCE: sealing.nonce.format(),
    }
    if sealing.nonce_checkpoint is not None:
        documents[NONCE_CHECKPOINT] = sealing.nonce_checkpoint
    records = {paths[one.record.record_id]: one.record for one in sealing.examined}
    manifest = _manifest(sealing, documents, records)
    trail = _trail(sealing, manifest, documents)
    receipt = _receipt(sealing, manifest, trail, signer)
    documents |= {
        MANIFEST: manifest.format(),
        HASH_TRAIL: trail.format(),
        RECEIPT: receipt.format(),
    }
    return Sealed(documents, records, receipt, manifest.root())


def salt_of(seed: bytes, path: str) -> bytes:
    """A manifest entry's salt: HMAC-SHA256 of the path under the packet's seed, cut to 16 bytes."""
    return hmac.new(seed, path.encode("ascii"), hashlib.sha256).digest()[:SALT_LENGTH]


def _manifest(sealing: Sealing, documents: Mapping[str, bytes], records: Mapping[str, Record]) -> Manifest:
    contents = {path: (sha256(data), len(data)) for path, data in documents.items()}
    contents |= {path: (Hash(record.sha256), record.size) for path, record in records.items()}
    files = (
        ManifestFile(path, salt_of(sealing.packet.seed, path), *contents[path]) for path in sorted(contents)
    )
    return Manifest(sealing.kit_id, tuple(files))


def _trail(sealing: Sealing, manifest: Manifest, documents: Mapping[str, bytes]) -> Trail:
    at, packet = sealing.issued_at, sealing.packet
    submissions = [
        (record.submitted_at, EventType.RECORD_SUBMITTED, submitted(Hash(record.sha256), record.size))
        for record in packet.records
    ]
    report_hash = sha256(documents[INTAKE_REPORT])
    return chain_events(
        sealing.kit_id,
        [
            (packet.opened_at, EventType.PACKET_OPENED, {}),
            *submissions,
            (at, EventType.INTAKE_EVALUATED, evaluated(sealing.policy.policy_hash, report_hash)),
            *((at, EventType.RECORD_ACCEPTED, accepted(file)) for file in manifest.records()),
            (at, EventType.BINDER_RENDERED, rendered(sha256(documents[BINDER]))),
            (at, EventType.MANIFEST_SEALED, sealed(sha256(manifest.format()), manifest.root())),
        ],
    )


def _receipt(sealing: Sealing, manifest: Manifest, trail: Trail, signer: Signer) -> Receipt:
    unsigned = Receipt(
        origin=sealing.origin,
        kit_id=sealing.kit_id,
        lane_id=sealing.policy.lane_id,
        profile_id=sealing.policy.profile_id,
        issued_at=sealing.issued_at,
        issuer_kid=signer.public.kid,
        manifest_sha256=sha256(manifest.format()),
        manifest_root=manifest.root(),
        hash_trail_head=trail.head(),
        intake_policy_hash=sealing.policy.policy_hash,
        client_nonce_hash=sealing.nonce.hash(),
        supersedes=sealing.packet.supersedes,
    )
    return replace(unsigned, signature=signer.sign(unsigned.signed_bytes()))


def _intake_report(sealing: Sealing, paths: Mapping[str, str]) -> IntakeReport:
    records = tuple(
        ReportRecord(
            path=paths[one.record.record_id],
            name=one.record.name,
            record_type=one.record.record_type,
            media_type=str(one.media_type),
            size=one.record.size,
            metadata=one.record.metadata,
        )
        for one in sealing.examined
    )
    checks = tuple(
        ReportCheck(
            rule=check.rule_id,
            records=tuple(paths[record_id] for record_id in check.record_ids),
            result=CheckResult(check.result.value),
            found=check.found,
        )
        for check in sealing.report.checks
    )
    return IntakeReport(sealing.kit_id, take_members(parse_json(sealing.policy.document)), records, checks)


def _readme(sealing: Sealing, issuer_kid: str) -> bytes:
    readme = Readme(
        kit_id=sealing.kit_id,
        lane_id=sealing.policy.lane_id,
        profile_id=sealing.policy.profile_id,
        issued_at=format_time(sealing.issued_at),
        origin=sealing.origin,
        issuer_kid=issuer_kid,
    )
    return readme.format()


def _binder(sealing: Sealing, report: IntakeReport, issuer_kid: str) -> Binder:
    policy, nonce = sealing.policy, sealing.nonce
    sentences = {rule.rule_id: rule.sentence for rule in policy.rules()}
    hashes = {one.record.record_id: one.record.sha256.hex() for one in sealing.examined}
    ordered = zip(report.records, sealing.examined, strict=True)
    return Binder(
        kit_id=sealing.kit_id,
        origin=sealing.origin,
        lane_id=policy.lane_id,
        lane_title=policy.lane_title,
        profile_id=policy.profile_id,
        profile_title=policy.title,
        profile_summary=policy.summary,
        intake_policy_hash=policy.policy_hash.hex(),
        issued_at=format_time(sealing.issued_at),
        merge_by=format_time(sealing.issued_at + MERGE_DELAY_S),
        issuer_kid=issuer_kid,
        client_nonce_hash=nonce.hash().hex(),
        nonce_checkpoint=None if nonce.checkpoint is None else format_hash(nonce.checkpoint),
        supersedes=sealing.packet.supersedes,
        boundary=BOUNDARY,
        records=tuple(
            BinderRecord(
                path=record.path,
                name=record.name,
                record_type=record.record_type,
                media_type=record.media_type,
                size=record.size,
                sha256=hashes[one.record.record_id],
                metadata=dict(record.metadata),
            )
            for record, one in ordered
        ),
        checks=tuple(
            BinderCheck(check.rule, sentences[check.rule], check.result.value, check.found, check.records)
            for check in report.checks
        ),
    )
