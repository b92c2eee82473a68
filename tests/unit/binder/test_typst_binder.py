"""The binder PDF: its claims, its words on each page, its bytes, and names of every kind."""

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pikepdf
import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attestlayer.encoding import format_hash
from attestlayer.kit.intake import CheckResult, ReportCheck
from issuer.adapters.binder import content, renderer
from issuer.adapters.binder.renderer import TypstBinder
from issuer.model import Binder
from issuer.ports import BinderRenderer
from support.thorough import THOROUGH
from support.tools import require
from unit.binder.samples import BINDER, BOUNDARY, a_record, hash_of, with_names, with_records

TESTS = Path(__file__).parents[2]
RENDERER: BinderRenderer = TypstBinder()


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def packed(text: str) -> str:
    """Text without white space, since lines break where they like."""
    return re.sub(r"\s+", "", text)


@cache
def rendered(binder_name: str = "three") -> bytes:
    return RENDERER.render(BINDER if binder_name == "three" else _full_kit())


def _full_kit() -> Binder:
    return with_records(*(a_record(n, f"Payment {n}.pdf", reference=f"R-{n}") for n in range(1, 1000)))


def everything(binder: Binder) -> str:
    return packed("".join(pages(RENDERER.render(binder))))


def test_it_declares_pdf_a_3a_and_pdf_ua_1() -> None:
    with pikepdf.open(io.BytesIO(rendered())) as pdf, pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"


@THOROUGH
def test_verapdf_finds_nothing_against_pdf_a_3a_and_pdf_ua_1(tmp_path: Path) -> None:
    folder = TESTS / "unit/binder/verapdf"
    output = f"-DoutputDirectory={tmp_path}"
    maven = [require("mvn"), "-q", "-B", "-f", folder / "pom.xml", "dependency:copy-dependencies", output]
    subprocess.run(maven, check=True, capture_output=True)
    files = []
    binders = (BINDER, with_names("שלום", "契約.pdf"), replace(BINDER, records=(), hashes=()))
    for number, binder in enumerate(binders):
        files.append(tmp_path / f"{number}.pdf")
        files[-1].write_bytes(RENDERER.render(binder))
    # A Java source file runs as it is (JEP 330).
    java = [require("java"), "-cp", f"{tmp_path}/*", folder / "Verdict.java", *files]
    said = subprocess.run(java, check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [f"{file} {flavour} true" for file in files for flavour in ("3a", "ua1")]


def test_the_verification_page_is_a_link_and_a_qr_code() -> None:
    with pikepdf.open(io.BytesIO(rendered())) as pdf:
        notes = [note for page in pdf.pages for note in page.get("/Annots", [])]
        links = {str(note.A.URI) for note in notes if "/URI" in note.get("/A", {})}
        parts = [part for part in pdf.objects if isinstance(part, pikepdf.Dictionary)]
        alternatives = {str(part.Alt) for part in parts if "/Alt" in part}
    assert links == {BINDER.verify_page}
    assert f"QR code of the verification page: {BINDER.verify_page}" in alternatives


def test_it_is_tagged_titled_and_in_english() -> None:
    with pikepdf.open(io.BytesIO(rendered())) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en-GB"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert len(pdf.Root.StructTreeRoot.K) > 0
        assert str(pdf.docinfo["/Title"]) == f"AttestLayer evidence binder, {BINDER.kit_id}"


def test_its_only_dates_are_the_kits() -> None:
    with pikepdf.open(io.BytesIO(rendered())) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260314092653")
        assert set(re.findall(rb"D:\d{14}", rendered())) <= {b"D:20260314092653"}
        assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]{8}", str(pdf.open_metadata()))) == {
            "2026-03-14T09:26:53"
        }


def test_the_boundary_and_attestlayer_are_on_every_page() -> None:
    texts = pages(rendered())
    for number, text in enumerate(texts, 1):
        assert BOUNDARY in text
        assert "AttestLayer" in text
        assert f"Page {number} of {len(texts)}" in text


