"""The commands that check: `verify`, `verify-receipt`, and `trust`, which shows what they rest on."""

import argparse
from dataclasses import replace
from pathlib import Path

from attestlayer.canonical import Members
from attestlayer.cli.edge import EXIT_DONE, Answer, Surroundings, complain, create_file
from attestlayer.cli.input import open_input
from attestlayer.cli.json import EXIT_CODES, format_report_json, jwks_members, trust_members
from attestlayer.cli.text import Subject, format_report
from attestlayer.cli.trust import describe_trust, jwks_rows, load_trust, read_root, trust_rows
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import ZIP_START
from attestlayer.log.keyring import Keyring, parse_jwks
from attestlayer.log.notices import Role
from attestlayer.log.registry_receipt import RegistryReceipt, parse_registry_receipt
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import read_input
from attestlayer.verify.evidence import Anchors, anchors_of
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain, explain_disclosure, explain_receipt, report_unopened


def verify_kit(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    """`verify`: a kit, or one disclosed record of it, in fifteen steps."""
    path: Path = arguments.kit
    subject = Subject(str(path))
    trust = None
    try:
        trust, place = load_trust(arguments.trust, around.default_trust, path)
        subject = _trusting(subject, trust, place, around.now)
        report = check_kit(path, trust)
        subject = _trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = report_unopened(Kind.KIT, error)
    return _reported(arguments, around, report, subject, trust_members(trust) if trust else None)


def check_kit(path: Path, trust: TrustRoot) -> Report:
    """Verify a kit or a disclosed record, ZIP or folder. Raises `VerificationError` if it can't be opened."""
    with open_input(path) as kit:
        return explain_disclosure(kit, trust) if kit.is_disclosure else explain(kit, trust)


def verify_receipt(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    """`verify-receipt`: a registry receipt by itself."""
    if bool(arguments.jwks) != bool(arguments.origin):
        arguments.usage_error("--jwks and --origin go together: a JWKS does not say whose it is")
    subject = Subject(str(arguments.receipt))
    receipt = members = None
    try:
        if arguments.jwks:
            keyring = _read_jwks(arguments.jwks, arguments.origin)
            rows = jwks_rows(arguments.jwks, keyring.origin)
            subject = replace(subject, registry=keyring.origin, trust=rows)
            members = jwks_members(keyring.origin)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt(receipt, Anchors(keyring, None))
        else:
            trust, place = load_trust(arguments.trust, around.default_trust, arguments.receipt)
            subject, members = _trusting(subject, trust, place, around.now), trust_members(trust)
            receipt = _read_receipt(arguments.receipt)
            report = explain_receipt(receipt, anchors_of(trust))
            subject = _trusting(subject, trust, place, around.now, report)
    except VerificationError as error:
        report = report_unopened(Kind.REGISTRY_RECEIPT, error)
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
        complain(f"{place} not written: the receipt is not verified")
        return answer
    try:
        create_file(place, receipt.tlog_proof().encode())
    except OSError as error:
        return replace(answer, code=complain(f"{place} not written: {error.strerror or error}"))
    return answer


def show_trust(arguments: argparse.Namespace, around: Surroundings) -> Answer:
    """`trust`: what a trust root says, for people to compare."""
    return trust_answer(read_root(arguments.file), arguments.file, around)


def trust_answer(trust: TrustRoot, place: Path, around: Surroundings, said: str = "") -> Answer:
    """A trust root in words; `said`: what else there is to say about it."""
    style = around.style
    lines = [style.bold(f"Trust root of {trust.origin}")]
    for heading, rows in describe_trust(trust, place, around.now):
        lines += [*([style.heading(heading)] if heading else []), *style.rows(rows)]
    lines += ["", *style.wrap(said)]
    lines += style.wrap(
        "A trust root vouches for itself only. Compare the fingerprint with one that reached you another way."
    )
    return Answer(EXIT_DONE, style.finish(lines))


def _trusting(
    subject: Subject, trust: TrustRoot, place: Path, now: int, report: Report | None = None
) -> Subject:
    checked = report.issued.checkpoint_time if report and report.issued else None
    rows = trust_rows(trust, place, now, checked)
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
