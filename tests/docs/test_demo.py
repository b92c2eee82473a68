"""The demo ends well, says where everything lies, and stops clearly on records that it can't use."""

import subprocess
import sys
from pathlib import Path

import pytest
from demo import held_back

from issuer.intake.catalogue import load_policies
from issuer.intake.policy import Policy
from unit.intake.packets import examined_samples

ROOT = Path(__file__).parents[2]


def demo(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts/demo.py", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_demo_leaves_a_kit_that_verifies(tmp_path: Path) -> None:
    home = tmp_path / "my home é"
    done = demo("--home", home, "--cadence", "1", "--lane", "HUMAN-01", "--profile", "change-approval")
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("FAIL: nothing was issued", "✓ VERIFIED", "✗ NOT VERIFIED", "Files:"):
        assert told in done.stdout
    verifier = [
        sys.executable,
        "-m",
        "attestlayer",
        "verify",
        home / "kit.zip",
        "--trust",
        home / "trust.json",
    ]
    assert subprocess.run(verifier, capture_output=True, check=False).returncode == 0


def test_records_of_ones_own_that_are_not_complete_end_with_their_blockers(tmp_path: Path) -> None:
    (tmp_path / "mine/approval").mkdir(parents=True)
    (tmp_path / "mine/approval/yes.txt").write_text("Approved.")
    done = demo("--home", tmp_path / "home", "--cadence", "1", "--records", tmp_path / "mine")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "To do:" in done.stdout
    assert "no credit was taken" in done.stdout


def test_a_folder_that_says_nothing_of_its_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("What is this?")
    done = demo("--home", tmp_path / "home", "--records", tmp_path)
    assert (done.returncode, "a.txt" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


@pytest.mark.parametrize("policy", load_policies().policies, ids=lambda policy: policy.profile_id)
def test_the_first_attempt_lacks_a_record_that_is_required(policy: Policy) -> None:
    _, examined = examined_samples(f"{policy.lane_id}/{policy.profile_id}")
    records: list[dict[str, object]] = [{"record_type": one.record.record_type} for one in examined]
    (later,) = held_back(policy.lane_id, policy.profile_id, records)
    kind = policy.record_type(str(later["record_type"]))
    assert kind
    assert len([one for one in records if one is not later and one == later]) < kind.min_count
