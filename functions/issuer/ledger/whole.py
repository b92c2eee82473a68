"""The ledger as a whole, for readers that compare all of it."""

from collections.abc import Iterator

from issuer.ledger.ledger import Ledger
from issuer.model import CreditEntry, Packet, WaitingLeaf

_PAGE = 1000
_EVER = 1 << 52
"""Later than any time, in POSIX seconds; more than any number of leaves."""


def all_packets(ledger: Ledger) -> Iterator[Packet]:
    """Every packet: workspace after workspace, the newest of each first."""
    for workspace in ledger.workspaces():
        yield from packets_of(ledger, workspace.workspace_id)


def packets_of(ledger: Ledger, workspace_id: str) -> Iterator[Packet]:
    """Every packet of a workspace, the newest first."""
    after: str | None = None
    while page := ledger.packets(workspace_id, after, _PAGE):
        yield from page
        after = page[-1].packet_id


def all_lines(ledger: Ledger, workspace_id: str) -> Iterator[CreditEntry]:
    """Every credit line of a workspace, in order of posting."""
    after: str | None = None
    while page := ledger.credit_entries(workspace_id, after, _PAGE):
        yield from page
        after = page[-1].entry_id


def all_waiting(ledger: Ledger) -> tuple[WaitingLeaf, ...]:
    """Every leaf whose kit is not delivered yet, in the log's order. All of them are in memory at once."""
    return ledger.waiting_leaves(_EVER, _EVER)
