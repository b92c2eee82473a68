"""Packets for tests: a sample set as records, and a small policy to break."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from attestlayer.canonical import Json, Members, format_json, parse_json, take_array, take_members
from attestlayer.encoding import sha256
from issuer.intake.catalogue import load_policies, load_words
from issuer.intake.evaluate import Evaluation, evaluate
from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy, parse_policy
from issuer.intake.sidecar import read_sidecar
from issuer.intake.source import expand_policy, read_toml
from issuer.model import Record

SAMPLES = Path(__file__).resolve().parents[3] / "site" / "content" / "samples"
TODAY = date(2026, 11, 20)
AT = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
SETS = tuple(sorted(str(found.parent.relative_to(SAMPLES)) for found in SAMPLES.glob("*/*/records.json")))


def record(number: int, name: str, record_type: str, metadata: dict[str, str], data: bytes) -> Record:
    """A stored record."""
    return Record(f"rec_{number:03}", name, record_type, metadata, len(data), sha256(data), AT)


def examined_samples(name: str, today: date = TODAY) -> tuple[Policy, list[Examined]]:
    """A sample set with its policy, examined."""
    folder = SAMPLES / name
    sidecar = read_sidecar((folder / "records.json").read_bytes(), today)
    assert name == f"{sidecar.lane_id}/{sidecar.profile_id}"
    policy = load_policies().find(sidecar.lane_id, sidecar.profile_id)
    examined = []
    for number, one in enumerate(sidecar.records):
        data = (folder / one.file).read_bytes()
        examined.append(examine(policy, record(number, one.file, one.record_type, one.metadata, data), data))
    return policy, examined


def small_source(*relations: Members, mandate: Members | None = None) -> Members:
    """The source of the small policy, with relations and with members of its mandate changed."""
    source = read_toml(Path(__file__).with_name("small.toml").read_bytes())
    first, second = map(take_members, take_array(source, "record_types"))
    return {**source, "record_types": [{**first, **(mandate or {})}, second], "relations": list(relations)}


def small_document(*relations: Members, mandate: Members | None = None) -> Members:
    """The document of the small policy: mandates and acts."""
    document = expand_policy(small_source(*relations, mandate=mandate), load_words(1))
    return take_members(parse_json(format_json(document)))  # a tree of its own: tests change it anywhere


def small_policy(*relations: Members, mandate: Members | None = None) -> Policy:
    """The small policy, parsed."""
    return parse_policy(format_json(small_document(*relations, mandate=mandate)))


def relation(check: str, rule_id: str = "r", **members: Json) -> Members:
    """A relation of the small policy's source."""
    return {"check": check, "id": rule_id, "sentence": "It holds.", "fix": "Put it right.", **members}


File = tuple[str, str, Mapping[str, str], bytes]


def a_mandate(number: int = 1, /, **metadata: str) -> File:
    """A mandate that passes."""
    values = {"reference": "M-001", "as_of": "2026-11-01", **metadata}
    return (f"mandate-{number}.txt", "mandate", values, f"mandate {number}".encode())


def an_act(number: int = 1, /, **metadata: str) -> File:
    """An act that passes."""
    return (f"act-{number}.txt", "act", metadata, f"act {number}".encode())


def report_on(policy: Policy, *files: File, at: int = AT) -> Evaluation:
    """Examine and evaluate files."""
    examined = [
        examine(policy, record(number, name, kind, dict(metadata), data), data)
        for number, (name, kind, metadata, data) in enumerate(files)
    ]
    return evaluate(policy, examined, at)


def failed(evaluation: Evaluation) -> list[str]:
    """The rules whose check is a blocker or a note, in the policy's order."""
    return [check.rule_id for check in evaluation.checks if check.result in ("blocker", "note")]
