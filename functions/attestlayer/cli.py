"""The console command `attestlayer`: check kits, registry receipts and registries, and read what they say.

Exit codes: 0 VERIFIED (or done), 1 NOT VERIFIED, 2 COULD NOT CHECK (or could not be done), 64 usage,
130 interrupted. A command works out its answer first; `main` writes it. Only `audit URL` uses a network.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from attestlayer import cli_audit, cli_inspect, cli_trust
from attestlayer.canonical import Members
from attestlayer.checkpoint import parse_checkpoint
from attestlayer.cli_arguments import build_parser
from attestlayer.cli_input import open_input
from attestlayer.cli_json import EXIT_CODES, format_report_json, jwks_members, trust_members
from attestlayer.cli_text import Style, Subject, format_report, printable
from attestlayer.encoding import Hash, format_hash, parse_hash
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.files import read_input
from attestlayer.keyring import Keyring, parse_jwks
from attestlayer.kit import ZIP_START
from attestlayer.nonce import RANDOM_LENGTH, Nonce
from attestlayer.notices import Role
from attestlayer.registry_receipt import RegistryReceipt, parse_registry_receipt
from attestlayer.trust import TrustRoot
from attestlayer.verify import (
    STEPS,
    Report,
    Status,
    StepReport,
    container_report,
    explain,
    explain_receipt,
    explain_receipt_by_jwks,
)

EXIT_DONE = 0
EXIT_COULD_NOT = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT

_PROBE = "✓✗–═·…’"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say, and its exit code."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command is given from outside: how to write, the time in POSIX seconds, randomness."""

    style: Style
    now: int
    entropy: Callable[[int], bytes]


Command = Callable[[argparse.Namespace, Surroundings], Answer]


def _now() -> int:
    # The clock's one reading, to show the age of a trust root: no verdict depends on it.
    return int(datetime.now(UTC).timestamp())  # noqa: TID251


def main(
    argv: Sequence[str] | None = None,
    *,
    clock: Callable[[], int] = _now,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
) -> int:
    """Run one command line; returns its exit code. Writes to stdout and stderr, raises nothing."""
    try:
        answer = _run(argv, clock, entropy)
        return _write(sys.stdout, answer)
    except SystemExit as stop:  # argparse's --help and --version, and usage errors
        return _write(sys.stdout, Answer(int(stop.code or 0), ""))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # the edge: an input that finds a fault of ours gets no verdict, no traceback
        return _complain(f"internal error, nothing was decided: {type(error).__name__}: {error}")


def _run(argv: Sequence[str] | None, clock: Callable[[], int], entropy: Callable[[int], bytes]) -> Answer:
    arguments = build_parser(_COMMANDS).parse_args(argv)
    surroundings = Surroundings(_style_of(sys.stdout), clock(), entropy)
    command: Command = arguments.command
    try:
        return command(arguments, surroundings)
    except VerificationError as error:
        return Answer(_complain(f"{error.reason}: {error}"), "")
    except OSError as error:
        return Answer(_complain(f"{error.filename or 'input'}: {error.strerror or error}"), "")


