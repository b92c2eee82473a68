"""The intake report, `intake_report.json`: the policy, the records and the checks (REG-1.0 section 6)."""

from dataclasses import dataclass
from enum import StrEnum

from attestlayer.canonical import (
    Json,
    Members,
    check_schema,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_integer,
    take_object,
    take_string,
    take_value,
)
from attestlayer.encoding import Hash, parse_kit_id, parse_lane_id, parse_profile_id, sha256, shown
from attestlayer.errors import Reason, malformed
from attestlayer.kit.manifest import INTAKE_REPORT


class CheckResult(StrEnum):
    """What a rule's check came to in an issued kit; blockers never get that far."""

    PASS = "pass"  # noqa: S105
    NOTE = "note"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A record of the report. `name` is the client's file name, `metadata` the client's words."""

    path: str
    name: str
    record_type: str
    media_type: str
    size: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """A rule, the paths it is about, its result and what was found."""

    rule: str
    records: tuple[str, ...]
    result: CheckResult
    found: str


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """An intake report. `policy` is the whole policy document as JSON."""

    kit_id: str
    policy: Members
    records: tuple[ReportRecord, ...]
    checks: tuple[ReportCheck, ...]

    def policy_hash(self) -> Hash:
        """`intake_policy_hash`: SHA-256 of the policy's canonical bytes."""
        return sha256(format_json(self.policy))

    def format(self) -> bytes:
        """The file's bytes."""
        records: list[Json] = [
            {
                "path": record.path,
                "name": record.name,
                "record_type": record.record_type,
                "media_type": record.media_type,
                "size": record.size,
                "metadata": dict(record.metadata),
            }
            for record in self.records
        ]
        checks: list[Json] = [
            {
                "rule": check.rule,
                "records": list(check.records),
                "result": check.result.value,
                "found": check.found,
            }
            for check in self.checks
        ]
        return format_json(
            {
                "schema": "attestlayer/intake-report/1",
                "kit_id": self.kit_id,
                "policy": self.policy,
                "records": records,
                "checks": checks,
            }
        )


def parse_report(data: bytes) -> IntakeReport:
    """An intake report. Of the policy only schema, lane and profile are read.

    Raises `FormatError` (report-malformed), `CouldNotCheckError`.
    """
    with malformed(Reason.REPORT_MALFORMED, INTAKE_REPORT):
        members = take_document(parse_json(data), "intake-report", ("kit_id", "policy", "records", "checks"))
        return IntakeReport(
            kit_id=take_value(members, "kit_id", parse_kit_id),
            policy=_take_policy(members["policy"]),
            records=tuple(_take_record(item) for item in take_array(members, "records")),
            checks=tuple(_take_check(item) for item in take_array(members, "checks")),
        )


def _take_policy(value: Json) -> Members:
    check_schema(value, "intake-policy")
    if not isinstance(value, dict) or not {"lane_id", "profile_id"} <= value.keys():
        raise ValueError("policy: names no lane or no profile")
    take_value(value, "lane_id", parse_lane_id)
    take_value(value, "profile_id", parse_profile_id)
    return value


def _take_record(value: Json) -> ReportRecord:
    members = take_object(value, ("path", "name", "record_type", "media_type", "size", "metadata"))
    metadata = members["metadata"]
    if not isinstance(metadata, dict):
        raise ValueError(f"metadata: found {shown(metadata)}, wanted an object")
    return ReportRecord(
        path=take_string(members, "path"),
        name=take_string(members, "name"),
        record_type=take_string(members, "record_type"),
        media_type=take_string(members, "media_type"),
        size=take_integer(members, "size"),
        metadata={name: take_string(metadata, name) for name in metadata},
    )


def _take_check(value: Json) -> ReportCheck:
    members = take_object(value, ("rule", "records", "result", "found"))
    paths = take_array(members, "records")
    texts = tuple(path for path in paths if isinstance(path, str))
    if len(texts) != len(paths):
        raise ValueError("checks: a record's path is no string")
    return ReportCheck(
        rule=take_string(members, "rule"),
        records=texts,
        result=take_value(members, "result", CheckResult),
        found=take_string(members, "found"),
    )
