"""What REG-1.0 lists and what the code knows are the same: words, advice, members, paths, limits, names."""

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from attestlayer import canonical, encoding, keys
from attestlayer.canonical import Members, parse_json, take_members
from attestlayer.cli import advice, json, text
from attestlayer.errors import COULD_NOT_CHECK, Reason, Remark
from attestlayer.kit import container, contents, disclosure, intake, manifest, receipt, zip_frame
from attestlayer.kit.disclosure import disclose
from attestlayer.log import layout, leaf, lookup, note, notices, promises, tiles, trust
from attestlayer.verify.report import Status
from attestlayer.verify.steps import STEPS
from attestlayer.verify.verifier import explain
from support.build import make_zip, open_zip
from support.cases import CASES
from support.documents import KINDS
from support.judge import judge
from support.log import TestLog
from support.spec_tables import PATH, Table, read, section, table, tables, with_advice
from support.worked import RECORDS, worked


def words(cell: str) -> list[str]:
    """The words in code type of a cell, whose outer back-quotes a table drops."""
    return re.findall(r"[a-z][a-zA-Z0-9_.-]*", cell.replace("`", " ").split(" (")[0])


def test_the_reason_words_are_those_of_the_code_in_its_order_with_its_advice() -> None:
    rows = table("A.1").rows
    assert [(row[0], row[3]) for row in rows] == [(word.value, advice.ADVICE[word]) for word in Reason]


def test_the_remarks_are_those_of_the_code_with_its_advice() -> None:
    rows = table("A.2").rows
    assert [(row[0], row[3]) for row in rows] == [(w.value, advice.REMARK_ADVICE[w]) for w in Remark]


def test_making_the_advice_anew_changes_nothing_and_would_mend_a_change() -> None:
    assert with_advice(read()) == read()
    spoilt = read().replace(advice.ADVICE[Reason.KIT_WITHDRAWN], "Rely on it.")
    assert with_advice(spoilt) == read()


@pytest.mark.parametrize(
    ("title", "closed"),
    [
        ("A.3", notices.RevocationReason),
        ("A.4", notices.WithdrawalReason),
        ("A.5", notices.IncidentKind),
        ("A.6", notices.IncidentReason),
        ("A.7", intake.CheckResult),
    ],
)
def test_a_closed_table_is_the_codes(title: str, closed: Iterable[str]) -> None:
    assert [row[0] for row in table(title).rows] == [str(word) for word in closed]


