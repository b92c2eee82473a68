"""The command `audit`: what it prints and the JSON document it writes, `attestlayer/audit-report/1`.

schema      "attestlayer/audit-report/1"
clean       true or false
exit_code   0 | 3
registry    the URL or folder as given
origin, sequence, tree_size, checkpoint_hash, timestamp   the newest checkpoint's
at          the time that its age was judged by: --at, else this machine's clock
keys        "trust-root" | "registry": who vouches for the keys
since       sequence of the checkpoint that the audit started from, or null
resumed     leaves that earlier runs with the same state file had checked; 0 without one
looked_again  of these, the ones of a random sample that this run has checked once more
listed      whether stray objects could be looked for: in a folder, and without since
objects, bytes   what was read, in all runs with the same state file
requests    what this run asked for: HTTP requests with those tried again, or files
findings    [{object, reason, detail, seen}], all of them; seen: when each copy was seen, over a network
"""

import argparse
import contextlib
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.audit.findings import AuditFinding
from attestlayer.audit.journal import Journal
from attestlayer.canonical import Json, Members
from attestlayer.cli.command import URL_JOBS, check_hash_or_file
from attestlayer.cli.json import format_ascii_json
from attestlayer.cli.text import Style
from attestlayer.encoding import format_hash, format_time, parse_hash, sha256
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.exit_codes import EXIT_DONE, EXIT_NO
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import read_input
from attestlayer.reading.read_ahead import Counting, ReadAhead
from attestlayer.reading.registry import Registry, open_registry
from attestlayer.visible import visible

SCHEMA = "attestlayer/audit-report/1"

