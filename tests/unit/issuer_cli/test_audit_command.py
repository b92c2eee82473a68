"""`issuer audit`: what it prints, its document, its exit codes."""

from pathlib import Path

import pytest

from attestlayer.canonical import Members, parse_json, take_members
from issuer.audit.findings import NOTES, PrivateReason
from issuer.cli.main import main


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["init", "--home", str(tmp_path / "home")]) == 0
    capsys.readouterr()
    return tmp_path / "home"


def audited(home: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = main(["audit", "--home", str(home), *more])
    return code, capsys.readouterr().out


def document(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Members]:
    code, out = audited(home, capsys, "--json")
    return code, take_members(parse_json(out.strip().encode()))


def test_a_new_home_is_clean(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = audited(home, capsys)
    assert code == 0
    assert out.startswith("CLEAN: audit of registry.localhost\nregistry   checkpoint 0, 0 leaves; ")
    assert "\nprivate    1 rounds; " in out
    assert out.endswith("result     0 findings, 0 notes\n")
    code, found = document(home, capsys)
    assert (code, found["schema"], found["clean"], found["exit_code"]) == (
        *(0, "attestlayer/operator-audit/1"),
        *(True, 0),
    )
    assert (found["sequence"], found["findings"], found["failed"]) == (0, [], [])


def test_findings_of_every_part_are_in_one_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "registry/v1/stats").write_bytes(b"{}")
    (home / "private/signed/0").write_bytes(b"{}")
    (home / "private/kits").mkdir()
    (home / "private/kits/kit_X.zip").write_bytes(b"")
    code, out = audited(home, capsys)
    assert code == 3
    assert "FINDINGS: audit of" in out
    for line in (
        "registry: malformed v1/stats: ",
        "private: malformed signed/0: ",
        "ledger: kit-without-packet ",
    ):
        assert f"FINDING    {line}" in out
    code, found = document(home, capsys)
    findings = found["findings"]
    assert code == found["exit_code"] == 3
    assert isinstance(findings, list)
    parts = {take_members(each)["part"] for each in findings}
    assert parts == {"registry", "private", "ledger"}


def test_a_part_that_can_not_be_carried_out_is_exit_code_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "registry/v1/checkpoints/latest.json").write_bytes(b"{}")
    code, out = audited(home, capsys)
    assert code == 2
    assert out.startswith("COULD NOT CHECK")
    assert "NOT DONE   private: the public v1/checkpoints/latest.json is damaged" in out
    assert "FINDING    registry: malformed v1/checkpoints/latest.json" in out
    code, found = document(home, capsys)
    assert (code, found["clean"], found["private"], found["ledger"]) == (2, False, None, None)


def test_a_trust_root_vouches_for_the_keys(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = home / "registry/v1/trust.json"
    assert audited(home, capsys, "--trust", str(trust))[0] == 0
    assert main(["init", "--home", str(tmp_path / "other")]) == 0
    other = tmp_path / "other/registry/v1/trust.json"
    assert audited(home, capsys, "--trust", str(other))[0] == 3
    assert audited(home, capsys, "--trust", str(home / "nothing"))[0] == 2


def test_every_word_is_explained() -> None:
    page = (Path(__file__).parents[3] / "site/content/decisions/0008-operators-audit.md").read_text()
    assert {word.value for word in PrivateReason} == {
        line.split("`")[1] for line in page.splitlines() if line.startswith("| `")
    }
    assert set(PrivateReason) > NOTES
