"""Disclosed records: a good one, and one for each way in which one can be wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from attestlayer.canonical import format_json, parse_json, take_members
from attestlayer.encoding import sha256
from attestlayer.errors import Reason, Remark, VerificationError
from attestlayer.keys import PrivateKey
from attestlayer.kit.disclosure import Disclosure, disclose, parse_disclosure
from attestlayer.kit.manifest import (
    BINDER,
    CLIENT_NONCE,
    DISCLOSURE,
    MANIFEST,
    NONCE_CHECKPOINT,
    README,
    RECEIPT,
    REGISTRY_RECEIPT,
    parse_manifest,
)
from attestlayer.kit.receipt import Nonce
from attestlayer.log.notices import NoticeType
from attestlayer.log.trust import parse_trust
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain_disclosure, report_unopened
from support.build import ISSUER, STRANGER, Delivered, Plan, Round, Scenario, make, make_zip, sign_receipt
from support.cases import Subject
from support.judge import opened
from support.packed import HONEST

RECORDS = tuple((f"records/{n:03}-r.txt", b"record %d\n" % n) for n in range(1, 6))
PATH = "records/003-r.txt"
ANOTHER = "records/004-r.txt"
PLAN = Plan(records=RECORDS)

Parts = dict[str, bytes]


@dataclass(frozen=True, kw_only=True)
class DisclosureCase:
    """A disclosed record, and what verification makes of it: as `Case` of kits."""

    name: str
    comment: str
    build: Callable[[], Subject]
    reason: Reason | None = None
    step: int = 0
    files: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


def made(scenario: Scenario | None = None, path: str = PATH) -> tuple[Parts, Delivered]:
    """The members of a disclosed record, and the kit that it is of."""
    kit = make(scenario or Scenario(plan=PLAN))
    return {**disclose(kit.members, path), path: kit.members[path]}, kit


def good() -> Subject:
    """A disclosed record as it should be."""
    parts, kit = made()
    return Subject(zip=make_zip(parts), trust=kit.trust.format())


def _changed(edit: Callable[[Parts], Parts], scenario: Scenario | None = None) -> Callable[[], Subject]:
    def build() -> Subject:
        parts, kit = made(scenario)
        return Subject(zip=make_zip(edit(parts)), trust=kit.trust.format())

    return build


def _without(name: str) -> Callable[[Parts], Parts]:
    return lambda parts: {member: data for member, data in parts.items() if member != name}


def _with(name: str, data: bytes) -> Callable[[Parts], Parts]:
    return lambda parts: {**parts, name: data}


def _entry(edit: Callable[[Disclosure], Disclosure]) -> Callable[[Parts], Parts]:
    return lambda parts: {**parts, DISCLOSURE: edit(parse_disclosure(parts[DISCLOSURE])).format()}


def _json(edit: Callable[[dict], object]) -> Callable[[Parts], Parts]:  # type: ignore[type-arg]
    def change(parts: Parts) -> Parts:
        members = take_members(parse_json(parts[DISCLOSURE]))
        return {**parts, DISCLOSURE: format_json({**members, **edit(members)})}  # type: ignore[dict-item]

    return change


def _flipped(disclosure: Disclosure) -> Disclosure:
    first, *rest = disclosure.path
    other = "right" if first.side == "left" else "left"
    return replace(disclosure, path=(replace(first, side=other), *rest))


def _of_another_hash(disclosure: Disclosure) -> Disclosure:
    first, *rest = disclosure.path
    return replace(disclosure, path=(replace(first, hash=sha256(b"another")), *rest))


def _of_a_node(parts: Parts) -> Parts:
    """What a node hashes can't be shown as a leaf: the two begin with other bytes."""
    disclosure = parse_disclosure(parts[DISCLOSURE])
    return {**parts, DISCLOSURE: replace(disclosure, path=disclosure.path[1:]).format()}


def _resigned(parts: Parts, key: PrivateKey = ISSUER) -> Parts:
    kit = make(Scenario(plan=PLAN))
    changed = replace(kit.sealed.receipt, supersedes="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN")
    receipt = sign_receipt(changed, key)
    return {**parts, RECEIPT: receipt.format()}


def _more(parts: Parts, data: bytes) -> Parts:
    return {**parts, DISCLOSURE: parts[DISCLOSURE] + data}


def _of_another_kit(parts: Parts) -> Parts:
    other, _ = made(Scenario(plan=replace(PLAN, readme=b"Another kit.")))
    return {**parts, DISCLOSURE: other[DISCLOSURE]}


