"""Disclosed records: what they show, what they don't tell, and that none can be made up."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestlayer.canonical import format_json
from attestlayer.encoding import format_base64url, format_hash, sha256
from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.disclosure import MAX_WAY, Disclosure, _way, disclose, parse_disclosure
from attestlayer.kit.manifest import BINDER, DISCLOSURE, MANIFEST, README, ManifestFile, parse_manifest
from attestlayer.log.merkle import leaf_hash, root_of
from attestlayer.log.trust import TrustRoot
from attestlayer.verify.report import Status, Verdict
from attestlayer.verify.verifier import explain, explain_disclosure, verify
from support.build import Plan, Scenario, make, make_zip, open_zip
from support.disclosures import ANOTHER, CASES, PATH, PLAN, RECORDS, DisclosureCase, judge_disclosure, made

CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_it_shows_one_record_of_a_kit() -> None:
    parts, kit = made()
    report = explain_disclosure(open_zip(make_zip(parts)), kit.trust)
    assert report.verdict == Verdict.VERIFIED
    assert report.issued
    assert report.issued.record
    assert report.issued.record.path == PATH
    assert (report.issued.kit_id, report.issued.files) == (kit.sealed.receipt.kit_id, 1)
    whole = explain(kit.kit(), kit.trust).issued
    assert whole
    assert (whole.issued_at, whole.not_before, whole.leaf_hash) == (
        report.issued.issued_at,
        report.issued.not_before,
        report.issued.leaf_hash,
    )


def test_hash_trail_and_kit_digest_are_the_steps_not_checked() -> None:
    parts, kit = made()
    report = explain_disclosure(open_zip(make_zip(parts)), kit.trust)
    assert [step.number for step in report.steps if step.status == Status.NOT_CHECKED] == [5, 10]
    assert {step.status for step in report.steps} == {Status.PASSED, Status.NOT_CHECKED}


@CASE
def test_a_case_comes_out_as_it_says(case: DisclosureCase, tmp_path: Path) -> None:
    report = judge_disclosure(case.build(), tmp_path)
    first = next((step for step in report.steps if step.failures), None)
    assert (first.failures[0].reason if first else None) == case.reason
    assert (first.number if first else 0) == case.step
    assert (report.verdict == Verdict.VERIFIED) == (case.reason is None)
    assert (report.issued is None) == (case.reason is not None)


def test_cases_have_different_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_it_tells_nothing_of_the_others() -> None:
    parts, kit = made()
    told = b"".join(parts.values())
    for file in parse_manifest(kit.members[MANIFEST]).files:
        if file.path in parts:
            continue
        entry = format_json(file.members())
        for secret in (file.path, format_base64url(file.salt), format_hash(file.sha256), file.sha256.hex()):
            assert secret.encode() not in told
        assert file.salt not in told
        assert file.sha256 not in told
        assert entry not in told
        assert kit.members[file.path] not in told or not kit.members[file.path].strip()
    assert BINDER not in told.decode()


def test_other_contents_change_hashes_and_signatures_only() -> None:
    """What differs between two kits of other records differs here only where all is hashed together."""
    one, _ = made()
    others = tuple((path, data if path == PATH else data[::-1] * 3) for path, data in RECORDS)
    two, _ = made(Scenario(plan=Plan(records=others)))
    assert {name for name in one if one[name] != two[name]} == {
        DISCLOSURE,
        "receipt.json",
        "registry/registry_receipt.json",
    }
    first, second = parse_disclosure(one[DISCLOSURE]), parse_disclosure(two[DISCLOSURE])
    assert first.file == second.file
    assert [s.side for s in first.path] == [s.side for s in second.path]


def test_a_way_says_only_roughly_how_many_records_there_are() -> None:
    """The sides of the second record's way are the same for kits of 6 to 12 records."""
    ways = set()
    for count in range(6, 12):
        records = tuple((f"records/{n:03}-r.txt", b"%d" % n) for n in range(1, count + 1))
        parts, _ = made(Scenario(plan=Plan(records=records)), "records/002-r.txt")
        ways.add(tuple(s.side for s in parse_disclosure(parts[DISCLOSURE]).path))
    assert len(ways) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.data())
