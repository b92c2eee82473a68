"""`attestlayer verify`: verdicts, exit codes, and what the report shows and hides."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attestlayer.cli.main import main
from attestlayer.kit.manifest import INTAKE_REPORT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log.notices import NoticeType
from attestlayer.verify.steps import STEPS
from support import build
from support.cases import CASES
from support.tools import missing
from unit.cli.conftest import Run, write_folder

RECORD = "records/001-a.txt"
LANE = "PAY-01"


def altered(delivered: build.Delivered, **members: bytes) -> dict[str, bytes]:
    return {**delivered.members, RECORD: b"two\n", **members}


def test_a_good_kit_is_verified_in_the_first_line_with_date_and_entry(run: Run, files: Path) -> None:
    result = run("verify", files / "kit.zip", "--trust", files / "trust.json")
    assert result.code == 0
    assert result.out.startswith("✓ VERIFIED\n")
    flat = " ".join(result.out.split())
    assert "byte for byte what AttestLayer issued on 31 January 2026, 12:01:30 UTC, entry 2 of" in flat
    assert f"public registry {build.ORIGIN}." in flat
    assert "not before 31 January 2026, 12:01:00 UTC" in flat
    assert "not after 31 January 2026, 12:02:00 UTC" in flat
    assert result.err == ""


def test_every_step_is_a_row_in_order(run: Run, files: Path) -> None:
    out = run("verify", files / "kit.zip", "--trust", files / "trust.json").out
    rows = [line.split() for line in out.split("Steps\n")[1].split("\n\n")[0].splitlines()]
    assert [(int(row[0]), " ".join(row[1:])) for row in rows] == [
        (number, "– witnesses none demanded" if number == 13 else f"✓ {step.name} passed")
        for number, step in enumerate(STEPS, 1)
    ]


def _step_shown(out: str, name: str) -> str:
    (line,) = (line for line in out.splitlines() if f" {name} " in line and line.split()[0].isdecimal())
    return " ".join(line.split()[1:])


def _step_of(run: Run, name: str, files: Path, trust: str) -> tuple[str, dict[str, Any]]:
    """A step as text shows it, and as JSON does."""
    arguments = ("verify", files / "kit.zip", "--trust", files / trust)
    steps = json.loads(run(*arguments, "--json").out)["steps"]  # noqa: TID251
    (step,) = (step for step in steps if step["name"] == name)
    return _step_shown(run(*arguments).out, name), step


def test_a_trust_root_older_than_the_kit_ticks_no_withdrawal(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    (files / "older.json").write_bytes(delivered.log.trust(1).format())
    unknown = "not known: trust root of 2026-01-31T12:01:00Z"
    shown, step = _step_of(run, "notices", files, "older.json")
    assert shown == f"– notices {unknown}"
    assert (step["status"], step["unproven"]) == ("passed", unknown)
    assert [note["remark"] for note in step["notes"]] == ["withdrawal-unknown"]
    shown, step = _step_of(run, "notices", files, "trust.json")
    assert (shown, step["unproven"], step["notes"]) == ("✓ notices passed", None, [])


def test_witnesses_are_ticked_only_where_some_are_demanded(run: Run, files: Path) -> None:
    shown, step = _step_of(run, "witnesses", files, "trust.json")
    assert (shown, step["status"], step["unproven"]) == (
        "– witnesses none demanded",
        "passed",
        "none demanded",
    )
    (case,) = (case for case in CASES if case.name == "witnessed")
    subject = case.build()
    (files / "kit.zip").write_bytes(subject.zip or b"")
    (files / "trust.json").write_bytes(subject.trust)
    shown, step = _step_of(run, "witnesses", files, "trust.json")
    assert (shown, step["unproven"]) == ("✓ witnesses passed", None)


def test_a_trust_root_of_over_thirty_days_is_called_old(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seconds, old in ((30 * 86400, False), (30 * 86400 + 1, True)):
        line = ["verify", str(files / "kit.zip"), "--trust", str(files / "trust.json")]
        assert main(line, clock=lambda s=seconds: build.START + 120 + s) == 0  # type: ignore[misc]
        assert ("trust-root-old: " in capsys.readouterr().out) == old


def test_a_trust_root_of_another_registry_is_said_first(run: Run, files: Path) -> None:
    other = build.Log(origin="other.example.org", registry=build.STRANGER, issuer=build.private_key("x"))
    (files / "other.json").write_bytes(other.trust().format())
    result = run("verify", files / "kit.zip", "--trust", files / "other.json")
    assert result.code == 3
    assert (
        "kit.zip and your trust root belong to different registries: the checkpoint is of "
        "registry.example.org, the trust root of other.example.org. Do not rely on it."
    ) in " ".join(result.out.split())


def test_a_good_folder_is_verified(run: Run, files: Path, delivered: build.Delivered) -> None:
    folder = write_folder(files / "kit", delivered.members)
    assert run("verify", folder, "--trust", files / "trust.json").code == 0


def test_the_report_says_what_is_proven_and_what_is_not(run: Run, files: Path) -> None:
    out = run("verify", files / "kit.zip", "--trust", files / "trust.json").out
    proven, rest = out.split("What this proves\n")[1].split("What this does not prove\n")
    assert "the kit has not been modified since issuance" in proven
    assert "company compliance status" in rest
    assert rest.endswith(f"\n{BOUNDARY}\n") or BOUNDARY in " ".join(rest.split())


def test_the_report_names_the_trust_root_and_its_age(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    flat = " ".join(run("verify", files / "kit.zip", "--trust", files / "trust.json").out.split())
    assert delivered.trust.checkpoint.kid in flat
    assert "as of 31 January 2026, 12:02:00 UTC (2 days ago)" in flat


def test_an_altered_record_fails_with_file_reason_and_advice_and_shows_no_contents(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    (files / "bad.zip").write_bytes(build.make_zip(altered(delivered)))
    result = run("verify", files / "bad.zip", "--trust", files / "trust.json")
    assert result.code == 3
    assert result.out.startswith("✗ NOT VERIFIED\n")
    assert "file-hash-mismatch" in result.out
    assert RECORD in result.out
    assert "> A file is not the one issued" in result.out
    assert LANE not in result.out
    assert "What this proves\n  · nothing" in result.out


def test_a_forged_signature_shows_nothing_the_kit_says(run: Run, files: Path) -> None:
    forged = build.make(build.Scenario(plan=build.Plan(issuer=build.STRANGER)))
    (files / "forged.zip").write_bytes(forged.zip)
    result = run("verify", files / "forged.zip", "--trust", files / "trust.json")
    assert result.code == 3
    assert "issuer-key-unknown" in result.out
    assert LANE not in result.out
    assert "kit_" not in result.out


def test_a_withdrawn_kit_is_said_to_be_issued_and_withdrawn(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    leaf = delivered.sealed.record.members()["leaf_hash"]
    notice = (NoticeType.KIT_WITHDRAWN, {"leaf_hash": leaf, "reason": "issued-in-error"})
    later = build.make(build.Scenario(later=(notice,)))
    (files / "later.json").write_bytes(later.trust.format())
    result = run("verify", files / "kit.zip", "--trust", files / "later.json")
    assert result.code == 3
    assert "was issued by AttestLayer, and withdrawn later" in " ".join(result.out.split())


def test_without_a_trust_root_nothing_is_checked_and_the_way_to_one_is_shown(
    run: Run, files: Path, config: Path
) -> None:
    result = run("verify", files / "kit.zip")
    assert result.code == 2
    assert result.out.startswith("? COULD NOT CHECK\n")
    assert "attestlayer trust --install" in " ".join(result.out.split())
    assert str(config) in result.out


def test_the_installed_trust_root_is_used(run: Run, files: Path, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_bytes((files / "trust.json").read_bytes())
    assert run("verify", files / "kit.zip").code == 0


def test_a_trust_root_inside_the_folder_is_refused(run: Run, files: Path, delivered: build.Delivered) -> None:
    folder = write_folder(files / "kit", {**delivered.members, "trust.json": delivered.trust.format()})
    result = run("verify", folder, "--trust", folder / "trust.json")
    assert result.code == 2
    assert "vouch for itself" in " ".join(result.out.split())


def test_the_home_folder_is_never_the_current_one(
    run: Run, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", ".")
    monkeypatch.chdir(files)
    planted = files / ".config" / "attestlayer" / "trust.json"
    planted.parent.mkdir(parents=True)
    planted.write_bytes((files / "trust.json").read_bytes())
    assert run("verify", "kit.zip").code == 2


def test_a_newer_format_could_not_be_checked_and_its_steps_are_shown(run: Run, files: Path) -> None:
    def newer(data: bytes) -> bytes:
        return build.edit_json(data, lambda members: members.update(schema="attestlayer/intake-report/2"))

    kit = build.make(build.Scenario(plan=build.Plan(hooks=build.Hooks(report_bytes=newer))))
    (files / "newer.zip").write_bytes(kit.zip)
    result = run("verify", files / "newer.zip", "--trust", files / "trust.json")
    assert result.code == 2
    assert "schema-newer" in result.out
    assert INTAKE_REPORT in result.out
    assert "Steps" in result.out


def _missing(place: Path) -> None:
    assert not place.exists()


def _empty(place: Path) -> None:
    place.write_bytes(b"")


def _no_kit(place: Path) -> None:
    place.write_bytes(b"<html>not here</html>")


def _pipe(place: Path) -> None:
    os.mkfifo(place)


def _link_loop(place: Path) -> None:
    place.symlink_to(place)


def _five_gigabytes(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(5 << 30)  # sparse


@pytest.mark.parametrize("make", [_missing, _empty, _no_kit, _pipe, _link_loop, _five_gigabytes])
def test_an_unusable_input_could_not_be_checked(run: Run, files: Path, make: object) -> None:
    assert callable(make)
    make(files / "input")
    result = run("verify", files / "input", "--trust", files / "trust.json")
    assert (result.code, result.err) == (2, "")
    assert "None of the 15 steps was made" in result.out


def test_a_device_could_not_be_checked(run: Run, files: Path) -> None:
    assert run("verify", "/dev/zero", "--trust", files / "trust.json").code == 2


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """Folders past Python's recursion limit of 1,000 frames, within Linux's 4,096 bytes of a path.

    Taken away again one by one: pytest's own clean-up, like pathlib, recurses.
    """
    places = [str(tmp_path / "deep") + "/d" * depth for depth in range(1200)]
    for place in places:
        os.mkdir(place)  # noqa: PTH102
    yield Path(places[0])
    for place in reversed(places):
        os.rmdir(place)  # noqa: PTH106


def test_empty_folders_without_an_end_are_no_kit(run: Run, files: Path, endless: Path) -> None:
    result = run("verify", "--trust", files / "trust.json", endless)
    assert (result.code, "file-missing" in result.out) == (3, True)
    assert run("inspect", endless).code == 0


@pytest.mark.parametrize("name", ["Bücher.docx", "\udcff\udcfe", "a\x1b[2Jb\n", "\u202egpj.exe", " "])
def test_an_odd_name_in_a_folder_is_never_verified_nor_printed_raw(
    run: Run, files: Path, delivered: build.Delivered, name: str
) -> None:
    folder = write_folder(files / "kit", {**delivered.members, name: b""})
    result = run("verify", folder, "--trust", files / "trust.json")
    assert result.code == 3
    assert not set("\x1b\u202e\udcff") & set(result.out + result.err)
    assert "Traceback" not in result.err


def test_the_json_report_of_a_good_kit_has_every_documented_member(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    result = run("verify", files / "kit.zip", "--trust", files / "trust.json", "--json")
    report = json.loads(result.out)  # noqa: TID251 - as any other program reads it
    assert list(report) == [
        "schema",
        "verdict",
        "exit_code",
        "input",
        "kit",
        "trust",
        "registry",
        "steps",
        "issued",
        "proves",
        "does_not_prove",
        "boundary",
    ]
    assert (report["schema"], report["verdict"]) == ("attestlayer/verification-report/1", "VERIFIED")
    assert (report["exit_code"], report["kit"]) == (result.code, str(files / "kit.zip"))
    assert report["trust"] == {
        "origin": build.ORIGIN,
        "verifier_key": delivered.trust.identity().format(),
        "kid": build.REGISTRY.public.kid,
        "checkpoint_time": "2026-01-31T12:02:00Z",
    }
    assert [(s["number"], s["name"], s["status"]) for s in report["steps"]] == [
        (number, step.name, "passed") for number, step in enumerate(STEPS, 1)
    ]
    assert report["issued"] == {
        "kit_id": "kit_01J9ZX3A8B5C6D7E8F9GAHBKCM",
        "lane_id": LANE,
        "profile_id": "wire-transfer",
        "issued_at": "2026-01-31T12:01:30Z",
        "not_before": "2026-01-31T12:01:00Z",
        "not_after": "2026-01-31T12:02:00Z",
        "leaf_hash": delivered.sealed.record.members()["leaf_hash"],
        "leaf_index": 2,
        "files": 6,
    }
    assert report["boundary"] == BOUNDARY


def test_the_json_report_of_a_bad_kit_names_reason_files_and_advice(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    (files / "bad.zip").write_bytes(build.make_zip(altered(delivered)))
    result = run("verify", files / "bad.zip", "--trust", files / "trust.json", "--json")
    report = json.loads(result.out)  # noqa: TID251
    (failure,) = report["steps"][2]["failures"]
    assert set(failure) == {"reason", "message", "files", "advice"}
    assert (failure["reason"], failure["files"]) == ("file-hash-mismatch", [RECORD])
    assert (report["verdict"], report["issued"], report["proves"]) == ("NOT VERIFIED", None, [])


def test_the_json_report_without_a_trust_root_is_whole(run: Run, files: Path) -> None:
    result = run("verify", files / "kit.zip", "--json")
    report = json.loads(result.out)  # noqa: TID251
    assert (result.code, report["verdict"], report["trust"]) == (2, "COULD NOT CHECK", None)
    assert len(report["steps"]) == len(STEPS)


def test_a_sealed_kit_lacks_its_registry_receipt(run: Run, files: Path, delivered: build.Delivered) -> None:
    members = {name: data for name, data in delivered.members.items() if name != REGISTRY_RECEIPT}
    (files / "sealed.zip").write_bytes(build.make_zip(members))
    result = run("verify", files / "sealed.zip", "--trust", files / "trust.json")
    assert result.code == 3
    assert "registry-receipt-missing" in result.out
    assert "not reached" in result.out


def test_a_late_kit_with_an_incident_is_verified_with_a_note(run: Run, files: Path) -> None:
    incident: build.NoticeContent = (
        NoticeType.INCIDENT,
        {"kind": "late-merge", "from_index": 0, "to_index": 9, "reason": "outage"},
    )
    scenario = build.Scenario(merge=replace(build.Round(), after=3600), later=(incident,))
    late = build.make(scenario)
    (files / "late.zip").write_bytes(late.zip)
    (files / "late.json").write_bytes(late.trust.format())
    result = run("verify", files / "late.zip", "--trust", files / "late.json")
    assert result.code == 0
    assert "late-merge:" in result.out.split("Notes\n")[1]


def test_the_module_runs_as_a_program_and_survives_a_reader_that_left(files: Path) -> None:
    command = [sys.executable, "-m", "attestlayer", "verify", "kit.zip", "--trust", "trust.json"]
    root = Path(__file__).parents[3] / "functions"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command,
        cwd=files,
        env={"PYTHONPATH": str(root)},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_report_that_can_not_be_written_is_no_success(files: Path) -> None:
    root = Path(__file__).parents[3] / "functions"
    command = [sys.executable, "-m", "attestlayer", "verify", "kit.zip", "--trust", "trust.json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            cwd=files,
            env={"PYTHONPATH": str(root)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_the_witness_policy_shown_is_the_one_of_the_kits_time(run: Run, files: Path) -> None:
    witnesses = [build.witness(1), build.witness(2)]
    later = build.witness_policy("2026-01-31T12:03:00Z", build.quorum_policy(witnesses))
    kit = build.make(build.Scenario(later=(later,)))
    (files / "later.json").write_bytes(kit.trust.format())
    verified = run("verify", files / "kit.zip", "--trust", files / "later.json")
    assert verified.code == 0
    assert "none demanded" in verified.out
    assert "out of 2 witnesses" in run("trust", files / "later.json").out


@pytest.mark.parametrize(
    "command",
    [
        ("verify", "kit.zip", "--trust", "pipe"),
        ("verify-receipt", "pipe", "--trust", "trust.json"),
        ("verify-receipt", "registry_receipt.json", "--jwks", "pipe", "--origin", build.ORIGIN),
        ("trust", "pipe"),
        ("inspect", "pipe"),
        ("nonce", "--checkpoint", "pipe"),
        ("audit", ".", "--trust", "pipe"),
        ("audit", ".", "--since", "pipe"),
        ("audit", ".", "--state", "pipe"),
        ("disclose", "pipe", "records/001-a.txt", "-o", "part.zip", "--trust", "trust.json"),
    ],
    ids=" ".join,
)
def test_a_pipe_that_nobody_writes_to_is_refused_at_once(files: Path, command: tuple[str, ...]) -> None:
    os.mkfifo(files / "pipe")
    done = subprocess.run(
        [sys.executable, "-m", "attestlayer", *command],
        cwd=files,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "functions")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    said = " ".join((done.stdout + done.stderr).split())
    assert re.search(r"pipe(:| is) a device or a pipe", said), said


@pytest.mark.parametrize(
    "command",
    [
        ("verify", "/proc/kmsg", "--trust", "trust.json"),
        ("verify", "kit.zip", "--trust", "/proc/kmsg"),
        ("inspect", "/proc/kmsg"),
    ],
    ids=" ".join,
)
def test_a_device_that_says_it_is_a_regular_file_is_not_waited_for(
    files: Path, command: tuple[str, ...]
) -> None:
    """/proc/kmsg is a regular file to stat(2), and blocks whoever reads it until the kernel has a message."""
    if not Path("/proc/kmsg").exists():
        missing("/proc/kmsg")
    done = subprocess.run(
        [sys.executable, "-m", "attestlayer", *command],
        cwd=files,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "functions")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
