"""Verification steps 1–10: the kit by itself, its receipt's signature, its leaf (REG-1.0 section 12).

Each step yields what it finds and raises `VerificationError` where it can't go on.
"""

from collections.abc import Iterator
from itertools import pairwise

from attestlayer.canonical import Members, check_schema, names_newer_schema, parse_json
from attestlayer.encoding import Hash, format_hash, format_time, sha256, shown
from attestlayer.errors import CouldNotCheckError, Reason, Remark, VerificationError
from attestlayer.kit.container import Kit, Member
from attestlayer.kit.contents import shown_names
from attestlayer.kit.intake import Event, EventType, Trail, accepted, evaluated, rendered, sealed, submitted
from attestlayer.kit.manifest import (
    BINDER,
    CLIENT_NONCE,
    DISCLOSURE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
    UNLISTED,
    Manifest,
    ManifestFile,
    is_record,
)
from attestlayer.log.leaf import Leaf
from attestlayer.log.notices import Role
from attestlayer.verify.evidence import Evidence, NotReachedError
from attestlayer.verify.report import Aside, Observation

_MAX_COMPARED = 16 * 1024 * 1024
"""Bytes of a file that is compared without its line ends, which takes it into memory."""

_SCHEMAS = {
    DISCLOSURE: "disclosure",
    HASH_TRAIL: "hash-trail",
    INTAKE_REPORT: "intake-report",
    MANIFEST: "manifest",
    RECEIPT: "receipt",
    NONCE_CHECKPOINT: "checkpoint",
    REGISTRY_RECEIPT: "registry-receipt",
}
_NESTED_SCHEMAS = {
    INTAKE_REPORT: ("policy", "intake-policy"),
    REGISTRY_RECEIPT: ("checkpoint", "checkpoint"),
}


def check_container(evidence: Evidence) -> Iterator[Observation]:
    """Step 1: members that no kit has, documents of a newer format. The bytes could be read in one way."""
    kit = evidence.kit
    if kit.is_repacked:
        message = "the ZIP is not the one that was issued: its files were packed again"
        yield Aside(Remark.CONTAINER_REPACKED, message)
    if kit.ignored:
        message = f"{len(kit.ignored)} not of the kit, ignored: {shown_names(kit.ignored)}"
        yield Aside(Remark.FILES_IGNORED, message, kit.ignored)
    for name, schema in _SCHEMAS.items():  # first, because that nothing can be said outranks failures
        if newer := _newer_schema(kit.documents.get(name, b""), name, schema):
            yield newer
    what = "disclosed record" if kit.is_disclosure else "kit"
    for name in kit.unexpected:
        yield VerificationError(Reason.FILE_UNEXPECTED, f"no {what} has a member {shown(name)}", (name,))


def _newer_schema(data: bytes, name: str, schema: str) -> CouldNotCheckError | None:
    """The failure of a newer schema. A document that does not parse is reported by its own step."""
    if not names_newer_schema(data):  # nearly always: each document is parsed once, not twice
        return None
    try:
        value = parse_json(data)
        check_schema(value, schema)  # before what a newer format may not have
        if name in _NESTED_SCHEMAS and isinstance(value, dict):
            member, nested = _NESTED_SCHEMAS[name]
            check_schema(value.get(member), nested)
    except CouldNotCheckError as error:
        return CouldNotCheckError(error.reason, f"{name}: {error}", (name,))
    except ValueError:
        return None
    return None


def check_listed_members(evidence: Evidence) -> Iterator[Observation]:
    """Step 2: every member is listed, none is missing, none is extra."""
    members = evidence.kit.members
    for name in (HASH_TRAIL, RECEIPT):
        if name not in members:
            yield VerificationError(Reason.FILE_MISSING, f"{name} is missing", (name,))
    listed = {file.path for file in evidence.manifest.at_home().files}
    # In byte order, as REG-1.0 orders failures; set order would differ from run to run.
    for name in sorted(listed - members.keys()):
        yield VerificationError(Reason.FILE_MISSING, f"{name} is listed and missing", (name,))
    for name in sorted(members.keys() - listed - UNLISTED):
        yield VerificationError(Reason.FILE_UNEXPECTED, f"{name} is not listed in the manifest", (name,))


