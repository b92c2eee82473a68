"""Rules of single records and of the packet, both ways, and what a report says."""

import dataclasses
import pickle

import pytest

from issuer.intake.blocker_report import format_blocker_report, format_blocker_text
from issuer.intake.catalogue import load_policies
from issuer.intake.evaluate import evaluate
from issuer.intake.examine import examine
from issuer.intake.media import MediaType
from issuer.intake.rules import ONLY_NOTES, GeneralCheck, Result, TypeCheck

from .makers import pdf
from .packets import AT, File, a_mandate, an_act, failed, record, report_on, small_policy
from .test_recognise import BOMB, DOCX, OLE, PE, PNG, encrypted_pdf, zipped

GOOD = a_mandate()


def pdf_with_script() -> bytes:
    return pdf(catalog="/OpenAction << /S /JavaScript /JS (this.print\\(\\)) >>")


REFERENCE = {"reference": "M-001", "as_of": "2026-11-01"}
NESTED = zipped({"i.zip": zipped({"a": b"x"})})


def as_mandate(name: str, data: bytes, **metadata: str) -> File:
    return (name, "mandate", {**REFERENCE, **metadata}, data)


CASES: dict[str, tuple[list[File], list[str]]] = {
    "a complete packet": ([GOOD, an_act()], []),
    "an unknown record type": ([GOOD, ("x.txt", "letter", {}, b"x")], ["known-record-type"]),
    "no record type": ([GOOD, ("x.txt", "", {}, b"x")], ["known-record-type"]),
    "an empty file": ([GOOD, ("x.txt", "act", {}, b"")], ["not-empty"]),
    "a GIF": ([GOOD, ("x.gif", "act", {}, b"GIF89a" + bytes(20))], ["recognised"]),
    "an unreadable file": ([GOOD, ("x.png", "act", {}, PNG[:500])], ["readable"]),
    "an encrypted file": ([as_mandate("m.pdf", encrypted_pdf())], ["not-encrypted"]),
    "a program": ([GOOD, ("x.txt", "act", {}, PE)], ["no-executables"]),
    "macros": ([GOOD, ("x.xls", "act", {}, OLE + "_VBA_PROJECT".encode("utf-16-le"))], ["no-macros"]),
    "an archive in an archive": ([GOOD, ("x.zip", "act", {}, NESTED)], ["no-nested-archives"]),
    "a bomb": ([GOOD, ("x.zip", "act", {}, BOMB)], ["expands-within-bounds"]),
    "the same bytes twice": ([GOOD, an_act(1), ("copy.txt", "act", {}, b"act 1")], ["no-duplicates"]),
    "a name that says another type": ([GOOD, ("x.png", "act", {}, b"a text")], ["name-agrees"]),
    "a text in windows-1252": ([GOOD, ("x.txt", "act", {}, "Grüße".encode("cp1252"))], ["text-in-utf-8"]),
    "a PDF with JavaScript": ([as_mandate("m.pdf", pdf_with_script())], ["no-document-scripts"]),
    "no mandate": ([an_act()], ["mandate-count"]),
    "too many mandates": ([a_mandate(n) for n in range(4)], ["mandate-count"]),
    "a media type that is not accepted": ([as_mandate("m.png", PNG)], ["mandate-form"]),
    "a type not accepted behind an accepted name": (
        [as_mandate("m.pdf", PNG)],
        ["name-agrees", "mandate-form"],
    ),
    "a file that is too large": ([as_mandate("m.txt", b"x" * (1024 * 1024 + 1))], ["mandate-form"]),
    "a missing value": ([("m.txt", "mandate", {"as_of": "2026-11-01"}, b"x")], ["mandate-metadata"]),
    "a malformed value": ([a_mandate(sum="1,000.00")], ["mandate-metadata"]),
    "a value outside its list": ([a_mandate(state="fine")], ["mandate-metadata"]),
    "a date that does not exist": ([a_mandate(as_of="2026-02-30")], ["mandate-metadata"]),
    "a lone surrogate": ([a_mandate(person="\ud800")], ["mandate-metadata"]),
    "a value that is not asked for": ([a_mandate(colour="red")], ["mandate-metadata"]),
    "thirty days old": ([a_mandate(as_of="2026-10-21")], []),
    "thirty-one days old": ([a_mandate(as_of="2026-10-20")], ["mandate-age"]),
    "of tomorrow, where it may be today": ([a_mandate(as_of="2026-11-21")], []),
    "of the day after tomorrow": ([a_mandate(as_of="2026-11-22")], ["mandate-age"]),
    "JSON that fits": ([as_mandate("m.json", b'{"reference": "M-001"}')], []),
    "JSON that lacks a member": ([as_mandate("m.json", b"{}")], ["mandate-content"]),
    "JSON that says another reference": (
        [as_mandate("m.json", b'{"reference": "M-2"}')],
        ["mandate-content"],
    ),
    "CSV with its columns": ([as_mandate("m.csv", b"b,a,c\n1,2,3\n")], []),
    "CSV without a column": ([as_mandate("m.csv", b"a,c\n1,2\n")], ["mandate-content"]),
    "CSV without rows": ([as_mandate("m.csv", b"a,b\n")], ["mandate-content"]),
    "CSV under a preamble": ([as_mandate("m.csv", b"Account;17\n\na;b;c\n1;2;3\nTotal\n")], []),
    "CSV after sep=": ([as_mandate("m.csv", b"sep=;\na;b\n1;2\n")], []),
    "CSV in UTF-16": ([as_mandate("m.csv", "a\tb\n1\t2\n".encode("utf-16"))], ["text-in-utf-8"]),
    "CSV with another column twice": ([as_mandate("m.csv", b"a,b,c,c,\n1,2,3,3,\n")], []),
    "CSV with a column twice": ([as_mandate("m.csv", b"a,b,a\n1,2,3\n")], ["mandate-content"]),
    "CSV whose rows are too short": ([as_mandate("m.csv", b"c,a,b\n1,2\n")], ["mandate-content"]),
    "a document whose inside is not checked": ([as_mandate("m.docx", DOCX)], []),
}


