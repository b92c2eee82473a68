"""All verifiers say the same of every vector and of changed kits: verdict, reasons, files, words.

`ATTESTLAYER_MUTANTS` is how many changed kits are compared (10,000 before a release; a hundred otherwise).
"""

import os
import random
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from attestlayer.canonical import format_json, parse_json
from attestlayer.errors import VerificationError
from attestlayer.reading.files import open_kit
from support.browsers import JS, Browser
from support.build import (
    Delivered,
    make_zip,
)
from support.cases import small
from support.corpus import CHANGES, change_byte, move_pieces, originals
from support.home import SAMPLES, issue_sample
from support.serving import served
from support.thorough import thorough
from support.tools import require
from support.verifiers import (
    Given,
    InPage,
    NodeCommand,
    PythonCommand,
    SingleFile,
    Verifier,
    command_report,
    differences,
    lay_out,
    load,
    python_process,
    unpack,
)

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
KITS = sorted([*VECTORS.glob("kits/*.json"), *VECTORS.glob("disclosures/*.json")])
MUTANTS = int(os.environ.get("ATTESTLAYER_MUTANTS", "100"))  # noqa: TID251
AT_ONCE = 250
"""Kits on disk at a time."""


@pytest.fixture(params=["verify.py", "node", "chromium", thorough("firefox")])
def verifier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    """Each verifier that is held against the Python command."""
    if request.param == "verify.py":
        yield SingleFile(tmp_path_factory.mktemp("single"))
        return
    if request.param == "node":
        yield NodeCommand()
        return
    browser: Browser = request.getfixturevalue(request.param)
    with served(ROOT) as url:
        page = browser.open(f"{url}/tests/js/blank.html")
        yield InPage(page, browser.name)
        page.close()


def is_seen(given: Given) -> bool:
    """Whether a page can be handed this: there is something, and no link in it."""
    return given.kit.exists() and not any(path.is_symlink() for path in given.kit.rglob("*"))


@pytest.mark.parametrize(
    "verifier", ["node", *map(thorough, ("verify.py", "chromium", "firefox"))], indirect=True
)
def test_each_vector_is_judged_alike(verifier: Verifier, tmp_path: Path) -> None:
    """Those of verify.py, word for word, and of the page in Chromium are judged in tests of their own too."""
    given = [each for path in KITS for each in lay_out(load(path), tmp_path / path.parent.name / path.stem)]
    if isinstance(verifier, InPage):
        given = [each for each in given if is_seen(each)]
    assert len(given) > 1.5 * len(KITS)
    assert differences(PythonCommand().reports(given), verifier.reports(given)) == []


PROFILES = sorted(path.parent.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("records.json"))


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> list[Given]:
    """A kit of each profile's sample records, issued and delivered by the service: a ZIP and a folder."""
    made = []
    for profile in PROFILES:
        place = tmp_path_factory.mktemp("issued")
        kit = issue_sample(place, *profile.split("/"))
        unpack(kit.kit.read_bytes(), place / "unpacked")
        made += [Given(kit.kit, kit.trust), Given(place / "unpacked", kit.trust)]
    return made


def test_each_kit_that_the_service_issues_is_judged_alike(verifier: Verifier, issued: list[Given]) -> None:
    expected = PythonCommand().reports(issued)
    assert [report["verdict"] for report in expected] == ["VERIFIED"] * 2 * len(PROFILES)
    assert differences(expected, verifier.reports(issued)) == []


def test_each_answers_as_a_process_with_its_exit_code(tmp_path: Path) -> None:
    names = ("delivered", "folder", "hash-differs", "trust-root-unsigned", "absent", "link-in-folder")
    paths = [path for path in KITS if path.stem in names and path.parent.name == "kits"]
    assert len(paths) == len(names)
    given = [lay_out(load(path), tmp_path / path.stem)[0] for path in paths]
    node = [command_report([require("node"), JS / "verify.mjs"], each) for each in given]
    assert differences([python_process(each) for each in given], node) == []


def test_a_wrong_word_of_a_closed_list_is_shown_shortened(tmp_path: Path) -> None:
    """A `type` of 4 MB, escaped, made a report of 4 MB with Python's class names in it."""
    wrong, given = "\u202e\x1b" * 10_000, []
    event = {"at": "2026-01-31T12:00:00Z", "data": {}, "n": 0, "prev": None, "type": wrong}
    check = {"found": "", "records": [], "result": wrong, "rule": "r"}
    (tmp_path / "trust.json").write_bytes(small().trust.format())
    for name, changed in (
        ("hash_trail.json", {"events": [event]}),
        ("intake_report.json", {"checks": [check]}),
    ):
        value = parse_json(small().members[name])
        assert isinstance(value, dict)
        data = format_json({**value, **changed})
        (tmp_path / f"{name}.zip").write_bytes(make_zip({**small().members, name: data}))
        given.append(Given(tmp_path / f"{name}.zip", tmp_path / "trust.json"))
    expected = PythonCommand().reports(given)
    assert differences(expected, NodeCommand().reports(given)) == []
    assert differences(expected, SingleFile(tmp_path).reports(given)) == []
    for report in expected:
        (message,) = (
            failure["message"]
            for step in report["steps"]
            for failure in step["failures"]
            if failure["reason"].endswith("-malformed")
        )
        assert "wanted one of" in message
        assert len(message) < 600  # 80 characters of the wrong word, all escaped, and the right words
        assert message.isprintable()


def mutant(number: int) -> tuple[bytes, Delivered]:
    """A changed kit and the original, the same for a number each time."""
    chance = random.Random(f"mutant {number}")
    original = chance.choice(originals())
    data = original.zip
    while data == original.zip:
        if chance.randrange(5) == 0:
            data = move_pieces(original.zip, chance)
            continue
        members = dict(original.members)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            members = chance.choice((*CHANGES, change_byte))(members, chance)
        data = make_zip(members)
    return data, original


def write_mutant(number: int, place: Path) -> Given:
    """On disk; every third that can be is unpacked."""
    data, original = mutant(number)
    trust = place / f"trust-{originals().index(original)}.json"
    trust.write_bytes(original.trust.format())
    kit = place / f"{number}.zip"
    if number % 3 == 0:
        # Of pieces that are no ZIP any more, also to Python's own reader, there is nothing to unpack.
        with suppress(VerificationError, zipfile.BadZipFile, NotImplementedError):
            unpack(data, kit)
            return Given(kit, trust)
    kit.write_bytes(data)
    return Given(kit, trust)


@pytest.mark.parametrize("start", range(0, MUTANTS, AT_ONCE))
def test_each_changed_kit_is_judged_alike(verifier: Verifier, start: int, tmp_path: Path) -> None:
    given = [write_mutant(number, tmp_path) for number in range(start, min(MUTANTS, start + AT_ONCE))]
    expected = PythonCommand().reports(given)
    assert differences(expected, verifier.reports(given)) == []
    for each, report in zip(given, expected, strict=True):
        if report["verdict"] == "VERIFIED":  # the ZIP was changed, and none of its members
            original = originals()[int(each.trust.stem.removeprefix("trust-"))]
            with open_kit(each.kit) as kit:
                assert {n: b"".join(m.chunks()) for n, m in kit.members.items()} == original.members


def test_a_number_makes_the_same_changed_kit_each_time() -> None:
    assert [mutant(number)[0] for number in range(20)] == [mutant(number)[0] for number in range(20)]
    assert len({mutant(number)[0] for number in range(100)}) > 90
