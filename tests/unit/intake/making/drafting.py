"""Words and shapes from which the policies are drafted; a draft formats to the shipped bytes."""

from dataclasses import dataclass, field

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]
Members = dict[str, Json]

MB = 1024 * 1024
DOCUMENT = "PDF DOCX"
SCAN = "PDF DOCX PNG JPEG"
LETTER = "PDF DOCX EML TXT PNG JPEG"

_MEDIA_TYPES = {
    "PDF": "application/pdf",
    "DOCX": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "CSV": "text/csv",
    "JSON": "application/json",
    "TXT": "text/plain",
    "EML": "message/rfc822",
    "ZIP": "application/zip",
}

_GENERAL = [
    (
        "known-record-type",
        "Every record is of a record type that this policy has.",
        "Say for this file which of the record types it is, or remove it.",
    ),
    (
        "bytes-as-announced",
        "Every stored file is the file that was announced.",
        "Remove the record and upload the file again.",
    ),
    (
        "not-empty",
        "No record is empty.",
        "Export or scan the record again and upload the file with its content.",
    ),
    (
        "not-too-large",
        "No record is larger than can be taken.",
        "Split the record, or export it at a lower resolution, and upload the parts.",
    ),
    (
        "recognised",
        "Every record is of an accepted file type, judged by its content.",
        "Save or print it as PDF, or export it as DOCX, XLSX, CSV or plain text, and upload that.",
    ),
    (
        "readable",
        "Every record opens and is whole.",
        "Open the file on your side; if it does not open there, export it again. Save texts as UTF-8.",
    ),
    (
        "not-encrypted",
        "No record is encrypted or protected by a password.",
        "Save a copy without the password and upload that; a reviewer has no way to enter it.",
    ),
    (
        "no-executables",
        "No record is, or holds, a program or script.",
        "Remove the program; if it is what the record is about, submit a description or a listing as PDF.",
    ),
    (
        "no-macros",
        "No Office file has macros.",
        "Save it as DOCX or XLSX without macros, or print it as PDF.",
    ),
    (
        "no-nested-archives",
        "No archive holds another archive.",
        "Unpack the inner archive and put its files into the outer one, or upload them as records.",
    ),
    (
        "expands-within-bounds",
        "No record unpacks to an unusual size or number of files.",
        "Upload the files themselves instead of the archive; save pictures at a usual resolution.",
    ),
    ("no-duplicates", "No two records have the same bytes.", "Keep one of them and remove the others."),
    (
        "packet-limits",
        "The packet keeps to the limits of number and total size.",
        "Remove records that this policy does not ask for, or make scans smaller.",
    ),
    (
        "name-agrees",
        "The ending of each file name agrees with the content.",
        "Give the file the ending of what it holds, so that it opens with a double click.",
    ),
]