@pytest.mark.parametrize("name", CASES)
def test_exactly_the_rules_fail_for(name: str) -> None:
    files, rules = CASES[name]
    report = report_on(small_policy(), *files)
    assert failed(report) == rules
    assert report.outcome == ("FAIL" if set(rules) - ONLY_NOTES else "PASS")


def test_bytes_other_than_announced_are_a_blocker() -> None:
    policy = small_policy()
    announced = record(1, "m.txt", "mandate", REFERENCE, b"one")
    report = evaluate(policy, [examine(policy, announced, b"two")], AT)
    assert failed(report) == ["bytes-as-announced"]


def test_too_many_bytes_in_all_are_a_blocker() -> None:
    policy = dataclasses.replace(small_policy(), max_total_size=10, max_records=1)
    assert failed(report_on(policy, GOOD, an_act())) == ["packet-limits"]
    (blocker,) = report_on(policy, GOOD, an_act()).blockers
    assert len(blocker.findings) == 2


def test_a_record_that_is_too_large_to_take_is_a_blocker() -> None:
    policy = small_policy(mandate={"max_mib": 100})
    large = as_mandate("m.json", b'"' + b"a" * (25 * 1024 * 1024) + b'"')
    assert failed(report_on(policy, large)) == ["not-too-large"]


def test_each_general_check_has_a_case_that_fails_it() -> None:
    shown = {rule for _, rules in CASES.values() for rule in rules}
    elsewhere = {"bytes-as-announced", "packet-limits", "not-too-large", "uploaded", "read-within-budget"}
    assert set(GeneralCheck) <= shown | elsewhere


def test_a_type_without_records_is_not_applicable() -> None:
    results = {check.rule_id: check.result for check in report_on(small_policy(), GOOD).checks}
    assert results["act-count"] is results["act-form"] is Result.NOT_APPLICABLE
    assert results["mandate-count"] is Result.PASS
    assert results["mandate-content"] is Result.NOT_APPLICABLE  # it is a text; nothing inside is checked


def test_every_blocker_is_reported_in_one_go_with_all_that_a_client_needs() -> None:
    bad: list[File] = [
        ("x.exe", "act", {}, PE),
        ("y.txt", "act", {}, b""),
        ("z.zip", "act", {}, BOMB),
        ("z2", "what", {}, b"z"),
    ]
    report = report_on(small_policy(), *bad)
    assert failed(report) == [
        *("known-record-type", "not-empty", "no-executables", "expands-within-bounds", "mandate-count")
    ]
    for blocker in report.blockers:
        assert blocker.sentence
        for finding in blocker.findings:
            assert all((finding.found, finding.expected, finding.fix)), finding


def test_a_hostile_name_is_never_shown_raw() -> None:
    name = "bill\x1b[2J\u202etxt\ud800.txt"
    policy = small_policy()
    report = report_on(policy, (name, "letter", {"k\n": "v"}, b""))
    text = format_blocker_text(report, policy, AT)
    assert not {"\x1b", "\u202e", "\ud800"} & set(text)
    assert b"\\\\x1b" in format_blocker_report(report, "pkt_1", policy, AT)


