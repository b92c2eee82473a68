"""`verify --registry URL`: a kit checked with what its registry says now (REG-1.0 section 12.8).

The trust root is updated in memory, nothing is installed. The single-file verifier has no such option.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from attestlayer.cli.command import Output, Surroundings
from attestlayer.cli.text import Asked, Subject
from attestlayer.cli.verify import load_trust, named_document, reported, trusting, verify_kit
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.kit.container import Kit
from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.trust import TrustRoot
from attestlayer.log.update import changes_of
from attestlayer.reading.files import open_kit
from attestlayer.reading.public_log import PublicLog, is_url, open_public_log
from attestlayer.verify.public_log import check_fresh, check_held
from attestlayer.verify.report import Kind, Report
from attestlayer.verify.verifier import explain, explain_disclosure, report_unopened

_CHECKPOINT_STEP = 12


def verify(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`verify`: offline, or with `--registry` compared with the public log."""
    if arguments.registry is None:
        if arguments.origin_mirrored:
            arguments.usage_error("--origin-mirrored goes with --registry")
        return verify_kit(arguments, around)
    if not is_url(arguments.registry):
        arguments.usage_error("--registry: wanted an http or https URL")
    subject, trust = Subject(str(arguments.kit)), None
    try:
        trust, place = load_trust(arguments.trust, around.default_trust, arguments.kit)
        subject = trusting(subject, trust, place, around.now)
        _check_place(arguments, trust)
        log = open_public_log(arguments.registry)
        trust = _newest(log, trust, around.now)
        source = f"{place}, updated in memory from {arguments.registry}"
        report = _check(arguments.kit, log, trust, around.now)
        subject = trusting(subject, trust, source, around.now, report)
        subject = replace(subject, asked=Asked(arguments.registry, trust.checkpoint))
    except VerificationError as error:
        report = report_unopened(Kind.KIT, named_document(arguments.kit, error))
    return reported(arguments, around, report, subject, trust)


def _check_place(arguments: argparse.Namespace, trust: TrustRoot) -> None:
    """The URL's host and path are the origin, so that nobody asks another registry by mistake."""
    url = urlsplit(arguments.registry)
    place = f"{url.netloc}{url.path}".rstrip("/")
    if place != trust.origin and not arguments.origin_mirrored:
        arguments.usage_error(
            f"--registry names {place}, the trust root is of {trust.origin}: add --origin-mirrored if it "
            "is a mirror"
        )


def _newest(log: PublicLog, known: TrustRoot, now: int) -> TrustRoot:
    """The trust root of the registry's newest checkpoint. Raises `VerificationError`."""
    newest = log.newest(known)
    check_fresh(newest.checkpoint, now)
    if changes := changes_of(known, newest):
        message = f"the {changes[0].what} changed since your trust root: `attestlayer trust update` shows it"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    return newest


def _check(path: Path, log: PublicLog, trust: TrustRoot, now: int) -> Report:
    with open_kit(path) as kit:
        report = explain_disclosure(kit, trust, now) if kit.is_disclosure else explain(kit, trust, now)
        return _compared(report, kit, log, trust) if report.issued else report


def _compared(report: Report, kit: Kit, log: PublicLog, trust: TrustRoot) -> Report:
    """The report of a kit that verified, after its tree was compared with the public log's."""
    receipt = parse_registry_receipt(kit.documents[REGISTRY_RECEIPT])
    larger = max(receipt.checkpoint.head.size, trust.checkpoint.head.size)
    try:
        check_held(receipt, trust.checkpoint, log.hashes(larger))
    except VerificationError as error:
        error.files = (REGISTRY_RECEIPT,)
        return report.refused(_CHECKPOINT_STEP, error)
    return report