def test_each_reason_comes_from_the_steps_that_the_table_names(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    named = {row[0]: {int(n) for n in re.findall(r"[0-9]+", row[1])} for row in table("A.1").rows}
    for case in CASES:
        found = judge(case.build(), tmp_path_factory.mktemp("kit")).report
        for step in found.steps if found else ():
            for failure in step.failures:
                steps = named[failure.reason.value]
                opened = failure.reason in COULD_NOT_CHECK and step.number == 1
                assert step.number in steps or opened, (case.name, step.number, failure.reason)


def test_a_document_that_does_not_read_is_reported_by_its_home_step_alone() -> None:
    homes = {name: int(row[1]) for row in table("12.3").rows for name in re.findall(r"[a-z_/]+\.\w+", row[0])}
    assert len(homes) == 7
    for name, home in homes.items():
        data = make_zip({**EXAMPLE.members, name: b"{}"})
        found = explain(open_zip(data), EXAMPLE.trust)
        malformed = [s.number for s in found.steps for f in s.failures if f.reason.endswith("-malformed")]
        assert malformed == [home], name


def test_the_words_that_mean_could_not_check_are_named() -> None:
    row = table("12.5").by_first()["COULD NOT CHECK"]
    assert {word for word in words(row[0]) if "-" in word} == {word.value for word in COULD_NOT_CHECK}


def test_the_verdicts_and_exit_codes_are_the_codes() -> None:
    rows = table("12.5").rows
    assert {row[0]: int(row[2]) for row in rows} == {v.value: code for v, code in json.EXIT_CODES.items()}


def test_the_steps_have_the_names_that_the_text_gives_them() -> None:
    named = re.search(r"Names of the steps are:(.*?)\.", section("12.7"), re.DOTALL)
    assert named
    assert re.findall(r"`([a-z ]+)`", " ".join(named[1].split())) == [step.name for step in STEPS]
    headings = re.findall(r"\*\*Step ([0-9]+), ([a-z ]+)\.\*\*", section("12.4"))
    assert headings == [(str(n), step.name) for n, step in enumerate(STEPS, 1)]
    for status in Status:
        assert f"`{status.value}`" in section("12.7")


LIMITS_OF_A_KIT = {
    "bytes of a kit's records": manifest.MAX_RECORDS_LENGTH,
    "bytes of binder.pdf and of intake_report.json": manifest.member_limit("binder.pdf"),
    "bytes of manifest.json and of hash_trail.json": manifest.member_limit("hash_trail.json"),
    "bytes of registry/registry_receipt.json": manifest.member_limit("registry/registry_receipt.json"),
    "bytes of another member": manifest.MAX_OTHER_LENGTH,
    "entries of a folder or a ZIP": contents.MAX_ENTRIES,
    "ignored files": contents.MAX_IGNORED,
    "bytes of all ignored files": contents.MAX_IGNORED_LENGTH,
    "bytes of a ZIP": zip_frame.MAX_ZIP_LENGTH,
    "bytes of a ZIP's central directory": zip_frame.MAX_DIRECTORY_LENGTH,
}

LIMITS = {
    "largest integer": encoding.MAX_INTEGER,
    "bytes of a JSON document": canonical.MAX_DOCUMENT,
    "depth of JSON": canonical.MAX_DEPTH,
    "bytes of a log entry or leaf record": tiles.MAX_ENTRY,
    "bytes of a client nonce": receipt._MAX_NONCE_LENGTH,
    "largest schema number": 999_999_999,
    "bytes of an origin": encoding._ORIGIN_MAX,
    "characters of a note": note.MAX_NOTE,
    "signature lines of a note": note.MAX_SIGNATURES,
    "latest time of a cosignature": note._MAX_TIME,
    "hashes of an audit path": leaf.MAX_PATH,
    "characters of a witness policy": note.MAX_POLICY,
    "names of a witness policy": note.MAX_LINES,
    "bytes of an ML-DSA-44 public key in a witness policy": note.ML_DSA_KEY_LENGTH,
    "notices of a document": notices.MAX_NOTICES,
    "bytes of a notices document": notices.MAX_NOTICES_LENGTH,
    "bytes of trust.json": trust.MAX_TRUST_LENGTH,
    "records of a kit": manifest.MAX_RECORDS,
    **LIMITS_OF_A_KIT,
    "seconds from issued_at to merge_by": promises.MERGE_DELAY_S,
    "seconds between a cosignature and its checkpoint": promises.WITNESS_WINDOW_S,
    "seconds after which a trust root is old": promises.TRUST_ROOT_OLD_S,
    "seconds after which a served trust root is called frozen": promises.TRUST_ROOT_FROZEN_S,
    "seconds after which a newest checkpoint is stale": promises.REGISTRY_STALE_S,
    "checkpoints of a bundle": layout.BUNDLED,
    "hashes of a full tile": tiles.WIDTH,
    "seconds that a mutable object is cached": layout.MUTABLE_MAX_AGE_S,
}


def test_the_limits_are_the_codes() -> None:
    assert {row[0].replace("`", ""): int(row[1]) for row in table("A.8").rows} == LIMITS


def test_the_limits_of_a_kit_are_those_of_the_appendix() -> None:
    texts = " ".join(cell for row in table("6.2").rows for cell in row)
    for limit, value in LIMITS_OF_A_KIT.items():
        assert f"{value:,}" in texts, limit
    assert f"1 to {manifest.MAX_RECORDS}" in section("6.2")
    assert manifest.MAX_RECORDS_LENGTH == 104_857_600


EXAMPLE = worked().kit
DOCUMENTS = {
    "3. Leaf": EXAMPLE.sealed.record.leaf.entry(),
    "4. Receipt": EXAMPLE.members[manifest.RECEIPT],
    "6.3": EXAMPLE.members[manifest.MANIFEST],
    "6.4": EXAMPLE.members[manifest.INTAKE_REPORT],
    "7. Hash trail": EXAMPLE.members[manifest.HASH_TRAIL],
    "8. Registry receipt": EXAMPLE.members[manifest.REGISTRY_RECEIPT],
    "9.1": EXAMPLE.trust.checkpoint.format(),
    "9.3": EXAMPLE.trust.notices.format(),
    "9.6": EXAMPLE.trust.format(),
    "13.1": disclose(EXAMPLE.kit().documents, RECORDS[0][0])[manifest.DISCLOSURE],
}
"""A document of each section; its parser takes exactly these members, as the vectors show."""


@pytest.mark.parametrize("title", DOCUMENTS)
def test_a_document_has_the_members_that_its_section_lists(title: str) -> None:
    listed = tables(title)[-1 if title == "13.1" else 0].rows
    named = [word for row in listed for word in words(row[0])]
    assert sorted(named) == sorted(take_members(parse_json(DOCUMENTS[title])))


def test_each_kind_of_document_has_the_reason_word_that_the_text_gives_it() -> None:
    listed = table("Appendix B").rows
    by_schema = {
        row[1].removeprefix("attestlayer/").removesuffix("/1"): words(row[3])[0]
        for row in listed
        if row[1] and row[3]
    }
    for kind in KINDS:
        if kind.has_schema:
            assert by_schema[kind.name] == kind.reason.value


def test_the_events_and_their_data_are_the_codes() -> None:
    data = {kind.value: set(intake._DATA_OF[kind]) for kind in intake.EventType}
    rows = tables("7. Hash trail")[1].rows
    assert [row[0] for row in rows] == list(data)
    for row in rows:
        assert set(words(row[1])) - {"none"} == data[row[0]]


def test_the_notices_and_their_data_are_the_codes() -> None:
    rows = tables("9.3")[1].rows
    assert [row[0] for row in rows] == [kind.value for kind in notices.NoticeType]
    for row in rows:
        outside = re.sub(r"\([^)]*\)", "", row[1])
        assert set(words(outside)) - {"a", "of"} == set(notices._SHAPES[notices.NoticeType(row[0])]), row


def test_the_identifiers_patterns_are_the_codes() -> None:
    patterns = {row[0].replace("`", ""): row[1] for row in table("2.3").rows}
    for name, pattern in {
        "origin": encoding._ORIGIN,
        "lane_id": encoding._LANE,
        "profile_id": encoding._PROFILE,
        "kit_id": encoding._KIT_ID,
    }.items():
        assert patterns[name].startswith(pattern.pattern), name
    assert manifest._RECORD.pattern.replace("([0-9]{3})", "[0-9]{3}") in section("6.1")


def test_the_members_of_a_kit_are_the_codes() -> None:
    named = [row[0] for row in table("6.1").rows]
    fixed = {name for name in named if "<" not in name}
    assert fixed == {*manifest.UNLISTED, *manifest.ALWAYS_LISTED, manifest.NONCE_CHECKPOINT}
    assert named == sorted(named)


def test_the_members_of_a_disclosed_record_are_the_codes() -> None:
    named = [row[0] for row in tables("13.1")[0].rows]
    assert {name for name in named if "<" not in name} == manifest._WITH_DISCLOSURE
    assert f"at most {disclosure.MAX_WAY} objects" in section("13.1")


def header(title: str, number: int) -> Table:
    return tables(title)[number]


def test_the_zip_headers_are_laid_out_as_the_tables_say() -> None:
    name = "records/001-a.txt"
    made = (
        container.local_header(name, 5, 0xCAFEBABE),
        container.central_header(name, 5, 0xCAFEBABE, 0x01020304),
    )
    varying = {
        "CRC-32": 0xCAFEBABE,
        "compressed size": 5,
        "uncompressed size": 5,
        "name length": len(name),
        "offset": 0x01020304,
    }
    fixed = {"flags": 0, "method": 0, "time": 0, "date": 0x2821, "version needed": 20, "version made by": 20}
    for number, data in enumerate(made):
        at = 0
        for row in header("6.5", number).rows:
            offset, length, field = int(row[0]), int(row[1]), row[2]
            assert offset == at
            found = int.from_bytes(data[offset : offset + length], "little")
            if field == "signature":
                assert data[offset : offset + length].hex(" ") == row[3]
            else:
                assert found == varying.get(field, fixed.get(field, 0)), field
            at += length
        assert data[at:] == name.encode()


def test_the_nonce_and_the_sentences_are_the_codes() -> None:
    assert section("5. Client nonce").partition("```text\n")[2].startswith(f"{receipt.NONCE_HEADER}\n")
    assert section("4. Receipt").count(receipt.BOUNDARY) == 1
    assert f"> {receipt.BOUNDARY}\n" in section("16.3")
    bullets = re.findall(r"^- (.+)$", section("16.1"), re.MULTILINE)
    assert bullets == [*text.PROVES, *text.RECORD_PROVES, *text.RECEIPT_PROVES]
    bullets = re.findall(r"^- (.+)$", section("16.2"), re.MULTILINE)
    assert bullets == [
        *text.DOES_NOT_PROVE,
        text.RECORD_DOES_NOT_PROVE[0],
        text.RECEIPT_DOES_NOT_PROVE[0],
    ]


def test_the_reports_members_are_those_that_the_command_writes() -> None:
    assert [row[0] for row in table("12.7").rows] == list(_report())


def _report() -> Members:
    import json

    from support.spec_blocks import blocks

    return dict(json.loads(blocks()["report"]))  # noqa: TID251


SAMPLE_HASH = bytes(32)
NAMES = {
    "/tile/<L>/<N>[.p/<W>]": tiles.Tile(1, 5, 7).path,
    "/tile/entries/<N>[.p/<W>]": tiles.Tile(0, 5, 7).bundle_path,
    "/v1/checkpoints/{hash}.json": layout.checkpoint_path(SAMPLE_HASH),
    "/v1/checkpoints/bundle/<N>": layout.checkpoint_bundle_path(5),
    "/v1/entries/{leaf_hash}.json": layout.entry_path(SAMPLE_HASH),
    "/v1/proofs/inclusion/{leaf_hash}.json": layout.inclusion_path(SAMPLE_HASH),
    "/v1/proofs/consistency/{A}-{B}.json": layout.consistency_path(1, 2),
    "/v1/policies/{intake_policy_hash}.json": layout.policy_path(SAMPLE_HASH),
    "/v1/notices/{hash}.json": layout.notices_path(SAMPLE_HASH),
    "/v1/index/<k>/<N>/<S>": layout.index_path(3, 5, 5),
    "/v1/jwks/registry/{kid}.vkey": layout.registry_key_path(encoding.format_hash(SAMPLE_HASH)),
    "/checkpoint": layout.CHECKPOINT,
    "/v1/checkpoints/latest.json": layout.LATEST,
    "/v1/jwks/registry.jwks.json": layout.REGISTRY_JWKS,
    "/v1/jwks/issuer.jwks.json": layout.ISSUER_JWKS,
    "/v1/jwks/registry.vkey": layout.REGISTRY_VKEY,
    "/v1/policy.txt": layout.POLICY,
    "/v1/log-list.txt": layout.LOG_LIST,
    "/v1/stats": layout.STATS,
    "/v1/trust.json": layout.TRUST,
    "/v1/spec/REG-1.0.md": layout.SPECIFICATION,
    "/v1/verify-kit.zip": "v1/verify-kit.zip",
}
FILLED = {
    "<L>": "1",
    "<N>": "005",
    "<k>": "3",
    "<S>": "005",
    "[.p/<W>]": ".p/7",
    "{A}-{B}": "1-2",
    "{hash}": encoding.format_hash(SAMPLE_HASH),
    "{leaf_hash}": encoding.format_hash(SAMPLE_HASH),
    "{intake_policy_hash}": encoding.format_hash(SAMPLE_HASH),
    "{kid}": encoding.format_hash(SAMPLE_HASH),
}


def test_the_objects_have_the_paths_types_and_caching_that_the_table_gives_them() -> None:
    rows = table("10.1").rows
    assert [row[0] for row in rows] == list(NAMES)
    for path, changes, content_type, _ in rows:
        name, filled = NAMES[path], path
        for part, value in FILLED.items():
            filled = filled.replace(part, value)
        assert filled == f"/{name}"
        headers = layout.headers_of(name)
        assert headers["Content-Type"] == content_type, path
        assert headers["Cache-Control"] in section("10.4")
        assert layout.is_immutable(name) == (changes == "never"), path


def test_the_live_segments_of_the_text_are_the_codes() -> None:
    found = [(each.level, each.number) for each in lookup.live_segments(11)]
    assert found == [(3, 0), (1, 4), (0, 10)]
    assert "(3, 0), (1, 4) and (0, 10)" in section("10.5")
    names = [f"`{name}`" for name in ("kit_digest", "statement_hash", "manifest_root", "client_nonce_hash")]
    assert all(name in section("10.5") for name in names)
    assert (lookup.KEY_LENGTH, lookup.RECORD_LENGTH) == (8, 12)


def test_the_queries_name_the_objects_of_the_table() -> None:
    values = {"X": encoding.format_hash(SAMPLE_HASH), "A": "1", "B": "2"}
    for query, path in ((row[0], row[1]) for row in table("10.3").rows):
        asked = re.sub(r"=([XAB])", lambda found: f"={values[found[1]]}", query)
        wanted = re.sub(r"\b([XAB])\b", lambda found: values[found[1]], path)
        assert f"/{layout.rewrite_query(*asked.split('?'))}" == wanted


def test_the_jwks_and_stats_members_are_named() -> None:
    key = take_members(
        parse_json(canonical.format_json(worked().kit.trust.keyring.jwks(notices.Role.REGISTRY)))
    )
    (first, *_) = canonical.take_array(key, "keys")
    for name in take_members(first):
        assert f"`{name}`" in section("9.4") or f"`{name}`" in section("2.8")
    assert all(f"`{name}`" in section("2.8") for name in trust._JWK)
    for name in take_members(parse_json(_stats())):
        assert f"`{name}`" in section("10.4")


def _stats() -> bytes:
    with TemporaryDirectory() as folder:
        log = TestLog(Path(folder) / "home")
        log.init()
        return (log.home / "registry" / layout.STATS).read_bytes()


def test_the_points_of_small_order_are_the_codes() -> None:
    for y in keys._SMALL_ORDER_Y - {0, 1, keys._P - 1}:
        assert f"`{y:064x}`" in section("2.7")


def test_the_vectors_are_described_in_the_same_words_as_beside_them() -> None:
    readme = (PATH.parents[3] / "tests/vectors/README.md").read_text(encoding="utf-8")
    listed = readme[readme.index("| `kind`") :].partition("\n\n")[0]
    assert listed in section("Appendix C")


def test_every_section_that_the_text_or_the_code_points_to_is_there() -> None:
    text = read()
    there = set(
        re.findall(r"^#{2,3} (?:Appendix )?([0-9A-D](?:[0-9]?)(?:\.[0-9]+)?)\.? ", text, re.MULTILINE)
    )
    pointed = set(re.findall(r"(?:section|appendix) ([0-9]+(?:\.[0-9]+)?|[A-D](?:\.[0-9]+)?)\b", _own(text)))
    for path in PATH.parents[3].glob("functions/**/*.py"):
        pointed |= set(
            re.findall(
                r"REG-1\.0,? (?:section|appendix) ([0-9]+(?:\.[0-9]+)?|[A-D])\b",
                path.read_text(encoding="utf-8"),
            )
        )
    assert pointed - there == set()


def _own(text: str) -> str:
    """The text without references to sections of other documents."""
    return re.sub(r"RFC [0-9]+,?\s+section\s+[0-9.]+|RFC [0-9]+, section [0-9.]+", "", text)
