"""A registry receipt by itself, with a trust root or the registry's JWKS alone; and sealed kits."""

from dataclasses import replace

import pytest

from attestlayer.canonical import format_json
from attestlayer.encoding import sha256
from attestlayer.errors import Reason, Remark, VerificationError
from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.log.leaf import LeafRecord, RegistryReceipt, parse_registry_receipt
from attestlayer.log.notices import Role
from attestlayer.log.trust import Keyring, parse_jwks
from attestlayer.reading.files import open_kit
from attestlayer.verify.evidence import Anchors, anchors_of
from attestlayer.verify.report import Kind, Report, Status, Verdict
from attestlayer.verify.steps import STEPS
from attestlayer.verify.verifier import explain, explain_receipt, report_unopened, verify, verify_sealed
from support.build import ISSUED_AT, ORIGIN, START, Delivered, Hooks, Plan, Round, Scenario, make, open_zip
from support.cases import ACCEPTED, CASES, CHECKPOINT_CASES, LATE_CASES
from support.judge import judge


def receipt_of(kit: Delivered) -> RegistryReceipt:
    return parse_registry_receipt(kit.members[REGISTRY_RECEIPT])


def jwks_of(kit: Delivered) -> Keyring:
    return parse_jwks(format_json(kit.trust.keyring.jwks(Role.REGISTRY)), Role.REGISTRY, ORIGIN)


def statuses(report: Report) -> dict[int, Status]:
    return {step.number: step.status for step in report.steps}


def test_with_a_trust_root_the_kits_own_steps_are_not_checked() -> None:
    report = explain_receipt(receipt_of(make()), anchors_of(make().trust))
    assert report.verdict == Verdict.VERIFIED
    checked = {n for n, status in statuses(report).items() if status == Status.PASSED}
    assert checked == {9, 11, 12, 13, 14, 15}
    assert {n for n, status in statuses(report).items() if status == Status.NOT_CHECKED} == set(
        range(1, 16)
    ) - checked


def test_with_a_jwks_witnesses_and_notices_are_not_checked_either() -> None:
    report = explain_receipt(receipt_of(make()), Anchors(jwks_of(make()), None))
    assert report.verdict == Verdict.VERIFIED
    assert {n for n, status in statuses(report).items() if status == Status.PASSED} == {9, 11, 12, 14}


def test_what_a_verified_receipt_shows() -> None:
    issued = explain_receipt(receipt_of(make()), anchors_of(make().trust)).issued
    assert issued
    assert (issued.kit_id, issued.not_before, issued.files) == (None, None, 0)
    assert (issued.leaf_index, issued.issued_at, issued.checkpoint_time) == (2, ISSUED_AT, START + 120)


def test_what_a_verified_kit_shows() -> None:
    issued = verify(make().kit(), make().trust)
    assert (issued.kit_id, issued.lane_id) == ("kit_01J9ZX3A8B5C6D7E8F9GAHBKCM", "PAY-01")
    assert (issued.not_before, issued.checkpoint_time, issued.files) == (START + 60, START + 120, 6)
    assert issued.leaf_hash == make().sealed.record.leaf.hash()


@pytest.mark.parametrize("by_jwks", [False, True])
def test_another_leaf_hash_is_refused(by_jwks: bool) -> None:
    receipt = receipt_of(make())
    forged = replace(receipt, record=LeafRecord(receipt.record.leaf, sha256(b"x")))
    anchors = Anchors(jwks_of(make()), None) if by_jwks else anchors_of(make().trust)
    report = explain_receipt(forged, anchors)
    assert [failure.reason for failure in report.failures] == [Reason.LEAF_HASH_MISMATCH]
    assert report.issued is None


def test_a_revoked_registry_key_is_not_outlived_by_a_jwks_alone() -> None:
    """The cosignatures that would outlive it need the trust root's witnesses."""
    case = next(case for case in ACCEPTED if case.name == "registry-key-revoked-with-quorum")
    subject = case.build()
    from attestlayer.log.trust import parse_trust

    trust = parse_trust(subject.trust)
    receipt = parse_registry_receipt(open_zip(subject.zip or b"").documents[REGISTRY_RECEIPT])
    assert explain_receipt(receipt, anchors_of(trust)).verdict == Verdict.VERIFIED
    keyring = parse_jwks(format_json(trust.keyring.jwks(Role.REGISTRY)), Role.REGISTRY, ORIGIN)
    assert Reason.REGISTRY_KEY_REVOKED in {
        f.reason for f in explain_receipt(receipt, Anchors(keyring, None)).failures
    }


def test_a_jwks_alone_can_not_say_whether_a_late_merge_is_explained() -> None:
    case = next(case for case in LATE_CASES if case.name == "late-merge-unexplained")
    receipt = parse_registry_receipt(open_zip(case.build().zip or b"").documents[REGISTRY_RECEIPT])
    report = explain_receipt(receipt, Anchors(jwks_of(make()), None))
    assert report.verdict == Verdict.VERIFIED
    assert [note.remark for note in report.notes] == [Remark.LATE_MERGE]


