"""The commands that check, `verify` and `verify-receipt`, and the trust root that they rest on.

A trust root never comes from inside a kit: what a kit brings along can't vouch for it (REG-1.0 section 9).
"""

import argparse
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from attestlayer.canonical import parse_json
from attestlayer.cli.command import Output, Surroundings, complain, variable
from attestlayer.cli.json import EXIT_CODES, format_report_json, trust_members
from attestlayer.cli.new_file import OutputError, create_file
from attestlayer.cli.text import Row, Subject, age_words, date_words, format_report, quorum_words
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.exit_codes import EXIT_DONE
from attestlayer.kit.container import ZIP_START
from attestlayer.log.leaf import RegistryReceipt, parse_registry_receipt
from attestlayer.log.notices import Role
from attestlayer.log.trust import Keyring, TrustRoot, parse_jwks
from attestlayer.reading.files import open_kit, read_input, read_trust
from attestlayer.verify.evidence import Anchors, anchors_of
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain, explain_disclosure, explain_receipt, report_unopened

_SCHEMA = re.compile("attestlayer/([a-z-]{1,40})/[0-9]{1,4}")


def verify_kit(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`verify`: a kit, or one disclosed record of it, in fifteen steps."""
    path: Path = arguments.kit
    subject = Subject(str(path))
    trust = None
    try:
        trust, place = load_trust(arguments.trust, around.default_trust, path)
        subject = trusting(subject, trust, place, around.now)
        report = check_kit(path, trust, around.now)
        subject = trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = report_unopened(Kind.KIT, named_document(path, error))
    return reported(arguments, around, report, subject, trust)


def named_document(path: Path, error: VerificationError) -> VerificationError:
    """The error for a file that is no kit; for a document of ours, one that names it and how to check it."""
    if error.reason != Reason.INPUT_NOT_A_KIT or not path.is_file():
        return error
    with suppress(ValueError, VerificationError):
        members = parse_json(read_input(path))
        schema = members.get("schema") if isinstance(members, dict) else None
        match = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
        if match:
            check = "is checked with `verify-receipt`" if match[1] == "registry-receipt" else "is no kit"
            message = f"{path} is the document {match[1]}, which {check}: wanted a ZIP or a folder"
            return CouldNotCheckError(Reason.INPUT_NOT_A_KIT, message)
    return error


def check_kit(path: Path, trust: TrustRoot, now: int | None = None) -> Report:
    """Verify a kit or a disclosed record, ZIP or folder. Raises `VerificationError` if it can't be opened."""
    with open_kit(path) as kit:
        return explain_disclosure(kit, trust, now) if kit.is_disclosure else explain(kit, trust, now)


def verify_receipt(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`verify-receipt`: a registry receipt by itself."""
    if bool(arguments.jwks) != bool(arguments.origin):
        arguments.usage_error("--jwks and --origin go together: a JWKS does not say whose it is")
    subject = Subject(str(arguments.receipt))
    receipt = trust = keyring = None
    try:
        if arguments.jwks:
            keyring = _read_jwks(arguments.jwks, arguments.origin)
            rows = _jwks_rows(arguments.jwks, keyring.origin)
            subject = replace(subject, registry=keyring.origin, trust=rows)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt(receipt, Anchors(keyring, None))
        else:
            trust, place = load_trust(arguments.trust, around.default_trust, arguments.receipt)
            subject = trusting(subject, trust, place, around.now)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt(receipt, anchors_of(trust, around.now))
            subject = trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = report_unopened(Kind.REGISTRY_RECEIPT, error)
    answer = reported(arguments, around, report, subject, trust or keyring)
    return _export(arguments.tlog_proof, receipt, answer) if arguments.tlog_proof else answer


def _read_receipt(path: Path) -> RegistryReceipt:
    """The registry receipt in a file. A whole kit is refused, with the command to use."""
    data = read_input(path)
    if data.startswith(ZIP_START):
        raise CouldNotCheckError(
            Reason.INPUT_UNREADABLE, f"{path} is a ZIP, perhaps a kit: `attestlayer verify` checks kits"
        )
    return parse_registry_receipt(data)


def _export(place: Path, receipt: RegistryReceipt | None, answer: Output) -> Output:
    """Write the receipt as a C2SP tlog-proof, if it verified. A failure to write is no verdict: exit 2."""
    if receipt is None or answer.code != EXIT_DONE:
        complain(f"{place} not written: the receipt is not verified")
        return answer
    try:
        create_file(place, receipt.tlog_proof().encode())
    except OutputError as error:
        return replace(answer, code=complain(str(error)))
    return answer


def _trust_rows(trust: TrustRoot, place: Path | str, now: int, checked: int | None) -> tuple[Row, ...]:
    """The trust root's rows of a report; `checked`: time of the checkpoint that verified."""
    checkpoint = trust.checkpoint
    rows = (
        ("file", str(place)),
        ("registry", trust.origin),
        ("registry key", trust.identity().format()),
        ("key ID", checkpoint.kid),
        ("as of", f"{date_words(checkpoint.timestamp)} ({age_words(now - checkpoint.timestamp)})"),
    )
    if checked is None:
        return rows
    return (*rows, ("witnesses", quorum_words(trust.keyring.witness_policy_at(checked))))


def _jwks_rows(path: Path, origin: str) -> tuple[Row, ...]:
    """The rows of a report for a JWKS in place of a trust root."""
    return (
        ("JWKS", str(path)),
        ("registry", origin),
        ("not known", "witnesses, withdrawals, incidents and the log's other face: steps 13 and 15"),
    )


def trusting(
    subject: Subject, trust: TrustRoot, place: Path | str, now: int, report: Report | None = None
) -> Subject:
    """The subject of a report with the trust root that it rests on; `place` says where that is from."""
    checked = report.issued.checkpoint_time if report and report.issued else None
    rows = _trust_rows(trust, place, now, checked)
    return replace(subject, registry=trust.origin, trust=rows)


def reported(
    arguments: argparse.Namespace,
    around: Surroundings,
    report: Report,
    subject: Subject,
    trust: TrustRoot | Keyring | None,
) -> Output:
    """The report as text, or as JSON if that was asked for."""
    if arguments.json:
        text = format_report_json(report, subject, trust_members(trust))
    else:
        text = format_report(report, subject, around.style)
    return Output(EXIT_CODES[report.verdict], text)


def _read_jwks(path: Path, origin: str) -> Keyring:
    """The registry's keys. Raises `CouldNotCheckError` (trust-root-unusable)."""
    data = read_input(path, Reason.TRUST_ROOT_UNUSABLE)
    try:
        return parse_jwks(data, Role.REGISTRY, origin)
    except ValueError as error:
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"{path}: {error}") from error


def default_place() -> Path:
    """`$XDG_CONFIG_HOME/attestlayer/trust.json`, or below `~/.config`. A relative folder doesn't count.

    Raises `CouldNotCheckError` if there is no home folder: never look into the current one instead.
    """
    folder = Path(variable("XDG_CONFIG_HOME"))
    if not folder.is_absolute():
        try:
            folder = Path.home() / ".config"
        except RuntimeError:
            folder = Path()
    if not folder.is_absolute():
        message = "there is no home folder to find the installed trust root in: name one with --trust"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    return folder / "attestlayer" / "trust.json"


def load_trust(named: Path | None, default: Callable[[], Path], subject: Path) -> tuple[TrustRoot, Path]:
    """The trust root that was named, or the one at the default place, to check `subject` with; and where.

    Raises `CouldNotCheckError` (trust-root-unusable).
    """
    place = named or default()
    if named is None and not os.path.lexists(place):
        message = f"there is no trust root: none was named with --trust, and none is installed at {place}"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    # A trust root inside the kit's folder came with it: it could only vouch for itself (REG-1.0 section 9.6).
    folder, real = (Path(os.path.realpath(path)) for path in (subject, place))  # takes a loop of links
    if folder in (real, *real.parents):
        message = f"{place} lies inside what it is to check: a kit can't vouch for itself"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    return read_trust(place), place