def test_the_text_names_rule_record_found_wanted_and_what_to_do() -> None:
    policy = small_policy()
    text = format_blocker_text(report_on(policy, a_mandate(as_of="2026-10-20")), policy, AT)
    # Written by hand: what a client reads at a terminal.
    assert text == (
        "FAIL  TEST-01/small version 1, 2026-11-20T12:00:00Z\n"
        "One thing blocks this packet. A packet that is blocked uses no credit.\n"
        "\n"
        "1. Mandate: the date stated in as_of is in the last 30 days.\n"
        "   Record:  mandate-1.txt\n"
        "   Found:   it is of 2026-10-20, 31 days before 2026-11-20\n"
        "   Wanted:  at most 30 days old\n"
        "   To do:   Get a current copy, or have the record confirmed again, and give the new date in "
        "as_of.\n"
        "   Rule:    mandate-age\n"
        "\n"
        "This report covers missing, unreadable or contradictory records. It does not judge their quality.\n"
        "The type of each record and the values stated for it are the client's own words. The checks "
        "compare\n"
        "these statements with each other; a record is read to confirm them only where a check says so.\n"
    )


def test_the_text_of_a_pass_says_that_nothing_blocks() -> None:
    policy = small_policy()
    assert "PASS" in format_blocker_text(report_on(policy, GOOD), policy, AT).splitlines()[0]
    assert "Nothing blocks this packet." in format_blocker_text(report_on(policy, GOOD), policy, AT)


def test_a_rule_that_fails_for_many_records_is_printed_once_with_all_of_them() -> None:
    letters = ((f"letter-{number:02}.txt", "letter", {}, b"%d" % number) for number in range(19))
    files: list[File] = [GOOD, *letters]
    report = report_on(small_policy(), *files)
    (blocker,) = report.blockers
    (finding,) = blocker.findings
    assert len(finding.record_ids) == len(finding.names) == 19
    text = format_blocker_text(report, small_policy(), AT)
    assert "One thing blocks this packet." in text
    assert text.count(blocker.sentence) == text.count("To do:") == 1
    assert "   19 records: letter-00.txt, letter-01.txt," in text


def test_flaws_of_one_rule_have_their_own_words_under_one_heading() -> None:
    files: list[File] = [GOOD, ("a.png", "act", {}, PNG[:500]), ("b.docx", "act", {}, DOCX[:900])]
    (blocker,) = report_on(small_policy(), *files).blockers
    first, second = blocker.findings
    assert (first.names, second.names) == (("a.png",), ("b.docx",))
    assert first.found == "it is a PNG that is damaged or breaks off before its end"
    assert second.found == "it is a ZIP-based file that is damaged or cut off"
    assert first.fix != second.fix


def test_records_that_are_the_same_are_told_apart_from_others_that_are() -> None:
    names = ("a1", "a2", "b1", "b2")
    files: list[File] = [GOOD, *((f"{name}.txt", "act", {}, name[:1].encode()) for name in names)]
    (blocker,) = report_on(small_policy(), *files).blockers
    assert [finding.names for finding in blocker.findings] == [("a1.txt", "a2.txt"), ("b1.txt", "b2.txt")]


def test_names_are_printed_as_written() -> None:
    policy = small_policy()
    report = report_on(policy, GOOD, ("未上传.pdf", "act", {}, b""), ("Größe ☕.txt", "act", {}, b""))
    text = format_blocker_text(report, policy, AT)
    assert "未上传.pdf, Größe ☕.txt" in text
    assert "未上传.pdf".encode() in format_blocker_report(report, "pkt_1", policy, AT)


def test_an_iso_20022_message_is_taken_where_a_payment_lane_asks_for_one() -> None:
    policy = load_policies().find("PAY-01", "wire-transfer")
    message = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:%s"/>'
    for record_type, kind in (
        ("payment-instruction", b"pain.001.001.09"),
        ("execution-record", b"pacs.008.001.08"),
        ("settlement-record", b"camt.053.001.08"),
    ):
        data = message % kind
        examined = examine(policy, record(1, "a.xml", record_type, {}, data), data)
        assert examined.media_type is MediaType.ISO_20022
        assert not examined.failed(TypeCheck.FORM), record_type
    examined = examine(policy, record(1, "a.xml", "approval", {}, data), data)
    (mismatch,) = examined.failed(TypeCheck.FORM)
    assert mismatch.found == "its content is ISO 20022 XML"


def test_an_examined_record_can_be_sent_to_another_process() -> None:
    examined = examine(small_policy(), record(1, "x.zip", "act", {}, BOMB), BOMB)
    assert pickle.loads(pickle.dumps(examined)) == examined


def test_what_is_wanted_in_place_of_a_foreign_type_are_the_types_of_the_record_type() -> None:
    report = report_on(small_policy(), as_mandate("m.gif", b"GIF89a" + bytes(20)))
    (finding,) = report.blockers[0].findings
    assert finding.expected == "a file of type PDF, DOCX, JSON, CSV or TXT"