def check_disclosed_members(evidence: Evidence) -> Iterator[Observation]:
    """Step 2 of a disclosed record: the record that the one entry names is there, and no other."""
    members = evidence.kit.members
    wanted = {RECEIPT, CLIENT_NONCE, evidence.disclosure.at_home().file.path}
    for name in sorted(wanted - members.keys()):
        yield VerificationError(Reason.FILE_MISSING, f"{name} is missing", (name,))
    for name in filter(is_record, sorted(members.keys() - wanted)):
        yield VerificationError(Reason.FILE_UNEXPECTED, f"{name} is not the disclosed record", (name,))


def check_files(evidence: Evidence) -> Iterator[Observation]:
    """Step 3: size and SHA-256 of every listed file."""
    for file in evidence.listed_files():
        yield from _check_file(evidence.kit, file)


def _check_file(kit: Kit, file: ManifestFile) -> Iterator[Observation]:
    member = kit.members.get(file.path)
    if member is None:  # step 2 reports it
        return
    if member.size != file.size:
        message = f"{file.path} has {member.size} bytes, listed are {file.size}{_line_ends(member, file)}"
        yield VerificationError(Reason.FILE_SIZE_MISMATCH, message, (file.path,))
    elif member.sha256 != file.sha256:
        message = f"{file.path} has SHA-256 {member.sha256.hex()}, listed is {file.sha256.hex()}"
        yield VerificationError(Reason.FILE_HASH_MISMATCH, message, (file.path,))


def _line_ends(member: Member, file: ManifestFile) -> str:
    """What is said of a file that has the listed content but for its line ends; empty of any other."""
    if max(member.size, file.size) > _MAX_COMPARED:
        return ""
    unix = b"".join(member.chunks()).replace(b"\r\n", b"\n")
    listed = (file.size, file.sha256)
    if (len(unix), sha256(unix)) == listed:
        return "; only its line ends were changed, from LF to CRLF"
    windows = unix.replace(b"\n", b"\r\n")
    if (len(windows), sha256(windows)) == listed:
        return "; only its line ends were changed, from CRLF to LF"
    return ""


def check_manifest_root(evidence: Evidence) -> Iterator[Observation]:
    """Step 4: the Merkle root over the manifest's entries is the receipt's."""
    computed, stated = evidence.manifest_root(), evidence.receipt.needed().manifest_root
    if computed != stated:
        files = (evidence.listing, RECEIPT)
        yield _mismatch(Reason.MANIFEST_ROOT_MISMATCH, "manifest root", computed, stated, files)


def check_trail(evidence: Evidence) -> Iterator[Observation]:
    """Step 5: the hash trail is a chain in order of time, and says what the documents say."""
    trail = evidence.trail.at_home()
    yield from _check_chain(trail)
    times = [event.at for event in trail.events]
    if any(later < earlier for earlier, later in pairwise(times)):
        yield VerificationError(
            Reason.TRAIL_TIME_MISMATCH, "an event is earlier than its predecessor", (HASH_TRAIL,)
        )
    issued_at = evidence.receipt.needed().issued_at
    # Equal times are allowed: seconds are coarse, and sealing takes less than one.
    if times[-1] > issued_at:
        message = f"the last event is of {format_time(times[-1])}, behind issued_at {format_time(issued_at)}"
        yield VerificationError(Reason.TRAIL_TIME_MISMATCH, message, (HASH_TRAIL,))
    # Rebuilt from the other documents and compared: an event that is missing, added or changed shows alike.
    if _comparable(trail.events) != _expected_events(evidence):
        message = "the events are not those that the manifest, the report and the binder make"
        yield VerificationError(Reason.TRAIL_EVENT_MISMATCH, message, (HASH_TRAIL,))


def _check_chain(trail: Trail) -> Iterator[Observation]:
    previous: Hash | None = None
    for n, event in enumerate(trail.events):
        if (event.n, event.prev) != (n, previous):
            message = f"event {event.n} at place {n} does not follow from the event before"
            yield VerificationError(Reason.TRAIL_CHAIN_BROKEN, message, (HASH_TRAIL,))
        previous = event.hash()


Comparable = list[tuple[EventType, Members]]


