"""What is checked inside a record: JSON against a schema and its metadata, CSV against its columns."""

from collections.abc import Iterator

from attestlayer.canonical import Json
from attestlayer.visible import visible
from issuer.intake.media import MediaType
from issuer.intake.policy import MetadataField, RecordType
from issuer.intake.statements import scope_entries
from issuer.intake.tables import read_table
from issuer.intake.texts import parse_record_json
from issuer.intake.values import SCOPE, show

_ERRORS_SHOWN = 10  # of one record; a record of another kind fails everywhere at once
_MESSAGE_MAX = 160  # characters of a validator's message, which quotes the client's value


def checks_content(record_type: RecordType, media_type: MediaType) -> bool:
    """Whether a record of this type and media type has anything inside that is checked."""
    if media_type is MediaType.JSON:
        return record_type.validator is not None or record_type.linked
    return media_type is MediaType.CSV and bool(record_type.csv_columns)


def content_faults(
    record_type: RecordType, media_type: MediaType, data: bytes, metadata: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """What a readable record lacks inside: pairs of what was found and what was wanted. O(size)."""
    if not checks_content(record_type, media_type):
        return
    if media_type is MediaType.CSV:
        yield from _csv_faults(record_type, data)
    else:
        value = parse_record_json(data)
        yield from _schema_faults(record_type, value)
        yield from _member_faults(record_type, value, metadata)


def _csv_faults(record_type: RecordType, data: bytes) -> Iterator[tuple[str, str]]:
    columns = record_type.csv_columns
    table, wanted = read_table(data, columns), ", ".join(columns)
    missing = [column for column in columns if column not in table.header]
    twice = [column for column in columns if table.header.count(column) > 1]
    if missing:
        nearest = (
            f"row {table.number}, {show(', '.join(table.header), 200)}," if table.number else "the table"
        )
        yield (
            f"no row has all of the columns: {nearest} has no {', '.join(missing)}",
            f"a header with {wanted}",
        )
    elif twice:
        yield f"the header in row {table.number} has {', '.join(twice)} twice", f"each of {wanted} once"
    elif not table.rows:
        yield (
            f"no row below the header in row {table.number} has a value in each column",
            "at least one row below the header",
        )


def _schema_faults(record_type: RecordType, value: Json) -> Iterator[tuple[str, str]]:
    if record_type.validator is None:
        return
    for number, error in enumerate(record_type.validator.iter_errors(value)):
        if number == _ERRORS_SHOWN:
            yield "there are more places like these", "a record that fits its schema"
            return
        place = "/" + "/".join(map(str, error.instance_path))
        yield f"at {show(place)}: {visible(error.message, _MESSAGE_MAX)}", "a record that fits its schema"


def _member_faults(
    record_type: RecordType, value: Json, metadata: dict[str, str]
) -> Iterator[tuple[str, str]]:
    for field in record_type.metadata:
        if field.json_member is None or field.name not in metadata:
            continue
        member, stated = _member(value, field.json_member), metadata[field.name]
        # Compared as text: an amount that is written with other decimals inside is another value to a reader.
        if member is None or (member != stated and not _same_scope(field, member, stated)):
            inside = "nothing" if member is None else show(member)
            yield f"{field.json_member} says {inside}", f"{show(stated)} as in {field.name}"


def _same_scope(field: MetadataField, one: str, other: str) -> bool:
    return field.format == SCOPE and scope_entries(one) == scope_entries(other)


def _member(value: Json, pointer: str) -> str | None:
    """What is at a JSON pointer (RFC 6901): a string, an integer, or strings as a scope states them; or None.

    Policies name members only, no items.
    """
    for name in pointer.split("/")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        return "; ".join(map(str, value)) if all(isinstance(one, str) for one in value) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
