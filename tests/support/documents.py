"""A valid document of each kind, its parser, and the ways in which one is spoilt that all kinds share."""

from collections.abc import Callable
from dataclasses import dataclass

from attestlayer.canonical import format_json, parse_json
from attestlayer.errors import Reason
from attestlayer.kit.intake import parse_report, parse_trail
from attestlayer.kit.manifest import (
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    RECEIPT,
    REGISTRY_RECEIPT,
    parse_manifest,
)
from attestlayer.kit.receipt import parse_receipt
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.leaf import parse_entry, parse_record, parse_registry_receipt
from attestlayer.log.notices import parse_notices
from attestlayer.log.trust import parse_trust
from support.build import Delivered, make


@dataclass(frozen=True)
class Kind:
    """A kind of document: how it is read and the reason for one that is malformed."""

    name: str
    parse: Callable[[bytes], object]
    reason: Reason
    sample: Callable[[], bytes]
    has_schema: bool = True


def _made(part: Callable[[Delivered], bytes]) -> Callable[[], bytes]:
    return lambda: part(make())


def _member(name: str) -> Callable[[], bytes]:
    return _made(lambda delivered: delivered.members[name])


KINDS = (
    Kind("manifest", parse_manifest, Reason.MANIFEST_MALFORMED, _member(MANIFEST)),
    Kind("hash-trail", parse_trail, Reason.TRAIL_MALFORMED, _member(HASH_TRAIL)),
    Kind("intake-report", parse_report, Reason.REPORT_MALFORMED, _member(INTAKE_REPORT)),
    Kind("receipt", parse_receipt, Reason.RECEIPT_MALFORMED, _member(RECEIPT)),
    Kind(
        "registry-receipt",
        parse_registry_receipt,
        Reason.REGISTRY_RECEIPT_MALFORMED,
        _member(REGISTRY_RECEIPT),
    ),
    Kind(
        "checkpoint",
        parse_checkpoint,
        Reason.CHECKPOINT_MALFORMED,
        _made(lambda d: d.trust.checkpoint.format()),
    ),
    Kind("notices", parse_notices, Reason.TRUST_ROOT_UNUSABLE, _made(lambda d: d.trust.notices.format())),
    Kind("trust", parse_trust, Reason.TRUST_ROOT_UNUSABLE, _made(lambda d: d.trust.format())),
    Kind(
        "leaf-record",
        parse_record,
        Reason.LEAF_MALFORMED,
        _made(lambda d: d.sealed.record.format()),
        has_schema=False,
    ),
    Kind(
        "log-entry",
        parse_entry,
        Reason.LEAF_MALFORMED,
        _made(lambda d: d.sealed.record.leaf.entry()),
        has_schema=False,
    ),
)


@dataclass(frozen=True)
class Spoilt:
    """A document that its parser refuses, and why."""

    comment: str
    data: bytes
    reason: Reason


def spoilt(kind: Kind) -> list[Spoilt]:
    """What no kind of document may be."""
    data = kind.sample()
    members = parse_json(data)
    assert isinstance(members, dict)
    first = min(members)
    opening = f'{{"{first}":'.encode()
    changes = {
        "nothing at all": b"",
        "not UTF-8": data.replace(b'"', b"\xff", 1),
        "a byte order mark": b"\xef\xbb\xbf" + data,
        "a newline at the end": data + b"\n",
        "a space behind the first colon": data.replace(b":", b": ", 1),
        "two documents": data + data,
        "an array around it": b"[" + data + b"]",
        "null": b"null",
        "a bare string": b'"x"',
        "cut short by one byte": data[:-1],
        "the first member twice": opening + b"0," + data[1:],
        "an unknown member": format_json({**members, "zz": 0}),
        "an unknown member with null": format_json({**members, "zz": None}),
        "the first member missing": format_json({n: v for n, v in members.items() if n != first}),
        "the first member is null": format_json({**members, first: None}),
        "the first member is a boolean": format_json({**members, first: True}),
        "the first member is an object": format_json({**members, first: {}}),
        "the first member is 1.0": opening + b"1.0," + data.partition(b",")[2],
        "the first member is 2^53": opening + b"9007199254740992," + data.partition(b",")[2],
        "the first member has 5000 digits": opening + b"9" * 5000 + b"," + data.partition(b",")[2],
        "the first member is NaN": opening + b"NaN," + data.partition(b",")[2],
        "the first member is a lone surrogate": opening + b'"\\ud800",' + data.partition(b",")[2],
        "nested 20,000 deep": b"[" * 20_000,
        "members in reverse": b"{"
        + b",".join(format_json({n: members[n]})[1:-1] for n in sorted(members, reverse=True))
        + b"}",
        "a letter written as an escape": data.replace(b'"', b'"\\u0061', 1),
        "a name beyond ASCII": data[:-1] + ',"é":0}'.encode(),
    }
    found = [Spoilt(comment, changed, kind.reason) for comment, changed in changes.items()]
    if kind.has_schema:
        newer, huge = (
            data.replace(f"/{kind.name}/1".encode(), f"/{kind.name}/{n}".encode()) for n in (2, 10)
        )
        found += [
            Spoilt("schema number 2", newer, Reason.SCHEMA_NEWER),
            Spoilt("schema number 10", huge, Reason.SCHEMA_NEWER),
            Spoilt(
                "schema number 0",
                format_json({**members, "schema": f"attestlayer/{kind.name}/0"}),
                kind.reason,
            ),
            Spoilt(
                "schema number 02",
                format_json({**members, "schema": f"attestlayer/{kind.name}/02"}),
                kind.reason,
            ),
            Spoilt(
                "schema of another document",
                format_json({**members, "schema": "attestlayer/x/1"}),
                kind.reason,
            ),
            Spoilt(
                "a newer schema of another document",
                format_json({**members, "schema": "attestlayer/x/2"}),
                kind.reason,
            ),
        ]
    return found
