"""`issuer reconcile`, `issuer collect`, `issuer index`: the operator looks after the log."""

import argparse
import sys

from attestlayer.canonical import Json, format_json
from attestlayer.encoding import format_time
from attestlayer.log.tiles import WIDTH
from issuer.audit.findings import Finding
from issuer.cli.home import DONE, FAILED, Commands, add_command, service_of
from issuer.services.reconcile import Reconciliation


def add_commands(commands: Commands) -> None:
    """Register the commands."""
    reconcile = add_command(
        commands, "reconcile", _reconcile, "hold the ledger against the log: credits, leaves, packets, kits"
    )
    reconcile.add_argument("--json", action="store_true", help="print the findings as one JSON document")
    add_command(commands, "collect", _collect, "delete partial tiles and private objects that nobody needs")
    add_command(commands, "index", _index, "bring the public look-up index up to the newest checkpoint")


def _reconcile(arguments: argparse.Namespace) -> int:
    found = service_of(arguments).reconciler.run()
    if arguments.json:
        sys.stdout.buffer.write(format_json(_members(found)) + b"\n")
        sys.stdout.flush()
    else:
        _print(found)
    return FAILED if found.findings else DONE


def _print(found: Reconciliation) -> None:
    print(f"log        checkpoint {found.sequence}, {found.tree_size} leaves")
    print(f"ledger     {found.debits} debits, {found.waiting} waiting leaves, {found.kits} kits verified")
    if found.oldest_waiting_s is not None:
        print(f"waiting    the oldest leaf that is in no round yet: {found.oldest_waiting_s} s")
    for finding in found.notes:
        print(f"note       {finding.reason.value} {finding.object}: {finding.detail}")
    for finding in found.findings:
        print(f"FINDING    {finding.reason.value} {finding.object}: {finding.detail}")
    print(f"result     {len(found.findings)} findings, {len(found.notes)} notes")


def _members(found: Reconciliation) -> dict[str, Json]:
    return {
        "at": format_time(found.at),
        "sequence": found.sequence,
        "tree_size": found.tree_size,
        "debits": found.debits,
        "waiting": found.waiting,
        "kits": found.kits,
        "oldest_waiting_seconds": found.oldest_waiting_s,
        "findings": [_finding(each) for each in found.findings],
        "notes": [_finding(each) for each in found.notes],
    }


def _finding(finding: Finding) -> dict[str, Json]:
    return {"word": finding.reason.value, "subject": finding.object, "detail": finding.detail}


def _collect(arguments: argparse.Namespace) -> int:
    service = service_of(arguments)
    collection = service.collector.run()
    tidied = service.tidier.run()
    more = ", there may be more: run it again" if collection.more else ""
    known = collection.sequence >= 0
    settled = f"settled up to checkpoint {collection.sequence}" if known else "nothing is settled yet"
    print(f"deleted {collection.deleted} partial objects; {settled}{more}")
    print(f"deleted {tidied} private objects of rounds that are over, or whose retention ended")
    return DONE


def _index(arguments: argparse.Namespace) -> int:
    indexer, written = service_of(arguments).indexer, 0
    while True:
        indexing = indexer.run()
        written += indexing.written
        if not indexing.more:
            break
    print(f"wrote {written} objects; {indexing.groups * WIDTH} leaves are in the look-up index")
    return DONE
