"""Every document: what is written is read again, and whatever is read raises only what is declared."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestlayer.canonical import format_json, parse_json
from attestlayer.encoding import Hash
from attestlayer.errors import FormatError, Reason, VerificationError
from attestlayer.keys import PrivateKey
from attestlayer.kit.intake import (
    CheckResult,
    Event,
    EventType,
    IntakeReport,
    ReportCheck,
    ReportRecord,
    Trail,
    opened,
    parse_report,
    parse_trail,
)
from attestlayer.kit.manifest import Manifest, parse_manifest
from attestlayer.kit.receipt import Nonce, Receipt, parse_nonce, parse_receipt
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.leaf import (
    Leaf,
    LeafRecord,
    RegistryReceipt,
    parse_entry,
    parse_record,
    parse_registry_receipt,
)
from attestlayer.log.merkle import EMPTY_ROOT, TreeHead
from attestlayer.log.note import Note, Signature
from attestlayer.log.notices import IncidentReason, Notices, Role, key_added, late_merge, parse_notices
from support.build import POLICY, make, manifest_file
from support.documents import KINDS, Kind, Spoilt, spoilt

HASHES = st.binary(min_size=32, max_size=32).map(Hash)
SECONDS = st.integers(0, 253402300799 - 600)
COUNTS = st.integers(0, 2**53 - 1)
KIT_IDS = st.from_regex(r"kit_[0-7][0-9A-HJKMNP-TV-Z]{25}", fullmatch=True)
LANES = st.from_regex(r"[A-Z][A-Z0-9]{1,15}(-[0-9]{2})?", fullmatch=True).filter(str.isascii)
PROFILES = st.from_regex(r"[a-z][a-z0-9-]{1,47}", fullmatch=True)
ORIGINS = st.from_regex(r"[a-z0-9.-]{1,30}(/[a-z0-9._-]{1,20}){0,3}", fullmatch=True)
KIDS = HASHES.map(lambda value: PrivateKey(value).public.kid)
SIGNATURES = st.binary(min_size=64, max_size=64)
TEXT = st.text(max_size=20)

LEAVES = st.builds(
    Leaf,
    client_nonce_hash=HASHES,
    intake_policy_hash=HASHES,
    issued_at=SECONDS,
    issuer_kid=KIDS,
    kit_digest=HASHES,
    lane_id=LANES,
    manifest_root=HASHES,
    profile_id=PROFILES,
    statement_hash=HASHES,
)
RECORDS = st.builds(LeafRecord, LEAVES, HASHES)
RECEIPTS = st.builds(
    Receipt,
    origin=ORIGINS,
    kit_id=KIT_IDS,
    lane_id=LANES,
    profile_id=PROFILES,
    issued_at=SECONDS,
    issuer_kid=KIDS,
    manifest_sha256=HASHES,
    manifest_root=HASHES,
    hash_trail_head=HASHES,
    intake_policy_hash=HASHES,
    client_nonce_hash=HASHES,
    supersedes=st.none() | KIT_IDS,
    signature=SIGNATURES,
)
HEADS = st.builds(TreeHead, st.integers(1, 2**53 - 1), HASHES)
LATER = st.builds(
    Checkpoint,
    origin=ORIGINS,
    sequence=st.integers(1, 2**53 - 1),
    head=HEADS | st.just(TreeHead(0, EMPTY_ROOT)),
    timestamp=SECONDS,
    prev_checkpoint_hash=HASHES,
    notices_hash=HASHES,
    kid=KIDS,
    signature=SIGNATURES,
)
FIRST = st.builds(
    Checkpoint,
    origin=ORIGINS,
    sequence=st.just(0),
    head=st.just(TreeHead(0, EMPTY_ROOT)),
    timestamp=SECONDS,
    prev_checkpoint_hash=st.none(),
    notices_hash=HASHES,
    kid=KIDS,
    signature=SIGNATURES,
)
CHECKPOINTS = FIRST | LATER
LINES = st.builds(
    Signature, st.just("a.example/β"), st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)
)
NOTES = st.builds(
    lambda text, lines: Note(text + "\n", tuple(lines)),
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=20),
    st.lists(LINES, min_size=1, max_size=3),
)
REGISTRY_RECEIPTS = st.builds(
    RegistryReceipt,
    RECORDS,
    COUNTS,
    st.lists(HASHES, max_size=53).map(tuple),
    CHECKPOINTS,
    NOTES,
)
NONCES = st.builds(Nonce, st.none() | HASHES, st.binary(min_size=32, max_size=32))
MANIFESTS = st.builds(
    lambda kit_id, count, dated: Manifest(
        kit_id,
        tuple(
            manifest_file(name, name.encode())
            for name in sorted(
                [
                    "README.txt",
                    "binder.pdf",
                    "intake_report.json",
                    "registry/client_nonce.txt",
                    *(["registry/nonce_checkpoint.json"] if dated else []),
                    *(f"records/{n:03}-r" for n in range(1, count + 1)),
                ]
            )
        ),
    ),
    KIT_IDS,
    st.integers(1, 12),
    st.booleans(),
)
EVENTS = st.builds(
    Event,
    n=COUNTS,
    at=SECONDS,
    type=st.just(EventType.PACKET_OPENED),
    data=st.binary(min_size=16, max_size=16).map(opened),
    prev=st.none() | HASHES,
)
TRAILS = st.builds(Trail, KIT_IDS, st.lists(EVENTS, min_size=1, max_size=4).map(tuple))
REPORTS = st.builds(
    IntakeReport,
    KIT_IDS,
    st.builds(
        lambda extra: {**POLICY, **extra}, st.dictionaries(st.sampled_from(["rules", "title"]), TEXT | COUNTS)
    ),
    st.lists(
        st.builds(
            ReportRecord,
            TEXT,
            TEXT,
            TEXT,
            TEXT,
            COUNTS,
            st.dictionaries(st.sampled_from(["amount", "payer"]), TEXT),
        ),
        max_size=3,
    ).map(tuple),
    st.lists(
        st.builds(
            ReportCheck, TEXT, st.lists(TEXT, max_size=2).map(tuple), st.sampled_from(CheckResult), TEXT
        ),
        max_size=3,
    ).map(tuple),
)


@given(CHECKPOINTS)
def test_checkpoints_are_read_as_they_were_written(value: Checkpoint) -> None:
    assert parse_checkpoint(value.format()) == value


@given(RECEIPTS)
def test_receipts_are_read_as_they_were_written(value: Receipt) -> None:
    assert parse_receipt(value.format()) == value


@given(RECORDS)
def test_leaves_are_read_as_they_were_written(value: LeafRecord) -> None:
    assert parse_record(value.format()) == value
    assert parse_entry(value.leaf.entry()) == value.leaf


@given(REGISTRY_RECEIPTS)
def test_registry_receipts_are_read_as_they_were_written(value: RegistryReceipt) -> None:
    assert parse_registry_receipt(value.format()) == value


@given(NONCES)
def test_nonces_are_read_as_they_were_written(value: Nonce) -> None:
    assert parse_nonce(value.format()) == value


@given(MANIFESTS)
def test_manifests_are_read_as_they_were_written(value: Manifest) -> None:
    assert parse_manifest(value.format()) == value


@given(TRAILS)
def test_trails_are_read_as_they_were_written(value: Trail) -> None:
    assert parse_trail(value.format()) == value


@given(REPORTS)
def test_reports_are_read_as_they_were_written(value: IntakeReport) -> None:
    assert parse_report(value.format()) == value


@settings(max_examples=40)
@given(st.lists(st.tuples(SECONDS, COUNTS, COUNTS), max_size=6), HASHES)
def test_notices_are_read_as_they_were_written(times: list[tuple[int, int, int]], seed: Hash) -> None:
    notices = Notices("a.example", ())
    notices = notices.extended(0, [key_added(Role.ISSUER, PrivateKey(seed).public, 0)])
    for at, one, other in sorted(times):
        notices = notices.extended(at, [late_merge(min(one, other), max(one, other), IncidentReason.OUTAGE)])
    assert parse_notices(notices.format()) == notices


SPOILT = [(kind, bad) for kind in KINDS for bad in spoilt(kind)]


@pytest.mark.parametrize(("kind", "bad"), SPOILT, ids=[f"{kind.name}: {bad.comment}" for kind, bad in SPOILT])
def test_a_spoilt_document_is_refused_with_its_reason(kind: Kind, bad: Spoilt) -> None:
    with pytest.raises(VerificationError) as caught:
        kind.parse(bad.data)
    assert caught.value.reason == bad.reason
    assert len(str(caught.value)) < 1000


KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@KIND
def test_a_sample_of_each_kind_is_read(kind: Kind) -> None:
    kind.parse(kind.sample())


def parses(parse: Callable[[bytes], object], data: bytes) -> bool:
    """Whether it is read; anything but a declared error passes through and fails the test."""
    try:
        parse(data)
    except VerificationError:
        return False
    return True


@KIND
@given(data=st.binary(max_size=200))
@settings(max_examples=50)
def test_random_bytes_are_refused_in_words(kind: Kind, data: bytes) -> None:
    assert not parses(kind.parse, data)


@KIND
def test_changed_bytes_are_refused_in_words_or_read(kind: Kind) -> None:
    data, chance = kind.sample(), random.Random(kind.name)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(changed))
            action = chance.randrange(3)
            if action == 0:
                changed[at] = chance.randrange(256)
            elif action == 1:
                del changed[at : at + chance.randrange(1, 9)]
            else:
                changed[at:at] = changed[chance.randrange(len(changed)) :][: chance.randrange(1, 30)]
        parses(kind.parse, bytes(changed))


WRONG = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53,
    1.5,
    "",
    "x",
    "A" * 43,
    "\u2028",
    [],
    {},
    [[]],
    {"a": {}},
    "9" * 5000,
)


@KIND
def test_members_of_other_types_are_refused_in_words_at_every_place(kind: Kind) -> None:
    sample = kind.sample()
    for place in places(parse_json(sample)):
        for wrong in WRONG:
            value = parse_json(sample)
            put(value, place, wrong)
            try:
                data = format_json(value)
            except ValueError:
                data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            if data != sample:
                parses(kind.parse, data)


@KIND
def test_members_that_are_missing_or_too_many_are_refused_at_every_place(kind: Kind) -> None:
    sample = kind.sample()
    for place in places(parse_json(sample)):
        if not isinstance(place[-1], str) or "policy" in place or "metadata" in place:
            continue  # a policy has members of its own, and metadata are the client's
        value = parse_json(sample)
        target = container(value, place)
        assert isinstance(target, dict)
        kept = target.pop(place[-1])
        assert not parses(kind.parse, format_json(value)), f"without {place}"
        target[place[-1]] = kept
        target["zz"] = kept
        assert not parses(kind.parse, format_json(value)), f"with another beside {place}"


Place = tuple[str | int, ...]


def places(value: object, here: Place = ()) -> list[Place]:
    """The way to every value within a document."""
    found = [here] if here else []
    if isinstance(value, dict):
        for name in value:
            found += places(value[name], (*here, name))
    elif isinstance(value, list):
        for n, item in enumerate(value):
            found += places(item, (*here, n))
    return found


def container(value: object, place: Place) -> object:
    for step in place[:-1]:
        value = value[step]  # type: ignore[index]
    return value


def put(value: object, place: Place, item: object) -> None:
    container(value, place)[place[-1]] = item  # type: ignore[index]


@given(st.binary(max_size=200))
def test_any_nonce_is_its_one_spelling_or_refused(data: bytes) -> None:
    try:
        assert parse_nonce(data).format() == data
    except FormatError as error:
        assert error.reason == Reason.NONCE_MALFORMED


def test_a_checkpoint_of_sequence_0_is_the_empty_tree_and_follows_nothing() -> None:
    first, later = make().log.rounds[0].checkpoint, make().log.rounds[2].checkpoint
    for data in (
        first.format().replace(b'"tree_size":0', b'"tree_size":1'),
        first.format().replace(b'"sequence":0', b'"sequence":1'),
        later.format().replace(b'"sequence":2', b'"sequence":0'),
        later.format().replace(b'"tree_size":3', b'"tree_size":0'),
    ):
        with pytest.raises(FormatError):
            parse_checkpoint(data)


def test_a_receipt_of_the_last_second_of_the_calendar_is_refused_in_words() -> None:
    receipt = make().sealed.receipt.format()
    late = receipt.replace(b"2026-01-31T12:01:30Z", b"9999-12-31T23:59:59Z")
    with pytest.raises(FormatError):
        parse_receipt(late)