def _folder() -> Subject:
    parts, kit = made()
    return Subject(folder=parts, trust=kit.trust.format())


def _whole_kit() -> Subject:
    parts, kit = made()
    return Subject(zip=make_zip({**kit.members, **parts}), trust=kit.trust.format())


def _other_trust() -> Subject:
    parts, _ = made()
    signed = Round(signers=(STRANGER,))
    stranger = make(Scenario(registry=STRANGER, nonce_round=signed, merge=signed))
    return Subject(zip=make_zip(parts), trust=stranger.trust.format())


def _withdrawn() -> Subject:
    parts, kit = made()
    data = {"leaf_hash": kit.sealed.record.members()["leaf_hash"], "reason": "issued-in-error"}
    later = Scenario(plan=PLAN, later=((NoticeType.KIT_WITHDRAWN, data),))
    return Subject(zip=make_zip(parts), trust=make(later).trust.format())


def _other_file(path: str) -> Callable[[Parts], Parts]:
    """An entry of the same manifest that is no record's."""
    kit = make(Scenario(plan=PLAN))
    file = next(f for f in parse_manifest(kit.members[MANIFEST]).files if f.path == path)
    return _entry(lambda disclosure: replace(disclosure, file=file))


def _case(
    name: str,
    comment: str,
    build: Callable[[], Subject],
    reason: Reason,
    step: int,
    *files: str,
) -> DisclosureCase:
    return DisclosureCase(name=name, comment=comment, build=build, reason=reason, step=step, files=files)


def _malformed(name: str, comment: str, edit: Callable[[Parts], Parts]) -> DisclosureCase:
    return _case(name, comment, _changed(edit), Reason.MANIFEST_MALFORMED, 2, DISCLOSURE)


def _root(name: str, comment: str, edit: Callable[[Parts], Parts]) -> DisclosureCase:
    return _case(name, comment, _changed(edit), Reason.MANIFEST_ROOT_MISMATCH, 4, DISCLOSURE, RECEIPT)


