"""The table of requirements names tests that are there; and those of them that are about the whole."""

import ast
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pypdf
import pytest

from attestlayer.canonical import Json, parse_json, take_members
from attestlayer.cli import text
from attestlayer.encoding import format_hash, sha256
from attestlayer.errors import Reason
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.leaf import parse_record, parse_registry_receipt
from attestlayer.log.merkle import TreeHead, check_consistency
from handlers.client import Site, running
from support.cases import CASES
from support.home import SAMPLES, IssuedKit, issue_sample
from support.spec_tables import read, section
from support.tools import missing, require
from support.vectors import all_vectors

ROOT = Path(__file__).parents[2]
TABLE = (Path(__file__).parent / "requirements.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (R[0-9]+) \| (.+?) \| (.+) \|$", TABLE, re.MULTILINE)
CASE_NAMES = {case.name for case in CASES}


@cache
def names_of_tests(path: str) -> set[str]:
    """The names of a file's test functions."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_requirement_of_verification_and_registry_has_its_row() -> None:
    wanted = [*range(21, 39), *range(64, 70), *range(71, 87)]
    assert [number for number, _, _ in ROWS] == [f"R{n}" for n in wanted]


@pytest.mark.parametrize(("number", "shown_by"), [(number, shown) for number, _, shown in ROWS])
def test_the_tests_that_a_requirement_names_are_there(number: str, shown_by: str) -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`", shown_by)
    assert named, number
    assert shown_by.count("`") == 2 * len(named)
    assert [test for path, test in named if test not in names_of_tests(path)] == []
    assert set(re.findall(r"\[([a-z-]+)\]", shown_by)) <= CASE_NAMES


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> IssuedKit:
    return issue_sample(tmp_path_factory.mktemp("issued"))


def test_a_kit_is_verified_where_there_is_no_network(issued: IssuedKit) -> None:
    """R26: in a network namespace that has no interface but a loopback that is down."""
    unshare = require("unshare")
    if subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        missing("this machine lets nobody make a network namespace")
    command = [
        unshare,
        "-rn",
        sys.executable,
        "-m",
        "attestlayer",
        "verify",
        issued.kit,
        "--trust",
        issued.trust,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "✓ VERIFIED" in done.stdout) == (0, True), done.stderr


def test_binder_readme_report_and_specification_say_what_is_not_proven(issued: IssuedKit) -> None:
    """R33 to R37."""
    with zipfile.ZipFile(issued.kit) as archive:
        readme = archive.read("README.txt").decode()
        binder = pypdf.PdfReader(io.BytesIO(archive.read("binder.pdf")))
    texts = (readme, "".join(page.extract_text() for page in binder.pages), section("16.2"))
    for sentence in text.DOES_NOT_PROVE:
        for shown in texts:
            assert _letters(sentence) in _letters(shown), sentence


def _letters(text: str) -> str:
    """Letters only, without articles: lines break anywhere, and a comma before "or" is taste."""
    return re.sub(r"[^a-z]", "", re.sub(r"\b(the|that)\b|['’]s\b", "", text.lower()))


def test_no_document_takes_the_name_of_an_algorithm() -> None:
    """R64, R65: a member too many is refused in every kind of document, so no `alg` or `hash_alg` is read."""
    vectors = all_vectors()["documents.json"]
    assert isinstance(vectors, list)
    refused = {
        v["input"]["kind"]
        for v in vectors
        if v["comment"] == "an unknown member." and v["expect"] != "accepted"
    }
    assert refused == {v["input"]["kind"] for v in vectors}
    notices = all_vectors()["notices.json"]
    assert isinstance(notices, list)
    assert ("A JWK with alg.", "trust-root-unusable") in {(v["comment"], v["expect"]) for v in notices}
    functions = "".join(path.read_text() for path in (ROOT / "functions/attestlayer").glob("*.py"))
    assert not re.search(r"\bmd5\b|\bsha1\b|\bsha512\b|['\"]alg['\"]", functions)


def test_keys_of_other_curves_and_uses_have_vectors() -> None:
    """R65."""
    notices = all_vectors()["notices.json"]
    assert isinstance(notices, list)
    expected = {v["comment"]: v["expect"] for v in notices}
    for comment in ("A JWK of another curve.", "A JWK for encryption."):
        assert expected[comment] == Reason.TRUST_ROOT_UNUSABLE.value


def test_nothing_public_tells_of_partner_client_or_records(issued: IssuedKit) -> None:
    """R76: no name, no file name, no word of the client, no identifier of ours beside hashes and key ids."""
    with zipfile.ZipFile(issued.kit) as archive:
        report = json.loads(archive.read("intake_report.json"))  # noqa: TID251
    private = {"Example Advisory", report["kit_id"].removeprefix("kit_")}
    for record in report["records"]:
        told = [record["name"], *record["metadata"].values()]
        private |= {text for text in told if re.search(r"[A-Za-z]{3}", text) and re.search(r"[ .0-9]", text)}
    private |= {path.name for path in (SAMPLES / "PAY-01/wire-transfer").iterdir()}
    assert len(private) > 15
    public = issued.service.public
    about_kits = re.compile(r"checkpoint|tile/.+|v1/(?!policies/|spec/|verify-kit).+")
    data = {name: public.read(name) or b"" for name in public.list("") if about_kits.fullmatch(name)}
    assert {"checkpoint", "tile/entries/000.p/1", layout.STATS, layout.TRUST} < data.keys()
    found = [(name, word) for name, content in data.items() for word in private if word.encode() in content]
    assert found == []
    for name in (name for name in data if name.startswith("v1/entries/")):
        values = take_members(parse_json(data[name])).values()
        assert all(_is_commitment(value) for value in values), name


def _is_commitment(value: Json) -> bool:
    """A hash, a time, a lane, a profile, or PASS."""
    shapes = r"[A-Za-z0-9_-]{43}|[0-9T:Z-]{20}|PASS|PAY-01|wire-transfer"
    return isinstance(value, str) and re.fullmatch(shapes, value) is not None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site") / "home") as found:
        packet = found.open()
        found.fill(packet)
        assert found.issue(packet).status == 202
        found.publish()
        yield found


def _get(site: Site, path: str) -> bytes:
    got = site.raw("GET", path)
    assert got.status == 200, path
    return got.body


def test_each_endpoint_of_the_policy_answers(site: Site) -> None:
    """R77 to R82, R84: the addresses of the transparency policy, over HTTP, which agree."""
    latest = parse_checkpoint(_get(site, "/v1/checkpoints/latest.json"))
    assert parse_checkpoint(_get(site, f"/v1/checkpoints/{format_hash(latest.hash())}.json")) == latest
    leaf = next(name for name in site.service.public.list("v1/entries/"))
    record = parse_record(_get(site, f"/{leaf}"))
    assert leaf == layout.entry_path(record.leaf.hash())
    hashed = format_hash(record.leaf_hash)
    receipt = parse_registry_receipt(_get(site, f"/v1/proofs/inclusion?leaf_hash={hashed}"))
    receipt.check_inclusion()
    assert receipt.record == record
    answer = json.loads(_get(site, f"/v1/proofs/consistency?from_size=0&to_size={latest.head.size}"))  # noqa: TID251
    assert answer["to_root"] == format_hash(latest.head.root)
    check_consistency(TreeHead(0, sha256(b"")), latest.head, answer["proof"])
    keys = json.loads(_get(site, "/v1/jwks/registry.jwks.json"))["keys"]  # noqa: TID251
    assert latest.kid in {key["kid"] for key in keys}
    stats = json.loads(_get(site, "/v1/stats"))  # noqa: TID251
    assert (stats["tree_size"], stats["checkpoint_hash"]) == (latest.head.size, format_hash(latest.hash()))


def test_the_specification_names_the_contact() -> None:
    """R86."""
    assert "**Contact**: security@attestlayer.com" in read()
