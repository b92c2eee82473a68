"""verify-kit.zip: what is in it, that its README's commands work offline, that it is made anew in time."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from attestlayer.encoding import sha256
from attestlayer.kit.zip_reader import read_zip
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, late_merge
from attestlayer.log.trust import parse_trust
from issuer.adapters.release_files import ReleaseFiles
from issuer.errors import LogHaltedError, StoreError
from issuer.release.verify_kit import README, make_verify_kit
from issuer.services.release import KitOfVerifiers
from support import build
from support.known_kits import NAMES, PLACE, known_kits
from support.log import TestLog, queue
from support.single_file import environment
from support.tools import require

SITE_FOLDER = Path(__file__).parents[3] / "site"
MEMBERS = {README, "REG-1.0.md", "trust.json", "verify.html", "verify.py", "vectors/expected.json"}


def made() -> bytes:
    return make_verify_kit(ReleaseFiles(SITE_FOLDER).read(), build.make().trust)


@pytest.fixture(scope="session")
def data() -> bytes:
    """The ZIP."""
    return made()


@pytest.fixture
def unpacked(data: bytes, tmp_path: Path) -> Path:
    """An empty folder with what the ZIP holds."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path / "verify-kit")
    return tmp_path / "verify-kit"


def offline(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One command without a network: not even loopback is there."""
    line = [str(require("unshare")), "-n", *command]
    return subprocess.run(line, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_the_known_kits_are_those_of_the_vectors() -> None:
    assert PLACE.read_bytes() == known_kits()


def test_it_holds_verifiers_trust_root_specification_and_known_kits(data: bytes) -> None:
    archive = read_zip(io.BytesIO(data))
    assert not archive.is_repacked
    members = set(archive.unexpected)  # of no kit
    kits = {"vectors/verified.zip", "vectors/disclosed-record.zip"}
    kits |= {f"vectors/{name}.zip" for name in NAMES if name != "delivered"}
    trusts = {"vectors/trust.json", "vectors/quorum-not-met.trust.json", "vectors/withdrawn.trust.json"}
    assert members >= MEMBERS | kits
    assert members - MEMBERS - kits >= trusts
    assert all(name.endswith(".trust.json") or name in trusts for name in members - MEMBERS - kits)
    assert len(data) < 4 << 20


def test_the_same_parts_make_the_same_bytes(data: bytes) -> None:
    assert made() == data
    script = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from unit.release.test_verify_kit import made\n"
        "from attestlayer.encoding import sha256\n"
        "print(sha256(made()).hex())"
    )
    paths = [str(SITE_FOLDER.parent / "functions"), str(SITE_FOLDER.parent / "tests")]
    done = subprocess.run(
        [sys.executable, "-c", script, *paths],
        env={**environment(), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == sha256(data).hex()


def test_its_trust_root_is_the_registrys_and_the_readme_names_it(unpacked: Path) -> None:
    trust = build.make().trust
    readme = (unpacked / README).read_text()
    assert (unpacked / "trust.json").read_bytes() == trust.format()
    assert trust.identity().format() in readme
    assert f"key ID {trust.checkpoint.kid}" in readme
    assert f"registry **{build.ORIGIN}** as of 2026-01-31T12:02:00Z" in readme
    assert "Integrity and issuance evidence only." in readme


def test_its_hashes_are_those_of_its_files(unpacked: Path) -> None:
    readme = (unpacked / README).read_text()
    lines = readme.split("```text\n")[1].split("\n```")[0].splitlines()
    listed = {line.split()[1]: line.split()[0] for line in lines}
    files = [path for path in unpacked.rglob("*") if path.is_file()]
    found = {path.relative_to(unpacked).as_posix(): sha256(path.read_bytes()).hex() for path in files}
    assert {**listed, README: found[README]} == found


def test_the_commands_of_its_readme_work_in_an_empty_folder_without_a_network(unpacked: Path) -> None:
    readme = (unpacked / README).read_text()
    commands = re.findall(r"^python3 (-I -S verify.py .*?)(?:  +#.*)?$", readme, re.MULTILINE)
    assert len(commands) == 5
    (unpacked / "KIT").write_bytes(build.make().zip)
    for command in commands:
        done = offline(unpacked, sys.executable, *command.split())
        assert (done.returncode, done.stderr) == (0, ""), (command, done.stdout)
    assert "WRONG" not in offline(unpacked, sys.executable, "-I", "-S", "verify.py", "selftest").stdout


def test_the_selftest_finds_a_verifier_that_says_otherwise(unpacked: Path) -> None:
    """The page of expected answers is changed instead of the verifier: the two differ either way."""
    place = unpacked / "vectors" / "expected.json"
    place.write_bytes(place.read_bytes().replace(b'"file-hash-mismatch"', b'"file-size-mismatch"'))
    done = offline(unpacked, sys.executable, "-I", "-S", "verify.py", "selftest")
    assert done.returncode == 3
    assert "hash-differs.zip: NOT VERIFIED, file-hash-mismatch" in done.stdout
    assert "don't use it" in done.stdout
    shutil.rmtree(unpacked / "vectors")
    assert offline(unpacked, sys.executable, "-I", "-S", "verify.py", "selftest").returncode == 2


@pytest.fixture
def log(tmp_path: Path) -> TestLog:
    """A fresh log."""
    return TestLog(tmp_path)


def test_it_is_made_anew_when_the_trust_root_changes_and_only_then(log: TestLog) -> None:
    ports = log.init()
    kit = KitOfVerifiers(ports.public, ReleaseFiles(SITE_FOLDER))
    assert kit.refresh()
    assert not kit.refresh()
    assert not kit.run()
    log.round(ports)
    assert not kit.refresh()
    before = ports.public.read(layout.VERIFY_KIT)
    queue(ports, "incident", late_merge(0, 0, IncidentReason.OUTAGE)[1])
    log.round(ports, 1)
    assert kit.refresh()
    after, trust = ports.public.read(layout.VERIFY_KIT), ports.public.read(layout.TRUST)
    assert after
    assert trust
    assert after != before
    assert after == make_verify_kit(ReleaseFiles(SITE_FOLDER).read(), parse_trust(trust))


def test_without_a_log_or_with_a_damaged_trust_root_nothing_is_published(log: TestLog) -> None:
    ports = log.ports()
    kit = KitOfVerifiers(ports.public, ReleaseFiles(SITE_FOLDER))
    with pytest.raises(LogHaltedError, match="no trust root yet"):
        kit.run()
    ports.public.replace(layout.TRUST, b"{}", None)
    with pytest.raises(LogHaltedError, match="is damaged"):
        kit.refresh()
    assert not ports.public.exists(layout.VERIFY_KIT)


def test_a_release_without_one_of_its_parts_says_which(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"verify\.html: No such file"):
        ReleaseFiles(tmp_path).read()
