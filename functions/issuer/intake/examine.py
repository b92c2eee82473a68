"""First phase: one record with its bytes. The only phase that needs them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from attestlayer.encoding import sha256
from issuer.intake.flaw_kinds import ACCEPTED
from issuer.intake.flaws import Flaw, Recognised
from issuer.intake.media import MediaType, list_labels, named_type
from issuer.intake.policy import MetadataField, Policy, RecordType
from issuer.intake.rules import GeneralCheck, TypeCheck
from issuer.intake.values import show
from issuer.model import Record


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that a rule found. `found` and `expected` are halves of sentences for people.

    `fix`: what to do about this one, where it is not what the rule says.
    """

    check: str
    found: str
    expected: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A record without its bytes: what it is, and what is wrong with it taken alone.

    `sha256` is of the bytes that were read. `values` are the metadata that fit their schemas, which
    alone are compared across records. `content_checked`: whether anything inside was checked.
    """

    record: Record
    media_type: MediaType | None
    sha256: bytes
    mismatches: tuple[Mismatch, ...]
    values: Mapping[str, str]
    content_checked: bool

    def failed(self, check: str) -> tuple[Mismatch, ...]:
        """What is wrong by one check, a word of `GeneralCheck` or `TypeCheck`; empty if nothing is."""
        return tuple(mismatch for mismatch in self.mismatches if mismatch.check == check)


def examine(policy: Policy, record: Record, data: bytes) -> Examined:
    """Look at one record and its bytes. O(size); never raises on hostile bytes or metadata."""
    # Here, as they load every parser: only what reads bytes pays for that.
    from issuer.intake.contents import checks_content, content_faults
    from issuer.intake.recognise import recognise

    digest = sha256(data)
    recognised = recognise(record.name, data)
    record_type = policy.record_type(record.record_type)
    mismatches = [*_announced(record, data, digest), *_general(policy, record, recognised)]
    values: dict[str, str] = {}
    content_checked = False
    if record_type is not None:
        mismatches += _form(record_type, recognised, len(data))
        mismatches += _metadata(record_type, record.metadata)
        values = _fitting(record_type, record.metadata)
        # Inside is looked at only where the file is whole and of a type that is asked for: else other rules
        # have said what to do, and consequences would only lengthen the list.
        media_type = recognised.media_type
        if media_type in record_type.media_types and not recognised.flaws:
            content_checked = checks_content(record_type, media_type)
            mismatches += [
                Mismatch(TypeCheck.CONTENT, *fault)
                for fault in content_faults(record_type, media_type, data, values)
            ]
    return Examined(record, recognised.media_type, digest, tuple(mismatches), values, content_checked)


def examine_unread(policy: Policy, record: Record, mismatch: Mismatch) -> Examined:
    """The same of a record whose bytes can't be looked at, for the reason `mismatch`."""
    record_type = policy.record_type(record.record_type)
    mismatches, values = [mismatch, *_general(policy, record, Recognised(None))], {}
    if record_type is not None:
        mismatches += _metadata(record_type, record.metadata)
        values = _fitting(record_type, record.metadata)
    return Examined(record, None, record.sha256, tuple(mismatches), values, content_checked=False)


def _announced(record: Record, data: bytes, digest: bytes) -> Iterator[Mismatch]:
    if len(data) != record.size or digest != record.sha256:
        yield Mismatch(
            GeneralCheck.BYTES_AS_ANNOUNCED,
            f"the stored file has {len(data)} bytes with SHA-256 {digest.hex()}",
            f"{record.size} bytes with SHA-256 {record.sha256.hex()}, as announced",
        )


def _general(policy: Policy, record: Record, recognised: Recognised) -> Iterator[Mismatch]:
    record_type = policy.record_type(record.record_type)
    if record_type is None:
        known = ", ".join(known_type.type_id for known_type in policy.record_types)
        named = f"the record type {show(record.record_type)}" if record.record_type else "no record type"
        yield Mismatch(GeneralCheck.KNOWN_RECORD_TYPE, named, f"one of {known}")
    for flaw in (*recognised.flaws, *recognised.notes):
        yield Mismatch(flaw.check, f"it {flaw.found}", _wanted(flaw, record_type), flaw.fix)
    claimed, actual = named_type(record.name), recognised.media_type
    if claimed is not None and actual is not None and claimed is not actual:
        yield Mismatch(
            GeneralCheck.NAME_AGREES,
            f"the name says {claimed.label}, the content is {actual.label}",
            "a file name whose ending fits the content",
        )


def _wanted(flaw: Flaw, record_type: RecordType | None) -> str:
    if flaw.wanted == ACCEPTED and record_type is not None:
        return f"a file of type {list_labels(record_type.media_types)}"
    return flaw.wanted


def _form(record_type: RecordType, recognised: Recognised, length: int) -> Iterator[Mismatch]:
    accepted, actual = list_labels(record_type.media_types), recognised.media_type
    if actual is not None and actual not in record_type.media_types:
        yield Mismatch(TypeCheck.FORM, f"its content is {actual.label}", f"a file of type {accepted}")
    if length > record_type.max_size:
        yield Mismatch(TypeCheck.FORM, f"it has {length} bytes", f"at most {record_type.max_size} bytes")


def _metadata(record_type: RecordType, metadata: dict[str, str]) -> Iterator[Mismatch]:
    known = {field.name: field for field in record_type.metadata}
    # A type without fields has no rule for them; then anything given is simply not used.
    for name in sorted(metadata.keys() - known.keys()) if known else ():
        wanted = f"only {', '.join(known)}"
        yield Mismatch(TypeCheck.METADATA, f"the value {show(name)} is not asked for", wanted)
    for field in record_type.metadata:
        value = metadata.get(field.name)
        if value is None and field.required:
            yield Mismatch(TypeCheck.METADATA, f"{field.name} is missing", f"{field.title} ({_shape(field)})")
        elif value is not None and not _fits(field, value):
            yield Mismatch(
                TypeCheck.METADATA, f"{field.name} is {show(value)}", f"{field.title} ({_shape(field)})"
            )


def _fitting(record_type: RecordType, metadata: dict[str, str]) -> dict[str, str]:
    fields = {field.name: field for field in record_type.metadata}
    return {name: value for name, value in metadata.items() if name in fields and _fits(fields[name], value)}


def _fits(field: MetadataField, value: str) -> bool:
    try:
        value.encode("utf-8")
        return field.validator.is_valid(value)
    except (ValueError, TypeError):  # a lone surrogate, or no string at all
        return False


_SHAPES = {
    "date": "a date like 2026-01-31",
    "date-time": "a time like 2026-01-31T23:59:59Z",
    "amount": "a number like 1250000.00",
}


def _shape(field: MetadataField) -> str:
    """What a value must look like, in words."""
    choices = field.schema.get("enum")
    if isinstance(choices, list):
        return "one of " + ", ".join(map(str, choices))
    described = field.schema.get("description")
    return described if isinstance(described, str) else _SHAPES.get(field.format or "", "a text")