@pytest.mark.parametrize(
    "words",
    [
        BINDER.kit_id,
        BINDER.origin,
        BINDER.issuer_kid,
        BINDER.intake_policy_hash.hex(),
        BINDER.client_nonce_hash.hex(),
        format_hash(hash_of("checkpoint")),
        "14 March 2026, 09:26:53 UTC",
        "14 March 2026, 09:36:53 UTC",
        "the kit has not been modified since issuance",
        "that a buyer, auditor, insurer, bank, regulator or PSP has accepted the packet",
        "that the evidence content is legally sufficient",
        "attestlayer verify kit.zip --trust trust.json",
        "4 checks: 3 Pass, 1 Note.",
        "3 records (289.2 kB, 289,278 bytes)",
        "granted_by: Board of directors",
        "96,426 bytes",
    ],
)
def test_it_says(words: str) -> None:
    assert packed(words) in packed("".join(pages(rendered())))


def test_a_record_shows_its_path_name_type_media_type_and_hash() -> None:
    text = packed("".join(pages(rendered())))
    for record, digest in zip(BINDER.records, BINDER.hashes, strict=True):
        for words in (record.path, record.name, record.record_type, record.media_type, digest.hex()):
            assert packed(words) in text


def test_a_nonce_without_checkpoint_says_that_not_before_is_not_shown() -> None:
    text = everything(replace(BINDER, nonce_checkpoint=None))
    assert packed("Not before Not shown: the client nonce names no checkpoint.") in text


def test_a_superseded_kit_is_named_only_if_there_is_one() -> None:
    older = "kit_01JPA7D2M4X8Q9V6T3R5W1Y0ZA"
    assert f"Thiskitsupersedes{older}" in everything(replace(BINDER, supersedes=older))
    assert "upersedes" not in "".join(pages(rendered()))


def test_the_same_binder_makes_the_same_bytes() -> None:
    assert RENDERER.render(BINDER) == rendered()


@pytest.mark.parametrize(
    ("zone", "language", "seed"),
    [("Pacific/Kiritimati", "tr_TR.UTF-8", "1"), ("America/St_Johns", "C", "77")],
)
def test_another_process_zone_locale_and_hash_seed_make_the_same_bytes(
    zone: str, language: str, seed: str
) -> None:
    code = (
        "import sys; from unit.binder.samples import BINDER; "
        "from issuer.adapters.binder.renderer import TypstBinder; "
        "sys.stdout.buffer.write(TypstBinder().render(BINDER))"
    )
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "functions")]),
        "TZ": zone,
        "LANG": language,
        "LC_ALL": language,
        "PYTHONHASHSEED": seed,
    }
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert run.stdout == rendered()


def test_importing_the_adapter_does_not_import_typst() -> None:
    code = "import sys, issuer.adapters.binder.renderer; sys.exit('typst' in sys.modules)"
    environment = {"PYTHONPATH": str(TESTS.parent / "functions")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_999_records_are_all_listed() -> None:
    text = packed("".join(pages(rendered("999"))))
    assert all(digest.hex() in text for digest in _full_kit().hashes)
    assert "999records(" in text
    assert "Thisbinderlists" not in text


def test_what_is_too_much_to_list_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "CHARACTERS_LISTED", 20_000)
    long = {f"k{n}": "v" * 500 for n in range(10)}
    binder = with_records(*(a_record(n, "n" * 255, **long) for n in range(1, 21)))
    text = everything(binder)
    listed = sum(digest.hex() in text for digest in binder.hashes)
    assert 1 <= listed < 20
    assert packed(f"This binder lists the first {listed} of them. The other {20 - listed} are in") in text


INJECTIONS = (
    '#read("/etc/passwd")',
    "#panic(1)",
    "$x^2$ *bold* _it_ `raw` <label> @ref",
    '#import "x.typ"',
    "\\u{41} // comment /* */ ] } ) ; ~ -- ---",
    '"], "name": "x',
)


