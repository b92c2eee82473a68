"""The source of a policy, as people write and review it, and the policy document that it stands for.

A source is TOML, `policies/<LANE>/<profile>/<version>.toml`, and says what is the policy's own: record types
with their fields, and relations. What policies share (the rules for every record, the sentences of each
type's rules, the schemas of fields) is an edition of words, `policies/words/<edition>.toml`, that the source
names. The document says all of it in full: it travels in kits and is read without either file.

Only members and kinds are checked here; what they say is checked by `parse_policy` on the document.
"""

import tomllib

from attestlayer.canonical import (
    Json,
    Members,
    take_array,
    take_integer,
    take_members,
    take_object,
    take_string,
)
from attestlayer.encoding import shown
from issuer.intake.media import MediaType, list_labels
from issuer.intake.policy import AS_OF, SCHEMA
from issuer.intake.rules import Severity, TypeCheck

_MIB = 1024 * 1024
_COPIED = ("lane_id", "lane_title", "profile_id", "summary", "title", "version")
_TYPE_COPIED = ("csv_columns", "description", "id", "max_age_days", "max_count", "min_count", "title")
_TYPE_MEMBERS = (*_TYPE_COPIED, "fields", "json_forbidden", "json_members", "max_mib", "obtain", "types")
_TYPE_DEFAULTS: Members = {"csv_columns": [], "json_forbidden": [], "json_members": {}, "max_age_days": None}
_INSIDE = {"csv": "csv_columns", "json": "json_members"}
_SIDES = {"each", "from", "limit", "matches", "scope", "than", "until"}
"""Members of a relation that name a field as `<record type>.<field>`."""


def read_toml(data: bytes) -> Members:
    """The members of a source or of shared words. Raises `ValueError`, also on a name that occurs twice."""
    return tomllib.loads(data.decode("utf-8"))


def expand_policy(source: Members, words: Members) -> Members:
    """The policy document of a source and its words. Raises `ValueError` on an unknown member or kind."""
    names = (*_COPIED, "limits", "record_types", "references", "relations", "words")
    policy = take_object({"references": [], "relations": [], **source}, names)
    limits = take_object(policy["limits"], ("max_records", "max_total_mib"))
    types: list[Json] = [_record_type(value, words) for value in take_array(policy, "record_types")]
    references = [rule for value in take_array(policy, "references") for rule in _references(value, words)]
    return {
        "schema": SCHEMA,
        **{name: policy[name] for name in _COPIED},
        "limits": {
            "max_records": limits["max_records"],
            "max_total_size": take_integer(limits, "max_total_mib") * _MIB,
        },
        "general_rules": [_general_rule(value) for value in take_array(words, "general_rules")],
        "record_types": types,
        "relations": [*references, *(_relation(value) for value in take_array(policy, "relations"))],
    }


def _general_rule(value: Json) -> Members:
    """A rule for every record; its id is its check's."""
    rule = take_members(value)
    return {"id": rule["check"], "severity": Severity.BLOCKER.value, **rule}


def _record_type(value: Json, words: Members) -> Members:
    record_type = take_object({**_TYPE_DEFAULTS, **take_members(value)}, _TYPE_MEMBERS)
    fields: list[Json] = [_field(field, words) for field in take_array(record_type, "fields")]
    if record_type["max_age_days"] is not None:  # `parse_policy` wants the field that the age counts from
        title = take_string(take_members(words["type_rules"]), AS_OF)
        fields.append(_field({"name": AS_OF, "kind": "date", "title": title}, words))
    media_types: list[Json] = [_media_type(label).value for label in take_array(record_type, "types")]
    return {
        **{name: record_type[name] for name in _TYPE_COPIED},
        "max_size": take_integer(record_type, "max_mib") * _MIB,
        "media_types": media_types,
        "metadata": fields,
        "json_schema": _json_schema(record_type, words),
        "rules": _type_rules(record_type, fields, words),
    }


def _media_type(label: Json) -> MediaType:
    by_label = {one.label: one for one in MediaType}
    if label not in by_label:
        raise ValueError(f"types: found {shown(label)}, wanted some of {list_labels(tuple(MediaType))}")
    return by_label[str(label)]


def _field(value: Json, words: Members) -> Members:
    """A metadata field: its schema is one of a kind, or of a closed list of words (`one_of`)."""
    field = {"json": None, "optional": False, **take_members(value)}
    shape = "one_of" if "one_of" in field else "kind"
    take_object(field, ("json", "name", "optional", "title", shape))
    schema: Json = {"type": "string", "enum": field["one_of"]} if shape == "one_of" else None
    return {
        "name": field["name"],
        "title": field["title"],
        "required": field["optional"] is False,
        "schema": schema or _kind(words, "field_kinds", field["kind"]),
        "json_member": field["json"],
    }