@pytest.mark.parametrize("case", [*CHECKPOINT_CASES, *LATE_CASES], ids=lambda case: case.name)
def test_steps_11_to_15_say_the_same_of_the_receipt_as_of_its_kit(case: object) -> None:
    from attestlayer.log.trust import parse_trust

    subject = case.build()  # type: ignore[attr-defined]
    trust = parse_trust(subject.trust)
    kit = open_zip(subject.zip)
    whole = explain(kit, trust)
    alone = explain_receipt(parse_registry_receipt(kit.documents[REGISTRY_RECEIPT]), anchors_of(trust))
    for number in (11, 13, 15):
        found, wanted = alone.steps[number - 1], whole.steps[number - 1]
        assert [f.reason for f in found.failures] == [f.reason for f in wanted.failures]


def test_a_tlog_proof_is_written_as_c2sp_writes_it() -> None:
    receipt = receipt_of(make())
    lines = receipt.tlog_proof().split("\n")
    # C2SP tlog-proof: header, index, one line a hash, blank line, the checkpoint as it is.
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 2"]
    assert len(lines[2 : lines.index("")]) == len(receipt.audit_path) == 1
    assert "\n".join(lines[lines.index("") + 1 :]) == receipt.note.format()


class TestSealed:
    def test_a_sealed_kit_is_checked_before_its_leaf_is_in_the_log(self) -> None:
        kit = make()
        verify_sealed(open_zip(kit.sealed.zip), kit.trust, kit.sealed.record)

    def test_the_leaf_about_to_be_stored_is_compared(self) -> None:
        kit = make()
        wrong = replace(kit.sealed.record.leaf, issued_at=ISSUED_AT + 1).record()
        with pytest.raises(VerificationError) as caught:
            verify_sealed(open_zip(kit.sealed.zip), kit.trust, wrong)
        assert caught.value.reason == Reason.LEAF_MISMATCH

    def test_the_digest_is_compared(self) -> None:
        kit = make()
        wrong = replace(kit.sealed.record.leaf, kit_digest=sha256(b"x")).record()
        with pytest.raises(VerificationError) as caught:
            verify_sealed(open_zip(kit.sealed.zip), kit.trust, wrong)
        assert caught.value.reason == Reason.KIT_DIGEST_MISMATCH

    def test_the_nonces_half_of_step_14_is_checked(self) -> None:
        kit = make(Scenario(nonce_round=Round(after=91)))
        with pytest.raises(VerificationError) as caught:
            verify_sealed(open_zip(kit.sealed.zip), kit.trust, kit.sealed.record)
        assert caught.value.reason == Reason.ISSUED_BEFORE_NONCE


class TestReport:
    def test_there_are_fifteen_steps(self) -> None:
        assert len(STEPS) == 15
        assert [step.name for step in explain(make().kit(), make().trust).steps] == [
            step.name for step in STEPS
        ]

    def test_steps_behind_a_malformed_document_are_not_reached(self) -> None:
        hooks = Hooks(manifest_bytes=lambda data: data + b"\n")
        report = explain(make(Scenario(plan=Plan(hooks=hooks))).kit(), make().trust)
        assert statuses(report)[2] == Status.FAILED
        assert {n for n, s in statuses(report).items() if s == Status.NOT_REACHED} >= {3, 4}
        assert report.issued is None

    def test_of_an_input_that_could_not_be_opened_reaches_nothing(self, tmp_path: object) -> None:
        from pathlib import Path

        with pytest.raises(VerificationError) as caught, open_kit(Path(str(tmp_path)) / "none"):
            pass
        report = report_unopened(Kind.KIT, caught.value)
        assert report.verdict == Verdict.COULD_NOT_CHECK
        assert set(statuses(report).values()) == {Status.FAILED, Status.NOT_REACHED}

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_is_the_same_each_time(self, case: object, tmp_path: object) -> None:
        from pathlib import Path

        def made(name: str) -> list[tuple[str, tuple[str, ...]]] | None:
            place = Path(str(tmp_path)) / name
            place.mkdir()
            report = judge(case.build(), place).report  # type: ignore[attr-defined]
            return report and [(f.reason.value, f.files) for f in report.failures]

        assert made("one") == made("two")

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_is_verified_only_if_every_step_passed(self, case: object, tmp_path: object) -> None:
        from pathlib import Path

        report = judge(case.build(), Path(str(tmp_path))).report  # type: ignore[attr-defined]
        if report:
            passed = set(statuses(report).values()) == {Status.PASSED}
            assert (report.verdict == Verdict.VERIFIED) == passed == (report.issued is not None)