# A host, perhaps with a port and a path: what is left of a URL without its scheme.
_HOST = re.compile(
    r"(([a-z0-9-]+\.)+[a-z]{2,}|localhost|[0-9]{1,3}(\.[0-9]{1,3}){3})(:[0-9]+)?(/.*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FinishedAudit:
    """An audit's report with the question that it answers: place, trust root, start."""

    report: AuditReport
    place: str
    trust: TrustRoot | None
    since: Checkpoint | None
    now: int
    requests: int

    @property
    def exit_code(self) -> int:
        """The command's exit code: 0 without findings, else 3."""
        return EXIT_NO if self.report.findings else EXIT_DONE


def run_audit(arguments: argparse.Namespace, trust: TrustRoot | None, clock: int) -> FinishedAudit:
    """Audit the registry that the arguments name. `clock`: POSIX seconds, if they name no time.

    Raises `CouldNotCheckError`, `VerificationError`.
    """
    now: int = clock if arguments.at is None else arguments.at
    if arguments.state and arguments.since:
        arguments.usage_error("--state and --since don't go together: a state knows where to go on")
    place: str = arguments.registry
    is_url = place.startswith(("http://", "https://"))
    if not is_url:
        _check_folder(place)
    jobs: int = arguments.jobs or (URL_JOBS if is_url else 1)
    registry = open_registry(place) if jobs == 1 else ReadAhead(partial(open_registry, place), jobs)
    progress = _Progress(sys.stderr)
    try:
        since = _named(registry, arguments.since) if arguments.since else None
        journal = _journal(arguments.state, place, trust) if arguments.state else None
        with _kept(journal):
            report = audit(registry, trust, since, progress, journal, now=now)
    finally:
        progress.clear()
        if isinstance(registry, ReadAhead):
            registry.close()
    requests = registry.requests if isinstance(registry, Counting) else report.objects
    return FinishedAudit(report, place, trust, since, now, requests)


def _check_folder(place: str) -> None:
    """Refuse what is no folder of a registry, with what was probably meant. Raises `CouldNotCheckError`."""
    folder, wanted = Path(place), "wanted the URL of a registry, or a folder that holds one"
    inner = folder / "registry"
    if folder.exists() and not folder.is_dir():
        message = f"{place} is a file: {wanted}"
    elif not folder.exists():
        message = f"there is no folder {place}: {wanted}"
        if _HOST.fullmatch(place):
            message += f" (did you mean https://{place}?)"
    elif not (folder / "v1").exists() and (inner / "v1").is_dir():
        message = f"{place} is not a registry, it holds one: did you mean {inner}?"
    else:
        return
    raise CouldNotCheckError(Reason.INPUT_UNREADABLE, message)


def _journal(path: Path, place: str, trust: TrustRoot | None) -> Journal:
    """The state file; a folder by its whole path, a URL as it is given."""
    is_url = place.startswith(("http://", "https://"))
    named = place.rstrip("/") if is_url else _text(str(Path(place).resolve()))
    return Journal(path, named, trust.identity().format() if trust else None)


@contextlib.contextmanager
def _kept(journal: Journal | None) -> Iterator[None]:
    """Save the state however the audit ends, also by SIGTERM."""
    if journal is None:
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        journal.save()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def format_audit(finished: FinishedAudit, style: Style) -> str:
    """The report as text for people: counts first, then one paragraph a finding."""
    report, since = finished.report, finished.since
    newest, count = report.newest, len(report.findings)
    rows = [("registry", finished.place), ("origin", newest.origin)]
    rows += [("sequence", str(newest.sequence)), ("tree size", str(newest.head.size))]
    rows += [("root", format_hash(newest.head.root)), ("as of", format_time(newest.timestamp))]
    rows += [("age judged at", format_time(finished.now))]
    rows += [
        ("read", f"{report.objects} objects, {report.length} bytes"),
        ("keys", _keys_words(finished.trust)),
    ]
    if since:
        rows += [("since", f"sequence {since.sequence}, size {since.head.size}: what is older was not read")]
    if report.resumed:
        again = f"{report.looked_again} of the {report.resumed} leaves that the state file says were checked"
        rows += [("looked again", f"at {again}, chosen at random")]
    if not report.listed:
        rows += [("not looked for", "stray objects: for that, audit a folder, and all of it")]
    title = "CLEAN" if not count else f"{count} FINDING{'S' if count > 1 else ''}"
    lines = [style.bold(f"{title}: audit of {newest.origin}"), *style.rows(rows)]
    for finding in report.findings:
        lines += ["", *style.wrap(f"{finding.reason}: {finding.object}")]
        lines += style.wrap(finding.detail, 2)
        if finding.seen:
            lines += style.wrap(f"Seen {'; '.join(finding.seen)}.", 2)
    return style.finish(lines)


def format_audit_json(finished: FinishedAudit) -> str:
    """The report as a JSON document, ASCII, one newline at the end."""
    report, since = finished.report, finished.since
    newest = report.newest
    document: Members = {
        "schema": SCHEMA,
        "clean": not report.findings,
        "exit_code": finished.exit_code,
        "registry": _text(finished.place),
        "origin": newest.origin,
        "sequence": newest.sequence,
        "tree_size": newest.head.size,
        "checkpoint_hash": format_hash(newest.hash()),
        "timestamp": format_time(newest.timestamp),
        "at": format_time(finished.now),
        "keys": "trust-root" if finished.trust else "registry",
        "since": since.sequence if since else None,
        "resumed": report.resumed,
        "looked_again": report.looked_again,
        "listed": report.listed,
        "objects": report.objects,
        "bytes": report.length,
        "requests": finished.requests,
        "findings": [_members(finding) for finding in report.findings],
    }
    return format_ascii_json(document, indent=2)


def _members(finding: AuditFinding) -> Members:
    detail = _text(finding.detail)
    seen: list[Json] = [_text(each) for each in finding.seen]
    return {"object": _text(finding.object), "reason": finding.reason.value, "detail": detail, "seen": seen}


def _keys_words(trust: TrustRoot | None) -> str:
    if trust is None:
        return "taken from the registry itself: name a trust root with --trust to have them vouched for"
    as_of = format_time(trust.checkpoint.timestamp)
    return f"anchored in the trust root of {as_of}, {trust.identity().format()}"


def _named(registry: Registry, since: str) -> Checkpoint:
    """The checkpoint of `--since`: a JSON file, or the hash of one that the registry holds."""
    try:
        wanted = parse_hash(since)
    except ValueError:
        check_hash_or_file(since)
        return parse_checkpoint(read_input(Path(since)))
    data = registry.read(layout.checkpoint_path(wanted))
    if data is None or sha256(data) != wanted:
        raise CouldNotCheckError(Reason.INPUT_UNREADABLE, f"the registry has no checkpoint {since}")
    return parse_checkpoint(data)


class _Progress:
    """One line on a terminal, rewritten up to ten times a second; nothing anywhere else."""

    def __init__(self, out: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out if out is not None and out.isatty() else None
        self._clock = clock
        self._what, self._began, self._first = "", 0.0, 0
        self._shown = -1.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._first, self._shown = what, now, done, -1.0
        if self._shown >= 0 and now - self._shown < 0.1:
            return
        self._shown = now
        text = f"{what}: {done} of {total}"
        if (passed := now - self._began) >= 1 and done > self._first:
            rate = (done - self._first) / passed
            text += f", {rate:.0f} a second, {_duration((total - done) / rate)} left"
        self._write(f"\r\x1b[K{visible(text)}")

    def clear(self) -> None:
        """Erase the line, before the report or an error is written."""
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._out is not None:
            with contextlib.suppress(OSError, ValueError):
                self._out.write(text)
                self._out.flush()


def _duration(seconds: float) -> str:
    """Seconds as `1:02:03`, or `2:03` if less than an hour."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
