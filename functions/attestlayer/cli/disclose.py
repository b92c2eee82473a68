"""`attestlayer disclose`: one record of a verified kit, with the proof that it is the kit's."""

import argparse
from pathlib import Path

from attestlayer.cli.command import Output, Surroundings, complain
from attestlayer.cli.new_file import new_file
from attestlayer.cli.text import Style
from attestlayer.cli.verify import load_trust
from attestlayer.exit_codes import EXIT_DONE
from attestlayer.kit.container import Kit, KitWriter
from attestlayer.kit.disclosure import disclose
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import open_kit
from attestlayer.verify.report import Report, Verdict
from attestlayer.verify.verifier import explain, explain_disclosure

_TELLS = (
    "It shows this record with its name and number, which kit it is of, the kit's lane, profile, times and "
    "entry in the registry. Of the other records it holds no name, size, hash or content; the length of the "
    "proof tells roughly how many there are."
)


def disclose_record(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`disclose`: the kit is verified first, the result before it is announced."""
    path, record, place = arguments.kit, arguments.record, arguments.output
    trust, _ = load_trust(arguments.trust, around.default_trust, path)
    with open_kit(path) as kit:
        report = explain(kit, trust)
        if report.verdict != Verdict.VERIFIED:
            return _refused(f"{path} is {report.verdict}; `attestlayer verify` says why")
        try:
            documents = disclose(kit.documents, record)
        except ValueError as error:
            return _refused(f"{error}; `attestlayer inspect` lists its members")
        report = _write(place, kit, {**documents, record: None}, trust)
    return Output(EXIT_DONE, _announce(place, report, around.style))


def _write(place: Path, kit: Kit, members: dict[str, bytes | None], trust: TrustRoot) -> Report:
    """Write a new canonical ZIP; members without bytes here are copied from the kit.

    Raises `OutputError`.
    """
    with new_file(place) as file:
        writer = KitWriter(file)
        for name, data in sorted(members.items(), key=lambda item: item[0]):
            if data is None:
                writer.copy(kit.members[name])
            else:
                writer.add(name, data)
        writer.finish()
        file.flush()
        with open_kit(place) as part:
            report = explain_disclosure(part, trust)
        if report.verdict != Verdict.VERIFIED:  # of a kit that is: a fault of ours
            raise AssertionError(f"{place} came out as {report.verdict}")
    return report


def _refused(why: str) -> Output:
    return Output(complain(f"nothing disclosed: {why}"), "")


def _announce(place: Path, report: Report, style: Style) -> str:
    issued = report.issued
    assert issued is not None
    assert issued.record is not None
    rows = [("file", str(place)), ("record", issued.record.path), ("kit", issued.kit_id or "")]
    lines = [style.bold("One record disclosed"), *style.rows(rows), "", *style.wrap(_TELLS)]
    lines += style.wrap(f"To check it: attestlayer verify {place}")
    return style.finish(lines)