def _kind(words: Members, table: str, name: Json) -> Json:
    """The JSON Schema that a table of the words has under a name."""
    kinds = take_members(words[table])
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"found the kind {shown(name)}, wanted one of {', '.join(kinds)}")
    return kinds[name]


def _json_schema(record_type: Members, words: Members) -> Members | None:
    members, forbidden = take_members(record_type["json_members"]), take_array(record_type, "json_forbidden")
    if not members:
        return None
    schema = _object_schema(members, words)
    if forbidden:
        # draft 2020-12 section 10.2.1.4 of the core: fails if the object has any of them
        schema["not"] = {"anyOf": [{"required": [name]} for name in forbidden]}
    return schema


def _object_schema(members: Members, words: Members) -> Members:
    """An object that must have all of `members`, each a kind or an object in turn, and may have others."""
    properties: Members = {
        name: _object_schema(kind, words) if isinstance(kind, dict) else _kind(words, "member_kinds", kind)
        for name, kind in members.items()
    }
    return {"type": "object", "required": list(members), "properties": properties}


def _type_rules(record_type: Members, fields: list[Json], words: Members) -> list[Json]:
    """The rules of a record type, in the order in which `parse_policy` wants them."""
    say = _type_words(record_type, fields, words)
    rules = {TypeCheck.COUNT: (say[_count_word(record_type)], take_string(record_type, "obtain"))}
    rules[TypeCheck.FORM] = (say["form"], say["form_fix"])
    if fields:
        rules[TypeCheck.METADATA] = (say["metadata"], say["metadata_fix"])
    if record_type["max_age_days"] is not None:
        rules[TypeCheck.AGE] = (say["age"], say["age_fix"])
    if inside := [name for name in ("csv", "json") if record_type[_INSIDE[name]]]:
        rules[TypeCheck.CONTENT] = (say[f"content_{'_'.join(inside)}"], say[f"content_{inside[-1]}_fix"])
    return [
        {
            "id": f"{record_type['id']}-{check}",
            "check": check.value,
            "severity": Severity.BLOCKER.value,
            "sentence": sentence,
            "fix": fix,
        }
        for check, (sentence, fix) in rules.items()
    ]


def _type_words(record_type: Members, fields: list[Json], words: Members) -> dict[str, str]:
    """The words of `type_rules`, each with this record type's values in it."""
    say = take_members(words["type_rules"])
    required = [str(field["name"]) for field in map(take_members, fields) if field["required"]]
    values = {
        "title": record_type["title"],
        "types": list_labels(tuple(map(_media_type, take_array(record_type, "types")))),
        "max_mib": record_type["max_mib"],
        "max_age_days": record_type["max_age_days"],
        "least": "one" if record_type["min_count"] == 1 else record_type["min_count"],
        "most": record_type["max_count"],
        "fields": ", ".join(required) or say["no_field"],
        "columns": ", ".join(map(str, take_array(record_type, "csv_columns"))),
        "members": ", ".join(take_members(record_type["json_members"])),
    }
    return {name: take_string(say, name).format(**values) for name in say}


def _count_word(record_type: Members) -> str:
    least, most = take_integer(record_type, "min_count"), take_integer(record_type, "max_count")
    return "exactly" if least == most else "between" if least else "up_to"


def _references(value: Json, words: Members) -> list[Members]:
    """One rule for each field in `from`: it has the same value as the field `to`."""
    reference, say = take_object(value, ("from", "to", "what")), take_members(words["reference_rule"])
    target = take_string(reference, "to").partition(".")[0]
    rules = []
    for side in take_array(reference, "from"):
        record_type = str(side).partition(".")[0]
        rule = {
            name: take_string(say, name).format(
                record_type=record_type,
                record=record_type.replace("-", " "),
                target=target,
                what=reference["what"],
            )
            for name in ("id", "sentence", "fix")
        }
        rules.append(_relation({**rule, "check": "same-value", "each": side, "matches": reference["to"]}))
    return rules


def _relation(value: Json) -> Members:
    relation: Members = {"severity": Severity.BLOCKER.value, **take_members(value)}
    for side in _SIDES & relation.keys():
        record_type, _, name = take_string(relation, side).partition(".")
        relation[side] = {"record_type": record_type, "field": name}
    return relation
