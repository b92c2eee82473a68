"""`attestlayer disclose`: one record of a kit in a file of its own."""

import json
from pathlib import Path

import pytest

from support import build
from support.disclosures import PATH, PLAN, RECORDS
from unit.cli.conftest import Run, write_folder


@pytest.fixture
def kit(files: Path) -> Path:
    """A kit of five records."""
    made = build.make(build.Scenario(plan=PLAN))
    (files / "kit.zip").write_bytes(made.zip)
    (files / "trust.json").write_bytes(made.trust.format())
    write_folder(files / "unpacked", made.members)
    return files


def test_a_disclosed_record_verifies_and_says_what_it_is(run: Run, kit: Path) -> None:
    part, trust = kit / "part.zip", ("--trust", kit / "trust.json")
    made = run("disclose", kit / "kit.zip", PATH, "-o", part, *trust)
    assert made.code == 0
    assert "Of the other records it holds no name" in " ".join(made.out.split())
    result = run("verify", part, *trust)
    assert result.code == 0
    flat = " ".join(result.out.split())
    assert "shows one record of a kit that AttestLayer issued on 31 January 2026, 12:01:30 UTC" in flat
    assert f"{PATH} is byte for byte the one in that kit. Nothing is said about the rest of the kit." in flat
    assert "byte for byte what AttestLayer issued" not in flat
    assert "5 – hash trail not checked" in flat
    assert "the kit has not been modified since issuance" not in flat
    assert "what else the kit holds, and how much" in flat
    report = json.loads(run("verify", part, *trust, "--json").out)  # noqa: TID251
    assert report["input"] == "disclosed-record"
    assert report["issued"]["record"]["path"] == PATH
    assert report["verdict"] == "VERIFIED"


def test_a_folder_discloses_the_same_bytes(run: Run, kit: Path) -> None:
    for name in ("kit.zip", "unpacked"):
        assert (
            run("disclose", kit / name, PATH, "-o", kit / f"{name}.part", "--trust", kit / "trust.json").code
            == 0
        )
    assert (kit / "kit.zip.part").read_bytes() == (kit / "unpacked.part").read_bytes()


def test_a_changed_record_is_not_verified_and_shows_nothing_of_the_kit(run: Run, kit: Path) -> None:
    run("disclose", kit / "kit.zip", PATH, "-o", kit / "part.zip", "--trust", kit / "trust.json")
    part = build.open_zip((kit / "part.zip").read_bytes())
    members = {name: b"".join(member.chunks()) for name, member in part.members.items()}
    write_folder(kit / "part", {**members, PATH: b"record 9\n"})
    result = run("verify", kit / "part", "--trust", kit / "trust.json")
    assert result.code == 3
    assert "file-hash-mismatch" in result.out
    assert "PAY-01" not in result.out


@pytest.mark.parametrize("record", ["records/009-r.txt", "binder.pdf", "manifest.json"])
def test_what_is_no_record_is_not_disclosed(run: Run, kit: Path, record: str) -> None:
    result = run("disclose", kit / "kit.zip", record, "-o", kit / "part.zip", "--trust", kit / "trust.json")
    assert result.code == 2
    assert "is not a record of the kit" in result.err
    assert not (kit / "part.zip").exists()


def test_a_kit_that_does_not_verify_discloses_nothing(run: Run, kit: Path) -> None:
    write_folder(kit / "unpacked", {PATH: b"changed"})
    result = run("disclose", kit / "unpacked", PATH, "-o", kit / "part.zip", "--trust", kit / "trust.json")
    assert result.code == 2
    assert "is NOT VERIFIED" in result.err
    assert not (kit / "part.zip").exists()


def test_a_disclosed_record_is_no_kit_to_disclose_from(run: Run, kit: Path) -> None:
    trust = ("--trust", kit / "trust.json")
    run("disclose", kit / "kit.zip", PATH, "-o", kit / "part.zip", *trust)
    assert run("disclose", kit / "part.zip", PATH, "-o", kit / "again.zip", *trust).code == 2
    assert not (kit / "again.zip").exists()


def test_no_file_is_overwritten(run: Run, kit: Path) -> None:
    (kit / "part.zip").write_bytes(b"mine")
    result = run("disclose", kit / "kit.zip", PATH, "-o", kit / "part.zip", "--trust", kit / "trust.json")
    assert result.code == 2
    assert (kit / "part.zip").read_bytes() == b"mine"


def test_inspect_says_what_a_disclosed_record_claims(run: Run, kit: Path) -> None:
    run("disclose", kit / "kit.zip", PATH, "-o", kit / "part.zip", "--trust", kit / "trust.json")
    out = run("inspect", kit / "part.zip").out
    assert "Disclosed record" in out
    assert f"record          {PATH}" in out
    assert "kit digest      none: this is one disclosed record" in out
    assert str(len(RECORDS[2][1])) in out