def _verify(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    path: Path = arguments.kit
    subject = Subject("kit", str(path), "", is_kit=True)
    trust = None
    try:
        trust, place = cli_trust.load_trust(arguments.trust, path)
        subject = _trusting(subject, trust, place, around.now)
        with open_input(path) as kit:
            report = explain(kit, trust)
        subject = _trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = container_report(error)
    return _reported(arguments, around, report, subject, trust_members(trust) if trust else None)


def _verify_receipt(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    if bool(arguments.jwks) != bool(arguments.origin):
        arguments.usage_error("--jwks and --origin go together: a JWKS does not say whose it is")
    subject = Subject("registry receipt", str(arguments.receipt), "", is_kit=False)
    receipt = members = None
    try:
        if arguments.jwks:
            keyring = _read_jwks(arguments.jwks, arguments.origin)
            rows = cli_trust.jwks_rows(arguments.jwks, keyring.origin)
            subject = replace(subject, registry=keyring.origin, trust=rows)
            members = jwks_members(keyring.origin)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt_by_jwks(receipt, keyring)
        else:
            trust, place = cli_trust.load_trust(arguments.trust, arguments.receipt)
            subject, members = _trusting(subject, trust, place, around.now), trust_members(trust)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt(receipt, trust)
            subject = _trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = _unread_receipt(error)
    answer = _reported(arguments, around, report, subject, members)
    return _export(arguments.tlog_proof, receipt, answer) if arguments.tlog_proof else answer


def _read_receipt(path: Path) -> RegistryReceipt:
    """The registry receipt in a file; of a whole kit nothing is said here."""
    data = read_input(path)
    if data.startswith(ZIP_START):
        raise CouldNotCheckError(
            Reason.INPUT_UNREADABLE, f"{path} is a ZIP, perhaps a kit: `attestlayer verify` checks kits"
        )
    return parse_registry_receipt(data)


def _export(place: Path, receipt: RegistryReceipt | None, answer: Answer) -> Answer:
    """Write the receipt as a C2SP tlog-proof, if it verified. A failure to write is no verdict: exit 2."""
    if receipt is None or answer.code != EXIT_DONE:
        _complain(f"{place} not written: the receipt is not verified")
        return answer
    try:
        _create(place, receipt.tlog_proof().encode())
    except OSError as error:
        return replace(answer, code=_complain(f"{place} not written: {error.strerror or error}"))
    return answer


def _inspect(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    return Answer(EXIT_DONE, cli_inspect.inspect(arguments.file, around.style))


def _nonce(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    named = _named_checkpoint(arguments.checkpoint)
    nonce = Nonce(named, around.entropy(RANDOM_LENGTH))
    _create(arguments.output, nonce.format())
    style = around.style
    rows = [("file", str(arguments.output)), ("nonce hash", format_hash(nonce.hash()))]
    rows += [("checkpoint", "none" if named is None else format_hash(named))]
    lines = [style.bold("Client nonce made"), *style.rows(rows), ""]
    if named is None:
        lines += style.wrap(
            "It names no checkpoint, so a kit made with it shows no time before which it can't have been "
            "made. Give --checkpoint with the registry's /v1/checkpoints/latest.json to have that."
        )
    lines += style.wrap("Submit it with the records. It is used once, and its bytes count: don't edit it.")
    return Answer(EXIT_DONE, style.finish(lines))


def _trust(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    trust, style = cli_trust.read_root(arguments.file), around.style
    sections = cli_trust.describe_trust(trust, arguments.file, around.now)
    lines = [style.bold(f"Trust root of {trust.origin}")]
    for heading, rows in sections:
        lines += [*([style.heading(heading)] if heading else []), *style.rows(rows)]
    lines.append("")
    if arguments.install:
        place = cli_trust.default_place()
        lines += style.wrap(cli_trust.install(trust, place, accept_witnesses=arguments.accept_witnesses))
    lines += style.wrap(
        "A trust root vouches for itself only. Compare the fingerprint with one that reached you another way."
    )
    return Answer(EXIT_DONE, style.finish(lines))


def _audit(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    place: str = arguments.registry
    trust = cli_trust.read_root(arguments.trust) if arguments.trust else None
    report, since = cli_audit.run_audit(place, trust, arguments.since)
    text = (
        cli_audit.format_audit_json(report, place, trust, since)
        if arguments.json
        else cli_audit.format_audit(report, place, trust, since, around.style)
    )
    return Answer(cli_audit.exit_code(report), text)


def _trusting(
    subject: Subject, trust: TrustRoot, place: Path, now: int, report: Report | None = None
) -> Subject:
    checked = report.issued.checkpoint_time if report and report.issued else None
    rows = cli_trust.trust_rows(trust, place, now, checked)
    return replace(subject, registry=trust.origin, trust=rows)


def _reported(
    arguments: argparse.Namespace,
    around: Surroundings,
    report: Report,
    subject: Subject,
    trust: Members | None,
) -> Answer:
    text = (
        format_report_json(report, subject, trust)
        if arguments.json
        else format_report(report, subject, around.style)
    )
    return Answer(EXIT_CODES[report.verdict], text)


def _read_jwks(path: Path, origin: str) -> Keyring:
    """The registry's keys. Raises `CouldNotCheckError` (trust-root-unusable)."""
    data = read_input(path, Reason.TRUST_ROOT_UNUSABLE)
    try:
        return parse_jwks(data, Role.REGISTRY, origin)
    except ValueError as error:
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"{path}: {error}") from error


def _unread_receipt(error: VerificationError) -> Report:
    """The report of a registry receipt that could not be read: step 9 is its home."""
    statuses = dict.fromkeys((*range(1, 9), 10), Status.NOT_CHECKED)
    steps = [StepReport(n, statuses.get(n, Status.NOT_REACHED)) for n in range(1, len(STEPS) + 1)]
    steps[8] = StepReport(9, Status.FAILED, (error,))
    return Report(tuple(steps), None)


def _named_checkpoint(text: str | None) -> Hash | None:
    """The checkpoint of `--checkpoint`: a hash, or the JSON file of one. Raises `VerificationError`."""
    if text is None:
        return None
    try:
        return parse_hash(text)
    except ValueError:
        return parse_checkpoint(read_input(Path(text))).hash()


def _create(place: Path, data: bytes) -> None:
    """Write a new file. Raises `OSError`, also if there is one of that name."""
    with place.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except OSError:
            place.unlink()
            raise


def _style_of(out: TextIO | None) -> Style:
    if out is None:
        return Style()
    try:
        _PROBE.encode(out.encoding or "ascii")
        unicode = True
    except (UnicodeEncodeError, LookupError):
        unicode = False
    plain = cli_trust.variable("NO_COLOR") or cli_trust.variable("TERM") == "dumb"  # no-color.org
    return Style(shutil.get_terminal_size().columns, out.isatty() and not plain, unicode)


def _write(out: TextIO | None, answer: Answer) -> int:
    """Write the answer. A reader that left has read enough; a full disk has not got the report: exit 2."""
    if out is None:
        return answer.code
    try:
        encoding = out.encoding or "ascii"
        out.write(answer.text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except BrokenPipeError:
        _silence(out)
    except (OSError, ValueError) as error:
        _silence(out)
        return _complain(f"could not write the answer: {error}")
    return answer.code


def _silence(out: TextIO) -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush has nothing to say."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def _complain(message: str) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a closed stderr is None
        sys.stderr.write(f"attestlayer: {printable(message)}\n")
    return EXIT_COULD_NOT


_COMMANDS: dict[str, Command] = {
    "verify": _verify,
    "verify-receipt": _verify_receipt,
    "inspect": _inspect,
    "nonce": _nonce,
    "trust": _trust,
    "audit": _audit,
}
