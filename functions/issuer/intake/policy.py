"""Intake policies: what records a packet of a lane and profile must have, read from canonical JSON."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import jsonschema_rs

from attestlayer.canonical import (
    Json,
    Members,
    parse_json,
    take_array,
    take_constant,
    take_integer,
    take_object,
    take_optional,
    take_value,
)
from attestlayer.encoding import Hash, parse_lane_id, parse_profile_id, sha256, shown
from issuer.intake.media import MediaType
from issuer.intake.relations import Relation, parse_relation
from issuer.intake.rules import Rule, TypeCheck, parse_general_rules, parse_id, parse_rule, parse_sentence
from issuer.intake.values import DATE, compile_schema

SCHEMA = "attestlayer/intake-policy/1"
MAX_LENGTH = 256 * 1024
"""Bytes of the largest policy: it travels whole in each kit."""
MAX_DEPTH = 10
"""It is embedded in the intake report, whose own depth may be at most 16."""
MAX_RECORDS = 999
"""Records of a packet: kit paths number them from 001 to 999."""
MAX_TOTAL_SIZE = 100 * 1024 * 1024
"""Bytes of a packet's records in all (REG-1.0, kit limits)."""
AS_OF = "as_of"
"""The metadata field that the age of a record counts from."""

_POLICY_MEMBERS = (
    *("general_rules", "lane_id", "lane_title", "limits", "profile_id", "record_types", "relations"),
    *("schema", "summary", "title", "version"),
)
_TYPE_MEMBERS = (
    *("csv_columns", "description", "id", "json_schema", "max_age_days", "max_count", "max_size"),
    *("media_types", "metadata", "min_count", "rules", "title"),
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_POINTER = re.compile(r"(/[A-Za-z0-9_-]{1,40}){1,6}")
_COLUMN_MAX = 80  # characters of a CSV column's name


@dataclass(frozen=True, slots=True)
class MetadataField:
    """A value that the submitter gives with a record.

    `json_member` is the JSON pointer of the member of a JSON record that must say the same, or None.
    """

    name: str
    title: str
    required: bool
    schema: Members
    json_member: str | None
    validator: jsonschema_rs.Draft202012Validator = field(compare=False, repr=False)

    @property
    def format(self) -> str | None:
        """The format that the schema names: `date`, `date-time`, `amount` or None."""
        name = self.schema.get("format")
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of record: how many (`min_count` … `max_count`), how large (bytes), how old (days, or None).

    `json_schema` holds for JSON records, `csv_columns` (with at least one row) for CSV records; both may
    be absent. `rules` has one rule for each check that applies.
    """

    type_id: str
    title: str
    description: str
    min_count: int
    max_count: int
    media_types: tuple[MediaType, ...]
    max_size: int
    max_age_days: int | None
    metadata: tuple[MetadataField, ...]
    json_schema: Members | None
    csv_columns: tuple[str, ...]
    rules: tuple[Rule, ...]
    validator: jsonschema_rs.Draft202012Validator | None = field(compare=False, repr=False)

    @property
    def linked(self) -> bool:
        """Whether a metadata field must say the same as a member of a JSON record."""
        return any(one.json_member is not None for one in self.metadata)

    def rule(self, check: TypeCheck) -> Rule | None:
        """The rule for `check`, or None where the type has none."""
        return next((rule for rule in self.rules if rule.check == check), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, whole and checked. `document` is its canonical bytes, `intake_policy_hash` their SHA-256."""

    lane_id: str
    lane_title: str
    profile_id: str
    version: int
    title: str
    summary: str
    max_records: int
    max_total_size: int
    general_rules: tuple[Rule, ...]
    record_types: tuple[RecordType, ...]
    relations: tuple[Relation, ...]
    document: bytes = field(repr=False)
    intake_policy_hash: Hash

    def record_type(self, type_id: str) -> RecordType | None:
        """The record type, or None if the policy lacks it."""
        return next((known for known in self.record_types if known.type_id == type_id), None)

    def rules(self) -> Iterator[Rule]:
        """All rules in the policy's order: general, then each record type's, then relations."""
        yield from self.general_rules
        for record_type in self.record_types:
            yield from record_type.rules
        for relation in self.relations:
            yield relation.rule


def intake_policy_hash(data: bytes) -> Hash:
    """The hash that leaves and receipts name: SHA-256 of the policy's bytes."""
    return sha256(data)


def parse_policy(data: bytes) -> Policy:
    """A policy from its canonical JSON.

    Raises `ValueError` on any unknown or missing member, a reference to what the policy lacks, an id
    used twice, a rule missing or too many, or a JSON Schema that is none.
    """
    members = take_object(
        parse_json(data, MAX_LENGTH),
        _POLICY_MEMBERS,
    )
    take_constant(members, "schema", SCHEMA)
    # The report that has this document inside may be at most 16 deep (REG-1.0 section 2).
    _check_depth(members, 1)
    limits = take_object(members["limits"], ("max_records", "max_total_size"))
    record_types = tuple(_parse_record_type(value) for value in take_array(members, "record_types"))
    formats = {one.type_id: {field.name: field.format for field in one.metadata} for one in record_types}
    policy = Policy(
        lane_id=take_value(members, "lane_id", parse_lane_id),
        lane_title=take_value(members, "lane_title", parse_sentence),
        profile_id=take_value(members, "profile_id", parse_profile_id),
        version=_take_positive(members, "version"),
        title=take_value(members, "title", parse_sentence),
        summary=take_value(members, "summary", parse_sentence),
        max_records=_take_positive(limits, "max_records", MAX_RECORDS),
        max_total_size=_take_positive(limits, "max_total_size", MAX_TOTAL_SIZE),
        general_rules=parse_general_rules(take_array(members, "general_rules")),
        record_types=record_types,
        relations=tuple(parse_relation(value, formats) for value in take_array(members, "relations")),
        document=data,
        intake_policy_hash=intake_policy_hash(data),
    )
    if not any(one.min_count for one in record_types):
        raise ValueError("record_types: no type is required, wanted at least one")
    _check_distinct(policy)
    _check_unique("record type", [one.type_id for one in record_types])
    _check_unique("rule", [rule.rule_id for rule in policy.rules()])
    return policy


def _check_distinct(policy: Policy) -> None:
    """Check that so many different values are asked for only where so many records must have one."""
    # With fewer the relation is not applicable, and a packet would pass with one approver for two.
    for relation in policy.relations:
        for asked in relation.fields.values() if relation.least else ():
            record_type = policy.record_type(asked.record_type)
            required = {one.name for one in record_type.metadata if one.required} if record_type else set()
            if record_type is None or record_type.min_count < relation.least or asked.name not in required:
                raise ValueError(
                    f"{relation.rule.rule_id}: {asked.record_type} needs min_count {relation.least} or more"
                    f" and {asked.name} required"
                )


def _parse_record_type(value: Json) -> RecordType:
    members = take_object(
        value,
        _TYPE_MEMBERS,
    )
    type_id = take_value(members, "id", parse_id)
    try:
        return _build_record_type(type_id, members)
    except ValueError as error:
        raise ValueError(f"record type {type_id}: {error}") from error


def _build_record_type(type_id: str, members: Members) -> RecordType:
    metadata = tuple(_parse_metadata_field(item) for item in take_array(members, "metadata"))
    schema, validator = _take_schema(members)
    record_type = RecordType(
        type_id=type_id,
        title=take_value(members, "title", parse_sentence),
        description=take_value(members, "description", parse_sentence),
        min_count=take_integer(members, "min_count", MAX_RECORDS),
        max_count=_take_positive(members, "max_count", MAX_RECORDS),
        media_types=_take_media_types(members),
        max_size=_take_positive(members, "max_size", MAX_TOTAL_SIZE),
        max_age_days=None if members["max_age_days"] is None else _take_positive(members, "max_age_days"),
        metadata=metadata,
        json_schema=schema,
        csv_columns=_take_columns(members),
        rules=(),
        validator=validator,
    )
    # Rules come last: which there must be follows from the rest of the type.
    _check_record_type(record_type)
    return replace(record_type, rules=_parse_type_rules(members, record_type))


def _parse_type_rules(members: Members, record_type: RecordType) -> tuple[Rule, ...]:
    wanted = [TypeCheck.COUNT, TypeCheck.FORM]
    wanted += [TypeCheck.METADATA] * bool(record_type.metadata)
    wanted += [TypeCheck.AGE] * (record_type.max_age_days is not None)
    inside = record_type.json_schema is not None or record_type.csv_columns or record_type.linked
    wanted += [TypeCheck.CONTENT] * bool(inside)
    values = take_array(members, "rules")
    if len(values) != len(wanted):
        raise ValueError(f"rules: found {len(values)}, wanted one each for {', '.join(wanted)}")
    return tuple(
        parse_rule(value, check, record_type.type_id) for value, check in zip(values, wanted, strict=True)
    )


def _check_record_type(record_type: RecordType) -> None:
    _check_unique("metadata field", [one.name for one in record_type.metadata])
    if record_type.min_count > record_type.max_count:
        raise ValueError(f"min_count {record_type.min_count} is more than max_count {record_type.max_count}")
    as_of = next((one for one in record_type.metadata if one.name == AS_OF), None)
    if record_type.max_age_days is not None and not (as_of and as_of.required and as_of.format == DATE):
        raise ValueError(f"max_age_days needs a required metadata field {AS_OF} of format {DATE}")
    if (
        record_type.json_schema is not None or record_type.linked
    ) and MediaType.JSON not in record_type.media_types:
        raise ValueError("it checks JSON records and does not accept any")
    if record_type.csv_columns and MediaType.CSV not in record_type.media_types:
        raise ValueError("csv_columns are named and CSV is not accepted")


def _parse_metadata_field(value: Json) -> MetadataField:
    members = take_object(value, ("json_member", "name", "required", "schema", "title"))
    schema, required = members["schema"], members["required"]
    if not isinstance(schema, dict) or schema.get("type") != "string":
        raise ValueError(f"schema: found {shown(schema)}, wanted a JSON Schema of type string")
    if not isinstance(required, bool):
        raise ValueError(f"required: found {shown(required)}, wanted true or false")
    return MetadataField(
        name=take_value(members, "name", _parse_name),
        title=take_value(members, "title", parse_sentence),
        required=required,
        schema=schema,
        json_member=take_optional(members, "json_member", _parse_pointer),
        validator=compile_schema(schema),
    )


def _take_schema(members: Members) -> tuple[Members | None, jsonschema_rs.Draft202012Validator | None]:
    schema = members["json_schema"]
    if schema is None:
        return None, None
    if not isinstance(schema, dict):
        raise ValueError(f"json_schema: found {shown(schema)}, wanted a JSON Schema or null")
    return schema, compile_schema(schema)


def _take_media_types(members: Members) -> tuple[MediaType, ...]:
    media_types = tuple(
        take_value({"media_types": item}, "media_types", MediaType)
        for item in take_array(members, "media_types")
    )
    if not media_types:
        raise ValueError("media_types: found none, wanted at least one")
    _check_unique("media type", list(media_types))
    return media_types


def _take_columns(members: Members) -> tuple[str, ...]:
    columns = []
    for item in take_array(members, "csv_columns"):
        column = take_value({"csv_columns": item}, "csv_columns", parse_sentence)
        if len(column) > _COLUMN_MAX:
            raise ValueError(f"csv_columns: {shown(column)} is longer than {_COLUMN_MAX} characters")
        columns.append(column)
    _check_unique("CSV column", columns)
    return tuple(columns)


def _take_positive(members: Members, name: str, maximum: int = 1_000_000) -> int:
    value = take_integer(members, name, maximum)
    if not value:
        raise ValueError(f"{name}: found 0, wanted an integer from 1 to {maximum}")
    return value


def _parse_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a field name like performed_at")
    return text


def _parse_pointer(text: str) -> str:
    if not _POINTER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a JSON pointer like /action/reference")
    return text


def _check_unique(what: str, names: list[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise ValueError(f"{what} {shown(repeated[0])} occurs twice")


def _check_depth(value: Json, depth: int) -> None:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    for item in items:
        _check_depth(item, depth + 1)