def _comparable(events: tuple[Event, ...]) -> Comparable:
    """Events with the submitted ones in a fixed order: these compare as a multiset. A salt is left out."""
    # The salt comes from the packet's secret seed: no other document speaks of it.
    pairs = [(event.type, {} if event.type == EventType.PACKET_OPENED else event.data) for event in events]
    places = [i for i, (kind, _) in enumerate(pairs) if kind == EventType.RECORD_SUBMITTED]
    for n, pair in enumerate(sorted((pairs[i] for i in places), key=str)):
        pairs[places[n]] = pair
    return pairs


def _expected_events(evidence: Evidence) -> Comparable:
    manifest, report = evidence.manifest.needed(), evidence.report.needed()
    records = manifest.records()
    submissions = [(EventType.RECORD_SUBMITTED, submitted(file.sha256, file.size)) for file in records]
    hashes = {file.path: file.sha256 for file in manifest.files}
    return [
        (EventType.PACKET_OPENED, {}),
        *sorted(submissions, key=str),
        (EventType.INTAKE_EVALUATED, evaluated(report.intake_policy_hash(), hashes[INTAKE_REPORT])),
        *((EventType.RECORD_ACCEPTED, accepted(file)) for file in records),
        (EventType.BINDER_RENDERED, rendered(hashes[BINDER])),
        (EventType.MANIFEST_SEALED, sealed(evidence.document_hash(MANIFEST), manifest.root())),
    ]


def check_receipt(evidence: Evidence) -> Iterator[Observation]:
    """Step 6: the receipt binds manifest, trail, policy and nonce; all documents name one kit."""
    receipt = evidence.receipt.at_home()
    report = evidence.report.at_home()
    computed, stated = evidence.document_hash(MANIFEST), receipt.manifest_sha256
    if computed != stated:
        yield _mismatch(Reason.RECEIPT_MANIFEST_MISMATCH, MANIFEST, computed, stated, (MANIFEST, RECEIPT))
    yield from _check_nonce_hash(evidence)
    computed, stated = report.intake_policy_hash(), receipt.intake_policy_hash
    if computed != stated or (report.policy["lane_id"], report.policy["profile_id"]) != (
        receipt.lane_id,
        receipt.profile_id,
    ):
        yield _mismatch(Reason.RECEIPT_POLICY_MISMATCH, "policy", computed, stated, (INTAKE_REPORT, RECEIPT))
    computed, stated = evidence.trail.needed().head(), receipt.hash_trail_head
    if computed != stated:
        yield _mismatch(Reason.RECEIPT_TRAIL_MISMATCH, "trail head", computed, stated, (HASH_TRAIL, RECEIPT))
    yield from _check_kit_ids(evidence)
    yield from _check_report_records(evidence, evidence.manifest.needed())


def check_receipt_alone(evidence: Evidence) -> Iterator[Observation]:
    """Step 6 of a disclosed record: the receipt's form, and the nonce that it binds."""
    evidence.receipt.at_home()
    yield from _check_nonce_hash(evidence)


def _check_nonce_hash(evidence: Evidence) -> Iterator[Observation]:
    computed, stated = evidence.document_hash(CLIENT_NONCE), evidence.receipt.needed().client_nonce_hash
    if computed != stated:
        yield _mismatch(
            Reason.RECEIPT_NONCE_MISMATCH, CLIENT_NONCE, computed, stated, (CLIENT_NONCE, RECEIPT)
        )


def _check_kit_ids(evidence: Evidence) -> Iterator[Observation]:
    wanted = evidence.receipt.needed().kit_id
    kit_ids = {
        MANIFEST: evidence.manifest.needed().kit_id,
        HASH_TRAIL: evidence.trail.needed().kit_id,
        INTAKE_REPORT: evidence.report.needed().kit_id,
    }
    for name, kit_id in kit_ids.items():
        if kit_id != wanted:
            yield VerificationError(
                Reason.KIT_ID_MISMATCH, f"{name} is of {kit_id}, the receipt of {wanted}", (name,)
            )


def _check_report_records(evidence: Evidence, manifest: Manifest) -> Iterator[Observation]:
    report = evidence.report.needed()
    reported = [(record.path, record.size) for record in report.records]
    listed = [(file.path, file.size) for file in manifest.records()]
    named = {path for check in report.checks for path in check.records}
    if reported != listed or not named <= {path for path, _ in listed}:
        message = "the report's records are not those of the manifest, in its order"
        yield VerificationError(Reason.REPORT_RECORDS_MISMATCH, message, (INTAKE_REPORT, MANIFEST))


