"""The lines that pool, process and worker exchange over pipes: canonical JSON, nothing that can be run.

To a process: `P` and a policy document, then for each record `R` and a request, then `E`. A process hands
each request on to its worker. From a process, for each record: `A` and the worker's answer, or `O` and an
`Overrun`.
"""

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from attestlayer.canonical import (
    Json,
    format_json,
    parse_json,
    take_array,
    take_hash,
    take_object,
    take_optional,
    take_string,
    take_value,
)
from attestlayer.encoding import Hash, format_hash
from attestlayer.visible import visible
from issuer.intake.examine import Examined, Mismatch
from issuer.intake.media import MediaType
from issuer.intake.rules import GeneralCheck, TypeCheck
from issuer.model import Record

POLICY, RECORD, END, ANSWER, OVERRUN = b"P", b"R", b"E", b"A", b"O"
MAX_LINE = 4 * 1024 * 1024
"""Bytes of the longest line. An answer has a sentence for each flaw, of an archive of 2,000 members too."""

_CHECKS = frozenset({*GeneralCheck, *TypeCheck})
_BLOCK = 64 * 1024


class EndedError(Exception):
    """The other side has ended, or sent what is no line."""


class LateError(Exception):
    """No whole line came in time."""


@dataclass(frozen=True, slots=True)
class Request:
    """One record to examine: where its bytes are."""

    record: Record
    path: Path


def format_request(record: Record, path: Path) -> bytes:
    """A request, without its line feed."""
    return format_json(
        {
            "metadata": [list(pair) for pair in record.metadata.items()],  # names may be any text
            "name": record.name,
            "path": str(path),
            "record_id": record.record_id,
            "record_type": record.record_type,
            "sha256": format_hash(record.sha256),
            "size": record.size,
            "submitted_at": record.submitted_at,
        }
    )


def parse_request(line: bytes) -> Request:
    """What `format_request` wrote. Raises `ValueError`."""
    names = ("metadata", "name", "path", "record_id", "record_type", "sha256", "size", "submitted_at")
    members = take_object(parse_json(line), names)
    pairs = cast("list[list[str]]", members["metadata"])  # our own service wrote it
    record = Record(
        record_id=take_string(members, "record_id"),
        name=take_string(members, "name"),
        record_type=take_string(members, "record_type"),
        metadata={name: value for name, value in pairs},  # noqa: C416 - lists of two
        size=cast("int", members["size"]),
        sha256=take_hash(members, "sha256"),
        submitted_at=cast("int", members["submitted_at"]),
    )
    return Request(record, Path(take_string(members, "path")))


def format_answer(examined: Examined) -> bytes:
    """A worker's answer, without its line feed. The record itself is not repeated."""
    mismatches: list[Json] = [
        {"check": str(one.check), "expected": one.expected, "fix": one.fix, "found": one.found}
        for one in examined.mismatches
    ]
    return format_json(
        {
            "content_checked": examined.content_checked,
            "media_type": examined.media_type,
            "mismatches": mismatches,
            "sha256": format_hash(Hash(examined.sha256)),
            "values": list(examined.values),
        }
    )


def parse_answer(line: bytes, record: Record) -> Examined:
    """What a worker says of a record. Raises `ValueError` on anything that no worker of ours would write."""
    names = ("content_checked", "media_type", "mismatches", "sha256", "values")
    members = take_object(parse_json(line, MAX_LINE), names)
    content_checked = members["content_checked"]
    if not isinstance(content_checked, bool):
        raise ValueError("content_checked: wanted true or false")
    # Only names: a value is the one that was announced, whatever the worker says.
    values = [name for name in take_array(members, "values") if isinstance(name, str)]
    return Examined(
        record=record,
        media_type=take_optional(members, "media_type", MediaType),
        sha256=take_hash(members, "sha256"),
        mismatches=tuple(map(_parse_mismatch, take_array(members, "mismatches"))),
        values={name: record.metadata[name] for name in values if name in record.metadata},
        content_checked=content_checked,
    )


def _parse_mismatch(value: Json) -> Mismatch:
    members = take_object(value, ("check", "expected", "fix", "found"))
    return Mismatch(
        check=take_value(members, "check", _parse_check),
        found=take_value(members, "found", _parse_words),
        expected=take_value(members, "expected", _parse_words),
        fix=take_optional(members, "fix", _parse_words),
    )


def _parse_check(text: str) -> str:
    if text not in _CHECKS:
        raise ValueError("it is no check")
    return text


def _parse_words(text: str) -> str:
    return visible(text)  # they are printed at terminals: nothing hidden in them


def write_line(descriptor: int, line: bytes) -> None:
    """Write a line whole. Raises `EndedError`."""
    rest = memoryview(line + b"\n")
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        raise EndedError from error


class LineReader:
    """Reads lines from a pipe. Keeps what came after a line."""

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.descriptor = descriptor
        self._clock = clock
        self._left = b""

    def read(self, deadline: float | None = None) -> bytes:
        """The next line without its line feed. Raises `EndedError`, `LateError` (deadline: monotonic)."""
        parts = [self._left]
        length = len(self._left)
        while b"\n" not in parts[-1]:
            if length > MAX_LINE:
                raise EndedError
            if deadline is not None:
                left = max(0.0, deadline - self._clock())
                if not select.select([self.descriptor], [], [], left)[0]:
                    raise LateError
            block = os.read(self.descriptor, _BLOCK)
            if not block:
                raise EndedError
            parts.append(block)
            length += len(block)
        line, _, self._left = b"".join(parts).partition(b"\n")
        return line
