"""The commands that stand in a kit's README.txt do what it says, with no tool of ours."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json, take_array, take_members, take_string
from attestlayer.kit.receipt import BOUNDARY, parse_receipt
from attestlayer.log import layout
from support.home import IssuedKit, issue_sample
from support.tools import require


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> IssuedKit:
    for tool in ("bash", "zip", "unzip", "openssl"):
        require(tool)
    return issue_sample(tmp_path_factory.mktemp("issued"))


def readme_of(issued: IssuedKit) -> str:
    with zipfile.ZipFile(issued.kit) as archive:
        return archive.read("README.txt").decode("ascii")


def commands(readme: str, section: int) -> str:
    """The shell lines of a numbered section: those indented by exactly two or four spaces."""
    sections = re.split(r"^[0-9]\. ", readme.partition("CHECK IT WITHOUT OUR TOOLS")[2], flags=re.MULTILINE)
    return "\n".join(line for line in sections[section].splitlines() if re.match(r"  (  )?\S", line))


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    return f"{done.stdout}{done.stderr}exit {done.returncode}"


def issuer_key(issued: IssuedKit, kid: str) -> str:
    data = issued.service.public.read(layout.ISSUER_JWKS)
    assert data is not None
    keys = [take_members(key) for key in take_array(take_members(parse_json(data)), "keys")]
    return next(take_string(key, "x") for key in keys if key["kid"] == kid)


def test_the_digest_of_the_sealed_kit_is_the_leafs(issued: IssuedKit, tmp_path: Path) -> None:
    (tmp_path / "kit.zip").write_bytes(issued.kit.read_bytes())
    digest, named, _ = run(commands(readme_of(issued), 1), tmp_path).splitlines()
    assert named == f'"kit_digest":"{digest}"'


@pytest.mark.parametrize("spoilt", [False, True])
def test_openssl_checks_the_receipts_signature(issued: IssuedKit, tmp_path: Path, spoilt: bool) -> None:
    (tmp_path / "kit.zip").write_bytes(issued.kit.read_bytes())
    readme = readme_of(issued)
    with zipfile.ZipFile(issued.kit) as archive:
        receipt = parse_receipt(archive.read("receipt.json"))
    assert receipt.issuer_kid in readme
    script = commands(readme, 2).replace("X='...'", f"X='{issuer_key(issued, receipt.issuer_kid)}'")
    if spoilt:
        script = script.replace("  openssl", "  printf x >> statement.bin\n  openssl")
    said = run(script, tmp_path)
    assert ("Signature Verified Successfully" in said, said.endswith("exit 0")) == (not spoilt, not spoilt), (
        said
    )


def test_the_text_is_plain_and_says_the_boundary(issued: IssuedKit) -> None:
    readme = readme_of(issued)
    assert readme.count(BOUNDARY) == 2
    assert all(len(line) <= 80 for line in readme.splitlines() if line != BOUNDARY)
