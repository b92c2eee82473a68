"""The checked-in vectors are those that the generator makes, cover every reason, and are kept."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from attestlayer.errors import Reason, Remark
from support.judge import step_of, told
from support.vectors import judged, judged_disclosure, receipt_report, run
from support.vectors_online import run_online

HERE = Path(__file__).parent.parent / "vectors"
MAX_LENGTH = 4 * 1024 * 1024


def _load(path: Path) -> list[dict]:  # type: ignore[type-arg]
    content = json.loads(path.read_text(encoding="ascii"))  # noqa: TID251
    return content if isinstance(content, list) else [content]


FILES = sorted(HERE.rglob("*.json"))
LISTS = [path for path in FILES if path.parent == HERE]
KITS = [path for path in FILES if path.parent.name == "kits"]
DISCLOSURES = [path for path in FILES if path.parent.name == "disclosures"]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_vectors", HERE / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", DISCLOSURES, ids=lambda path: path.stem)
def test_each_disclosed_record_comes_out_as_expected(path: Path, tmp_path: Path) -> None:
    (vector,) = _load(path)
    report = judged_disclosure(vector, tmp_path)
    first = report.first
    assert (first.reason.value if first else "accepted") == vector["expect"]
    assert (first and step_of(report, first)) == vector["step"]
    assert (list(first.files) if first else []) == vector["files"]
    assert sorted(note.remark for note in report.notes) == sorted(vector["remarks"])
    assert told(report) == vector["report"]


def test_the_generator_makes_the_checked_in_files() -> None:
    found = {path.relative_to(HERE).as_posix(): path.read_text(encoding="ascii") for path in FILES}
    made = _generator().files()
    assert sorted(found) == sorted(made)
    assert [name for name in made if found[name] != made[name]] == []


def test_each_answer_of_a_registry_comes_out_as_expected() -> None:
    vectors = _load(HERE / "online" / "public-log.json")
    wrong = [(v["comment"], v["expect"], run_online(v["input"])) for v in vectors]
    assert [(comment, wanted, found) for comment, wanted, found in wrong if wanted != found] == []
    assert len(vectors) > 10


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_each_vector_of_a_list_comes_out_as_expected(path: Path, tmp_path: Path) -> None:
    vectors = _load(path)
    wrong = [
        (v["comment"], v["expect"], run(v, tmp_path)) for v in vectors if run(v, tmp_path) != v["expect"]
    ]
    assert wrong == []


def test_each_registry_receipt_has_the_report_that_its_vector_holds() -> None:
    vectors = _load(HERE / "receipts.json")
    assert [told(receipt_report(vector["input"])) for vector in vectors] == [v["report"] for v in vectors]


@pytest.mark.parametrize("path", KITS, ids=lambda path: path.stem)
def test_each_kit_comes_out_as_expected(path: Path, tmp_path: Path) -> None:
    (vector,) = _load(path)
    judgement = judged(vector, tmp_path)
    assert judgement.word == vector["expect"]
    assert told(judgement.whole) == vector["report"]
    if judgement.report:
        assert sorted(note.remark for note in judgement.report.notes) == sorted(vector["remarks"])
    if judgement.report and judgement.error:
        assert vector["files"] == list(judgement.error.files)
        assert vector["step"] == step_of(judgement.report, judgement.error)


def test_every_reason_and_every_remark_has_a_vector() -> None:
    vectors = [vector for path in FILES for vector in _load(path)]
    assert {vector["expect"] for vector in vectors} == set(Reason) | {"accepted"}
    assert {word for vector in vectors for word in vector.get("remarks", [])} == set(Remark)


def test_the_vectors_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < MAX_LENGTH
