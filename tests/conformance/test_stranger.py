"""A verifier in Go, written from REG-1.0's text alone, reports vectors and changed kits as the core does."""

import base64
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from attestlayer.cli.json import EXIT_CODES, format_report_json, trust_members
from attestlayer.cli.text import Subject as Given
from attestlayer.encoding import format_time
from attestlayer.errors import VerificationError
from attestlayer.log.trust import parse_trust
from attestlayer.verify.report import Report, Verdict
from attestlayer.verify.verifier import explain, explain_disclosure
from support.build import make_zip, open_zip
from support.cases import CASES, Subject
from support.corpus import (
    change_json,
    documents,
    flipped,
    leave_out,
    mutants,
    pieces_moved,
    put_in,
    repacked,
    scenarios,
    small,
    swap_contents,
)
from support.disclosures import CASES as DISCLOSURES
from support.disclosures import judge_disclosure
from support.disclosures import made as disclosed
from support.documents import KINDS
from support.judge import judge, step_of, told, write_folder
from support.odd_zips import CHOSEN, oddly_packed
from support.thorough import sampled
from support.tools import missing, require
from support.vectors import all_vectors

GO = Path(__file__).parent / "go/stranger"
VECTORS = Path(__file__).parents[1] / "vectors"
SPEC = Path(__file__).parents[2] / "site/content/spec/REG-1.0.md"
MUTANTS = 1_800
LOGS = 300
DOCUMENTS = 500
ZIPS = 200


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("stranger") / "stranger"
    built = subprocess.run(
        [require("go"), "build", "-o", binary, "."], cwd=GO, capture_output=True, text=True, check=False
    )
    if built.returncode and "dial tcp" in built.stderr:
        missing(f"Go can't fetch its toolchain: {built.stderr.strip()}")
    assert built.returncode == 0, built.stderr
    return binary


