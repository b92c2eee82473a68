"""Zips: the same members make the same bytes, and what a wheel holds beside its modules stays out."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import build
import pytest

MEMBERS = {"b/z.py": b"z = 1\n", "a.py": b"", "b/a.py": b"a = 2\n" * 1000}


def test_the_same_members_make_the_same_zip_whatever_their_order_the_folder_the_time(tmp_path: Path) -> None:
    made = []
    for number, members in enumerate((MEMBERS, dict(reversed(MEMBERS.items())))):
        folder = tmp_path / str(number)
        folder.mkdir()
        os.umask(0o077 if number else 0o022)
        build.write_zip(folder / "f.zip", members, 6)
        made.append((folder / "f.zip").read_bytes())
    os.umask(0o022)
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "0/f.zip") as archive:
        assert archive.namelist() == sorted(MEMBERS)
        assert {(info.date_time, info.external_attr) for info in archive.infolist()} == {
            (build.DATE, build.MODE)
        }
        assert archive.testzip() is None


def test_of_what_is_installed_only_what_can_be_imported_is_taken() -> None:
    installed = (
        *("x/__init__.py", "y.py", "x-1.0.dist-info/METADATA", "x-1.0.dist-info/licenses/RECORD"),
        *("bin/run", "x-1.0.dist-info/INSTALLER", "x-1.0.dist-info/RECORD", "x-1.0.dist-info/REQUESTED"),
    )
    assert [name for name in installed if build.importable(name)] == list(installed[:4])


def test_only_who_renders_has_fonts_and_only_who_publishes_has_the_site() -> None:
    for name, contents in build.ZIPS.items():
        members = build.sources(contents)
        assert any(each.startswith(build.FONTS) for each in members) == (name == "issue")
        assert ("site/templates/index.html" in members) == (name == "site")
        assert not any(each.startswith(build.SAMPLES) or "__pycache__" in each for each in members)
        assert {path.name for path in (build.SOURCES / "issuer/handlers").glob("*.py")} == {
            Path(each).name for each in members if each.startswith("issuer/handlers/")
        }


def test_an_input_that_changed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.inputs_of(build.LAMBDA, 6)
    assert build.inputs_of(build.LAMBDA, 6) == before
    assert build.inputs_of(build.LAMBDA, 1) != before
    assert build.inputs_of(build.this_machine(), 6) != before
    found = build.files
    monkeypatch.setattr(build, "files", lambda *args: ((n, d + b" ") for n, d in found(*args)))
    assert build.inputs_of(build.LAMBDA, 6) != before


def test_a_build_that_is_there_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {
        name: f"functions/{name}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.zip" for name in build.ZIPS
    }
    stamp = {"inputs": build.inputs_of(build.LAMBDA, 6), "keys": keys}
    (tmp_path / "stamp.json").write_text(json.dumps(stamp))
    build.build(build.LAMBDA, tmp_path)
    assert "up to date" in capsys.readouterr().out
    template = json.loads((tmp_path / "template.json").read_text())  # noqa: TID251
    code = template["Resources"]["Prove"]["Properties"]["CodeUri"]
    assert code == {"Bucket": {"Ref": "CodeBucket"}, "Key": keys["prove"]}
