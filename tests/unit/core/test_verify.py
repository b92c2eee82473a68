"""What holds of every verification: folder and ZIP say the same, large kits end soon, no network."""

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.canonical import Members
from attestlayer.encoding import format_time, sha256
from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.manifest import RECEIPT
from attestlayer.log.notices import IncidentReason, late_merge
from attestlayer.log.trust import parse_trust
from attestlayer.verify.report import Report, Verdict
from attestlayer.verify.verifier import explain, verify
from support.build import (
    ISSUED_AT,
    ISSUER,
    POLICY,
    REGISTRY,
    START,
    STRANGER,
    Hooks,
    Log,
    Plan,
    Round,
    Scenario,
    deliver,
    key_revoked,
    make,
    open_zip,
    quorum_policy,
    seal,
    sign_receipt,
    witness,
    witness_policy,
)
from support.cases import CASES, Case, Subject
from support.judge import judge

ZIPS = [case for case in CASES if (case.step > 1 or not case.reason) and "folder" not in case.name]


def outcome(report: Report) -> list[tuple[int, str, list[tuple[str, tuple[str, ...], str]]]]:
    return [(s.number, s.status, [(f.reason, f.files, str(f)) for f in s.failures]) for s in report.steps]


@pytest.mark.parametrize("case", ZIPS, ids=lambda case: case.name)
def test_a_folder_says_what_its_zip_says(case: Case, tmp_path: Path) -> None:
    subject = case.build()
    assert subject.zip is not None
    members = {name: b"".join(member.chunks()) for name, member in open_zip(subject.zip).members.items()}
    unpacked = judge(Subject(folder=members, trust=subject.trust), tmp_path).report
    whole = explain(open_zip(subject.zip), parse_trust(subject.trust))
    assert unpacked
    assert outcome(unpacked) == outcome(whole)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verify_raises_what_explain_reports_first(case: Case, tmp_path: Path) -> None:
    judgement = judge(case.build(), tmp_path)
    if judgement.report and judgement.error:
        first = judgement.report.first
        assert first
        assert (first.reason, first.files, str(first)) == (
            judgement.error.reason,
            judgement.error.files,
            str(judgement.error),
        )


def test_a_kit_of_999_records_is_verified_in_seconds() -> None:
    records = tuple((f"records/{n:03}-r.txt", b"record %d\n" % n) for n in range(1, 1000))
    kit = make(Scenario(plan=Plan(records=records)))
    began = time.process_time()
    assert verify(kit.kit(), kit.trust).files == 999 + 5
    assert time.process_time() - began < 10


def test_a_leaf_deep_in_a_log_is_verified() -> None:
    log = Log()
    seen = log.publish(Round()).checkpoint
    kit = seal(Plan(nonce_checkpoint=seen))
    log.leaves += [sha256(b"%d" % n) for n in range(5000)]
    log.publish(Round(leaves=(kit.record,)))
    members = deliver(kit, log.receipt(kit.record))
    delivered = replace(make(), members=members, trust=log.trust())
    assert verify(delivered.kit(), delivered.trust).leaf_index == 5000


def test_verification_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert explain(make().kit(), make().trust).verdict == Verdict.VERIFIED


def test_a_receipt_signed_again_by_its_own_key_is_another_statement() -> None:
    """Ed25519 is deterministic, but a leaf names the file: only the statement in the log counts."""
    kit = make()
    changed = sign_receipt(replace(kit.sealed.receipt, supersedes="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN"), ISSUER)
    members = {**kit.members, RECEIPT: changed.format()}
    with pytest.raises(VerificationError) as caught:
        verify(replace(kit, members=members).kit(), kit.trust)
    assert caught.value.reason == Reason.LEAF_MISMATCH


def test_a_forger_with_every_key_but_the_registrys_is_not_verified() -> None:
    """Issuer key stolen, own log: the trust root's registry key is what counts."""
    forged = make(
        Scenario(registry=STRANGER, nonce_round=Round(signers=(STRANGER,)), merge=Round(signers=(STRANGER,)))
    )
    with pytest.raises(VerificationError) as caught:
        verify(forged.kit(), make().trust)
    assert caught.value.reason == Reason.REGISTRY_KEY_UNKNOWN


