"""`attestlayer inspect` and `attestlayer nonce`."""

from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.encoding import format_hash, sha256
from attestlayer.kit.intake import IntakeReport
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
)
from attestlayer.kit.receipt import parse_nonce
from support import build
from unit.cli.conftest import Run, write_folder

DOCUMENTS = (
    RECEIPT,
    REGISTRY_RECEIPT,
    MANIFEST,
    HASH_TRAIL,
    INTAKE_REPORT,
    NONCE_CHECKPOINT,
    CLIENT_NONCE,
)


def test_a_kits_claims_come_with_the_hashes_to_look_it_up(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    result = run("inspect", files / "kit.zip")
    assert result.code == 0
    assert result.out.startswith("SAYS, NOT VERIFIED\n")
    for value in (
        delivered.kit().sealed_digest(),
        delivered.sealed.record.leaf_hash,
        sha256(delivered.members[RECEIPT]),
    ):
        assert format_hash(value) in result.out


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_of_a_kit_can_be_inspected_by_itself(
    run: Run, files: Path, delivered: build.Delivered, name: str
) -> None:
    (files / "document").write_bytes(delivered.members[name])
    result = run("inspect", files / "document")
    assert result.code == 0
    assert result.out.startswith("SAYS, NOT VERIFIED\n")


@pytest.mark.parametrize("name", ["trust.json", "notices.json", "note.txt", "checkpoint.json"])
def test_the_registrys_documents_can_be_inspected(run: Run, files: Path, name: str) -> None:
    result = run("inspect", files / name)
    assert result.code == 0
    assert build.ORIGIN in result.out


def test_a_leaf_record_can_be_inspected(run: Run, files: Path, delivered: build.Delivered) -> None:
    (files / "leaf.json").write_bytes(delivered.sealed.record.format())
    assert "/v1/proofs/inclusion?leaf_hash=" in run("inspect", files / "leaf.json").out


def test_a_kit_with_a_broken_receipt_still_shows_the_rest(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    folder = write_folder(files / "kit", {**delivered.members, RECEIPT: b"{}"})
    result = run("inspect", folder)
    assert result.code == 0
    assert "unreadable" in result.out
    assert "Registry receipt: leaf" in result.out


def test_words_of_the_client_can_not_move_the_cursor(run: Run, files: Path) -> None:
    def named(report: IntakeReport) -> IntakeReport:
        record = replace(report.records[0], name="\x1b[2J\u202eevil")
        return replace(report, records=(record,))

    kit = build.make(build.Scenario(plan=build.Plan(hooks=build.Hooks(report=named))))
    (files / "report.json").write_bytes(kit.members[INTAKE_REPORT])
    result = run("inspect", files / "report.json")
    assert result.code == 0
    assert r"\x1b[2J\u202eevil" in result.out


@pytest.mark.parametrize("data", [b"", b"PNG", b"{}", b'{"schema":"attestlayer/receipt/9"}', b"\xff\xfe"])
def test_what_is_not_known_exits_2(run: Run, files: Path, data: bytes) -> None:
    (files / "what").write_bytes(data)
    result = run("inspect", files / "what")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("attestlayer: ")


def test_a_nonce_is_made_with_its_hash_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "n.txt"
    result = run("nonce", "-o", place)
    nonce = parse_nonce(place.read_bytes())
    assert (result.code, nonce.checkpoint, nonce.random) == (0, None, b"\x07" * 32)
    assert format_hash(nonce.hash()) in result.out
    before = place.read_bytes()
    assert run("nonce", "-o", place).code == 2
    assert place.read_bytes() == before


def test_a_nonce_is_made_in_the_current_folder_by_default(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("nonce").code == 0
    assert (tmp_path / "client_nonce.txt").exists()


def test_a_nonce_names_a_checkpoint_by_file_or_by_hash(run: Run, files: Path, tmp_path: Path) -> None:
    wanted = sha256((files / "checkpoint.json").read_bytes())
    for number, named in enumerate([files / "checkpoint.json", format_hash(wanted)]):
        place = tmp_path / f"nonce {number}"
        assert run("nonce", "-o", place, "--checkpoint", named).code == 0
        assert parse_nonce(place.read_bytes()).checkpoint == wanted


@pytest.mark.parametrize("named", ["nothere", "trust.json"])
def test_a_nonce_is_not_made_for_what_is_no_checkpoint(
    run: Run, files: Path, tmp_path: Path, named: str
) -> None:
    assert run("nonce", "-o", tmp_path / "n", "--checkpoint", files / named).code == 2
    assert not (tmp_path / "n").exists()


def test_a_nonce_that_can_not_be_written_leaves_no_file(run: Run, tmp_path: Path) -> None:
    assert run("nonce", "-o", tmp_path / "nowhere" / "n").code == 2


@pytest.mark.parametrize("name", ["receipt", "trust", "notices", "manifest", "disclosure", "checkpoint"])
def test_a_schema_without_a_number_is_a_malformed_document_and_no_fault_of_ours(
    run: Run, files: Path, name: str
) -> None:
    (files / "odd.json").write_bytes(b'{"schema":"attestlayer/%s/x"}' % name.encode())
    result = run("inspect", files / "odd.json")
    assert result.code == 2
    assert f"found 'attestlayer/{name}/x'" in result.err
    assert "internal error" not in result.err
