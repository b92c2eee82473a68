"""Packets for tests: a sample set as records, and a small policy to break."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from attestlayer.canonical import format_json
from issuer.intake.catalogue import load_policies
from issuer.intake.evaluate import Report, evaluate
from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy, parse_policy
from issuer.intake.sidecar import read_sidecar
from issuer.model import Record

from .making.drafting import Draft, Members, amount, choice, day, json_object, reference, text, time
from .making.drafting import Record as RecordDraft

SAMPLES = Path(__file__).resolve().parents[3] / "site" / "content" / "samples"
TODAY = date(2026, 11, 20)
AT = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
SETS = tuple(sorted(str(found.parent.relative_to(SAMPLES)) for found in SAMPLES.glob("*/*/records.json")))


def record(number: int, name: str, record_type: str, metadata: dict[str, str], data: bytes) -> Record:
    """A stored record."""
    digest = hashlib.sha256(data).digest()
    return Record(f"rec_{number:03}", name, record_type, metadata, len(data), digest, AT, True)


def examined_samples(name: str, today: date = TODAY) -> tuple[Policy, list[Examined]]:
    """A sample set with its policy, examined."""
    folder = SAMPLES / name
    sidecar = read_sidecar((folder / "records.json").read_bytes(), today)
    policy = load_policies().find(sidecar.lane_id, sidecar.profile_id)
    examined = []
    for number, one in enumerate(sidecar.records):
        data = (folder / one.file).read_bytes()
        examined.append(examine(policy, record(number, one.file, one.record_type, one.metadata, data), data))
    return policy, examined


def mandate(**values: object) -> RecordDraft:
    """A record type of the small policy, with some values changed."""
    fields: list[Members] = [
        reference("reference", "Reference", json="/reference"),
        text("person", "Person", required=False),
        day("from_day", "From", required=False),
        day("until_day", "Until", required=False),
        time("done_at", "Done", required=False),
        amount("sum", "Sum", required=False),
        choice("state", "State", "good bad", required=False),
    ]
    shape: dict[str, object] = {
        "types": "PDF DOCX JSON CSV TXT",
        "count": (1, 3),
        "megabytes": 1,
        "max_age": 30,
        "schema": json_object("reference", {"reference": {"type": "string"}}),
        "columns": ("a", "b"),
    }
    return RecordDraft("mandate", "Mandate", "What gives power.", "Get it.", fields, **{**shape, **values})  # type: ignore[arg-type]


def act(**values: object) -> RecordDraft:
    """The other record type of the small policy."""
    fields: list[Members] = [
        reference("reference", "Reference", required=False),
        text("person", "Person", required=False),
        time("done_at", "Done", required=False),
        amount("sum", "Sum", required=False),
        choice("state", "State", "good bad", required=False),
    ]
    shape: dict[str, object] = {"types": "TXT ZIP PNG", "count": (0, 9), "megabytes": 20}
    return RecordDraft("act", "Act", "What was done.", "Get it.", fields, **{**shape, **values})  # type: ignore[arg-type]


def small_document(*relations: Members, records: list[RecordDraft] | None = None) -> Members:
    """The document of a small policy: mandates and acts."""
    drafts = records or [mandate(), act()]
    words = ("TEST-01", "Tests", "small", "Small policy", "For tests.")
    return Draft(*words, drafts, list(relations)).document()


def small_policy(*relations: Members, records: list[RecordDraft] | None = None) -> Policy:
    """The small policy, parsed."""
    return parse_policy(format_json(small_document(*relations, records=records)))


File = tuple[str, str, Mapping[str, str], bytes]


def a_mandate(number: int = 1, /, **metadata: str) -> File:
    """A mandate that passes."""
    values = {"reference": "M-001", "as_of": "2026-11-01", **metadata}
    return (f"mandate-{number}.txt", "mandate", values, f"mandate {number}".encode())


def an_act(number: int = 1, /, **metadata: str) -> File:
    """An act that passes."""
    return (f"act-{number}.txt", "act", metadata, f"act {number}".encode())


def report_on(policy: Policy, *files: File, at: int = AT) -> Report:
    """Examine and evaluate files."""
    examined = [
        examine(policy, record(number, name, kind, dict(metadata), data), data)
        for number, (name, kind, metadata, data) in enumerate(files)
    ]
    return evaluate(policy, examined, at)


def failed(report: Report) -> list[str]:
    """The rules whose check is a blocker or a note, in the policy's order."""
    return [check.rule_id for check in report.checks if check.result in ("blocker", "note")]
