"""`attestlayer verify-receipt`: a registry receipt without its kit."""

import json
from pathlib import Path

import pytest

from attestlayer.log.leaf import parse_registry_receipt
from support import build
from unit.cli.conftest import Run


def test_a_receipt_is_verified_with_a_trust_root_and_no_kit_is_claimed(run: Run, files: Path) -> None:
    result = run("verify-receipt", files / "registry_receipt.json", "--trust", files / "trust.json")
    assert result.code == 0
    assert "No kit was checked" in " ".join(result.out.split())
    assert "the kit has not been modified since issuance" not in result.out


def test_with_a_jwks_steps_13_and_15_are_not_checked(run: Run, files: Path) -> None:
    jwks = ("--jwks", files / "jwks.json", "--origin", build.ORIGIN)
    result = run("verify-receipt", files / "registry_receipt.json", *jwks, "--json")
    report = json.loads(result.out)  # noqa: TID251 - as any other program reads it
    statuses = {step["number"]: step["status"] for step in report["steps"]}
    assert (result.code, report["input"]) == (0, "registry-receipt")
    assert {number for number, status in statuses.items() if status == "passed"} == {9, 11, 12, 14}
    assert report["trust"] == {
        "origin": build.ORIGIN,
        "verifier_key": None,
        "kid": None,
        "checkpoint_time": None,
    }


def test_with_a_jwks_the_text_says_that_withdrawals_are_not_known(run: Run, files: Path) -> None:
    jwks = ("--jwks", files / "jwks.json", "--origin", build.ORIGIN)
    result = run("verify-receipt", files / "registry_receipt.json", *jwks)
    assert "withdrawn, and whether witnesses saw the entry, is not known here" in " ".join(result.out.split())


def test_the_jwks_of_another_origin_fails(run: Run, files: Path) -> None:
    jwks = ("--jwks", files / "jwks.json", "--origin", "other.example.org")
    result = run("verify-receipt", files / "registry_receipt.json", *jwks)
    assert result.code == 3
    assert "origin-mismatch" in result.out


def test_a_malformed_receipt_fails_at_step_9(run: Run, files: Path) -> None:
    (files / "bad.json").write_bytes(b"{}")
    result = run("verify-receipt", files / "bad.json", "--trust", files / "trust.json")
    assert result.code == 3
    assert "registry-receipt-malformed" in result.out.split("9 ✗")[1]


@pytest.mark.parametrize(
    ("data", "trust", "word"),
    [
        (b"PK\3\4", "trust.json", "input-unreadable"),
        (b" " * (16 * 1024 * 1024 + 1), "trust.json", "input-unreadable"),
        (None, "trust.json", "input-unreadable"),
        (b"{}", "trust.json", "registry-receipt-malformed"),
        (b"{}", "jwks.json", "trust-root-unusable"),
    ],
    ids=["begins-as-a-kit", "over-16-mib", "absent", "malformed", "trust-root-refused"],
)
def test_what_does_not_open_is_the_one_failure_of_step_9(
    run: Run, files: Path, data: bytes | None, trust: str, word: str
) -> None:
    """REG-1.0 section 12.6."""
    if data is not None:
        (files / "bad.json").write_bytes(data)
    report = json.loads(run("verify-receipt", files / "bad.json", "--trust", files / trust, "--json").out)  # noqa: TID251
    found = [
        (step["status"], [(f["reason"], f["files"]) for f in step["failures"]]) for step in report["steps"]
    ]
    unchecked, unreached = ("not-checked", []), ("not-reached", [])
    assert found == [*[unchecked] * 8, ("failed", [(word, [])]), unchecked, *[unreached] * 5]
    assert (report["trust"] is None) == (word == "trust-root-unusable")


@pytest.mark.parametrize(
    "anchors",
    [("--jwks", "trust.json", "--origin", build.ORIGIN), ("--trust", "jwks.json"), ()],
)
def test_unusable_keys_could_not_check(run: Run, files: Path, anchors: tuple[str, ...]) -> None:
    named = [files / text if text.endswith(".json") else text for text in anchors]
    result = run("verify-receipt", files / "registry_receipt.json", *named)
    assert result.code == 2
    assert "trust-root-unusable" in result.out


@pytest.mark.parametrize(
    "options",
    [
        ("--jwks", "jwks.json"),
        ("--origin", build.ORIGIN),
        ("--jwks", "jwks.json", "--origin", "Not An Origin"),
        ("--jwks", "jwks.json", "--origin", build.ORIGIN, "--trust", "trust.json"),
    ],
)
def test_half_a_pair_of_options_is_a_usage_error(run: Run, files: Path, options: tuple[str, ...]) -> None:
    assert run("verify-receipt", files / "registry_receipt.json", *options).code == 64


def test_a_verified_receipt_is_exported_as_a_tlog_proof(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    receipt, out = files / "registry_receipt.json", files / "kit.tlog-proof"
    assert run("verify-receipt", receipt, "--trust", files / "trust.json", "--tlog-proof", out).code == 0
    assert out.read_text("utf-8") == parse_registry_receipt(receipt.read_bytes()).tlog_proof()
    again = run("verify-receipt", receipt, "--trust", files / "trust.json", "--tlog-proof", out)
    assert again.code == 2
    assert again.out.startswith("✓ VERIFIED")
    assert "exists already" in again.err


def test_a_receipt_that_fails_is_not_exported(run: Run, files: Path) -> None:
    (files / "bad.json").write_bytes(b"{}")
    out = files / "proof"
    trust = ("--trust", files / "trust.json")
    assert run("verify-receipt", files / "bad.json", *trust, "--tlog-proof", out).code == 3
    assert not out.exists()