CASES = (
    DisclosureCase(name="disclosed-record", comment="One record of five.", build=good),
    DisclosureCase(name="folder", comment="The same unpacked.", build=_folder),
    DisclosureCase(
        name="nonce-without-checkpoint",
        comment="The client's nonce names no checkpoint.",
        build=_changed(lambda parts: parts, Scenario(plan=PLAN, dated=False)),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    _case(
        "bytes-behind-the-zip",
        "A byte behind the end of the ZIP.",
        lambda: replace(good(), zip=(good().zip or b"") + b"x"),
        Reason.CONTAINER_AMBIGUOUS,
        1,
    ),
    DisclosureCase(
        name="repacked",
        comment="Packed again by macOS.",
        build=lambda: replace(good(), zip=HONEST["by-macos"][1](made()[0])),
        remarks=(Remark.CONTAINER_REPACKED, Remark.FILES_IGNORED),
    ),
    DisclosureCase(
        name="folder-in-a-folder",
        comment="Unpacked into a folder of its name.",
        build=lambda: replace(
            _folder(), folder={f"part/{name}": data for name, data in (_folder().folder or {}).items()}
        ),
    ),
    _case(
        "newer-format",
        "disclosure.json is of a newer format.",
        _changed(_json(lambda _: {"schema": "attestlayer/disclosure/2"})),
        Reason.SCHEMA_NEWER,
        1,
        DISCLOSURE,
    ),
    _case(
        "with-the-manifest",
        "The kit's manifest is there too.",
        _changed(lambda parts: {**parts, MANIFEST: make(Scenario(plan=PLAN)).members[MANIFEST]}),
        Reason.FILE_UNEXPECTED,
        1,
        MANIFEST,
    ),
    _case(
        "whole-kit-with-a-disclosure",
        "A whole kit with disclosure.json added: neither a kit nor a disclosed record.",
        _whole_kit,
        Reason.FILE_UNEXPECTED,
        1,
        README,
    ),
    _malformed("not-canonical", "disclosure.json ends in a newline.", lambda p: _more(p, b"\n")),
    _malformed("unknown-member", "disclosure.json has a member more.", _json(lambda _: {"tree_size": 10})),
    _malformed("binder-disclosed", "The entry is the binder's, which is no record.", _other_file(BINDER)),
    _malformed(
        "side-of-no-name",
        "A hash stands neither left nor right.",
        _json(lambda m: {"audit_path": [{**m["audit_path"][0], "side": "up"}]}),
    ),
    _malformed(
        "way-too-long",
        "Eleven hashes, more than a manifest's tree has levels.",
        _entry(lambda d: replace(d, path=(d.path * 11)[:11])),
    ),
    _case(
        "record-missing", "The record is not there.", _changed(_without(PATH)), Reason.FILE_MISSING, 2, PATH
    ),
    _case(
        "receipt-missing",
        "The receipt is not there.",
        _changed(_without(RECEIPT)),
        Reason.FILE_MISSING,
        2,
        RECEIPT,
    ),
    _case(
        "another-record-too",
        "A second record, which the disclosure does not name.",
        _changed(_with(ANOTHER, RECORDS[3][1])),
        Reason.FILE_UNEXPECTED,
        2,
        ANOTHER,
    ),
    _case(
        "record-under-another-name",
        "The record's bytes under another record's name.",
        _changed(lambda parts: {**_without(PATH)(parts), ANOTHER: parts[PATH]}),
        Reason.FILE_MISSING,
        2,
        PATH,
    ),
    _case(
        "record-longer",
        "A byte behind the record.",
        _changed(_with(PATH, b"record 3\n\0")),
        Reason.FILE_SIZE_MISMATCH,
        3,
        PATH,
    ),
    _case(
        "record-changed",
        "A byte of the record is another.",
        _changed(_with(PATH, b"record 4\n")),
        Reason.FILE_HASH_MISMATCH,
        3,
        PATH,
    ),
    _root("hash-on-the-way-differs", "The first hash on the way is another.", _entry(_of_another_hash)),
    _root("sides-swapped", "The first hash stands on the other side.", _entry(_flipped)),
    _root("way-too-short", "The first hash on the way is left out.", _of_a_node),
    _root(
        "salt-differs",
        "The entry's salt is another.",
        _entry(lambda d: replace(d, file=replace(d.file, salt=bytes(16)))),
    ),
    _root(
        "renamed",
        "Entry and record under a name that the kit does not have.",
        lambda parts: _entry(lambda d: replace(d, file=replace(d.file, path="records/003-other.txt")))(
            {**_without(PATH)(parts), "records/003-other.txt": parts[PATH]}
        ),
    ),
    _root("of-another-kit", "A record of another kit beside this kit's receipt.", _of_another_kit),
    DisclosureCase(
        name="nonce-of-another",
        comment="The client nonce is another.",
        build=_changed(_with(CLIENT_NONCE, Nonce(None, bytes(32)).format())),
        reason=Reason.RECEIPT_NONCE_MISMATCH,
        step=6,
        files=(CLIENT_NONCE, RECEIPT),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    _case(
        "receipt-signed-by-a-stranger",
        "A receipt as it was, signed by a stranger's key.",
        _changed(lambda parts: _resigned(parts, STRANGER)),
        Reason.RECEIPT_SIGNATURE_INVALID,
        8,
        RECEIPT,
    ),
    _case(
        "receipt-of-another-statement",
        "A receipt that the issuer signed and the log does not hold.",
        _changed(_resigned),
        Reason.LEAF_MISMATCH,
        9,
        REGISTRY_RECEIPT,
    ),
    _case(
        "registry-receipt-missing",
        "No proof from the registry.",
        _changed(_without(REGISTRY_RECEIPT)),
        Reason.REGISTRY_RECEIPT_MISSING,
        9,
        REGISTRY_RECEIPT,
    ),
    _case(
        "registry-key-unknown",
        "The trust root knows other keys.",
        _other_trust,
        Reason.REGISTRY_KEY_UNKNOWN,
        12,
        REGISTRY_RECEIPT,
    ),
    _case(
        "nonce-checkpoint-missing",
        "The checkpoint that the nonce names is not there.",
        _changed(_without(NONCE_CHECKPOINT)),
        Reason.NONCE_CHECKPOINT_MISMATCH,
        14,
        NONCE_CHECKPOINT,
    ),
    _case("withdrawn", "The kit was withdrawn.", _withdrawn, Reason.KIT_WITHDRAWN, 15, REGISTRY_RECEIPT),
)


def judge_disclosure(subject: Subject, place: Path) -> Report:
    """What verification makes of it."""
    trust = parse_trust(subject.trust)
    try:
        with opened(subject, place) as part:
            return explain_disclosure(part, trust)
    except VerificationError as error:
        return report_unopened(Kind.KIT, error)
