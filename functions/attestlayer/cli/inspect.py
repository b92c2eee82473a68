"""Shows the claims of a file, none of them checked, and the hashes to look it up by."""

from collections.abc import Callable
from pathlib import Path

from attestlayer.canonical import parse_json
from attestlayer.cli.text import Row, Style, date_words
from attestlayer.encoding import format_hash, sha256, shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import ZIP_START, Kit
from attestlayer.kit.disclosure import parse_disclosure
from attestlayer.kit.intake import parse_report, parse_trail
from attestlayer.kit.manifest import DISCLOSURE, RECEIPT, REGISTRY_RECEIPT, parse_manifest
from attestlayer.kit.receipt import NONCE_HEADER, parse_nonce, parse_receipt
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint, parse_note_body
from attestlayer.log.leaf import LeafRecord, parse_record, parse_registry_receipt
from attestlayer.log.note import Note, parse_note
from attestlayer.log.notices import parse_notices
from attestlayer.log.trust import parse_trust
from attestlayer.reading.files import check_plain, open_kit, read_input

Section = tuple[str, list[Row]]

_KNOWN = (
    "a kit, a receipt, a registry receipt, a leaf record, a manifest, a hash trail, an intake report, "
    "a disclosure, a checkpoint (JSON or text), notices, a trust root or a client nonce"
)

_TO_CHECK = "To check: `attestlayer verify KIT`, `attestlayer verify-receipt REGISTRY_RECEIPT`."


def inspect(path: Path, style: Style) -> str:
    """The claims of a file or folder. Raises `VerificationError` if it can't be read as anything known."""
    sections = _kit(path) if _is_kit(path) else _document(read_input(path))
    lines = [style.warn("SAYS, NOT VERIFIED")]
    lines += style.wrap(f"What {path} claims. Nothing of it was checked: anyone can write such a file.")
    for heading, rows in sections:
        lines += [style.heading(heading), *style.rows(rows)]
    return style.finish([*lines, "", *style.wrap(_TO_CHECK)])


def _is_kit(path: Path) -> bool:
    check_plain(path)
    try:
        if path.is_dir():
            return True
        with path.open("rb") as stream:
            return stream.read(len(ZIP_START)) == ZIP_START
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message) from error


def _kit(path: Path) -> list[Section]:
    with open_kit(path) as kit:
        sections: list[Section] = [
            ("Kit", [("members", str(len(kit.members))), ("kit digest", _digest(kit))]),
            ("Members", [(f"{member.size:>11}", name) for name, member in kit.members.items()]),
        ]
        for name, read in _SHOWN.items():
            if name == DISCLOSURE and not kit.is_disclosure:
                continue
            if name not in kit.documents:
                sections.append((name, [("missing", "the kit has none")]))
                continue
            try:
                sections += read(kit.documents[name])
            except VerificationError as error:
                sections.append((name, [("unreadable", str(error))]))
        return sections


def _digest(kit: Kit) -> str:
    if kit.is_disclosure:
        return "none: this is one disclosed record of a kit"
    if kit.unexpected:
        return "none: there are members that no kit has"
    return format_hash(kit.sealed_digest())


def _document(data: bytes) -> list[Section]:
    if data.startswith(NONCE_HEADER.encode()):
        return _nonce(data)
    if b"\n\n\xe2\x80\x94 " in data:  # signature lines of a signed note
        return _signed_note(data)
    try:
        value = parse_json(data)
    except ValueError as error:
        message = f"not {_KNOWN}: {error}"
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message) from error
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema is None and isinstance(value, dict) and "leaf_hash" in value:
        return [("Leaf record", _leaf_rows(parse_record(data)))]
    for name, read in _READERS.items():
        if isinstance(schema, str) and schema.startswith(f"attestlayer/{name}/"):
            return read(data)  # which says so if the number is another
    raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"not {_KNOWN}: schema is {shown(schema)}")


def _receipt(data: bytes) -> list[Section]:
    receipt = parse_receipt(data)
    rows = [
        ("kit", receipt.kit_id),
        ("lane", f"{receipt.lane_id}, profile {receipt.profile_id}"),
        ("issued at", date_words(receipt.issued_at)),
        ("merge by", date_words(receipt.merge_by)),
        ("registry", receipt.origin),
        ("issuer key", receipt.issuer_kid),
        ("supersedes", receipt.supersedes or "nothing"),
        ("manifest root", format_hash(receipt.manifest_root)),
        ("policy", format_hash(receipt.intake_policy_hash)),
        ("nonce hash", format_hash(receipt.client_nonce_hash)),
    ]
    return [("Receipt", [*rows, ("statement hash", format_hash(sha256(data)))])]


def _registry_receipt(data: bytes) -> list[Section]:
    receipt = parse_registry_receipt(data)
    rows = [("leaf index", str(receipt.leaf_index)), *_leaf_rows(receipt.record)]
    return [
        ("Registry receipt: leaf", rows),
        ("Registry receipt: checkpoint", _checkpoint_rows(receipt.checkpoint)),
        ("Registry receipt: signed by", _signers(receipt.note)),
    ]


