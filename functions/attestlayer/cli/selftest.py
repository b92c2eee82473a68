"""`verify.py selftest`: checks that this verifier, on this machine, gives known kits their known verdicts.

A folder holds kits and `expected.json`: `schema` `attestlayer/expected/1` and `kits`, an array of
`{comment, kit, reasons, trust, verdict}`, file names beside it and all reason words of the report in order.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from attestlayer.canonical import Json, parse_json, take_array, take_document, take_object, take_string
from attestlayer.cli.command import Output, Surroundings
from attestlayer.cli.verify import check_kit
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.exit_codes import EXIT_DONE, EXIT_NO
from attestlayer.reading.files import read_input, read_trust
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import report_unopened

EXPECTED = "expected.json"


@dataclass(frozen=True, slots=True)
class Expected:
    """The verdict and reasons that a verifier must give for a kit. `kit`, `trust`: file names."""

    comment: str
    kit: str
    trust: str
    verdict: str
    reasons: tuple[str, ...]


def selftest(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """Check each known kit: one row a kit, and the wanted answer where it differs."""
    folder: Path = arguments.folder or around.default_trust().parent / "vectors"
    lines, wrong = [around.style.bold("Known kits, and what this verifier says of them"), ""], 0
    for expected in _read(folder):
        report = _report(folder / expected.kit, folder / expected.trust)
        answer = (report.verdict.value, tuple(failure.reason.value for failure in report.failures))
        differs = answer != (expected.verdict, expected.reasons)
        wrong += differs
        lines += around.style.rows([("WRONG" if differs else "as it should", _words(expected.kit, *answer))])
        if differs:
            lines += around.style.rows([("wanted", _words(expected.kit, expected.verdict, expected.reasons))])
    said = "This verifier does not do what it should: don't use it." if wrong else "All as they should be."
    return Output(EXIT_NO if wrong else EXIT_DONE, around.style.finish([*lines, "", said]))


def _words(kit: str, verdict: str, reasons: tuple[str, ...]) -> str:
    return f"{kit}: {verdict}{', '.join(('', *reasons))}"


def _read(folder: Path) -> list[Expected]:
    """Raises `CouldNotCheckError` if the folder holds no vectors."""
    place = folder / EXPECTED
    try:
        members = take_document(parse_json(read_input(place)), "expected", ("kits",))
        return [_take(item) for item in take_array(members, "kits")]
    except ValueError as error:
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"{place}: {error}") from error


def _take(value: Json) -> Expected:
    members = take_object(value, ("comment", "kit", "reasons", "trust", "verdict"))
    comment, kit, trust, verdict = (take_string(members, n) for n in ("comment", "kit", "trust", "verdict"))
    return Expected(comment, kit, trust, verdict, tuple(map(str, take_array(members, "reasons"))))


def _report(kit: Path, trust: Path) -> Report:
    try:
        return check_kit(kit, read_trust(trust))
    except VerificationError as error:
        return report_unopened(Kind.KIT, error)