def ask(stranger: Path, inputs: Iterable[object]) -> list[object]:
    """What the stranger makes of each input."""
    lines = "".join(json.dumps(each) + "\n" for each in inputs)
    done = subprocess.run([stranger], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251


def whole(report: Report) -> dict[str, object]:
    """A report as the stranger writes it: with the failure that is said first, and the exit code."""
    first, made = report.first, told(report)
    for step in made["steps"]:
        for failure in step["failures"]:
            failure["files"] = [shown(name) for name in failure["files"]]
    said = first and {
        "step": step_of(report, first),
        "reason": first.reason.value,
        "files": [shown(name) for name in first.files],
    }
    return made | {"said": said, "exit_code": EXIT_CODES[report.verdict]}


def shown(name: str) -> str:
    """A name with six characters for each byte that is no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\\x", "\\udc")


def reported(subject: Subject, place: Path) -> dict[str, object]:
    """What the core reports of a ZIP, be it a kit or a disclosed record."""
    assert subject.zip is not None
    try:
        part = open_zip(subject.zip)
    except VerificationError:
        return whole(judge(subject, place).whole)
    return whole((explain_disclosure if part.is_disclosure else explain)(part, small().trust, subject.now))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def placed(subject: Subject, place: Path) -> dict[str, str]:
    """A subject as an input of the stranger."""
    given = {"kind": "kit", "trust": subject.trust.decode()}
    if subject.now is not None:
        given["now"] = format_time(subject.now)
    if subject.zip is not None:
        return given | {"zip": b64(subject.zip)}
    if subject.folder is not None:
        write_folder(place / "kit", subject)
    return given | {"place": str(place / "kit")}


def test_the_stranger_reports_each_case_step_by_step_as_the_core_does(
    stranger: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    subjects = [case.build() for case in CASES]
    places = [tmp_path_factory.mktemp("case") for _ in CASES]
    found = ask(stranger, [placed(*pair) for pair in zip(subjects, places, strict=True)])
    for case, subject, answer in zip(CASES, subjects, found, strict=True):
        assert answer == whole(judge(subject, tmp_path_factory.mktemp("judged")).whole), case.name


def test_the_stranger_writes_whole_reports_as_the_core_does(
    stranger: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    subjects = [case.build() for case in CASES] + [case.build() for case in DISCLOSURES]
    places = [tmp_path_factory.mktemp("case") for _ in subjects]
    inputs = [
        placed(*pair) | {"report": f"{number}.zip"}
        for number, pair in enumerate(zip(subjects, places, strict=True))
    ]
    for number, (subject, answer) in enumerate(zip(subjects, ask(stranger, inputs), strict=True)):
        place = tmp_path_factory.mktemp("judged")
        report = judge(subject, place).whole if number < len(CASES) else judge_disclosure(subject, place)
        written = format_report_json(report, Given(f"{number}.zip", ""), trust_of(subject))
        assert answer == for_programs(json.loads(written))  # noqa: TID251


def trust_of(subject: Subject) -> dict[str, object] | None:
    """What a report says of the trust root, if it is usable."""
    try:
        return trust_members(parse_trust(subject.trust))
    except VerificationError:
        return None


def for_programs(report: dict[str, Any]) -> dict[str, Any]:
    """A report without messages and advice, which are for people."""
    for step in report["steps"]:
        for each in [*step["failures"], *step["notes"]]:
            del each["message"]
            each.pop("advice", None)
    return report


def test_the_stranger_writes_the_report_that_the_specification_shows(stranger: Path) -> None:
    shown_there = re.search(r"```text id=report kind=report\n(.*?)```", SPEC.read_text(), re.DOTALL)
    vector = json.loads((VECTORS / "kits/worked-example.json").read_text())  # noqa: TID251
    (answer,) = ask(stranger, [vector["input"] | {"report": "kit.zip"}])
    assert shown_there is not None
    assert answer == json.loads(shown_there[1])  # noqa: TID251


def test_the_stranger_reports_disclosed_records_step_by_step_as_the_core_does(
    stranger: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    subjects = [case.build() for case in DISCLOSURES]
    places = [tmp_path_factory.mktemp("case") for _ in subjects]
    found = ask(stranger, [placed(*pair) for pair in zip(subjects, places, strict=True)])
    for case, subject, answer in zip(DISCLOSURES, subjects, found, strict=True):
        assert answer == whole(judge_disclosure(subject, tmp_path_factory.mktemp("judged"))), case.name


def test_the_stranger_reports_changed_disclosed_records_as_the_core_does(
    stranger: Path, tmp_path: Path
) -> None:
    parts, kit = disclosed()
    chance = random.Random("disclosed records")
    changes = (leave_out, put_in, swap_contents, change_json, change_json, change_json)
    containers = [make_zip(chance.choice(changes)(parts, chance)) for _ in range(DOCUMENTS)]
    trust = kit.trust.format()
    answers = ask(stranger, [placed(Subject(zip=data, trust=trust), tmp_path) for data in containers])
    for data, answer in zip(containers, answers, strict=True):
        part = open_zip(data)
        report = explain_disclosure(part, kit.trust) if part.is_disclosure else explain(part, kit.trust)
        assert answer == whole(report)


@pytest.mark.parametrize("part", sampled(range(4), 4))
def test_the_stranger_reports_changed_zips_as_the_core_does(
    stranger: Path, part: int, tmp_path: Path
) -> None:
    """Packed again in the ways that people do, and changed; and packed in ways that nobody does."""
    containers = [*repacked(f"stranger {part}", ZIPS), *oddly_packed(f"stranger {part}", ZIPS)]
    subjects = [Subject(zip=data, trust=small().trust.format()) for data in containers]
    answers = ask(stranger, [placed(subject, tmp_path) for subject in subjects])
    for subject, answer in zip(subjects, answers, strict=True):
        assert answer == reported(subject, tmp_path), b64(subject.zip or b"")
    words = {first(answer) for answer in answers}
    assert words >= {"accepted", "container-ambiguous", "input-not-a-kit", "file-unexpected"}


@pytest.mark.parametrize("name", CHOSEN)
def test_the_stranger_reports_chosen_zips_as_the_core_does(stranger: Path, name: str, tmp_path: Path) -> None:
    """Places where REG-1.0's text was silent, or read in two ways, once."""
    maker, word = CHOSEN[name]
    subject = Subject(zip=maker(small().members), trust=small().trust.format())
    (answer,) = ask(stranger, [placed(subject, tmp_path)])
    assert first(answer) == word
    assert answer == reported(subject, tmp_path)


def test_the_stranger_says_what_each_vector_of_a_list_expects(stranger: Path) -> None:
    # What a registry answers is the installed command's to ask: the stranger verifies offline.
    made = {name: vectors for name, vectors in all_vectors().items() if not name.startswith("online/")}
    lists = {name: vectors for name, vectors in made.items() if isinstance(vectors, list)}
    vectors = [vector for each in lists.values() for vector in each]
    answers = ask(stranger, [vector["input"] for vector in vectors])
    wrong = [
        (vector["comment"], vector["expect"], answer)
        for vector, answer in zip(vectors, answers, strict=True)
        if first(answer) != vector["expect"]
    ]
    assert wrong == []
    assert len(vectors) > 500


def first(answer: object) -> object:
    """What a report says first, or the answer that is a word."""
    if not isinstance(answer, dict):
        return answer
    return answer["said"]["reason"] if answer["said"] else "accepted"


def test_the_stranger_reports_registry_receipts_by_themselves_as_the_core_does(stranger: Path) -> None:
    receipts = all_vectors()["receipts.json"]
    assert isinstance(receipts, list)
    for each, answer in zip(receipts, ask(stranger, [each["input"] for each in receipts]), strict=True):
        assert isinstance(answer, dict)
        assert {name: answer[name] for name in each["report"]} == each["report"], each["comment"]


@pytest.mark.parametrize("part", sampled(range(3), 3))
def test_the_stranger_reports_mutated_kits_step_by_step_as_the_core_does(
    stranger: Path, part: int, tmp_path: Path
) -> None:
    trust = small().trust.format()
    kits = [make_zip(mutant.members) for mutant in mutants(f"stranger {part}", MUTANTS // 3)]
    kits += [make_zip(members) for members in flipped(f"stranger {part}", MUTANTS // 3)]
    kits += pieces_moved(f"stranger {part}", MUTANTS // 3)
    answers = ask(stranger, [placed(Subject(zip=data, trust=trust), tmp_path) for data in kits])
    for data, answer in zip(kits, answers, strict=True):
        report = judge(Subject(zip=data, trust=trust), tmp_path).report
        assert report is not None
        assert answer == whole(report)


def test_the_stranger_reports_kits_of_random_logs_step_by_step_as_the_core_does(
    stranger: Path, tmp_path: Path
) -> None:
    """Keys retired and revoked, policies, cosignatures and times on both sides of every limit."""
    kits = [Subject(zip=d.zip, trust=d.trust.format()) for d in scenarios("stranger", LOGS)]
    answers = ask(stranger, [placed(subject, tmp_path) for subject in kits])
    verdicts = set()
    for subject, answer in zip(kits, answers, strict=True):
        report = judge(subject, tmp_path).report
        assert report is not None
        assert answer == whole(report)
        verdicts.add(report.verdict)
    assert verdicts == {Verdict.VERIFIED, Verdict.NOT_VERIFIED}


def test_the_stranger_reads_changed_documents_as_the_core_does(stranger: Path) -> None:
    changed = [
        (kind, data)
        for kind in KINDS
        for data in documents(kind.sample(), f"stranger {kind.name}", DOCUMENTS)
    ]
    answers = ask(stranger, [{"kind": kind.name, "data": b64(data)} for kind, data in changed])
    for (kind, data), answer in zip(changed, answers, strict=True):
        assert answer == _word(kind.parse, data), (kind.name, data)
    assert set(answers) > {"accepted", "schema-newer"}


def test_the_stranger_refuses_and_takes_trust_roots_as_the_core_does(stranger: Path) -> None:
    data = small().trust.format()
    changed = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(0, len(data), 3)]
    changed = [each for each in changed if each.isascii()]
    answers = ask(stranger, [{"kind": "trust", "data": b64(each)} for each in [data, *changed]])
    assert answers[0] == "accepted"
    assert answers == ["accepted", *(_word(parse_trust, each) for each in changed)]


def _word(parse: Callable[[bytes], object], data: bytes) -> str:
    try:
        parse(data)
    except VerificationError as error:
        return error.reason.value
    return "accepted"
