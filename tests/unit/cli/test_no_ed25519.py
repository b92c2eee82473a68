"""Where the cryptographic library refuses Ed25519, every command that needs it says so and how to go on."""

from pathlib import Path

import pytest

from attestlayer.cli.main import main
from issuer.cli.main import main as issuer
from support.refused import refuse_ed25519
from unit.cli.conftest import Run

COMMANDS = (
    ("verify", "kit.zip", "--trust", "trust.json"),
    ("verify", "kit.zip", "--trust", "trust.json", "--json"),
    ("verify-receipt", "registry_receipt.json", "--trust", "trust.json"),
    ("verify-receipt", "registry_receipt.json", "--jwks", "jwks.json", "--origin", "registry.example.org"),
    ("disclose", "kit.zip", "records/001-a.txt", "-o", "part.zip", "--trust", "trust.json"),
    ("trust", "trust.json"),
    ("trust", "trust.json", "--install"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_names_the_trouble_and_the_way(
    run: Run, files: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    refuse_ed25519(monkeypatch)
    monkeypatch.chdir(files)
    result = run(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("attestlayer: no signature can be checked or made here")
    assert "FIPS mode" in result.err
    assert "use verify.py" in result.err
    assert not (files / "part.zip").exists()


def test_the_operators_commands_and_the_audit_do_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert issuer(["init", "--home", str(tmp_path / "home")]) == 0
    capsys.readouterr()
    refuse_ed25519(monkeypatch)
    for command in (
        ["init", "--home", str(tmp_path / "other")],
        ["sequence", "--home", str(tmp_path / "home")],
    ):
        assert issuer(command) == 2
        assert capsys.readouterr().err.startswith("issuer: no signature can be checked or made here")
    assert main(["audit", str(tmp_path / "home/registry")]) == 2
    assert capsys.readouterr().err.startswith("attestlayer: no signature can be checked or made here")
