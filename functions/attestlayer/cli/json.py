"""The verification report as one JSON document, `attestlayer/verification-report/1`.

Stable: members are added under a new schema number only. Times are RFC 3339 UTC, hashes unpadded
base64url. All members are always there:

    schema          "attestlayer/verification-report/1"
    verdict         "VERIFIED" | "NOT VERIFIED" | "COULD NOT CHECK"
    exit_code       0 | 3 | 2, as the verdict says
    input           "kit" | "registry-receipt" | "disclosed-record"
    kit             the path as given
    trust           {origin, verifier_key, kid, checkpoint_time}, or null if there was none. With a JWKS
                    alone only origin is known and the others are null
    registry        {url, sequence, tree_size, checkpoint_hash, checkpoint_time} of the registry's newest
                    checkpoint, if the registry was asked and its log holds the entry; else null
    steps           15 of {number, name, status, unproven, failures, notes}
                    status    "passed" | "failed" | "not-reached" | "not-checked"
                    unproven  why a step that passed proves nothing ("none demanded …"), or null
                    failures  [{reason, message, files, advice}]
                    notes     [{remark, message, files}]
    issued          {kit_id, lane_id, profile_id, issued_at, not_before, not_after, leaf_hash, leaf_index,
                    files} if verified, else null; kit_id and not_before may be null. Of a disclosed record
                    also record {path, sha256, size}, and files is 1
    proves          what the verdict proves; empty unless VERIFIED
    does_not_prove  what it does not prove
    boundary        the boundary sentence

A usage error (exit 64) or an internal error (exit 2) writes no document, only a line to stderr.
"""

import json

from attestlayer.canonical import Json, Members
from attestlayer.cli.advice import ADVICE
from attestlayer.cli.text import Asked, Subject, does_not_prove, proves
from attestlayer.encoding import format_hash, format_time
from attestlayer.exit_codes import EXIT_COULD_NOT, EXIT_DONE, EXIT_NO
from attestlayer.kit.intake import accepted
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log.trust import Keyring, TrustRoot
from attestlayer.verify.report import Issuance, Report, StepReport, Verdict

SCHEMA = "attestlayer/verification-report/1"

EXIT_CODES = {
    Verdict.VERIFIED: EXIT_DONE,
    Verdict.NOT_VERIFIED: EXIT_NO,
    Verdict.COULD_NOT_CHECK: EXIT_COULD_NOT,
}


def format_report_json(report: Report, subject: Subject, trust: Members | None) -> str:
    """The document, indented, ASCII, one newline at the end."""
    steps: list[Json] = [_step_members(step) for step in report.steps]
    document: Members = {
        "schema": SCHEMA,
        "verdict": report.verdict.value,
        "exit_code": EXIT_CODES[report.verdict],
        "input": report.kind.value,
        "kit": _text(subject.path),
        "trust": trust,
        "registry": _registry_members(subject.asked) if report.issued and subject.asked else None,
        "steps": steps,
        "issued": _issued_members(report.issued) if report.issued else None,
        "proves": list(proves(report)),
        "does_not_prove": list(does_not_prove(report.kind)),
        "boundary": BOUNDARY,
    }
    return format_ascii_json(document, indent=2)


def format_ascii_json(document: Members, indent: int | None = None) -> str:
    """A document in ASCII without control characters, which no terminal obeys; one newline at the end.

    Without `indent` it is canonical JSON, unless it holds characters that are escaped here.
    """
    compact = None if indent else (",", ":")
    text = json.dumps(document, indent=indent, sort_keys=not indent, separators=compact)
    # JSON may leave DEL as it is (RFC 8259 section 7); no other control character is left by `dumps`.
    return text.replace("\x7f", "\\u007f") + "\n"


def trust_members(trust: TrustRoot | Keyring | None) -> Members | None:
    """A trust root as the report names it. Of a JWKS alone only its origin is known."""
    if trust is None:
        return None
    if isinstance(trust, Keyring):
        return {"origin": trust.origin, "verifier_key": None, "kid": None, "checkpoint_time": None}
    return {
        "origin": trust.origin,
        "verifier_key": trust.identity().format(),
        "kid": trust.checkpoint.kid,
        "checkpoint_time": format_time(trust.checkpoint.timestamp),
    }


def _registry_members(asked: Asked) -> Members:
    newest = asked.newest
    return {
        "url": _text(asked.url),
        "sequence": newest.sequence,
        "tree_size": newest.head.size,
        "checkpoint_hash": format_hash(newest.hash()),
        "checkpoint_time": format_time(newest.timestamp),
    }


def _step_members(step: StepReport) -> Members:
    failures: list[Json] = [
        {
            "reason": failure.reason.value,
            "message": _text(str(failure)),
            "files": [_text(name) for name in failure.files],
            "advice": ADVICE[failure.reason],
        }
        for failure in step.failures
    ]
    notes: list[Json] = [
        {
            "remark": note.remark.value,
            "message": _text(note.message),
            "files": [_text(name) for name in note.files],
        }
        for note in step.notes
    ]
    return {
        "number": step.number,
        "name": step.name,
        "status": step.status.value,
        "unproven": step.unproven,
        "failures": failures,
        "notes": notes,
    }


def _issued_members(issued: Issuance) -> Members:
    record = issued.record
    shown: Members = {} if record is None else {"record": accepted(record)}
    return {
        "kit_id": issued.kit_id,
        "lane_id": issued.lane_id,
        "profile_id": issued.profile_id,
        "issued_at": format_time(issued.issued_at),
        "not_before": None if issued.not_before is None else format_time(issued.not_before),
        "not_after": format_time(issued.checkpoint_time),
        "leaf_hash": format_hash(issued.leaf_hash),
        "leaf_index": issued.leaf_index,
        "files": issued.files,
        **shown,
    }


def _text(text: str) -> str:
    """Text without lone surrogates, which many JSON readers refuse: an odd byte of a name as `\\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode()