def test_every_record_of_a_kit_of_any_size_can_be_shown(count: int, data: st.DataObject) -> None:
    records = tuple((f"records/{n:03}-r.txt", b"%d" % n) for n in range(1, count + 1))
    path = data.draw(st.sampled_from([name for name, _ in records]))
    dated = data.draw(st.booleans())
    parts, kit = made(Scenario(plan=Plan(records=records), dated=dated), path)
    assert explain_disclosure(open_zip(make_zip(parts)), kit.trust).verdict == Verdict.VERIFIED


def test_a_kit_of_999_records_has_a_way_of_the_longest_length() -> None:
    records = tuple((f"records/{n:03}-r.txt", b"%d" % n) for n in range(1, 1000))
    parts, kit = made(Scenario(plan=Plan(records=records)), "records/500-r.txt")
    assert len(parse_disclosure(parts[DISCLOSURE]).path) == MAX_WAY
    assert explain_disclosure(open_zip(make_zip(parts)), kit.trust).verdict == Verdict.VERIFIED


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.data())
def test_a_way_leads_to_the_root_from_its_own_leaf_alone(count: int, data: st.DataObject) -> None:
    files = [ManifestFile(f"records/{n:03}-r", bytes(16), sha256(b"%d" % n), n) for n in range(1, count + 1)]
    leaves = [leaf_hash(format_json(f.members())) for f in files]
    index = data.draw(st.integers(0, count - 1))
    disclosure = Disclosure(files[index], _way(leaves, index))
    assert disclosure.root() == root_of(leaves)
    assert parse_disclosure(disclosure.format()) == disclosure
    other = data.draw(st.integers(0, count - 1))
    assert (Disclosure(files[other], disclosure.path).root() == root_of(leaves)) == (other == index)


@pytest.mark.parametrize(
    "path", [README, MANIFEST, "records/006-r.txt", "records/003", "", "records/../003-r.txt"]
)
def test_only_a_record_of_the_kit_can_be_disclosed(path: str) -> None:
    with pytest.raises(ValueError, match="is not a record of the kit"):
        disclose(make(Scenario(plan=PLAN)).members, path)


def refused(parts: dict[str, bytes], trust: TrustRoot) -> bool:
    return explain_disclosure(open_zip(make_zip(parts)), trust).verdict != Verdict.VERIFIED


def test_no_changed_byte_of_a_member_is_verified() -> None:
    parts, kit = made()
    chance = random.Random(3)
    for name, data in parts.items():
        for at in range(0, len(data), 1 if name in {DISCLOSURE, PATH} else 3):
            value = chance.choice([v for v in range(256) if v != data[at]])
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            assert refused({**parts, name: changed}, kit.trust), (name, at, value)


def test_no_member_can_be_left_out_or_come_from_another_record_or_kit() -> None:
    parts, kit = made()
    another, _ = made(path=ANOTHER)
    foreign, _ = made(Scenario(plan=Plan(records=RECORDS, kit_id="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN")))
    for name in parts:
        assert refused({n: d for n, d in parts.items() if n != name}, kit.trust), name
        for other in (another, foreign):
            if name in other and other[name] != parts[name]:
                assert refused({**parts, name: other[name]}, kit.trust), name


def test_verifiers_of_kits_take_no_disclosed_record_for_a_kit() -> None:
    """Whoever calls `verify` for kits, without asking what the container is, gets no VERIFIED."""
    parts, kit = made()
    whole = {**kit.members, **parts}
    for members in (parts, whole, {**kit.members, DISCLOSURE: parts[DISCLOSURE]}):
        opened: Kit = open_zip(make_zip(members))
        assert explain(opened, kit.trust).verdict != Verdict.VERIFIED
        assert explain_disclosure(opened, kit.trust).verdict != Verdict.VERIFIED or members is parts
        with pytest.raises(VerificationError):
            verify(opened, kit.trust)
    assert explain_disclosure(kit.kit(), kit.trust).failures[0].reason == Reason.FILE_MISSING
