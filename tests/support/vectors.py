"""The test vectors: made here, checked in under tests/vectors, run by every implementation.

A vector is `{comment, expect, input}`; `tests/vectors/README.md` says what each kind of input holds.
"""

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path

from attestlayer.canonical import Members
from attestlayer.encoding import (
    Hash,
    format_base64url,
    format_hash,
    format_time,
    parse_base64,
    parse_base64url,
    parse_hash,
    parse_time,
    sha256,
)
from attestlayer.errors import Reason, VerificationError, malformed
from attestlayer.keys import PublicKey
from attestlayer.kit.receipt import parse_nonce
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.merkle import (
    TreeHead,
    check_consistency,
    check_inclusion,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_of,
)
from attestlayer.log.note import parse_note
from attestlayer.log.notices import Role
from attestlayer.log.trust import parse_jwks, parse_trust
from attestlayer.verify.evidence import Anchors, anchors_of
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain_receipt, report_unopened
from support.build import ORIGIN, hash_reader
from support.cases import CASES, Case, Subject
from support.disclosures import CASES as DISCLOSURES
from support.disclosures import DisclosureCase, judge_disclosure
from support.documents import KINDS, spoilt
from support.foreign import RFC_6962_LEAVES, SIGNATURES, SMALL_ORDER
from support.judge import Judgement, judge, told
from support.vectors_containers import container_vectors, run_container
from support.vectors_notices import notice_vectors
from support.vectors_online import online_vectors
from support.vectors_receipts import receipt_vectors
from support.vectors_values import value_vectors

Vector = dict[str, object]
ACCEPTED = "accepted"


def vector(comment: str, expect: str, **members: object) -> Vector:
    """One vector; a reason is written as its word."""
    return {"comment": comment, "expect": str(expect), "input": members}


def all_vectors() -> dict[str, object]:
    """Each vector file's content by its name: one vector a kit, a list of vectors for the others."""
    kits: dict[str, object] = {f"kits/{case.name}.json": _kit(case) for case in CASES}
    disclosures: dict[str, object] = {
        f"disclosures/{case.name}.json": _disclosure(case) for case in DISCLOSURES
    }
    return {
        **kits,
        **disclosures,
        "documents.json": _documents(),
        "json.json": _json_profile(),
        "texts.json": _texts(),
        "merkle.json": _inclusion() + _consistency(),
        "signatures.json": _signatures(),
        "receipts.json": _receipts(),
        "values.json": value_vectors(),
        "notices.json": notice_vectors(),
        "containers.json": container_vectors(),
        "online/public-log.json": online_vectors(),
    }


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _kit(case: Case) -> Vector:
    subject = case.build()
    with tempfile.TemporaryDirectory() as place:
        made = _container("kit", case, subject, judge(subject, Path(place)).whole)
    if case.reason == Reason.TRUST_ROOT_UNUSABLE:
        del made["step"], made["files"]
    return made


def _disclosure(case: DisclosureCase) -> Vector:
    subject = case.build()
    with tempfile.TemporaryDirectory() as place:
        return _container("disclosed-record", case, subject, judge_disclosure(subject, Path(place)))


def _container(kind: str, case: Case | DisclosureCase, subject: Subject, report: Report) -> Vector:
    members: dict[str, object] = {"kind": kind, "trust": subject.trust.decode()}
    if subject.now is not None:
        members["now"] = format_time(subject.now)
    if subject.zip is not None:
        members["zip"] = _b64(subject.zip)
    if subject.folder is not None:
        members["folder"] = {name: _b64(data) for name, data in subject.folder.items()}
        members["links"] = dict(subject.links)
    made = vector(case.comment, case.reason or ACCEPTED, **members)
    made["remarks"] = [remark.value for remark in case.remarks]
    made["step"] = case.step if case.reason else None
    made["files"] = list(case.files)
    made["report"] = told(report)
    return made


def _receipts() -> list[Vector]:
    return [{**made, "report": told(receipt_report(made["input"]))} for made in receipt_vectors()]  # type: ignore[arg-type]


def _documents() -> list[Vector]:
    made = []
    for kind in KINDS:
        made.append(vector("As it should be.", ACCEPTED, kind=kind.name, data=_b64(kind.sample())))
        for bad in spoilt(kind):
            if len(bad.data) < 16_000:  # the deep and the long ones are tests only
                made.append(vector(f"{bad.comment}.", bad.reason, kind=kind.name, data=_b64(bad.data)))
    return made


