"""The command `audit`: what it prints and the JSON document it writes, `attestlayer/audit-report/1`.

schema      "attestlayer/audit-report/1"
clean       true or false
exit_code   0 | 1
registry    the URL or folder as given
origin, sequence, tree_size, checkpoint_hash, timestamp   the newest checkpoint's
keys        "trust-root" | "registry": who vouches for the keys
since       sequence of the checkpoint that the audit started from, or null
listed      whether stray objects could be looked for: in a folder, and without since
objects, bytes   what was read
findings    [{object, reason, detail}], all of them
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import TextIO

from attestlayer import layout
from attestlayer.audit import AuditReport, audit
from attestlayer.audit_findings import Finding
from attestlayer.canonical import Members
from attestlayer.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.cli_text import Style, printable
from attestlayer.encoding import format_hash, format_time, parse_hash, sha256
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.files import read_input
from attestlayer.registry import Registry, open_registry
from attestlayer.trust import TrustRoot

SCHEMA = "attestlayer/audit-report/1"


def run_audit(
    place: str, trust: TrustRoot | None, since: str | None
) -> tuple[AuditReport, Checkpoint | None]:
    """Audit the registry at `place`. Raises `CouldNotCheckError`, `VerificationError`."""
    registry = open_registry(place)
    start = _named(registry, since) if since else None
    progress = _Progress(sys.stderr)
    try:
        return audit(registry, trust, start, progress), start
    finally:
        progress.clear()


def format_audit(
    report: AuditReport, place: str, trust: TrustRoot | None, since: Checkpoint | None, style: Style
) -> str:
    """The report as text."""
    newest, count = report.newest, len(report.findings)
    rows = [("registry", place), ("origin", newest.origin)]
    rows += [("sequence", str(newest.sequence)), ("tree size", str(newest.head.size))]
    rows += [("root", format_hash(newest.head.root)), ("as of", format_time(newest.timestamp))]
    rows += [("read", f"{report.objects} objects, {report.length} bytes"), ("keys", _keys_words(trust))]
    if since:
        rows += [("since", f"sequence {since.sequence}, size {since.head.size}: what is older was not read")]
    if not report.listed:
        rows += [("not looked for", "stray objects: for that, audit a folder, and all of it")]
    title = "CLEAN" if not count else f"{count} FINDING{'S' if count > 1 else ''}"
    lines = [style.bold(f"{title}: audit of {newest.origin}"), *style.rows(rows)]
    for finding in report.findings:
        lines += ["", *style.wrap(f"{finding.reason}: {finding.object}")]
        lines += style.wrap(finding.detail, 2)
    return style.finish(lines)


def format_audit_json(
    report: AuditReport, place: str, trust: TrustRoot | None, since: Checkpoint | None
) -> str:
    """The report as a JSON document, ASCII, one newline at the end."""
    newest = report.newest
    document: Members = {
        "schema": SCHEMA,
        "clean": not report.findings,
        "exit_code": exit_code(report),
        "registry": _text(place),
        "origin": newest.origin,
        "sequence": newest.sequence,
        "tree_size": newest.head.size,
        "checkpoint_hash": format_hash(newest.hash()),
        "timestamp": format_time(newest.timestamp),
        "keys": "trust-root" if trust else "registry",
        "since": since.sequence if since else None,
        "listed": report.listed,
        "objects": report.objects,
        "bytes": report.length,
        "findings": [_members(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2) + "\n"


def exit_code(report: AuditReport) -> int:
    """0 clean, 1 findings."""
    return 1 if report.findings else 0


def _members(finding: Finding) -> Members:
    detail = _text(finding.detail)
    return {"object": _text(finding.object), "reason": finding.reason.value, "detail": detail}


def _keys_words(trust: TrustRoot | None) -> str:
    if trust is None:
        return "taken from the registry itself: name a trust root with --trust to have them vouched for"
    return f"anchored in the trust root {format_hash(trust.fingerprint())}"


def _named(registry: Registry, since: str) -> Checkpoint:
    """The checkpoint of `--since`: a JSON file, or the hash of one that the registry holds."""
    try:
        wanted = parse_hash(since)
    except ValueError:
        return parse_checkpoint(read_input(Path(since)))
    data = registry.read(layout.checkpoint_path(wanted))
    if data is None or sha256(data) != wanted:
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"the registry has no checkpoint {since}")
    return parse_checkpoint(data)


class _Progress:
    """One line on a terminal, rewritten; nothing anywhere else."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out if out is not None and out.isatty() else None

    def __call__(self, what: str, done: int, total: int) -> None:
        self._write(f"\r\x1b[K{printable(what)}: {done} of {total}")

    def clear(self) -> None:
        """Take the line away."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._out is not None:
            with contextlib.suppress(OSError, ValueError):
                self._out.write(text)
                self._out.flush()


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
