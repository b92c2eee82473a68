"""The console command `attestlayer`: check kits, registry receipts and registries, and read what they say.

Exit codes: `attestlayer.exit_codes`. Only `audit URL`, `trust update` and `verify --registry URL` use a
network.
"""

import argparse
import secrets
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from attestlayer.cli import audit, inspect, online
from attestlayer.cli.command import (
    Output,
    Surroundings,
    build_parser,
    check_hash_or_file,
    read_clock,
    run_command,
)
from attestlayer.cli.disclose import disclose_record
from attestlayer.cli.new_file import create_file
from attestlayer.cli.trust_update import install_trust, update_trust
from attestlayer.cli.verify import default_place, verify_receipt
from attestlayer.encoding import Hash, format_hash, parse_hash
from attestlayer.exit_codes import EXIT_DONE
from attestlayer.kit.receipt import RANDOM_LENGTH, Nonce
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.reading.files import read_input, read_trust

Entropy = Callable[[int], bytes]


def main(
    argv: Sequence[str] | None = None,
    *,
    clock: Callable[[], int] = read_clock,
    entropy: Entropy = secrets.token_bytes,
) -> int:
    """Run one command line; returns its exit code. Writes to stdout and stderr, raises nothing."""
    parser = build_parser(
        {
            "verify": online.verify,
            "verify-receipt": verify_receipt,
            "disclose": disclose_record,
            "inspect": _inspect,
            "nonce": partial(_nonce, entropy),
            "trust": install_trust,
            "trust update": update_trust,
            "audit": _audit,
        }
    )
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:2] == ["trust", "update"]:  # a command of two words; a file of that name is ./update
        words[:2] = ["trust update"]
    return run_command(parser, words, clock=clock, default_trust=default_place)


def _inspect(arguments: argparse.Namespace, around: Surroundings) -> Output:
    return Output(EXIT_DONE, inspect.inspect(arguments.file, around.style))


def _nonce(entropy: Entropy, arguments: argparse.Namespace, around: Surroundings) -> Output:
    named = _named_checkpoint(arguments.checkpoint)
    nonce = Nonce(named, entropy(RANDOM_LENGTH))
    create_file(arguments.output, nonce.format())
    style = around.style
    rows = [("file", str(arguments.output)), ("nonce hash", format_hash(nonce.hash()))]
    rows += [("checkpoint", "none" if named is None else format_hash(named))]
    lines = [style.bold("Client nonce made"), *style.rows(rows), ""]
    if named is None:
        lines += style.wrap(
            "It names no checkpoint, so a kit issued with it will have no earliest date. For one, give "
            "--checkpoint with the registry's /v1/checkpoints/latest.json."
        )
    lines += style.wrap("Submit it with the records. Use it once and do not edit it.")
    return Output(EXIT_DONE, style.finish(lines))


def _audit(arguments: argparse.Namespace, around: Surroundings) -> Output:
    trust = read_trust(arguments.trust) if arguments.trust else None
    finished = audit.run_audit(arguments, trust, around.now)
    if arguments.json:
        return Output(finished.exit_code, audit.format_audit_json(finished))
    return Output(finished.exit_code, audit.format_audit(finished, around.style))


def _named_checkpoint(text: str | None) -> Hash | None:
    """The checkpoint of `--checkpoint`: a hash, or the JSON file of one. Raises `VerificationError`."""
    if text is None:
        return None
    try:
        return parse_hash(text)
    except ValueError:
        check_hash_or_file(text)
        return parse_checkpoint(read_input(Path(text))).hash()
