"""One kit for every reason and remark: what each is about, and how it comes to be.

The tests of `verify` and `explain` and the generator of the vectors both read this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from attestlayer.canonical import Json, Members
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.errors import Reason, Remark
from attestlayer.keys import PrivateKey
from attestlayer.kit.intake import Event, Trail, opened
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    README,
    RECEIPT,
    REGISTRY_RECEIPT,
    Manifest,
)
from attestlayer.kit.receipt import Receipt, parse_receipt
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, LeafRecord, RegistryReceipt
from attestlayer.log.note import ED25519, Note, Signature, VerifierKey
from attestlayer.log.notices import IncidentReason, NoticeType, Role, key_added, late_merge
from support.build import (
    ISSUED_AT,
    ISSUER,
    ORIGIN,
    OTHER_LEAVES,
    REGISTRY,
    START,
    STRANGER,
    Delivered,
    EventContent,
    Hooks,
    Log,
    Plan,
    Round,
    Scenario,
    Witness,
    edit_json,
    key_retired,
    key_revoked,
    make,
    make_zip,
    ml_dsa_witness,
    private_key,
    quorum_policy,
    sign_checkpoint,
    sign_receipt,
    witness,
    witness_policy,
)
from support.notes import sign_note
from support.packed import HONEST, LEFTOVERS, WITH_LEFTOVERS, Item, Maker, items, lay_out, stating
from support.worked import worked

RECORD = "records/001-a.txt"
SECOND = private_key("second registry key")
SECOND_ISSUER = private_key("second issuer key")
AT = format_time


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a verifier is given: bytes of a file or members of a folder (or nothing), and a trust root.

    `links`: symbolic links of the folder, name and target. `now`: the time that the trust root's age is
    judged by, or None.
    """

    trust: bytes
    zip: bytes | None = None
    folder: dict[str, bytes] | None = None
    links: tuple[tuple[str, str], ...] = ()
    now: int | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A subject with what verification makes of it.

    `verify` raises `reason`; in `explain` it is the failure to say first, of step `step`, about `files`.
    `also` are the other reasons that follow from the same fault. Without `reason` it is verified.
    """

    name: str
    comment: str
    build: Callable[[], Subject]
    reason: Reason | None = None
    step: int = 1
    files: tuple[str, ...] = ()
    also: frozenset[Reason] = frozenset()
    remarks: tuple[Remark, ...] = ()


def zipped(delivered: Delivered) -> Subject:
    """The delivered kit as a ZIP."""
    return Subject(zip=delivered.zip, trust=delivered.trust.format())


def scenario(**changes: object) -> Callable[[], Subject]:
    """The kit of a scenario with some fields changed."""
    return lambda: zipped(make(replace(Scenario(), **changes)))  # type: ignore[arg-type]


def hooked(**hooks: object) -> Callable[[], Subject]:
    """The kit of the usual scenario, made with hooks."""
    return scenario(plan=Plan(hooks=Hooks(**hooks)))  # type: ignore[arg-type]


def without(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    """A hook that leaves a member out."""
    return lambda members: {other: data for other, data in members.items() if other != name}


def changed(name: str, data: bytes) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    """A hook that puts a member in, or other bytes in its place."""
    return lambda members: {**members, name: data}


def newer(name: str) -> Callable[[bytes], bytes]:
    """A hook that raises a document's schema number to 2."""
    return lambda data: edit_json(data, lambda members: members.update(schema=f"attestlayer/{name}/2"))


def with_member(name: str, value: Json) -> Callable[[bytes], bytes]:
    """A hook that sets a member of a document."""
    return lambda data: edit_json(data, lambda members: members.update({name: value}))