_REPORT = (
    '{"checks":[],"kit_id":"kit_01J9ZX3A8B5C6D7E8F9GAHBKCM","policy":{"lane_id":"PAY-01",'
    '"profile_id":"wire-transfer","schema":"attestlayer/intake-policy/1","x":%s},"records":[],'
    '"schema":"attestlayer/intake-report/1"}'
)
"""An intake report whose policy has a member of any JSON value."""

_VALUES = (
    ("null", True),
    ("true", True),
    ("0", True),
    ("9007199254740991", True),
    ('"\\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"', False),  # RFC 8785 section 3.2.2: as written there
    ('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"', True),  # RFC 8785 section 3.2.3: its canonical form
    ('"\u2028\U0001f600"', True),
    ('{"1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}', True),
    ('{"10":0,"1":0}', False),
    ("[56,{},[]]", True),
    ("[ ]", False),
    ("-0", False),
    ("-1", False),
    ("1e2", False),
    ("1.0", False),
    ("01", False),
    ("9007199254740992", False),
    ("333333333.33333329", False),  # RFC 8785 section 3.2.2
    ("NaN", False),
    ("Infinity", False),
    ("True", False),
    ("'x'", False),
    ('"\\ud83d\\ude00"', False),
    ('"\\ud800"', False),
    ('"\\u002f"', False),
    ('"\\/"', False),
    ('"\t"', False),
    ('{"é":0}', False),
    ('{"a":0,"a":0}', False),
    ("[" * 14 + "]" * 14, True),  # policy is at depth 2, so this makes 16
    ("[" * 15 + "]" * 15, False),
    ("/*x*/0", False),
    ("0,", False),
)


def _json_profile() -> list[Vector]:
    return [
        vector(
            "A canonical value." if good else "Not in the canonical profile.",
            ACCEPTED if good else Reason.REPORT_MALFORMED,
            kind="intake-report",
            data=_b64((_REPORT % value).encode()),
        )
        for value, good in _VALUES
    ]


_NONCE = f"attestlayer-nonce/1\n-\n{'A' * 43}\n"
_LINE = f"— {ORIGIN} AAAAAAA=\n"
_TEXTS = (
    ("nonce", "Without a checkpoint.", _NONCE, None),
    ("nonce", "With a checkpoint.", _NONCE.replace("-\n", "A" * 43 + "\n", 1), None),
    ("nonce", "The last line does not end.", _NONCE[:-1], Reason.NONCE_MALFORMED),
    ("nonce", "A carriage return.", _NONCE.replace("\n", "\r\n"), Reason.NONCE_MALFORMED),
    ("nonce", "A line more.", _NONCE + "\n", Reason.NONCE_MALFORMED),
    ("nonce", "Trailing bits in base64url.", _NONCE[:-2] + "B\n", Reason.NONCE_MALFORMED),
    ("nonce", "Padded base64url.", _NONCE[:-1] + "=\n", Reason.NONCE_MALFORMED),
    ("nonce", "Another header.", _NONCE.replace("/1", "/2"), Reason.NONCE_MALFORMED),
    ("nonce", "A byte order mark.", "\ufeff" + _NONCE, Reason.NONCE_MALFORMED),
    ("note", "One line.", f"text\n\n{_LINE}", None),
    ("note", "Blank lines within the text.", f"a\n\nb\n\n\n{_LINE}", None),
    ("note", "32 lines.", f"text\n\n{_LINE * 32}", None),
    ("note", "33 lines.", f"text\n\n{_LINE * 33}", Reason.NOTE_MALFORMED),
    ("note", "A name beyond ASCII.", "text\n\n— réseau/β AAAAAAA=\n", None),
    ("note", "A name beyond U+FFFF.", "text\n\n— a\U0001f600b AAAAAAA=\n", None),
    ("note", "Nothing but a newline as its text.", f"\n\n{_LINE}", None),
    ("note", "No line.", "text\n\n", Reason.NOTE_MALFORMED),
    ("note", "No blank line.", f"text\n{_LINE}", Reason.NOTE_MALFORMED),
    ("note", "Text behind the lines.", f"text\n\n{_LINE}text\n", Reason.NOTE_MALFORMED),
    ("note", "A blank line behind the lines.", f"text\n\n{_LINE}\n", Reason.NOTE_MALFORMED),
    ("note", "A hyphen in place of the dash.", f"text\n\n{_LINE.replace('—', '-')}", Reason.NOTE_MALFORMED),
    ("note", "Two spaces.", f"text\n\n{_LINE.replace(' ', '  ', 1)}", Reason.NOTE_MALFORMED),
    ("note", "A no-break space in the name.", "text\n\n— a\u00a0b AAAAAAA=\n", Reason.NOTE_MALFORMED),
    ("note", "A line separator in the name.", "text\n\n— a\u2028b AAAAAAA=\n", Reason.NOTE_MALFORMED),
    (
        "note",
        "U+007F to U+009F in the name, but for U+0085.",
        "text\n\n— a\x7f\u0080\u0084\u0086\u009fb AAAAAAA=\n",
        None,
    ),
    ("note", "U+0085 in the name: a space.", "text\n\n— a\u0085b AAAAAAA=\n", Reason.NOTE_MALFORMED),
    ("note", "A plus sign in the name.", "text\n\n— a+b AAAAAAA=\n", Reason.NOTE_MALFORMED),
    ("note", "A key id and nothing behind it.", "text\n\n— a AAAAAA==\n", Reason.NOTE_MALFORMED),
    ("note", "Trailing bits in base64.", "text\n\n— a AAAAAAB=\n", Reason.NOTE_MALFORMED),
    ("note", "No padding.", "text\n\n— a AAAAAAA\n", Reason.NOTE_MALFORMED),
    ("note", "A carriage return.", f"text\r\n\n{_LINE}", Reason.NOTE_MALFORMED),
    ("note", "A tabulator.", f"te\txt\n\n{_LINE}", Reason.NOTE_MALFORMED),
    ("note", "The last line does not end.", f"text\n\n{_LINE}"[:-1], Reason.NOTE_MALFORMED),
)


