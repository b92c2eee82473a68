"""`records.json`, the sidecar of a folder of records: what each file is, with dates relative to today.

A date-valued text may be `today`, `today-10` or `today+30` (days), also with a time of day after it:
`today-10T09:30:00Z`. It stands for the date, or the time, that it comes to. No other value may begin
with `today`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from attestlayer.canonical import (
    Json,
    Members,
    take_array,
    take_constant,
    take_object,
    take_string,
    take_value,
)
from attestlayer.encoding import parse_lane_id, parse_profile_id, shown
from issuer.errors import Code, ServiceError
from issuer.intake.policy import Policy
from issuer.intake.texts import parse_plain_json
from issuer.intake.values import parse_instant, show

SIDECAR = "records.json"
SCHEMA = "attestlayer/intake-sidecar/1"
MAX_LENGTH = 1024 * 1024
"""Bytes of the largest sidecar."""

_RELATIVE = re.compile(r"today(?:([+-])(0|[1-9][0-9]{0,4}))?(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SidecarRecord:
    """One file of the folder (a relative path with `/`), its record type and metadata, dates resolved."""

    file: str
    record_type: str
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A folder's sidecar: the lane and profile it is for, and its records."""

    lane_id: str
    profile_id: str
    records: tuple[SidecarRecord, ...]


def read_sidecar(data: bytes, today: date) -> Sidecar:
    """A sidecar from its JSON (any layout), dates resolved to `today`'s.

    Raises `ServiceError` (INVALID_REQUEST) with what was found and what was wanted.
    """
    try:
        return _parse_sidecar(data, today)
    except ValueError as error:
        raise ServiceError(Code.INVALID_REQUEST, f"{SIDECAR}: {error}") from error


def check_files(sidecar: Sidecar, files: Iterable[str]) -> dict[str, str]:
    """The file on disk for each file the sidecar names; composed and decomposed accents are the same.

    Raises `ServiceError` (INVALID_REQUEST) naming every file that is missing or that it does not name.
    """
    # HFS+ (macOS) hands out names decomposed (NFD); keyboards and other systems write them composed (NFC).
    there = {unicodedata.normalize("NFC", file): file for file in files if file != SIDECAR}
    named = {unicodedata.normalize("NFC", record.file): record.file for record in sidecar.records}
    missing, extra = sorted(named.keys() - there.keys()), sorted(there.keys() - named.keys())
    parts = [f"these files are named and not there: {_listed(missing)}"] * bool(missing)
    parts += [f"these files are there and not named: {_listed(extra)}"] * bool(extra)
    if parts:
        raise ServiceError(Code.INVALID_REQUEST, f"{SIDECAR}: {'; '.join(parts)}")
    return {file: there[name] for name, file in named.items()}


def assign_by_folder(policy: Policy, files: Iterable[str]) -> Iterator[SidecarRecord]:
    """Record types for a folder without a sidecar: a sub-folder named as a type holds its records.

    `files` are relative paths with `/`; in their order, lazily. Raises `ServiceError` (INVALID_REQUEST) at
    the first that is in no such sub-folder.
    """
    known = [record_type.type_id for record_type in policy.record_types]
    for file in sorted(files):
        folder, slash, _ = file.partition("/")
        if not slash or folder not in known:
            where = f"in the folder {show(folder)}" if slash else "in no sub-folder"
            wanted = f"put it in a sub-folder named {' or '.join(known)}, or write a {SIDECAR}"
            raise ServiceError(Code.INVALID_REQUEST, f"{show(file)} is {where}: {wanted}")
        yield SidecarRecord(file, folder, {})


def _parse_sidecar(data: bytes, today: date) -> Sidecar:
    if len(data) > MAX_LENGTH:
        raise ValueError(f"{len(data)} bytes, at most {MAX_LENGTH} are allowed")
    members = take_object(parse_plain_json(data), ("lane_id", "profile_id", "records", "schema"))
    take_constant(members, "schema", SCHEMA)
    records = tuple(_parse_record(value, today) for value in take_array(members, "records"))
    if not records:
        raise ValueError("records: found none, wanted at least one")
    names = [unicodedata.normalize("NFC", record.file) for record in records]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"the file {show(repeated)} is named twice")
    return Sidecar(
        lane_id=take_value(members, "lane_id", parse_lane_id),
        profile_id=take_value(members, "profile_id", parse_profile_id),
        records=records,
    )


def _parse_record(value: Json, today: date) -> SidecarRecord:
    members = take_object(value, ("file", "metadata", "record_type"))
    file = take_value(members, "file", _parse_file)
    metadata = members["metadata"]
    if not isinstance(metadata, dict):
        raise ValueError(f"{show(file)}: metadata: found {shown(metadata)}, wanted an object of strings")
    try:
        resolved = {name: _resolve(take_string(metadata, name), today) for name in metadata}
    except ValueError as error:
        raise ValueError(f"{show(file)}: metadata: {error}") from error
    return SidecarRecord(file, _take_type(members), resolved)


def _take_type(members: Members) -> str:
    record_type = take_string(members, "record_type")
    if not record_type:
        raise ValueError("record_type: found an empty text, wanted a record type of the policy")
    return record_type


def _parse_file(text: str) -> str:
    parts = text.split("/")
    # Nothing outside the folder, on any system: no absolute path, drive, parent or alternate separator.
    hostile = "\\" in text or "\0" in text or any(part in ("", ".", "..") for part in parts)
    if hostile or text == SIDECAR or re.match("[A-Za-z]:", text):
        raise ValueError(f"{show(text)} is not the relative path of a file of this folder")
    return text


def _resolve(text: str, today: date) -> str:
    if not text.startswith("today"):
        return text
    # Only what is well formed stands for a date; a misspelt one must not become a value that is stored.
    match = _RELATIVE.fullmatch(text)
    if not match:
        raise ValueError(f"{show(text)} is not like today, today-10 or today-10T09:30:00Z")
    sign, days, time = match.groups()
    try:
        day = today + timedelta(days=int(f"{sign or '+'}{days or 0}"))
    except OverflowError as error:
        raise ValueError(f"{show(text)} is not a date from 1970 to 9999") from error
    # The time of day is checked here too: the pattern takes 25:61:61.
    resolved = f"{day.isoformat()}{time or ''}"
    parse_instant(resolved)
    return resolved


def _listed(names: list[str]) -> str:
    return ", ".join(map(show, names))