@dataclass(frozen=True, slots=True)
class Record:
    """A record type as its author writes it. `only` names the fix where the record is missing."""

    type_id: str
    title: str
    description: str
    get: str
    fields: list[Members]
    types: str = DOCUMENT
    count: tuple[int, int] = (1, 1)
    megabytes: int = 20
    max_age: int | None = None
    schema: Members | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy as its author writes it."""

    lane_id: str
    lane_title: str
    profile_id: str
    title: str
    summary: str
    records: list[Record]
    relations: list[Members]
    version: int = 1
    limits: Members = field(default_factory=lambda: {"max_records": 200, "max_total_size": 100 * MB})

    def document(self) -> Members:
        """The policy document."""
        return {
            "schema": "attestlayer/intake-policy/1",
            "lane_id": self.lane_id,
            "lane_title": self.lane_title,
            "profile_id": self.profile_id,
            "version": self.version,
            "title": self.title,
            "summary": self.summary,
            "limits": self.limits,
            "general_rules": [_general(*words) for words in _GENERAL],
            "record_types": [_record_type(record) for record in self.records],
            "relations": list(self.relations),
        }


def text(name: str, title: str, *, required: bool = True, json: str | None = None) -> Members:
    """A line of text of up to 200 characters."""
    schema: Members = {
        "type": "string",
        "pattern": r"^\S(.{0,198}\S)?$",
        "description": "one line of text, up to 200 characters",
    }
    return _field(name, title, schema, required, json)


def reference(name: str, title: str, *, required: bool = True, json: str | None = None) -> Members:
    """A reference as systems print it."""
    schema: Members = {
        "type": "string",
        "pattern": "^[A-Za-z0-9][A-Za-z0-9 ./:_#-]{1,62}[A-Za-z0-9]$",
        "description": "a reference of 3 to 64 letters, digits, spaces and . / : _ # -",
    }
    return _field(name, title, schema, required, json)


def day(name: str, title: str, *, required: bool = True, json: str | None = None) -> Members:
    """A date."""
    return _field(name, title, {"type": "string", "format": "date"}, required, json)


def time(name: str, title: str, *, required: bool = True, json: str | None = None) -> Members:
    """A time with its offset from UTC."""
    return _field(name, title, {"type": "string", "format": "date-time"}, required, json)


def amount(name: str, title: str, *, required: bool = True, json: str | None = None) -> Members:
    """A decimal number."""
    return _field(name, title, {"type": "string", "format": "amount"}, required, json)


def currency(name: str, title: str, *, json: str | None = None) -> Members:
    """An ISO 4217 code or the ticker of a token."""
    schema: Members = {
        "type": "string",
        "pattern": "^[A-Z][A-Z0-9]{2,7}$",
        "description": "a currency code like EUR",
    }
    return _field(name, title, schema, True, json)


def choice(name: str, title: str, values: str, *, required: bool = True, json: str | None = None) -> Members:
    """One of a few words."""
    return _field(name, title, {"type": "string", "enum": list(values.split())}, required, json)


def relation(
    check: str, rule_id: str, words: tuple[str, str], severity: str = "blocker", **sides: Json
) -> Members:
    """A rule across records; a side is `record-type.field`, and `from` is spelled `from_`."""
    named: Members = {}
    for name, value in sides.items():
        if name in ("each", "matches", "than", "limit", "from_", "until"):
            record_type, field_name = str(value).split(".")
            named[name.rstrip("_")] = {"record_type": record_type, "field": field_name}
        else:
            named[name] = value
    rule: Members = {
        "id": rule_id,
        "check": check,
        "severity": severity,
        "sentence": words[0],
        "fix": words[1],
    }
    return {**rule, **named}


def names_the(subject: str, subject_field: str, target: str, what: str) -> Members:
    """The commonest relation: a record carries the reference of what it belongs to."""
    said = subject.replace("-", " ")
    return relation(
        "same-value",
        f"{subject}-names-{target.partition('.')[0]}",
        (
            f"Each {said} names the {what} that this packet is about.",
            f"Correct the reference of the {said}, or replace it by the one that belongs to this {what}.",
        ),
        each=f"{subject}.{subject_field}",
        matches=target,
    )


def json_object(required: str, properties: Members) -> Members:
    """A JSON Schema of an object that must have some members; further ones are allowed."""
    return {"type": "object", "required": list(required.split()), "properties": properties}


FILLED: Members = {"type": "string", "minLength": 1}
TIME: Members = {"type": "string", "format": "date-time"}


def _field(name: str, title: str, schema: Members, required: bool, json: str | None) -> Members:
    return {"name": name, "title": title, "required": required, "schema": schema, "json_member": json}


def _general(check: str, sentence: str, fix: str) -> Members:
    severity = "note" if check == "name-agrees" else "blocker"
    return {"id": check, "check": check, "severity": severity, "sentence": sentence, "fix": fix}


def _record_type(record: Record) -> Members:
    fields = list(record.fields)
    if record.max_age is not None:
        fields.append(day("as_of", "Date on which the record was made or last confirmed"))
    return {
        "id": record.type_id,
        "title": record.title,
        "description": record.description,
        "min_count": record.count[0],
        "max_count": record.count[1],
        "media_types": [_MEDIA_TYPES[label] for label in record.types.split()],
        "max_size": record.megabytes * MB,
        "max_age_days": record.max_age,
        "metadata": list(fields),
        "json_schema": record.schema,
        "csv_columns": list(record.columns),
        "rules": [
            _rule(record, check, sentence, fix) for check, sentence, fix in _type_rules(record, fields)
        ],
    }


def _rule(record: Record, check: str, sentence: str, fix: str) -> Members:
    rule_id = f"{record.type_id}-{check}"
    return {"id": rule_id, "check": check, "severity": "blocker", "sentence": sentence, "fix": fix}


def _type_rules(record: Record, fields: list[Members]) -> list[tuple[str, str, str]]:
    labels = record.types.split()
    types = " or ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
    rules = [
        ("count", _counted(record), record.get),
        (
            "form",
            f"{record.title}: a file of type {types}, at most {record.megabytes} MiB.",
            f"Upload it as {types}; if it is too large, export it at a lower resolution or split it.",
        ),
    ]
    if fields:
        names = ", ".join(str(one["name"]) for one in fields if one["required"]) or "none is required"
        rules.append(
            (
                "metadata",
                f"{record.title}: the values asked for are given and well formed ({names}).",
                "Fill in the values named here as the record itself states them.",
            )
        )
    if record.max_age is not None:
        rules.append(
            (
                "age",
                f"{record.title}: made or confirmed in the last {record.max_age} days.",
                "Get a current copy, or have the record confirmed again, and give the new date in as_of.",
            )
        )
    if record.schema is not None or record.columns or any(one["json_member"] for one in fields):
        rules.append(("content", f"{record.title}: {_content(record)}.", _content_fix(record)))
    return rules


def _content(record: Record) -> str:
    parts = []
    if record.columns:
        parts.append(f"a CSV file has the columns {', '.join(record.columns)} and at least one row")
    if record.schema is not None:
        required = record.schema.get("required")
        names = ", ".join(map(str, required)) if isinstance(required, list) else ""
        parts.append(f"a JSON file has the members {names} and agrees with the values given")
    return "; ".join(parts)


def _content_fix(record: Record) -> str:
    if record.schema is None:
        return "Export the table with these columns, one header line, and the rows below it."
    return "Export the record with these members, and give the same values with it as the file has inside."


def _counted(record: Record) -> str:
    least, most = record.count
    if least == most:
        number = "exactly one" if least == 1 else f"exactly {least}"
    elif least == 0:
        number = f"up to {most}, where there are any"
    else:
        number = f"at least {'one' if least == 1 else least}, at most {most}"
    return f"{record.title}: {number}."
