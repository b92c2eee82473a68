"""`issuer reconcile`: compares the ledger with the log and prints what does not agree.

Exit codes: 0 no findings · 3 findings.
"""

import argparse

from attestlayer.canonical import Json
from attestlayer.encoding import format_time
from issuer.audit.findings import Finding
from issuer.cli.home import DONE, FAILED, Commands, add_command, service_of
from issuer.cli.terminal import say, say_json
from issuer.services.reconcile import Reconciliation


def add_commands(commands: Commands) -> None:
    """Add `issuer reconcile` to the parser."""
    text = "compare the ledger with the log: credits, leaves, packets, kits"
    reconcile = add_command(commands, "reconcile", _reconcile, text, reads=True)
    reconcile.add_argument("--json", action="store_true", help="print the findings as one JSON document")


def _reconcile(arguments: argparse.Namespace) -> int:
    books = service_of(arguments).reconciler.run()
    if arguments.json:
        say_json(_members(books))
    else:
        _print(books)
    return FAILED if books.findings else DONE


def _print(books: Reconciliation) -> None:
    say(f"log        checkpoint {books.sequence}, {books.tree_size} leaves")
    say(f"ledger     {books.debits} debits, {books.waiting} waiting leaves, {books.kits} kits verified")
    if books.oldest_waiting_s is not None:
        say(f"waiting    the oldest leaf that is in no round yet: {books.oldest_waiting_s} s")
    for finding in books.notes:
        say(f"note       {finding.reason.value} {finding.object}: {finding.detail}")
    for finding in books.findings:
        say(f"FINDING    {finding.reason.value} {finding.object}: {finding.detail}")
    say(f"result     {len(books.findings)} findings, {len(books.notes)} notes")


def _members(books: Reconciliation) -> dict[str, Json]:
    return {
        "at": format_time(books.at),
        "sequence": books.sequence,
        "tree_size": books.tree_size,
        "debits": books.debits,
        "waiting": books.waiting,
        "kits": books.kits,
        "oldest_waiting_seconds": books.oldest_waiting_s,
        "findings": [_finding(finding) for finding in books.findings],
        "notes": [_finding(note) for note in books.notes],
    }


def _finding(finding: Finding) -> dict[str, Json]:
    return {"word": finding.reason.value, "subject": finding.object, "detail": finding.detail}