def _texts() -> list[Vector]:
    return [
        vector(comment, reason or ACCEPTED, kind=kind, data=_b64(text.encode()))
        for kind, comment, text, reason in _TEXTS
    ]


def _inclusion() -> list[Vector]:
    leaves = [leaf_hash(data) for data in RFC_6962_LEAVES]
    made = []
    for size in range(1, len(leaves) + 1):
        head = TreeHead(size, root_of(leaves[:size]))
        for index in range(size):
            path = list(prove_inclusion(index, size, hash_reader(leaves[:size])))
            given = {"kind": "inclusion", "size": size, "root": format_hash(head.root)}
            good = {**given, "leaf_hash": format_hash(leaves[index]), "index": index}
            made.append(vector("Whole.", ACCEPTED, **good, path=[format_hash(p) for p in path]))
            bad = {
                "A hash more.": {**good, "path": [format_hash(p) for p in [*path, head.root]]},
                "The index behind the last.": {**good, "index": size, "path": [format_hash(p) for p in path]},
                "The first hash is another.": {
                    **good,
                    "path": [format_hash(p) for p in [sha256(b"x"), *path[1:]]],
                },
            }
            made += [vector(c, Reason.INCLUSION_PROOF_INVALID, **members) for c, members in bad.items()]
    return made


def _consistency() -> list[Vector]:
    leaves = [leaf_hash(data) for data in RFC_6962_LEAVES]
    made = []
    for new in range(len(leaves) + 1):
        for old in range(new + 1):
            path = [format_hash(p) for p in prove_consistency(old, new, hash_reader(leaves))]
            given = {
                "kind": "consistency",
                "old_size": old,
                "old_root": format_hash(root_of(leaves[:old])),
                "new_size": new,
                "new_root": format_hash(root_of(leaves[:new])),
            }
            made.append(vector("Whole.", ACCEPTED, **given, path=path))
            more = [*path, format_hash(sha256(b"x"))]
            made.append(vector("A hash more.", Reason.CHECKPOINT_CONFLICT, **given, path=more))
            other = {**given, "old_root": format_hash(sha256(b"x"))}
            made.append(vector("Another old root.", Reason.CHECKPOINT_CONFLICT, **other, path=path))
            expect = ACCEPTED if old == 0 < new else Reason.CHECKPOINT_CONFLICT
            other = {**given, "new_root": format_hash(sha256(b"x"))}
            made.append(vector("Another new root.", expect, **other, path=path))
    return made


def _signatures() -> list[Vector]:
    made = [
        vector(
            s.comment,
            ACCEPTED if s.valid else Reason.RECEIPT_SIGNATURE_INVALID,
            kind="signature",
            public=format_base64url(s.public),
            message=_b64(s.message),
            signature=format_base64url(s.signature),
        )
        for s in SIGNATURES
    ]
    return made + [
        vector(comment, Reason.TRUST_ROOT_UNUSABLE, kind="public-key", public=format_base64url(key))
        for comment, key in SMALL_ORDER
    ]


