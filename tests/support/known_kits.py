"""The known kits of verify-kit.zip: one of each verdict, and a bad one for each of the fifteen steps."""

import base64
import tempfile
from pathlib import Path

from attestlayer.canonical import Json, format_json
from attestlayer.log.trust import parse_trust
from attestlayer.verify.report import Report
from support.cases import CASES, Subject
from support.disclosures import good, judge_disclosure
from support.judge import judge

PLACE = Path(__file__).parents[2] / "site" / "content" / "verify-kit" / "vectors.json"

NAMES = (
    "delivered",
    "bytes-behind-the-zip",
    "record-not-listed",
    "hash-differs",
    "manifest-root-differs",
    "trail-chain-broken",
    "receipt-of-another-manifest",
    "issuer-key-unknown",
    "receipt-signed-by-another",
    "leaf-hash-differs",
    "kit-digest-differs",
    "audit-path-too-short",
    "checkpoint-unsigned",
    "quorum-not-met",
    "issued-before-the-nonce",
    "withdrawn",
    "manifest-of-a-newer-format",
)
"""Cases: a good kit, one for each step from 1 to 15, and one of which nothing can be said."""


def known_kits() -> bytes:
    """The document that the repository keeps."""
    kits: list[Json] = []
    files: dict[str, bytes] = {}
    cases = {case.name: case for case in CASES}
    with tempfile.TemporaryDirectory() as place:
        for name in NAMES:
            subject = cases[name].build()
            report = judge(subject, Path(place)).report
            assert report
            called = "verified" if name == "delivered" else name
            kits.append(_entry(called, cases[name].comment, subject, report, files))
        part = good()
        report = judge_disclosure(part, Path(place))
        kits.append(_entry("disclosed-record", "One record of a kit, shown by itself.", part, report, files))
    listed: list[Json] = [{"base64": base64.b64encode(data).decode(), "name": n} for n, data in files.items()]
    return format_json({"files": listed, "kits": kits})


def _entry(name: str, comment: str, subject: Subject, report: Report, files: dict[str, bytes]) -> Json:
    assert subject.zip is not None
    parse_trust(subject.trust)
    files[f"{name}.zip"] = subject.zip
    trust = "trust.json"
    if files.setdefault(trust, subject.trust) != subject.trust:
        trust = f"{name}.trust.json"
        files[trust] = subject.trust
    return {
        "comment": comment,
        "kit": f"{name}.zip",
        "reasons": [failure.reason.value for failure in report.failures],
        "trust": trust,
        "verdict": report.verdict.value,
    }