def _leaf_rows(record: LeafRecord) -> list[Row]:
    leaf, computed = record.leaf, record.leaf.hash()
    note = "" if computed == record.leaf_hash else f" (its payload hashes to {format_hash(computed)})"
    return [
        ("lane", f"{leaf.lane_id}, profile {leaf.profile_id}"),
        ("issued at", date_words(leaf.issued_at)),
        ("leaf hash", format_hash(record.leaf_hash) + note),
        ("kit digest", format_hash(leaf.kit_digest)),
        ("statement hash", format_hash(leaf.statement_hash)),
        ("look up at", f"/v1/proofs/inclusion?leaf_hash={format_hash(record.leaf_hash)}"),
    ]


def _checkpoint_rows(checkpoint: Checkpoint) -> list[Row]:
    return [
        ("registry", checkpoint.origin),
        ("time", date_words(checkpoint.timestamp)),
        ("sequence", str(checkpoint.sequence)),
        ("tree size", str(checkpoint.head.size)),
        ("root hash", format_hash(checkpoint.head.root)),
        ("registry key", checkpoint.kid),
        ("hash", format_hash(checkpoint.hash())),
        ("look up at", f"/v1/checkpoints/{format_hash(checkpoint.hash())}.json"),
    ]


def _checkpoint(data: bytes) -> list[Section]:
    return [("Checkpoint", _checkpoint_rows(parse_checkpoint(data)))]


def _signed_note(data: bytes) -> list[Section]:
    note = parse_note(data.decode("utf-8", "replace"))
    body = parse_note_body(note.text)
    rows = [("registry", body.origin), ("tree size", str(body.head.size))]
    rows += [("root hash", format_hash(body.head.root))]
    return [("Checkpoint (C2SP text)", rows), ("Signed by", _signers(note))]


def _signers(note: Note) -> list[Row]:
    return [("line of", f"{line.name}, key id {line.key_id.hex()}") for line in note.signatures]


def _manifest(data: bytes) -> list[Section]:
    manifest = parse_manifest(data)
    rows = [
        ("kit", manifest.kit_id),
        ("files", str(len(manifest.files))),
        ("manifest root", format_hash(manifest.root())),
        ("SHA-256", format_hash(sha256(data))),
    ]
    return [("Manifest", rows), ("Files", [(f"{file.size:>11}", file.path) for file in manifest.files])]


def _disclosure(data: bytes) -> list[Section]:
    disclosure = parse_disclosure(data)
    file = disclosure.file
    rows = [("record", file.path), ("size", f"{file.size} bytes"), ("SHA-256", file.sha256.hex())]
    return [("Disclosed record", [*rows, ("manifest root", format_hash(disclosure.root()))])]


def _trail(data: bytes) -> list[Section]:
    trail = parse_trail(data)
    rows = [("kit", trail.kit_id), ("head", format_hash(trail.head()))]
    events = [(str(event.n), f"{date_words(event.at)}  {event.type.value}") for event in trail.events]
    return [("Hash trail", rows), ("Events", events)]


def _report(data: bytes) -> list[Section]:
    report = parse_report(data)
    rows = [("kit", report.kit_id), ("policy", format_hash(report.intake_policy_hash()))]
    records = [(f"{record.size:>11}", f"{record.path}: {record.name}") for record in report.records]
    checks = [(check.result.value, f"{check.rule}: {check.found}") for check in report.checks]
    return [("Intake report", rows), ("Records", records), ("Checks", checks)]


def _notices(data: bytes) -> list[Section]:
    notices = parse_notices(data)
    rows = [("registry", notices.origin), ("hash", format_hash(notices.hash()))]
    listed = [(str(n.n), f"{date_words(n.at)}  {n.type.value}") for n in notices.notices]
    return [("Notices", rows), ("Listed", listed)]


def _trust(data: bytes) -> list[Section]:
    trust = parse_trust(data)
    rows = [
        ("registry", trust.origin),
        ("fingerprint", format_hash(trust.fingerprint())),
        ("notices", str(len(trust.notices.notices))),
    ]
    return [("Trust root", rows), ("Checkpoint", _checkpoint_rows(trust.checkpoint))]


def _nonce(data: bytes) -> list[Section]:
    nonce = parse_nonce(data)
    named = "none: it dates nothing" if nonce.checkpoint is None else format_hash(nonce.checkpoint)
    return [("Client nonce", [("checkpoint", named), ("nonce hash", format_hash(nonce.hash()))])]


_SHOWN = {DISCLOSURE: _disclosure, RECEIPT: _receipt, REGISTRY_RECEIPT: _registry_receipt}

_READERS: dict[str, Callable[[bytes], list[Section]]] = {
    "receipt": _receipt,
    "registry-receipt": _registry_receipt,
    "checkpoint": _checkpoint,
    "disclosure": _disclosure,
    "manifest": _manifest,
    "hash-trail": _trail,
    "intake-report": _report,
    "notices": _notices,
    "trust": _trust,
}