def run(made: Members, place: Path) -> str:
    """What the core makes of a vector: `accepted` or a reason."""
    given = made["input"]
    assert isinstance(given, dict)
    if given["kind"] == "kit":
        return judged(made, place).word
    try:
        return _RUNNERS.get(str(given["kind"]), _parse)(given)
    except VerificationError as error:
        return error.reason.value


def judged(made: Members, place: Path) -> Judgement:
    """What verification makes of a kit vector."""
    return judge(_subject(made), place)


def judged_disclosure(made: Members, place: Path) -> Report:
    """What verification makes of a disclosed record's vector."""
    return judge_disclosure(_subject(made), place)


def _subject(made: Members) -> Subject:
    given = made["input"]
    assert isinstance(given, dict)
    folder, links = given.get("folder"), given.get("links")
    return Subject(
        trust=str(given["trust"]).encode(),
        zip=parse_base64(str(given["zip"])) if "zip" in given else None,
        folder={n: base64.b64decode(str(v)) for n, v in folder.items()} if isinstance(folder, dict) else None,  # noqa: TID251
        links=tuple((n, str(v)) for n, v in links.items()) if isinstance(links, dict) else (),
        now=parse_time(str(given["now"])) if "now" in given else None,
    )


def _parse(given: Members) -> str:
    data = base64.b64decode(str(given["data"]))  # noqa: TID251
    parsers: dict[str, Callable[[bytes], object]] = {kind.name: kind.parse for kind in KINDS}
    parsers |= {"nonce": parse_nonce, "note": lambda text: parse_note(text.decode())}
    parsers[str(given["kind"])](data)
    return ACCEPTED


def _run_inclusion(given: Members) -> str:
    head = TreeHead(_int(given, "size"), parse_hash(str(given["root"])))
    leaf = parse_hash(str(given["leaf_hash"]))
    check_inclusion(leaf, _int(given, "index"), head, _hashes(given))
    return ACCEPTED


def _run_consistency(given: Members) -> str:
    old = TreeHead(_int(given, "old_size"), parse_hash(str(given["old_root"])))
    new = TreeHead(_int(given, "new_size"), parse_hash(str(given["new_root"])))
    check_consistency(old, new, _hashes(given))
    return ACCEPTED


def _run_signature(given: Members) -> str:
    key = PublicKey(parse_base64url(str(given["public"]), 32))
    signature = parse_base64url(str(given["signature"]), 64)
    message = base64.b64decode(str(given["message"]))  # noqa: TID251
    return ACCEPTED if key.verifies(signature, message) else Reason.RECEIPT_SIGNATURE_INVALID.value


def _run_public_key(given: Members) -> str:
    try:
        PublicKey(parse_base64url(str(given["public"]), 32))
    except ValueError:
        return Reason.TRUST_ROOT_UNUSABLE.value
    return ACCEPTED


def receipt_report(given: Members) -> Report:
    """What verification makes of a registry receipt by itself; of what does not read, as the command says."""
    data = str(given["data"])
    try:
        if given["kind"] == "receipt-by-trust":
            trust = parse_trust(str(given["trust"]).encode())
            return explain_receipt(parse_registry_receipt(parse_base64(data)), anchors_of(trust))
        with malformed(Reason.TRUST_ROOT_UNUSABLE, "JWKS"):
            keyring = parse_jwks(str(given["jwks"]).encode(), Role.REGISTRY, str(given["origin"]))
        return explain_receipt(parse_registry_receipt(parse_base64(data)), Anchors(keyring, None))
    except VerificationError as error:
        return report_unopened(Kind.REGISTRY_RECEIPT, error)


def _run_receipt(given: Members) -> str:
    report = receipt_report(given)
    return report.first.reason.value if report.first else ACCEPTED


_RUNNERS = {
    "inclusion": _run_inclusion,
    "consistency": _run_consistency,
    "signature": _run_signature,
    "public-key": _run_public_key,
    "receipt-by-trust": _run_receipt,
    "receipt-by-jwks": _run_receipt,
    "container": run_container,
}


def _int(given: Members, name: str) -> int:
    value = given[name]
    assert isinstance(value, int)
    return value


def _hashes(given: Members) -> list[Hash]:
    path = given["path"]
    assert isinstance(path, list)
    return [parse_hash(str(value)) for value in path]
