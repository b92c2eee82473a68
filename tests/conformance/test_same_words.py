"""All verifiers say the same, to the last word, of documents that were changed as bytes.

`ATTESTLAYER_MUTANTS` is how many are compared (10,000 before a release; a sample otherwise).
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.kit.disclosure import disclose
from attestlayer.kit.manifest import (
    CLIENT_NONCE,
    DISCLOSURE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    NONCE_CHECKPOINT,
    RECEIPT,
    REGISTRY_RECEIPT,
)
from support.browsers import Browser
from support.build import Delivered, make_zip
from support.corpus import originals
from support.serving import served
from support.texts import ASTRAL, changed, with_note
from support.thorough import thorough
from support.verifiers import Given, InPage, NodeCommand, PythonCommand, SingleFile, Verifier, differences

ROOT = Path(__file__).parents[2]
MUTANTS = int(os.environ.get("ATTESTLAYER_MUTANTS", "300"))  # noqa: TID251
AT_ONCE = 300
DOCUMENTS = (MANIFEST, RECEIPT, HASH_TRAIL, INTAKE_REPORT, NONCE_CHECKPOINT, REGISTRY_RECEIPT, CLIENT_NONCE)


@pytest.fixture(params=["node", *map(thorough, ("verify.py", "chromium", "firefox"))])
def verifier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Verifier]:
    if request.param in ("node", "verify.py"):
        yield NodeCommand() if request.param == "node" else SingleFile(tmp_path)
        return
    browser: Browser = request.getfixturevalue(request.param)
    with served(ROOT) as url:
        page = browser.open(f"{url}/tests/js/blank.html")
        yield InPage(page, browser.name)
        page.close()


def write(number: int, place: Path) -> Given:
    """A kit or a disclosed record with a changed document, such a receipt alone, or a changed trust root."""
    chance = random.Random(f"document {number}")
    original: Delivered = chance.choice(originals())
    members, trust, alone = dict(original.members), original.trust.format(), False
    kind = chance.choice((*DOCUMENTS, *DOCUMENTS, DISCLOSURE, DISCLOSURE, "note", "alone", *["trust"] * 3))
    if kind == DISCLOSURE:
        record = next(name for name in members if name.startswith("records/"))
        members = {**disclose(members, record), record: members[record]}
        kind = chance.choice((DISCLOSURE, DISCLOSURE, DISCLOSURE, *sorted(members)))
    if kind == "trust":
        trust = changed(trust, chance)
    elif kind == "note":
        note = changed(original.log.last.note.format().encode(), chance)
        members[REGISTRY_RECEIPT] = with_note(members[REGISTRY_RECEIPT], note)
    elif kind == "alone":
        alone = True
        members[REGISTRY_RECEIPT] = changed(members[REGISTRY_RECEIPT], chance)
    else:
        members[kind] = changed(members[kind], chance)
    (place / f"{number}.trust.json").write_bytes(trust)
    (place / f"{number}").write_bytes(members[REGISTRY_RECEIPT] if alone else make_zip(members))
    return Given(place / f"{number}", place / f"{number}.trust.json", alone)


@pytest.mark.parametrize("start", range(0, MUTANTS, AT_ONCE))
def test_each_changed_document_is_judged_in_the_same_words(
    verifier: Verifier, start: int, tmp_path: Path
) -> None:
    given = [write(number, tmp_path) for number in range(start, min(MUTANTS, start + AT_ONCE))]
    expected = PythonCommand().reports(given)
    assert differences(expected, verifier.reports(given)) == []
    assert len({failure_words(report) for report in expected}) > len(given) / 4


def failure_words(report: dict[str, object]) -> str:
    return str(report["steps"])


def test_the_report_for_people_is_the_single_files(tmp_path: Path) -> None:
    given = [write(number, tmp_path) for number in range(40)]
    expected = PythonCommand().texts(given)
    assert SingleFile(tmp_path).texts(given) == expected
    assert len(set(expected)) > 20


def test_a_place_in_a_note_is_counted_in_characters_not_in_units_of_utf_16(tmp_path: Path) -> None:
    original = originals()[0]
    receipt, note = original.members[REGISTRY_RECEIPT], original.log.last.note.format().encode()
    (tmp_path / "trust.json").write_bytes(original.trust.format())
    (tmp_path / "receipt.json").write_bytes(with_note(receipt, ASTRAL * 3 + note))
    given = [Given(tmp_path / "receipt.json", tmp_path / "trust.json", alone=True)]
    expected = PythonCommand().reports(given)
    assert "at 1'" in str(expected) or 'at 1"' in str(expected)
    assert differences(expected, NodeCommand().reports(given)) == []