def _folder(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Subject:
    delivered = make()
    return Subject(folder=change(delivered.members), trust=delivered.trust.format())


def _first_file(**changes: object) -> Callable[[Manifest], Manifest]:
    """A hook that changes the manifest's entry of README.txt."""

    def change(manifest: Manifest) -> Manifest:
        files = tuple(replace(f, **changes) if f.path == README else f for f in manifest.files)  # type: ignore[arg-type]
        return replace(manifest, files=files)

    return change


def _swap_two_events(events: list[EventContent]) -> list[EventContent]:
    """Accepted before evaluated, at the same time."""
    return [*events[:2], events[3], events[2], *events[4:]]


def _break_chain(trail: Trail) -> Trail:
    broken = replace(trail.events[2], prev=sha256(b"no event"))
    events = list(trail.events)
    events[2] = broken
    for n in range(3, len(events)):
        events[n] = replace(events[n], prev=events[n - 1].hash())
    return replace(trail, events=tuple(events))


def _last_event_later(events: list[EventContent]) -> list[EventContent]:
    at, kind, data = events[-1]
    return [*events[:-1], (at + 1, kind, data)]


def _misnumbered(trail: Trail) -> Trail:
    """The events are numbered from 1, in a chain that is whole."""
    events: list[Event] = []
    for event in trail.events:
        prev = events[-1].hash() if events else None
        events.append(replace(event, n=event.n + 1, prev=prev))
    return replace(trail, events=tuple(events))


def _submitted_otherwise(events: list[EventContent]) -> list[EventContent]:
    """The first two records submitted the other way round."""
    return [events[0], events[2], events[1], *events[3:]]


def _salted_otherwise(events: list[EventContent]) -> list[EventContent]:
    """Opened with a salt that follows from nothing."""
    at, kind, _ = events[0]
    return [(at, kind, opened(b"no packet's salt")), *events[1:]]


def _earlier_event(trail: Trail) -> Trail:
    """The second event before the first, in a chain that is whole."""
    events = [trail.events[0]]
    for event in trail.events[1:]:
        at = events[0].at - 1 if event.n == 1 else event.at
        events.append(replace(event, at=at, prev=events[-1].hash()))
    return replace(trail, events=tuple(events))


def _signed_by_stranger(data: bytes) -> bytes:
    return sign_receipt(parse_receipt(data), STRANGER).format()


def _repoliced(receipt: Receipt) -> Receipt:
    return replace(receipt, intake_policy_hash=sha256(b"another policy"))


def _other_kit_id(trail: Trail) -> Trail:
    return replace(trail, kit_id="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN")


def _report_size(members: Members) -> None:
    records = members["records"]
    assert isinstance(records, list) and isinstance(records[0], dict)
    records[0]["size"] = 5


def _unknown_record(members: Members) -> None:
    checks = members["checks"]
    assert isinstance(checks, list) and isinstance(checks[0], dict)
    checks[0]["records"] = [RECORD, "records/002-b.txt"]


def _newer_policy(members: Members) -> None:
    policy = members["policy"]
    assert isinstance(policy, dict)
    policy["schema"] = "attestlayer/intake-policy/2"


def _unsigned_checkpoint(receipt: RegistryReceipt) -> RegistryReceipt:
    return replace(receipt, checkpoint=replace(receipt.checkpoint, signature=bytes(64)))


def _damaged_line(line: Signature) -> Signature:
    return replace(line, data=line.data[:-1] + bytes([line.data[-1] ^ 1]))


def _damaged_note(place: int) -> Callable[[RegistryReceipt], RegistryReceipt]:
    def change(receipt: RegistryReceipt) -> RegistryReceipt:
        lines = list(receipt.note.signatures)
        lines[place] = _damaged_line(lines[place])
        return replace(receipt, note=Note(receipt.note.text, tuple(lines)))

    return change


def _damaged_line_too(receipt: RegistryReceipt) -> RegistryReceipt:
    """The registry's line, and the same with a bit flipped."""
    line = receipt.note.signatures[0]
    return replace(receipt, note=Note(receipt.note.text, (line, _damaged_line(line))))


def _shorter_path(receipt: RegistryReceipt) -> RegistryReceipt:
    return replace(receipt, audit_path=receipt.audit_path[1:])


def _other_index(receipt: RegistryReceipt) -> RegistryReceipt:
    return replace(receipt, leaf_index=0)


def _later_leaf(leaf: Leaf) -> Leaf:
    return replace(leaf, issued_at=leaf.issued_at + 1)


def _other_digest(leaf: Leaf) -> Leaf:
    return replace(leaf, kit_digest=sha256(b"another kit"))


def _other_leaf_hash(receipt: RegistryReceipt) -> RegistryReceipt:
    return replace(receipt, record=LeafRecord(receipt.record.leaf, sha256(b"another leaf")))


def _other_log() -> Subject:
    """A kit whose leaf is in the log of another registry, whose trust root the verifier has."""
    return zipped(make(Scenario(log_origin="other.example.org")))


def _other_trust() -> Subject:
    """A kit that was checked with the trust root of a registry with the same keys and another name."""
    return Subject(zip=make().zip, trust=Log(origin="other.example.org").trust().format())


def _stranger_trust() -> Subject:
    """A forger's kit, whole in itself, under the trust root of the real registry."""
    forged = make(
        Scenario(registry=STRANGER, merge=Round(signers=(STRANGER,)), nonce_round=Round(signers=(STRANGER,)))
    )
    return Subject(zip=forged.zip, trust=make().trust.format())


def _stranger_trust_of_another_registry() -> Subject:
    """The trust root of another registry with keys of its own."""
    log = Log(origin="other.example.org", registry=STRANGER, issuer=SECOND_ISSUER)
    return Subject(zip=make().zip, trust=log.trust().format())


def _newer(sequence: int, **changes: object) -> Callable[[], Subject]:
    """The kit of a scenario, with the trust root of a sequence that may be older."""

    def build() -> Subject:
        made = make(replace(Scenario(), **changes))  # type: ignore[arg-type]
        return Subject(zip=made.zip, trust=made.log.trust(sequence).format())

    return build


def _aged(days: int, seconds: int = 0) -> Callable[[], Subject]:
    """The usual kit, checked some time after the trust root's checkpoint."""

    def build() -> Subject:
        made = make()
        now = made.trust.checkpoint.timestamp + days * 86400 + seconds
        return Subject(zip=made.zip, trust=made.trust.format(), now=now)

    return build


def _two_faces() -> Subject:
    """The trust root's checkpoint 2 has another timestamp than the kit's."""
    log = Log()
    log.publish(Round())
    log.publish(Round(after=61))
    return Subject(zip=make().zip, trust=log.trust().format())


def _two_roots() -> Subject:
    """The trust root's log has three leaves too, but others, and reached them a round later."""
    log = Log()
    log.publish(Round())
    log.publish(Round())
    other = replace(OTHER_LEAVES[0].leaf, kit_digest=sha256(b"third")).record()
    log.publish(Round(leaves=(*OTHER_LEAVES, other)))
    return Subject(zip=make().zip, trust=log.trust().format())


def _unsigned_trust() -> Subject:
    delivered = make()
    unsigned = replace(delivered.trust.checkpoint, signature=bytes(64))
    return Subject(zip=delivered.zip, trust=replace(delivered.trust, checkpoint=unsigned).format())


def _withdrawn() -> Subject:
    delivered = make()
    data: Members = {"leaf_hash": format_hash(delivered.sealed.record.leaf_hash), "reason": "issued-in-error"}
    delivered.log.publish(Round(notices=((NoticeType.KIT_WITHDRAWN, data),)))
    return Subject(zip=delivered.zip, trust=delivered.log.trust().format())


def _withdrawn_under_another_hash() -> Subject:
    """The withdrawn leaf's record states another hash, in the hope that the notice is not found."""
    delivered = make(Scenario(plan=Plan(hooks=Hooks(registry_receipt=_other_leaf_hash))))
    data: Members = {"leaf_hash": format_hash(delivered.sealed.record.leaf_hash), "reason": "issued-in-error"}
    delivered.log.publish(Round(notices=((NoticeType.KIT_WITHDRAWN, data),)))
    return Subject(zip=delivered.zip, trust=delivered.log.trust().format())


def _withdrawal_taken_out() -> Subject:
    """The trust root of the withdrawal's round, with the notices of the round before."""
    delivered = make()
    before = delivered.log.last.notices
    data: Members = {"leaf_hash": format_hash(delivered.sealed.record.leaf_hash), "reason": "issued-in-error"}
    delivered.log.publish(Round(notices=((NoticeType.KIT_WITHDRAWN, data),)))
    return Subject(zip=delivered.zip, trust=replace(delivered.log.trust(), notices=before).format())


def _superseded() -> Subject:
    delivered = make()
    data: Members = {
        "leaf_hash": format_hash(delivered.sealed.record.leaf_hash),
        "by": format_hash(OTHER_LEAVES[0].leaf_hash),
    }
    delivered.log.publish(Round(notices=((NoticeType.KIT_SUPERSEDED, data),)))
    return Subject(zip=delivered.zip, trust=delivered.log.trust().format())


def _large_leftovers(members: Mapping[str, bytes]) -> bytes:
    """17 ignored files that state a mebibyte each."""
    sizes = {"size": 1 << 20}
    many = (Item(b"._%d" % n, method=8, local=sizes, central=sizes) for n in range(17))
    return lay_out([*items(members), *many])


def _unsorted(members: Mapping[str, bytes]) -> bytes:
    """The same members with the first two swapped, as a ZIP tool that adds in another order makes it."""
    first, second, *others = items(members)
    return lay_out([second, first, *others])


def _cut_around_a_zip() -> Subject:
    """Cut a few bytes after the end of a record that is a ZIP."""
    inner = make_zip({"a": b"x"})
    delivered = make(Scenario(plan=Plan(records=(("records/001-a.zip", inner),))))
    end = delivered.zip.index(inner) + len(inner)
    return Subject(zip=delivered.zip[: end + 9], trust=delivered.trust.format())


def _bad_nonce_checkpoint(change: Callable[[Checkpoint], Checkpoint]) -> Callable[[], Subject]:
    """A kit whose nonce names a checkpoint that the registry did not make."""

    def build() -> Subject:
        log = Log()
        seen = log.publish(Round()).checkpoint
        scenario = Scenario(plan=Plan(nonce_checkpoint=change(seen)), dated=False)
        return zipped(make(scenario))

    return build


def _malformed_nonce_checkpoint() -> Subject:
    """The nonce names a file without `kid`."""
    seen = Log().publish(Round()).checkpoint
    data = edit_json(seen.format(), lambda members: members.pop("kid"))
    named = f"attestlayer-nonce/1\n{format_hash(sha256(data))}\n{'A' * 43}\n".encode()
    return zipped(_with_nonce(named, {NONCE_CHECKPOINT: data}))


def _with_nonce(nonce: bytes, more: dict[str, bytes] | None = None) -> Delivered:
    """A kit with this nonce file, whose receipt names its hash."""
    hooks = Hooks(
        listed=lambda files: {**files, CLIENT_NONCE: nonce, **(more or {})},
        receipt=lambda receipt: replace(receipt, client_nonce_hash=sha256(nonce)),
    )
    return make(Scenario(dated=False, plan=Plan(hooks=hooks)))


WITNESSES = (witness(1), witness(2), witness(3))
TWO_OF_THREE = (witness_policy(AT(START), quorum_policy(WITNESSES, "2")),)
COSIGNED = ((WITNESSES[0], 5), (WITNESSES[2], -5))
UNKNOWN_LINE = Signature("log.example.net", b"\x01\x02\x03\x04", b"of another type")
OTHER_NAME = "witness.example.net/ml-dsa"
_ML_DSA_ID = bytes.fromhex(ml_dsa_witness(OTHER_NAME).split("+")[1])
OTHER_LINES = (
    Signature(OTHER_NAME, _ML_DSA_ID, bytes(8 + 2420)),
    Signature(WITNESSES[0].name, b"\x01\x02\x03\x04", bytes(72)),
)
"""A cosignature as long as one by the ML-DSA witness, and a line under another witness's name."""


def _witnessed(*cosigners: tuple[object, int], **changes: object) -> Callable[[], Subject]:
    merge = Round(cosigners=cosigners, lines=changes.pop("lines", ()))  # type: ignore[arg-type]
    return scenario(**{"genesis": TWO_OF_THREE, "merge": merge, **changes})


def _with_ml_dsa(threshold: str) -> str:
    """A policy of a witness with an Ed25519 key and one, `m`, with an ML-DSA key."""
    lines = f"witness a {WITNESSES[0].key.format()}\nwitness m {ml_dsa_witness(OTHER_NAME)}\n"
    return f"{lines}group g {threshold} a m\nquorum g\n"


def _quorum_of_another_type() -> Subject:
    genesis = (witness_policy(AT(START), _with_ml_dsa("all")),)
    merge = Round(cosigners=((WITNESSES[0], 5),), lines=OTHER_LINES)
    return zipped(make(Scenario(genesis=genesis, merge=merge)))


def _spoilt_line_of_a_retired_key() -> Subject:
    genesis = (*BOTH_KEYS, key_retired(SECOND, AT(START + 100)))
    merge = Round(signers=(REGISTRY, SECOND))
    hooks = Hooks(registry_receipt=_damaged_note(-1))
    return zipped(make(Scenario(genesis=genesis, merge=merge, plan=Plan(hooks=hooks))))


def _damaged_cosignature() -> Subject:
    hooks = Hooks(registry_receipt=_damaged_note(-1))
    merge = Round(cosigners=(*COSIGNED, (WITNESSES[1], 0)))
    return zipped(make(Scenario(genesis=TWO_OF_THREE, merge=merge, plan=Plan(hooks=hooks))))


def _note_signed_by(key: PrivateKey) -> Callable[[RegistryReceipt], RegistryReceipt]:
    """A hook that leaves only `key`'s line on the note."""

    def change(receipt: RegistryReceipt) -> RegistryReceipt:
        line = sign_note(receipt.note.text, VerifierKey(ORIGIN, ED25519, key.public), key)
        return replace(receipt, note=Note(receipt.note.text, (line,)))

    return change


def _note_of_revoked_key() -> Subject:
    """Checkpoint by the registry's key; note by a second key that was revoked at 30 s."""
    genesis = (*BOTH_KEYS, key_revoked(SECOND, AT(START + 30)))
    hooks = Hooks(registry_receipt=_note_signed_by(SECOND))
    return zipped(make(Scenario(genesis=genesis, plan=Plan(hooks=hooks))))


def _renamed_witness() -> Subject:
    renamed = Witness(name="witness.example.net/renamed", private=WITNESSES[0].private)
    policies = tuple(
        witness_policy(AT(START + seconds), quorum_policy([each]))
        for seconds, each in ((0, WITNESSES[0]), (10, renamed))
    )
    hooks = Hooks(registry_receipt=_damaged_note(-1))
    merge = Round(cosigners=((renamed, 0), (WITNESSES[0], 0)))
    return zipped(make(Scenario(genesis=policies, merge=merge, plan=Plan(hooks=hooks))))


REVOKED_AFTER = AT(START + 180)
"""After sequence 2, which holds the leaf, in the round after."""
BOTH_KEYS = (key_added(Role.REGISTRY, SECOND.public, START),)

WRONG_ENTRY: Members = {"kind": "wrong-entry", "from_index": 2, "to_index": 2, "reason": "software-fault"}
TWO_RECORDS = ((RECORD, b"one\n"), ("records/002-b.txt", b"two\n"))

ACCEPTED = (
    Case(name="delivered", comment="A delivered kit.", build=scenario()),
    Case(
        name="nonce-without-checkpoint",
        comment="The nonce names no checkpoint.",
        build=scenario(dated=False),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    Case(name="witnessed", comment="Two of three witnesses cosigned.", build=_witnessed(*COSIGNED)),
    Case(
        name="spoilt-line-of-an-earlier-policy",
        comment="A witness was renamed; a spoilt line under its earlier name is nobody's.",
        build=_renamed_witness,
    ),
    Case(
        name="spoilt-line-of-a-key-retired-before",
        comment="A line of a registry key that was not valid any more does not verify: it is nobody's.",
        build=_spoilt_line_of_a_retired_key,
    ),
    Case(
        name="lines-of-other-types",
        comment="32 lines, most of them of other types under a witness's name, one as long as an ML-DSA one.",
        build=_witnessed(*COSIGNED, lines=(*OTHER_LINES, *(UNKNOWN_LINE,) * (29 - len(OTHER_LINES)))),
    ),
    Case(
        name="witness-of-another-type",
        comment="Any of two witnesses, one with an ML-DSA key; the other one cosigned.",
        build=_witnessed(
            (WITNESSES[0], 5),
            genesis=(witness_policy(AT(START), _with_ml_dsa("any")),),
            lines=OTHER_LINES,
        ),
    ),
    Case(
        name="cosigned-at-the-edge-of-the-window",
        comment="Cosignatures exactly 600 s before and after the checkpoint's timestamp.",
        build=_witnessed((WITNESSES[0], 600), (WITNESSES[1], -600)),
    ),
    Case(
        name="unknown-signature-line",
        comment="A line of an unknown key and type is carried along.",
        build=scenario(merge=Round(lines=(UNKNOWN_LINE,))),
    ),
    Case(
        name="two-registry-keys",
        comment="Both registry keys signed the note; the older one the JSON form.",
        build=scenario(genesis=BOTH_KEYS, merge=Round(signers=(REGISTRY, SECOND))),
    ),
    Case(
        name="registry-key-revoked-with-quorum",
        comment="The registry key was revoked later, but witnesses had cosigned before.",
        build=_witnessed(
            *COSIGNED,
            genesis=(*TWO_OF_THREE, *BOTH_KEYS),
            later=(key_revoked(REGISTRY, REVOKED_AFTER),),
            later_signer=SECOND,
        ),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    Case(
        name="issuer-key-retired-later",
        comment="The issuer key was retired in good order after issuing.",
        build=scenario(later=(key_retired(ISSUER, REVOKED_AFTER),)),
    ),
    Case(
        name="issuer-key-revoked-later",
        comment="The issuer key was revoked after the checkpoint that holds the leaf.",
        build=scenario(later=(key_revoked(ISSUER, REVOKED_AFTER),)),
    ),
    Case(
        name="issued-at-the-checkpoints-second",
        comment="issued_at is the timestamp of the checkpoint that holds the leaf.",
        build=scenario(merge=Round(after=ISSUED_AT - START - 60)),
    ),
    Case(
        name="issued-at-the-nonces-second",
        comment="issued_at is the timestamp of the checkpoint that the nonce names.",
        build=scenario(nonce_round=Round(after=ISSUED_AT - START)),
    ),
    Case(
        name="merged-at-the-last-second",
        comment="The checkpoint's timestamp is merge_by.",
        build=scenario(merge=Round(after=ISSUED_AT + 600 - START - 60)),
    ),
    Case(
        name="late-merge-explained",
        comment="In the log after merge_by, with a public incident.",
        build=scenario(
            merge=Round(after=ISSUED_AT + 601 - START - 60),
            later=(late_merge(2, 2, IncidentReason.OUTAGE),),
        ),
        remarks=(Remark.LATE_MERGE,),
    ),
    Case(
        name="superseded",
        comment="Another kit supersedes this one.",
        build=_superseded,
        remarks=(Remark.SUPERSEDED,),
    ),
    Case(
        name="withdrawal-unknown",
        comment="The trust root is of sequence 1, the kit's checkpoint is sequence 2.",
        build=_newer(1),
        remarks=(Remark.WITHDRAWAL_UNKNOWN,),
    ),
    Case(
        name="trust-root-of-thirty-days",
        comment="The trust root is exactly 30 days old.",
        build=_aged(30),
    ),
    Case(
        name="trust-root-old",
        comment="The trust root is 30 days and a second old.",
        build=_aged(30, 1),
        remarks=(Remark.TRUST_ROOT_OLD,),
    ),
    Case(name="folder", comment="A folder of the members.", build=lambda: _folder(lambda members: members)),
    Case(
        name="folder-with-litter",
        comment="What operating systems leave in folders is ignored and listed.",
        build=lambda: _folder(lambda m: {**m, ".DS_Store": b"x", "records/._001-a.txt": b"x"}),
        remarks=(Remark.FILES_IGNORED,),
    ),
    Case(
        name="worked-example",
        comment="The kit of REG-1.0, appendix D.",
        build=lambda: zipped(worked().kit),
    ),
    Case(
        name="submitted-in-another-order",
        comment="The trail tells that the second record was submitted first.",
        build=scenario(plan=Plan(records=TWO_RECORDS, hooks=Hooks(events=_submitted_otherwise))),
    ),
    Case(
        name="trail-salted-otherwise",
        comment="Nothing says what the salt of the trail is: its form alone is checked.",
        build=hooked(events=_salted_otherwise),
    ),
    Case(
        name="several-records",
        comment="Three records, one of them empty, two alike.",
        build=scenario(
            plan=Plan(
                records=(
                    (RECORD, b"same\n"),
                    ("records/002-b", b""),
                    ("records/003-a.txt", b"same\n"),
                )
            )
        ),
    ),
)

COULD_NOT_CHECK = (
    Case(
        name="not-a-kit",
        comment="Neither a folder nor bytes that begin PK\\3\\4.",
        build=lambda: Subject(zip=b"%PDF-1.7\n", trust=make().trust.format()),
        reason=Reason.INPUT_NOT_A_KIT,
    ),
    Case(
        name="absent",
        comment="There is no such file.",
        build=lambda: Subject(trust=make().trust.format()),
        reason=Reason.INPUT_UNREADABLE,
    ),
    Case(
        name="manifest-of-a-newer-format",
        comment="manifest.json says attestlayer/manifest/2; it outranks the failures that follow.",
        build=hooked(manifest_bytes=newer("manifest")),
        reason=Reason.SCHEMA_NEWER,
        files=(MANIFEST,),
    ),
    Case(
        name="policy-of-a-newer-format",
        comment="The policy in the intake report says attestlayer/intake-policy/2.",
        build=hooked(report_bytes=lambda data: edit_json(data, _newer_policy)),
        reason=Reason.SCHEMA_NEWER,
        files=(INTAKE_REPORT,),
    ),
    Case(
        name="newer-format-of-another-shape",
        comment="attestlayer/registry-receipt/2 has no member `checkpoint` at all.",
        build=hooked(
            registry_receipt_bytes=lambda data: edit_json(
                newer("registry-receipt")(data), lambda members: members.pop("checkpoint")
            )
        ),
        reason=Reason.SCHEMA_NEWER,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="newer-format-and-unexpected-member",
        comment="That the kit could not be checked outranks its other failures.",
        build=hooked(
            registry_receipt_bytes=newer("registry-receipt"), delivered=changed("notes.txt", b"extra")
        ),
        reason=Reason.SCHEMA_NEWER,
        files=(REGISTRY_RECEIPT,),
        also=frozenset({Reason.FILE_UNEXPECTED}),
    ),
    Case(
        name="trust-root-unsigned",
        comment="The trust root's checkpoint is not signed by a key of its notices.",
        build=_unsigned_trust,
        reason=Reason.TRUST_ROOT_UNUSABLE,
    ),
    Case(
        name="trust-root-without-its-last-notice",
        comment="A withdrawal was taken out of the trust root's notices.",
        build=_withdrawal_taken_out,
        reason=Reason.TRUST_ROOT_UNUSABLE,
    ),
)


def repacked(maker: Maker) -> Callable[[], Subject]:
    """A small kit, packed by that maker."""
    return lambda: Subject(zip=maker(small().members), trust=small().trust.format())


@cache
def small() -> Delivered:
    """A kit of few bytes."""
    return make(Scenario(plan=Plan(records=(("records/001-a", b"x"),), readme=b"R", binder=b"B")))


REPACKED = tuple(
    Case(
        name=f"repacked-{name}",
        comment=comment,
        build=repacked(maker),
        remarks=(Remark.CONTAINER_REPACKED, *([Remark.FILES_IGNORED] if name in WITH_LEFTOVERS else [])),
    )
    for name, (comment, maker) in HONEST.items()
    if name in {"by-info-zip", "by-macos", "zip64-in-the-directory", "backslashes", "with-leftovers"}
)
"""The others are vectors of a container alone, which are smaller."""

CONTAINER = (
    Case(
        name="bytes-behind-the-zip",
        comment="One byte follows the end of the ZIP.",
        build=lambda: replace(zipped(make()), zip=make().zip + b"\0"),
        reason=Reason.CONTAINER_AMBIGUOUS,
    ),
    Case(
        name="zip-cut",
        comment="A ZIP without its last byte: nothing is known of what it would say.",
        build=lambda: replace(zipped(make()), zip=make().zip[:-1]),
        reason=Reason.CONTAINER_INCOMPLETE,
    ),
    Case(
        name="zip-cut-with-a-zip-in-it",
        comment="A ZIP cut within a record that is a ZIP itself: its end record is not the kit's.",
        build=_cut_around_a_zip,
        reason=Reason.CONTAINER_INCOMPLETE,
    ),
    Case(
        name="members-out-of-order",
        comment="The first two members are swapped.",
        build=repacked(_unsorted),
        remarks=(Remark.CONTAINER_REPACKED,),
    ),
    Case(
        name="zip-of-3101-entries",
        comment="The end record counts an entry more than there may be.",
        build=repacked(lambda members: lay_out(items(members), end={"here": 3101, "count": 3101})),
        reason=Reason.CONTAINER_LIMIT_EXCEEDED,
    ),
    Case(
        name="zip-with-17-mib-of-leftovers",
        comment="More bytes in ignored files than there may be.",
        build=repacked(_large_leftovers),
        reason=Reason.CONTAINER_LIMIT_EXCEEDED,
    ),
    Case(
        name="registry-receipt-over-its-limit",
        comment="The registry receipt states a byte more than it may have, and is not read.",
        build=repacked(stating(REGISTRY_RECEIPT, 262_144 + 1)),
        reason=Reason.CONTAINER_LIMIT_EXCEEDED,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="zip-with-a-large-leftover",
        comment="What a system leaves behind, a byte too large to be ignored.",
        build=repacked(lambda members: lay_out([*items(members), Item(b"desktop.ini", bytes(4097))])),
        reason=Reason.FILE_UNEXPECTED,
        files=("desktop.ini",),
        remarks=(Remark.CONTAINER_REPACKED,),
    ),
    Case(
        name="zip-of-kits",
        comment="Kits in a ZIP, which is none itself: they are to be checked one by one.",
        build=lambda: replace(
            zipped(make()), zip=lay_out([Item(b"one.zip", b"x"), Item(b"two/receipt.json", b"{}")])
        ),
        reason=Reason.INPUT_NOT_A_KIT,
    ),
    Case(
        name="folder-of-kits",
        comment="A folder that holds no receipt.json, but kits.",
        build=lambda: _folder(lambda _: {"one.zip": b"x", "two/receipt.json": b"{}", "notes.txt": b""}),
        reason=Reason.INPUT_NOT_A_KIT,
    ),
    Case(
        name="folder-in-a-folder",
        comment="The kit in one folder more, with what systems leave behind beside it.",
        build=lambda: _folder(
            lambda m: {".DS_Store": b"x", **{f"kit/{name}": data for name, data in m.items()}}
        ),
        remarks=(Remark.FILES_IGNORED,),
    ),
    Case(
        name="folder-in-two-folders",
        comment="Only one top folder is taken off: in the next one is a kit.",
        build=lambda: _folder(lambda m: {f"a/b/{name}": data for name, data in m.items()}),
        reason=Reason.INPUT_NOT_A_KIT,
    ),
    Case(
        name="folder-with-each-leftover",
        comment="Each kind of file that is ignored.",
        build=lambda: _folder(lambda m: {**m, **dict.fromkeys(LEFTOVERS, b"x")}),
        remarks=(Remark.FILES_IGNORED,),
    ),
    Case(
        name="link-in-folder",
        comment="A folder holds a symbolic link.",
        build=lambda: replace(_folder(without(RECORD)), links=((RECORD, "../README.txt"),)),
        reason=Reason.CONTAINER_LINK,
        files=(RECORD,),
    ),
    Case(
        name="folder-with-large-leftover",
        comment="Some names are ignored up to 4 KiB; a byte more makes a file one that no kit has.",
        build=lambda: _folder(lambda m: {**m, ".directory": bytes(4097), "records/desktop.ini": bytes(4096)}),
        reason=Reason.FILE_UNEXPECTED,
        files=(".directory",),
        remarks=(Remark.FILES_IGNORED,),
    ),
    Case(
        name="two-links-in-folder",
        comment="Two symbolic links, one in a folder of the folder: the first in byte order is named.",
        build=lambda: replace(
            _folder(without(RECORD)), links=(("link", "README.txt"), ("binder/x", "../README.txt"))
        ),
        reason=Reason.CONTAINER_LINK,
        files=("binder/x",),
    ),
    Case(
        name="folder-with-a-long-name",
        comment="A folder holds a file whose name has 129 bytes, which a ZIP of ours can't hold.",
        build=lambda: _folder(changed("x" * 129, b"extra")),
        reason=Reason.FILE_UNEXPECTED,
        files=("x" * 129,),
    ),
    Case(
        name="folder-without-a-file",
        comment="An empty folder.",
        build=lambda: _folder(lambda _: {}),
        reason=Reason.FILE_MISSING,
        step=2,
        files=(HASH_TRAIL,),
        also=frozenset({Reason.REGISTRY_RECEIPT_MISSING}),
    ),
    Case(
        name="member-that-no-kit-has",
        comment="A canonical ZIP with notes.txt.",
        build=hooked(delivered=changed("notes.txt", b"extra")),
        reason=Reason.FILE_UNEXPECTED,
        files=("notes.txt",),
    ),
    Case(
        name="folder-with-a-name-beyond-ascii",
        comment="A folder holds a file whose name no ZIP of ours can hold.",
        build=lambda: _folder(changed("résumé.txt", b"extra")),
        reason=Reason.FILE_UNEXPECTED,
        files=("résumé.txt",),
    ),
)

MANIFEST_CASES = (
    Case(
        name="manifest-with-unknown-member",
        comment="manifest.json has a member `note`.",
        build=hooked(manifest_bytes=with_member("note", "hello")),
        reason=Reason.MANIFEST_MALFORMED,
        step=2,
        files=(MANIFEST,),
    ),
    Case(
        name="record-missing",
        comment="A listed record was left out before the kit was sealed.",
        build=hooked(sealed=without(RECORD)),
        reason=Reason.FILE_MISSING,
        step=2,
        files=(RECORD,),
    ),
    Case(
        name="hash-trail-missing",
        comment="hash_trail.json was left out before the kit was sealed.",
        build=hooked(sealed=without(HASH_TRAIL)),
        reason=Reason.FILE_MISSING,
        step=2,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="record-not-listed",
        comment="A record that the manifest does not list, in the digest all the same.",
        build=hooked(sealed=changed("records/002-b.txt", b"two\n")),
        reason=Reason.FILE_UNEXPECTED,
        step=2,
        files=("records/002-b.txt",),
    ),
    Case(
        name="record-of-number-000",
        comment="A record's name with a number that no manifest lists, in the digest all the same.",
        build=hooked(sealed=changed("records/000-x.txt", b"zero\n")),
        reason=Reason.FILE_UNEXPECTED,
        step=2,
        files=("records/000-x.txt",),
    ),
    Case(
        name="two-records-of-one-number",
        comment="A second record numbered 001, in the digest all the same.",
        build=hooked(sealed=changed("records/001-b.txt", b"two\n")),
        reason=Reason.FILE_UNEXPECTED,
        step=2,
        files=("records/001-b.txt",),
    ),
    Case(
        name="size-differs",
        comment="The manifest lists README.txt with one byte more.",
        build=hooked(manifest=_first_file(size=10)),
        reason=Reason.FILE_SIZE_MISMATCH,
        step=3,
        files=(README,),
    ),
    Case(
        name="hash-differs",
        comment="The manifest lists another hash of README.txt.",
        build=hooked(manifest=_first_file(sha256=sha256(b"another readme"))),
        reason=Reason.FILE_HASH_MISMATCH,
        step=3,
        files=(README,),
    ),
    Case(
        name="manifest-root-differs",
        comment="The signed receipt names another manifest root.",
        build=hooked(receipt=lambda r: replace(r, manifest_root=sha256(b"another root"))),
        reason=Reason.MANIFEST_ROOT_MISMATCH,
        step=4,
        files=(MANIFEST, RECEIPT),
        also=frozenset({Reason.LEAF_MISMATCH}),
    ),
)

TRAIL_CASES = (
    Case(
        name="trail-empty",
        comment="The trail has no event.",
        build=hooked(trail_bytes=with_member("events", [])),
        reason=Reason.TRAIL_MALFORMED,
        step=5,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="trail-chain-broken",
        comment="An event's `prev` is not the hash of the event before; the later ones follow from it.",
        build=hooked(trail=_break_chain),
        reason=Reason.TRAIL_CHAIN_BROKEN,
        step=5,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="trail-numbered-from-one",
        comment="The events' numbers begin with 1; each `prev` is right.",
        build=hooked(trail=_misnumbered),
        reason=Reason.TRAIL_CHAIN_BROKEN,
        step=5,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="trail-out-of-order",
        comment="A record is accepted before the intake was evaluated.",
        build=hooked(events=_swap_two_events),
        reason=Reason.TRAIL_EVENT_MISMATCH,
        step=5,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="trail-behind-issued-at",
        comment="The last event is a second later than issued_at.",
        build=hooked(events=_last_event_later),
        reason=Reason.TRAIL_TIME_MISMATCH,
        step=5,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="trail-time-decreases",
        comment="The second event is earlier than the first.",
        build=hooked(trail=_earlier_event),
        reason=Reason.TRAIL_TIME_MISMATCH,
        step=5,
        files=(HASH_TRAIL,),
    ),
)

RECEIPT_CASES = (
    Case(
        name="receipt-with-another-boundary",
        comment="The boundary statement is not the one of the format.",
        build=hooked(receipt_bytes=with_member("boundary", "Certified.")),
        reason=Reason.RECEIPT_MALFORMED,
        step=6,
        files=(RECEIPT,),
    ),
    Case(
        name="merge-by-differs",
        comment="merge_by is not 600 s after issued_at.",
        build=hooked(receipt_bytes=with_member("merge_by", AT(ISSUED_AT + 601))),
        reason=Reason.RECEIPT_MALFORMED,
        step=6,
        files=(RECEIPT,),
    ),
    Case(
        name="receipt-of-another-manifest",
        comment="The signed receipt names another hash of manifest.json.",
        build=hooked(receipt=lambda r: replace(r, manifest_sha256=sha256(b"another manifest"))),
        reason=Reason.RECEIPT_MANIFEST_MISMATCH,
        step=6,
        files=(MANIFEST, RECEIPT),
    ),
    Case(
        name="receipt-of-another-trail",
        comment="The signed receipt names another trail head.",
        build=hooked(receipt=lambda r: replace(r, hash_trail_head=sha256(b"another event"))),
        reason=Reason.RECEIPT_TRAIL_MISMATCH,
        step=6,
        files=(HASH_TRAIL, RECEIPT),
    ),
    Case(
        name="receipt-of-another-policy",
        comment="The signed receipt names another intake policy.",
        build=hooked(receipt=_repoliced),
        reason=Reason.RECEIPT_POLICY_MISMATCH,
        step=6,
        files=(INTAKE_REPORT, RECEIPT),
    ),
    Case(
        name="receipt-of-another-lane",
        comment="The signed receipt names another lane than its policy.",
        build=hooked(receipt=lambda r: replace(r, lane_id="PAY-02")),
        reason=Reason.RECEIPT_POLICY_MISMATCH,
        step=6,
        files=(INTAKE_REPORT, RECEIPT),
    ),
    Case(
        name="receipt-of-another-nonce",
        comment="The signed receipt names another nonce.",
        build=hooked(receipt=lambda r: replace(r, client_nonce_hash=sha256(b"another nonce"))),
        reason=Reason.RECEIPT_NONCE_MISMATCH,
        step=6,
        files=(CLIENT_NONCE, RECEIPT),
        also=frozenset({Reason.LEAF_MISMATCH}),
    ),
    Case(
        name="trail-of-another-kit",
        comment="The trail names another kit id.",
        build=hooked(trail=_other_kit_id),
        reason=Reason.KIT_ID_MISMATCH,
        step=6,
        files=(HASH_TRAIL,),
    ),
    Case(
        name="report-with-a-failed-check",
        comment="A check's result is not one of the closed list.",
        build=hooked(report_bytes=lambda d: d.replace(b'"result":"pass"', b'"result":"fail"')),
        reason=Reason.REPORT_MALFORMED,
        step=6,
        files=(INTAKE_REPORT,),
    ),
    Case(
        name="report-of-another-size",
        comment="The report says that a record has five bytes.",
        build=hooked(report_bytes=lambda d: edit_json(d, _report_size)),
        reason=Reason.REPORT_RECORDS_MISMATCH,
        step=6,
        files=(INTAKE_REPORT, MANIFEST),
    ),
    Case(
        name="check-of-an-unknown-record",
        comment="A check of the report names a record that is not there.",
        build=hooked(report_bytes=lambda d: edit_json(d, _unknown_record)),
        reason=Reason.REPORT_RECORDS_MISMATCH,
        step=6,
        files=(INTAKE_REPORT, MANIFEST),
    ),
)

ISSUER_CASES = (
    Case(
        name="issuer-key-unknown",
        comment="The whole kit is signed with a key that no notice names.",
        build=scenario(plan=Plan(issuer=STRANGER)),
        reason=Reason.ISSUER_KEY_UNKNOWN,
        step=7,
        files=(RECEIPT,),
    ),
    Case(
        name="registry-key-signs-receipt",
        comment="The receipt is signed with the registry's key: no key has two roles.",
        build=scenario(plan=Plan(issuer=REGISTRY)),
        reason=Reason.ISSUER_KEY_UNKNOWN,
        step=7,
        files=(RECEIPT,),
    ),
    Case(
        name="issuer-key-retired",
        comment="The issuer key was retired at the second of issuing.",
        build=scenario(later=(key_retired(ISSUER, AT(ISSUED_AT)),)),
        reason=Reason.ISSUER_KEY_NOT_VALID,
        step=7,
        files=(RECEIPT,),
    ),
    Case(
        name="issuer-key-revoked",
        comment="The issuer key was revoked before the checkpoint that holds the leaf.",
        build=scenario(later=(key_revoked(ISSUER, AT(START + 120)),)),
        reason=Reason.ISSUER_KEY_REVOKED,
        step=7,
        files=(RECEIPT,),
    ),
    Case(
        name="receipt-signed-by-another",
        comment="The receipt names the issuer's key and is signed with another.",
        build=hooked(receipt_bytes=_signed_by_stranger),
        reason=Reason.RECEIPT_SIGNATURE_INVALID,
        step=8,
        files=(RECEIPT,),
    ),
)

LEAF_CASES = (
    Case(
        name="sealed-kit",
        comment="A sealed kit, without its registry receipt.",
        build=hooked(delivered=without(REGISTRY_RECEIPT)),
        reason=Reason.REGISTRY_RECEIPT_MISSING,
        step=9,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="registry-receipt-with-unknown-member",
        comment="The registry receipt has a member `note2`.",
        build=hooked(registry_receipt_bytes=with_member("note2", "")),
        reason=Reason.REGISTRY_RECEIPT_MALFORMED,
        step=9,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-without-signature",
        comment="The note in the registry receipt has no signature line.",
        build=hooked(registry_receipt_bytes=with_member("note", "registry.example.org\n0\n")),
        reason=Reason.NOTE_MALFORMED,
        step=9,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="leaf-of-another-second",
        comment="The leaf in the log says another issued_at than the receipt.",
        build=hooked(leaf=_later_leaf),
        reason=Reason.LEAF_MISMATCH,
        step=9,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="leaf-hash-differs",
        comment="The leaf record states another leaf hash than its payload has.",
        build=hooked(registry_receipt=_other_leaf_hash),
        reason=Reason.LEAF_HASH_MISMATCH,
        step=9,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="withdrawn-under-another-leaf-hash",
        comment="The leaf record states another hash than that of the payload, which was withdrawn.",
        build=_withdrawn_under_another_hash,
        reason=Reason.LEAF_HASH_MISMATCH,
        step=9,
        files=(REGISTRY_RECEIPT,),
        also=frozenset({Reason.KIT_WITHDRAWN}),
    ),
    Case(
        name="kit-digest-differs",
        comment="The leaf in the log names another kit.",
        build=hooked(leaf=_other_digest),
        reason=Reason.KIT_DIGEST_MISMATCH,
        step=10,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="audit-path-too-short",
        comment="The first hash of the audit path is left out.",
        build=hooked(registry_receipt=_shorter_path),
        reason=Reason.INCLUSION_PROOF_INVALID,
        step=11,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="another-leaf-index",
        comment="The receipt says that the leaf is the first.",
        build=hooked(registry_receipt=_other_index),
        reason=Reason.INCLUSION_PROOF_INVALID,
        step=11,
        files=(REGISTRY_RECEIPT,),
    ),
)

CHECKPOINT_CASES = (
    Case(
        name="checkpoint-unsigned",
        comment="The JSON checkpoint's signature is 64 zero bytes: so it accuses nobody of a conflict.",
        build=hooked(registry_receipt=_unsigned_checkpoint),
        reason=Reason.CHECKPOINT_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="two-checkpoints-of-one-sequence",
        comment="The trust root knows another checkpoint of the same sequence.",
        build=_two_faces,
        reason=Reason.CHECKPOINT_CONFLICT,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="two-roots-of-one-size",
        comment="The trust root knows another root of the same size.",
        build=_two_roots,
        reason=Reason.CHECKPOINT_CONFLICT,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-with-extension-line",
        comment="The note has a fourth line.",
        build=scenario(merge=Round(note_text=lambda text: f"{text}an extension line\n")),
        reason=Reason.NOTE_MALFORMED,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-of-another-size",
        comment="The note is signed, and says another size than the JSON checkpoint.",
        build=scenario(merge=Round(note_text=lambda text: text.replace("\n3\n", "\n4\n"))),
        reason=Reason.NOTE_MISMATCH,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-signature-invalid",
        comment="A bit of the registry's line on the note is flipped.",
        build=hooked(registry_receipt=_damaged_note(0)),
        reason=Reason.NOTE_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-line-invalid-beside-a-valid-one",
        comment="The note has the registry's line, and a second one by the same key that does not verify.",
        build=hooked(registry_receipt=_damaged_line_too),
        reason=Reason.NOTE_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-signed-by-strangers-only",
        comment="The note has no line of a registry key at all.",
        build=hooked(registry_receipt=lambda r: replace(r, note=Note(r.note.text, (UNKNOWN_LINE,)))),
        reason=Reason.NOTE_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-signed-by-a-revoked-key-only",
        comment="The JSON form has a good key; the note only the line of one that was revoked before.",
        build=_note_of_revoked_key,
        reason=Reason.NOTE_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-signed-by-the-issuers-key-only",
        comment="The note has only a line of the issuer's key, under the registry's name.",
        build=hooked(registry_receipt=_note_signed_by(ISSUER)),
        reason=Reason.NOTE_SIGNATURE_INVALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="note-of-another-registry",
        comment="The note is signed, and says another origin than the JSON checkpoint.",
        build=scenario(merge=Round(note_text=lambda text: text.replace(ORIGIN, "other.example.org"))),
        reason=Reason.ORIGIN_MISMATCH,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="registry-of-another-name",
        comment="The leaf is in the log of another registry than the receipt names.",
        build=_other_log,
        reason=Reason.ORIGIN_MISMATCH,
        step=12,
        files=(RECEIPT, REGISTRY_RECEIPT),
    ),
    Case(
        name="trust-root-of-another-registry",
        comment="The trust root is of a registry with the same keys and another name.",
        build=_other_trust,
        reason=Reason.ORIGIN_MISMATCH,
        step=12,
        files=(REGISTRY_RECEIPT,),
        also=frozenset({Reason.NONCE_CHECKPOINT_INVALID}),
    ),
    Case(
        name="trust-root-of-another-registry-with-other-keys",
        comment="The trust root is of another registry with other keys: that is said first.",
        build=_stranger_trust_of_another_registry,
        reason=Reason.ORIGIN_MISMATCH,
        step=12,
        files=(REGISTRY_RECEIPT,),
        also=frozenset(
            {
                Reason.ISSUER_KEY_UNKNOWN,
                Reason.REGISTRY_KEY_UNKNOWN,
                Reason.NOTE_SIGNATURE_INVALID,
                Reason.NONCE_CHECKPOINT_INVALID,
            }
        ),
    ),
    Case(
        name="registry-key-unknown",
        comment="A whole log signed with a key that the trust root lacks.",
        build=_stranger_trust,
        reason=Reason.REGISTRY_KEY_UNKNOWN,
        step=12,
        files=(REGISTRY_RECEIPT,),
        also=frozenset({Reason.NOTE_SIGNATURE_INVALID, Reason.NONCE_CHECKPOINT_INVALID}),
    ),
    Case(
        name="registry-key-retired",
        comment="The registry key was retired before the checkpoint; the note has another key's line too.",
        build=scenario(
            genesis=BOTH_KEYS,
            merge=Round(signers=(REGISTRY, SECOND)),
            later=(key_retired(REGISTRY, AT(START + 100)),),
            later_signer=SECOND,
        ),
        reason=Reason.REGISTRY_KEY_NOT_VALID,
        step=12,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="registry-key-revoked-without-quorum",
        comment="The registry key was revoked after the checkpoint, and no witness can say when it was made.",
        build=scenario(genesis=BOTH_KEYS, later=(key_revoked(REGISTRY, REVOKED_AFTER),), later_signer=SECOND),
        reason=Reason.REGISTRY_KEY_REVOKED,
        step=12,
        files=(REGISTRY_RECEIPT,),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    Case(
        name="cosigned-after-the-revocation",
        comment="The quorum cosigned, but one of it only after the registry key was revoked.",
        build=_witnessed(
            (WITNESSES[0], 5),
            (WITNESSES[1], 120),
            genesis=(*TWO_OF_THREE, *BOTH_KEYS),
            later=(key_revoked(REGISTRY, REVOKED_AFTER),),
            later_signer=SECOND,
        ),
        reason=Reason.REGISTRY_KEY_REVOKED,
        step=12,
        files=(REGISTRY_RECEIPT,),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
)


LATE_CASES = (
    Case(
        name="registry-key-revoked-at-the-checkpoints-second",
        comment="The quorum cosigned before, but the checkpoint is dated at the second of the revocation.",
        build=_witnessed(
            (WITNESSES[0], -5),
            (WITNESSES[1], -5),
            genesis=(*TWO_OF_THREE, *BOTH_KEYS),
            later=(key_revoked(REGISTRY, AT(START + 120)),),
            later_signer=SECOND,
        ),
        reason=Reason.REGISTRY_KEY_REVOKED,
        step=12,
        files=(REGISTRY_RECEIPT,),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    Case(
        name="quorum-not-met",
        comment="One of three witnesses cosigned, two are wanted.",
        build=_witnessed((WITNESSES[0], 5)),
        reason=Reason.WITNESS_QUORUM_NOT_MET,
        step=13,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="cosigned-outside-the-window",
        comment="One cosignature is dated 601 s after the checkpoint's timestamp.",
        build=_witnessed((WITNESSES[0], 5), (WITNESSES[1], 601)),
        reason=Reason.WITNESS_QUORUM_NOT_MET,
        step=13,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="one-witness-cosigned-twice",
        comment="Two cosignatures of one witness count once.",
        build=_witnessed((WITNESSES[0], 5), (WITNESSES[0], 6)),
        reason=Reason.WITNESS_QUORUM_NOT_MET,
        step=13,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="cosignature-invalid",
        comment="The quorum is met, but a third witness's line does not verify.",
        build=_damaged_cosignature,
        reason=Reason.WITNESS_SIGNATURE_INVALID,
        step=13,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="quorum-of-another-type",
        comment="The quorum is a witness with an ML-DSA key: its line is carried and counts for nothing.",
        build=_quorum_of_another_type,
        reason=Reason.WITNESS_QUORUM_NOT_MET,
        step=13,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="nonce-of-four-lines",
        comment="The client nonce file has a fourth line.",
        build=lambda: zipped(_with_nonce(f"attestlayer-nonce/1\n-\n{'A' * 43}\nmore\n".encode())),
        reason=Reason.NONCE_MALFORMED,
        step=14,
        files=(CLIENT_NONCE,),
    ),
    Case(
        name="nonce-checkpoint-missing",
        comment="The nonce names a checkpoint that the kit does not hold.",
        build=hooked(listed=without(NONCE_CHECKPOINT)),
        reason=Reason.NONCE_CHECKPOINT_MISMATCH,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="nonce-checkpoint-of-another-sequence",
        comment="The kit holds another checkpoint than the nonce names.",
        build=hooked(listed=lambda files: {**files, NONCE_CHECKPOINT: Log().last.checkpoint.format()}),
        reason=Reason.NONCE_CHECKPOINT_MISMATCH,
        step=14,
        files=(CLIENT_NONCE, NONCE_CHECKPOINT),
    ),
    Case(
        name="nonce-checkpoint-not-named",
        comment="The nonce names no checkpoint, and the kit holds one.",
        build=scenario(
            dated=False,
            plan=Plan(hooks=Hooks(listed=changed(NONCE_CHECKPOINT, Log().last.checkpoint.format()))),
        ),
        reason=Reason.NONCE_CHECKPOINT_MISMATCH,
        step=14,
        files=(NONCE_CHECKPOINT,),
        remarks=(Remark.NOT_BEFORE_NOT_SHOWN,),
    ),
    Case(
        name="nonce-checkpoint-malformed",
        comment="The checkpoint that the nonce names lacks a member.",
        build=_malformed_nonce_checkpoint,
        reason=Reason.CHECKPOINT_MALFORMED,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="nonce-checkpoint-signed-by-a-stranger",
        comment="The checkpoint that the nonce names is not signed by the registry's key.",
        build=_bad_nonce_checkpoint(lambda seen: sign_checkpoint(seen, STRANGER)),
        reason=Reason.NONCE_CHECKPOINT_INVALID,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="nonce-checkpoint-of-another-registry",
        comment="The checkpoint that the nonce names is signed by the registry's key under another origin.",
        build=_bad_nonce_checkpoint(
            lambda seen: sign_checkpoint(replace(seen, origin="other.example.org"), REGISTRY)
        ),
        reason=Reason.NONCE_CHECKPOINT_INVALID,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="nonce-checkpoint-behind-the-revocation",
        comment="The checkpoint that the nonce names is dated after its key was revoked.",
        build=scenario(
            genesis=(*BOTH_KEYS, key_revoked(SECOND, AT(START + 30))), nonce_round=Round(signers=(SECOND,))
        ),
        reason=Reason.NONCE_CHECKPOINT_INVALID,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="issued-before-the-nonce",
        comment="issued_at is a second before the timestamp of the checkpoint that the nonce names.",
        build=scenario(nonce_round=Round(after=91)),
        reason=Reason.ISSUED_BEFORE_NONCE,
        step=14,
        files=(NONCE_CHECKPOINT,),
    ),
    Case(
        name="issued-after-the-checkpoint",
        comment="issued_at is a second behind the timestamp of the checkpoint that holds the leaf.",
        build=scenario(merge=Round(after=29)),
        reason=Reason.ISSUED_AFTER_CHECKPOINT,
        step=14,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="late-merge-unexplained",
        comment="In the log a second after merge_by, without an incident.",
        build=scenario(merge=Round(after=ISSUED_AT + 601 - START - 60)),
        reason=Reason.LATE_MERGE_UNEXPLAINED,
        step=14,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="late-merge-of-another-leaf",
        comment="In the log after merge_by, with an incident that covers the leaf before.",
        build=scenario(
            merge=Round(after=ISSUED_AT + 601 - START - 60),
            later=(late_merge(0, 1, IncidentReason.OUTAGE),),
        ),
        reason=Reason.LATE_MERGE_UNEXPLAINED,
        step=14,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="late-merge-with-an-incident-of-another-kind",
        comment="In the log after merge_by; an incident that is no late merge covers the leaf.",
        build=scenario(
            merge=Round(after=ISSUED_AT + 601 - START - 60), later=((NoticeType.INCIDENT, WRONG_ENTRY),)
        ),
        reason=Reason.LATE_MERGE_UNEXPLAINED,
        step=14,
        files=(REGISTRY_RECEIPT,),
    ),
    Case(
        name="withdrawn",
        comment="A notice withdraws the leaf.",
        build=_withdrawn,
        reason=Reason.KIT_WITHDRAWN,
        step=15,
        files=(REGISTRY_RECEIPT,),
    ),
)

NEW_ISSUER_KEY = Round(notices=(key_added(Role.ISSUER, SECOND_ISSUER.public, START + 60),))
LATE = Round(after=ISSUED_AT + 601 - START - 60)
LATE_AND_SAID = replace(LATE, notices=(late_merge(2, 2, IncidentReason.OUTAGE),))
UNKNOWN = (Remark.WITHDRAWAL_UNKNOWN,)

OUTDATED_CASES = (
    Case(
        name="issuer-key-of-newer-notices",
        comment="The issuer key was added after the trust root was made: it must be updated first.",
        build=_newer(0, nonce_round=NEW_ISSUER_KEY, plan=Plan(issuer=SECOND_ISSUER)),
        reason=Reason.TRUST_ROOT_OUTDATED,
        step=7,
        files=(RECEIPT,),
        remarks=UNKNOWN,
    ),
    Case(
        name="late-merge-of-newer-notices",
        comment="In the log after merge_by; the incident was published after the trust root was made.",
        build=_newer(1, merge=LATE_AND_SAID),
        reason=Reason.TRUST_ROOT_OUTDATED,
        step=14,
        files=(REGISTRY_RECEIPT,),
        remarks=UNKNOWN,
    ),
    Case(
        name="issuer-key-and-late-merge-of-newer-notices",
        comment="Both the issuer key and the incident are newer than the trust root.",
        build=_newer(0, nonce_round=NEW_ISSUER_KEY, merge=LATE_AND_SAID, plan=Plan(issuer=SECOND_ISSUER)),
        reason=Reason.TRUST_ROOT_OUTDATED,
        step=7,
        files=(RECEIPT,),
        remarks=UNKNOWN,
    ),
    Case(
        name="issuer-key-unknown-beside-newer-equal-notices",
        comment="The kit's checkpoint is newer than the trust root's, but commits to the same notices.",
        build=_newer(1, plan=Plan(issuer=STRANGER)),
        reason=Reason.ISSUER_KEY_UNKNOWN,
        step=7,
        files=(RECEIPT,),
        remarks=UNKNOWN,
    ),
    Case(
        name="late-merge-unexplained-beside-newer-equal-notices",
        comment="In the log after merge_by, without an incident; the older trust root has the same notices.",
        build=_newer(1, merge=LATE),
        reason=Reason.LATE_MERGE_UNEXPLAINED,
        step=14,
        files=(REGISTRY_RECEIPT,),
        remarks=UNKNOWN,
    ),
    Case(
        name="issuer-key-of-newer-notices-and-another-kit",
        comment="The issuer key may be newer than the trust root, but the kit is not the one in the log.",
        build=_newer(
            0,
            nonce_round=NEW_ISSUER_KEY,
            plan=Plan(issuer=SECOND_ISSUER, hooks=Hooks(leaf=_other_digest)),
        ),
        reason=Reason.KIT_DIGEST_MISMATCH,
        step=10,
        files=(REGISTRY_RECEIPT,),
        also=frozenset({Reason.ISSUER_KEY_UNKNOWN}),
        remarks=UNKNOWN,
    ),
    Case(
        name="issuer-key-of-newer-notices-in-another-registrys-kit",
        comment="The receipt of an unknown issuer key names another registry than the newer checkpoint's.",
        build=_newer(
            0, nonce_round=NEW_ISSUER_KEY, plan=Plan(issuer=SECOND_ISSUER, origin="other.example.org")
        ),
        reason=Reason.ORIGIN_MISMATCH,
        step=12,
        files=(RECEIPT, REGISTRY_RECEIPT),
        also=frozenset({Reason.ISSUER_KEY_UNKNOWN}),
        remarks=UNKNOWN,
    ),
)

CASES = (
    *ACCEPTED,
    *COULD_NOT_CHECK,
    *CONTAINER,
    *REPACKED,
    *MANIFEST_CASES,
    *TRAIL_CASES,
    *RECEIPT_CASES,
    *ISSUER_CASES,
    *LEAF_CASES,
    *CHECKPOINT_CASES,
    *LATE_CASES,
    *OUTDATED_CASES,
)
"""Every case; their names are different."""