@pytest.mark.parametrize("text", INJECTIONS)
def test_markup_in_any_text_is_printed_as_text(text: str) -> None:
    check = ReportCheck(text, (text,), CheckResult.NOTE, text)
    record = replace(a_record(1, text, field=text), record_type=text, media_type=text)
    printed = everything(
        with_records(
            record, checks=(check,), sentences={text: text}, profile_title=text, profile_summary=text
        )
    )
    assert printed.count(packed(text.replace("\\u{", "\\u{5C}u{"))) >= 8


@pytest.mark.parametrize(
    ("name", "as_shown"),
    [
        ("日本語の請求書 2026年3月.pdf", "日本語の請求書 2026年3月.pdf"),
        ("Отчёт за март.docx", "Отчёт за март.docx"),
        ("발주서 최종본.xlsx", "발주서 최종본.xlsx"),
        ("Bill 🎉.png", "Bill \\u{1F389}.png"),
        ("evil\u202efdp.exe", "evil\\u{202E}fdp.exe"),
        ("a\0b\tc\nd\ue000e\ud800f", "a\\u{0}b\\u{9}c\\u{A}d\\u{E000}e\\u{D800}f"),
    ],
)
def test_a_name_is_shown_as_far_as_the_fonts_go(name: str, as_shown: str) -> None:
    assert packed(as_shown) in everything(with_names(name))


def test_a_text_that_a_font_fails_on_is_escaped_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "shown", lambda text, _: text)
    assert packed("a\\u{F8FF} \\u{E9}.pdf") in everything(with_names("a\uf8ff é.pdf"))


def _words_past_the_margin(pdf: bytes) -> list[str]:
    found: list[str] = []

    def visit(text: str, outer: list[float], inner: list[float], _font: object, _size: object) -> None:
        x = inner[4] * outer[0] + inner[5] * outer[2] + outer[4]
        y = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
        if text.strip() and not (55 <= x <= 540 and 20 <= y <= 822):  # points; A4 is 595 by 842
            found.append(f"{text} at {x}, {y}")

    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=visit)
    return found


@pytest.mark.parametrize("letter", ["W", "i", "日", "م", "𝔸", "_"])
def test_a_long_unbroken_name_wraps_inside_its_cell(letter: str) -> None:
    record = a_record(1, letter * 255, **{letter * 60: letter * 600})
    pdf = RENDERER.render(with_records(record, profile_title=letter * 80))
    shown = letter if letter != "𝔸" else "\\u{1D538}"
    assert not _words_past_the_margin(pdf)
    text = packed("".join(pages(pdf)))
    if letter != "م":  # right to left: extraction reorders
        assert shown * 255 in text


@pytest.mark.parametrize("length", range(500, 1500, 200))
def test_a_row_of_wide_letters_stays_on_its_page_or_is_cut(length: int) -> None:
    fields = {f"k{n}": "W" * (length // 4) for n in range(2)}
    record = a_record(1, "W" * (length // 2), **fields)
    short = {f"k{n:02}": "W" for n in range(length // 50)}
    paths = tuple(f"{n}{'W' * (length // 8)}" for n in range(8))
    check = ReportCheck("wide", paths, CheckResult.NOTE, "W" * (length // 2))
    second = replace(a_record(2), metadata=short)
    pdf = RENDERER.render(with_records(record, second, checks=(check,), sentences={"wide": "W" * 300}))
    assert not _words_past_the_margin(pdf)
    assert len(pages(pdf)) >= 3


any_text = st.text(st.characters(exclude_categories=()), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=any_text, metadata=st.dictionaries(any_text, any_text, max_size=3), found=any_text)
def test_no_text_makes_it_fail(name: str, metadata: dict[str, str], found: str) -> None:
    check = ReportCheck("any", (name,), CheckResult.PASS, found)
    record = replace(a_record(1, name), metadata=metadata)
    binder = with_records(record, checks=(check,), sentences={"any": found})
    assert RENDERER.render(binder).startswith(b"%PDF-1.7")
