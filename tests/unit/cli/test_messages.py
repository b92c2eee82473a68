"""Mistakes that people make with `attestlayer`: each message names what was wrong, and nothing else."""

import json
from pathlib import Path

import pytest

from attestlayer.kit.manifest import README
from support import build
from support.cases import CASES
from unit.cli.conftest import Run, write_folder

RECORD = "records/001-a.txt"


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("words", [[]])
def test_without_a_command_the_help_is_printed_and_nothing_done(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert (result.code, result.out) == (64, "")
    assert "exit codes:" in result.err
    assert "verify-receipt" in result.err


class TestNewFiles:
    """Every option that names a file to be written."""

    def commands(self, files: Path, place: Path) -> dict[str, tuple[str | Path, ...]]:
        trust = ("--trust", files / "trust.json")
        return {
            "disclose": ("disclose", files / "kit.zip", RECORD, "-o", place, *trust),
            "nonce": ("nonce", "-o", place),
            "verify-receipt": (
                *("verify-receipt", files / "registry_receipt.json", "--tlog-proof", place),
                *trust,
            ),
        }

    @pytest.mark.parametrize("command", ["disclose", "nonce", "verify-receipt"])
    def test_one_that_exists_is_named_and_left_alone(self, run: Run, files: Path, command: str) -> None:
        place = files / "mine.zip"
        place.write_bytes(b"mine")
        result = run(*self.commands(files, place)[command])
        assert result.code == 2
        assert result.err == (f"attestlayer: {place} exists already: name a new file, none is overwritten\n")
        assert place.read_bytes() == b"mine"

    @pytest.mark.parametrize("command", ["disclose", "nonce", "verify-receipt"])
    def test_one_in_a_folder_that_does_not_exist_names_the_folder(
        self, run: Run, files: Path, command: str
    ) -> None:
        result = run(*self.commands(files, files / "no/part.zip")[command])
        assert result.code == 2
        assert f"there is no folder {files / 'no'}" in result.err

    def test_a_full_disk_blames_the_new_file_and_not_the_kit(
        self, run: Run, files: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import io

        def full(*_: object, **__: object) -> int:
            raise OSError(28, "No space left on device")

        place = files / "part.zip"
        opened = Path.open

        def opening(path: Path, mode: str = "r", *rest: object) -> object:
            if mode != "xb":
                return opened(path, mode, *rest)  # type: ignore[call-overload]
            opened(path, mode).close()
            stream = io.BytesIO()
            stream.write = full  # type: ignore[assignment]
            return stream

        monkeypatch.setattr(Path, "open", opening)
        result = run(*self.commands(files, place)["disclose"])
        assert result.code == 2
        assert result.err == f"attestlayer: {place} could not be written: No space left on device\n"
        assert not place.exists()


class TestAuditedPlace:
    """What can be meant by the place that an audit is given."""

    def test_a_folder_above_the_registry_is_told_from_one_that_is_lost(
        self, run: Run, tmp_path: Path
    ) -> None:
        (tmp_path / "home/registry/v1").mkdir(parents=True)
        result = run("audit", tmp_path / "home")
        assert result.code == 2
        assert f"did you mean {tmp_path / 'home/registry'}?" in result.err
        assert "did you mean" not in run("audit", tmp_path / "home/registry").err

    @pytest.mark.parametrize("host", ["registry.example.org", "localhost:8787", "192.0.2.7/log"])
    def test_a_host_without_a_scheme_is_asked_for_with_one(self, run: Run, host: str) -> None:
        result = run("audit", host)
        assert result.code == 2
        assert f"did you mean https://{host}?" in result.err

    @pytest.mark.parametrize("name", ["nowhere", "kit.zip"])
    def test_what_is_no_folder_is_said_to_be_none(self, run: Run, files: Path, name: str) -> None:
        result = run("audit", files / name)
        assert result.code == 2
        assert "wanted the URL of a registry, or a folder" in result.err
        assert "did you mean" not in result.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("registry_receipt.json", "is the document registry-receipt, which is checked with `verify-receipt`"),
        ("notices.json", "is the document notices, which is no kit"),
        ("receipt.json", "is the document receipt, which is no kit"),
    ],
)
def test_a_document_given_to_verify_is_named(run: Run, files: Path, name: str, said: str) -> None:
    result = run("verify", files / name, "--trust", files / "trust.json")
    assert result.code == 2
    assert said in flat(result.out)


@pytest.mark.parametrize("data", [b"", b"{", b'{"schema":7}', b'{"schema":"x/\x1b[2J"}', b"\xff" * 99, b"[]"])
def test_any_other_file_given_to_verify_is_not_named(run: Run, files: Path, data: bytes) -> None:
    (files / "odd").write_bytes(data)
    result = run("verify", files / "odd", "--trust", files / "trust.json")
    assert result.code == 2
    assert "the document" not in result.out


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (RECORD, (b"\n", b"\r\n"), "only its line ends were changed, from LF to CRLF"),
        (README, (b"\r\n", b"\n"), None),
        (RECORD, (b"one\n", b"two\r\n"), None),
    ],
)
def test_a_file_that_differs_in_line_ends_only_is_said_to(
    run: Run,
    files: Path,
    delivered: build.Delivered,
    name: str,
    change: tuple[bytes, bytes],
    said: str | None,
) -> None:
    members = {**delivered.members, name: delivered.members[name].replace(*change)}
    kit = write_folder(files / "unpacked", members)
    result = run("verify", kit, "--trust", files / "trust.json", "--json")
    assert result.code == (3 if members != delivered.members else 0)
    assert ("only its line ends" in result.out) == (said is not None)
    if said:
        report = json.loads(result.out)  # noqa: TID251 - as any other program reads it
        assert said in report["steps"][2]["failures"][0]["message"]


def test_a_wrong_size_in_the_manifest_is_no_matter_of_line_ends(run: Run, files: Path) -> None:
    case = next(case for case in CASES if case.name == "size-differs")
    subject = case.build()
    assert subject.zip is not None
    (files / "kit.zip").write_bytes(subject.zip)
    (files / "trust.json").write_bytes(subject.trust)
    result = run("verify", files / "kit.zip", "--trust", files / "trust.json")
    assert "file-size-mismatch" in result.out
    assert "line ends" not in result.out


def test_a_file_issued_with_crlf_and_changed_to_lf_is_said_to(run: Run, files: Path) -> None:
    delivered = build.make(build.Scenario(plan=build.Plan(records=((RECORD, b"one\r\ntwo\r\n"),))))
    (files / "trust.json").write_bytes(delivered.trust.format())
    kit = write_folder(files / "crlf", {**delivered.members, RECORD: b"one\ntwo\n"})
    result = run("verify", kit, "--trust", files / "trust.json")
    assert "only its line ends were changed, from CRLF to LF" in flat(result.out)


@pytest.mark.parametrize("jobs", ["0", "65", "4_2"])
def test_a_number_out_of_range_names_the_range(run: Run, jobs: str) -> None:
    result = run("audit", "x", "--jobs", jobs)
    assert result.code == 64
    assert f"'{jobs}' is not a decimal integer from 1 to 64" in result.err


@pytest.mark.parametrize("command", [("nonce", "-o", "new", "--checkpoint"), ("audit", ".", "--since")])
def test_what_is_neither_a_hash_nor_a_file_is_said_to_be_neither(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*command, "x" * 42)
    assert result.code == 2
    assert "is no file, and not a checkpoint's hash, which has 43 characters" in result.err