def test_a_forger_with_the_registrys_key_needs_the_witnesses() -> None:
    two = (witness(1), witness(2))
    genesis = (witness_policy(format_time(START), quorum_policy(two)),)
    impostors = (replace(witness(1), private=STRANGER), replace(witness(2), private=REGISTRY))
    own = make(Scenario(genesis=genesis, merge=Round(cosigners=tuple((w, 0) for w in impostors))))
    with pytest.raises(VerificationError) as caught:
        verify(own.kit(), own.trust)
    assert caught.value.reason == Reason.WITNESS_QUORUM_NOT_MET


def test_cosignatures_of_another_checkpoint_do_not_count() -> None:
    genesis = (witness_policy(format_time(START), quorum_policy([witness(1)])),)
    other = make(Scenario(genesis=genesis, merge=Round(cosigners=((witness(1), 0),), after=60)))
    line = other.log.rounds[2].note.signatures[-1]
    mine = make(Scenario(genesis=genesis, plan=Plan(readme=b"Another."), merge=Round(lines=(line,))))
    with pytest.raises(VerificationError) as caught:
        verify(mine.kit(), mine.trust)
    assert caught.value.reason == Reason.WITNESS_SIGNATURE_INVALID


def test_a_policy_in_force_after_the_checkpoint_asks_for_nothing() -> None:
    later = (witness_policy(format_time(START + 121), quorum_policy([witness(1)])),)
    kit = make(Scenario(genesis=later))
    assert explain(kit.kit(), kit.trust).verdict == Verdict.VERIFIED


def test_a_policy_in_force_at_the_checkpoints_second_counts() -> None:
    now = (witness_policy(format_time(START + 120), quorum_policy([witness(1)])),)
    kit = make(Scenario(genesis=now))
    with pytest.raises(VerificationError) as caught:
        verify(kit.kit(), kit.trust)
    assert caught.value.reason == Reason.WITNESS_QUORUM_NOT_MET


@pytest.mark.parametrize(("seconds", "reason"), [(120, Reason.ISSUER_KEY_REVOKED), (121, None)])
def test_a_revoked_issuer_key_counts_for_checkpoints_before(seconds: int, reason: Reason | None) -> None:
    # REG-1.0 section 9: issued_at and the checkpoint's timestamp are before revoked_at.
    kit = make(Scenario(later=(key_revoked(ISSUER, format_time(START + seconds)),)))
    report = explain(kit.kit(), kit.trust)
    assert [failure.reason for failure in report.failures] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("covered", "verified"), [((2, 2), True), ((0, 2), True), ((2, 9), True), ((3, 9), False)]
)
def test_a_late_merge_is_explained_by_an_incident_that_covers_it(
    covered: tuple[int, int], verified: bool
) -> None:
    merge = Round(after=ISSUED_AT + 601 - START - 60)
    kit = make(Scenario(merge=merge, later=(late_merge(*covered, IncidentReason.OUTAGE),)))
    assert (explain(kit.kit(), kit.trust).verdict == Verdict.VERIFIED) == verified


def test_members_of_two_kits_of_one_log_do_not_mix() -> None:
    log = Log()
    seen = log.publish(Round()).checkpoint
    one = seal(Plan(nonce_checkpoint=seen))
    two = seal(Plan(nonce_checkpoint=seen, kit_id="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN", nonce_random=b"\1" * 32))
    log.publish(Round(leaves=(one.record, two.record)))
    kits = [deliver(kit, log.receipt(kit.record)) for kit in (one, two)]
    names = sorted(kits[0])
    for chosen in range(1, 2 ** len(names) - 1):
        members = {name: kits[chosen >> n & 1][name] for n, name in enumerate(names)}
        if members in kits:
            continue
        kit = replace(make(), members=members, trust=log.trust())
        with pytest.raises(VerificationError):
            verify(kit.kit(), kit.trust)


def test_a_policy_is_hashed_whole_not_only_what_is_read_of_it() -> None:
    policy: Members = {**POLICY, "rules": [{"id": "REC-01", "limits": {"least": 1, "most": None}}]}
    kit = make(Scenario(plan=Plan(policy=policy)))
    assert explain(kit.kit(), kit.trust).verdict == Verdict.VERIFIED
    hooks = Hooks(report=lambda report: replace(report, policy={**policy, "rules": []}))
    changed = make(Scenario(plan=Plan(policy=policy, hooks=hooks)))
    reasons = [failure.reason for failure in explain(changed.kit(), changed.trust).failures]
    assert Reason.RECEIPT_POLICY_MISMATCH in reasons