def check_issuer_key(evidence: Evidence) -> Iterator[Observation]:
    """Step 7: the receipt's key is an issuer key of the trust root, valid and not revoked at the time."""
    receipt = evidence.receipt.needed()
    key = evidence.anchors.keyring.key(Role.ISSUER, receipt.issuer_kid)
    if key is None:
        message = f"key {receipt.issuer_kid} is not an issuer key of the trust root"
        raise VerificationError(Reason.ISSUER_KEY_UNKNOWN, message, (RECEIPT,))
    # Revocation counts at both ends: a key revoked before the checkpoint could have signed a backdated
    # receipt.
    times = [receipt.issued_at]
    if evidence.sealed_as is None:
        times.append(evidence.registry_receipt.needed().checkpoint.timestamp)
    if not key.is_valid_at(receipt.issued_at):
        message = f"the issuer key was not valid at {format_time(receipt.issued_at)}"
        yield VerificationError(Reason.ISSUER_KEY_NOT_VALID, message, (RECEIPT,))
    if any(key.is_revoked_at(time) for time in times):
        message = f"the issuer key was revoked at {format_time(key.revoked_at or 0)}"
        yield VerificationError(Reason.ISSUER_KEY_REVOKED, message, (RECEIPT,))


def check_receipt_signature(evidence: Evidence) -> Iterator[Observation]:
    """Step 8: the receipt's signature verifies under its issuer key."""
    receipt = evidence.receipt.needed()
    key = evidence.anchors.keyring.key(Role.ISSUER, receipt.issuer_kid)
    if key is None:
        raise NotReachedError
    if not key.public.verifies(receipt.signature, receipt.signed_bytes()):
        message = "the receipt's signature is not its issuer key's"
        yield VerificationError(Reason.RECEIPT_SIGNATURE_INVALID, message, (RECEIPT,))


def check_leaf(evidence: Evidence) -> Iterator[Observation]:
    """Step 9: the leaf's hash is its payload's, and the payload says what the kit says."""
    record = evidence.sealed_as or evidence.registry_receipt.at_home().record
    computed = record.leaf.hash()
    if computed != record.leaf_hash:
        yield _mismatch(
            Reason.LEAF_HASH_MISMATCH, "leaf hash", computed, record.leaf_hash, (REGISTRY_RECEIPT,)
        )
    receipt = evidence.receipt.needed()
    expected = Leaf(
        client_nonce_hash=evidence.document_hash(CLIENT_NONCE),
        intake_policy_hash=receipt.intake_policy_hash,
        issued_at=receipt.issued_at,
        issuer_kid=receipt.issuer_kid,
        # Taken over from the leaf itself: step 10 computes and compares it.
        kit_digest=record.leaf.kit_digest,  # step 10
        lane_id=receipt.lane_id,
        manifest_root=evidence.manifest_root(),
        profile_id=receipt.profile_id,
        statement_hash=evidence.document_hash(RECEIPT),
    ).members()
    members = record.leaf.members()
    if differing := sorted(name for name in expected if expected[name] != members[name]):
        message = f"the leaf's {', '.join(differing)} are not the kit's"
        yield VerificationError(Reason.LEAF_MISMATCH, message, (REGISTRY_RECEIPT,))


def check_kit_digest(evidence: Evidence) -> Iterator[Observation]:
    """Step 10: the leaf's kit digest is that of the sealed kit."""
    if evidence.kit.unexpected:  # of these members no kit can be made; step 1 names them
        raise NotReachedError
    computed, stated = evidence.kit.sealed_digest(), evidence.leaf_record().leaf.kit_digest
    if computed != stated:
        yield _mismatch(Reason.KIT_DIGEST_MISMATCH, "sealed kit", computed, stated, (REGISTRY_RECEIPT,))


def _mismatch(
    reason: Reason, what: str, found: Hash, wanted: Hash, files: tuple[str, ...]
) -> VerificationError:
    """A hash that is not the one that another document names."""
    return VerificationError(
        reason, f"{what}: found {format_hash(found)}, wanted {format_hash(wanted)}", files
    )
