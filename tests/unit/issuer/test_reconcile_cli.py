"""`issuer reconcile` and `issuer collect`: what they print and their exit codes."""

from pathlib import Path

import pytest

from attestlayer.canonical import parse_json, take_members
from issuer.cli.main import main


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", "--home", str(tmp_path / "home")]) == 0
    capsys.readouterr()
    return tmp_path / "home"


def test_a_new_home_reconciles(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--home", str(home)]) == 0
    assert "0 findings, 0 notes" in capsys.readouterr().out


def test_a_finding_is_exit_code_1_in_text_and_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "private/kits").mkdir()
    (home / "private/kits/kit_x.zip").write_bytes(b"")
    assert main(["reconcile", "--home", str(home)]) == 3
    assert "FINDING    kit-without-packet kits/kit_x.zip: " in capsys.readouterr().out
    assert main(["reconcile", "--home", str(home), "--json"]) == 3
    found = take_members(parse_json(capsys.readouterr().out.strip().encode()))
    assert found["findings"] == [
        {
            "word": "kit-without-packet",
            "subject": "kits/kit_x.zip",
            "detail": "no packet of the ledger was issued as this kit",
        }
    ]


def test_a_log_that_can_not_be_read_is_exit_code_2(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "registry/v1/checkpoints/latest.json").write_bytes(b"{}")
    for command in ("reconcile", "collect"):
        assert main([command, "--home", str(home)]) == 2
        assert "damaged" in capsys.readouterr().err


def test_collecting_in_a_new_home_finds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect", "--home", str(home)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "deleted 0 partial objects; nothing is settled yet",
        "deleted 0 private objects of rounds that are over, or whose retention ended",
    ]
