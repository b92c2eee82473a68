"""Waiting leaves: accepted, on their way into the log, kept until their kits are delivered.

A leaf is marked once it is known to be in a public round, so that a leaf whose kit can't be finished costs
later rounds no work. To list them in order, all that wait are read: as many as a minute or two bring, and
strongly consistent, which no index of DynamoDB is: a leaf that was accepted is in the next round.
"""

import heapq

from issuer.ledger.keys import LEAVES, leaf_key
from issuer.ledger.rows import WAITING_LEAVES
from issuer.ledger.work import Work
from issuer.model import WaitingLeaf
from issuer.ports import Table


def put(work: Work, leaf: WaitingLeaf) -> None:
    """Store a leaf that was checked to be new."""
    work.put(WAITING_LEAVES, leaf_key(leaf.leaf_hash), leaf)


def first(table: Table, until: int, limit: int, *, unmerged: bool = False) -> tuple[WaitingLeaf, ...]:
    """The first `limit` up to `until`, by (`issued_at`, hash). Keeps no more than those in memory."""
    leaves = (
        WAITING_LEAVES.parse(item.body) for item in table.gather(LEAVES) if not (unmerged and item.marked)
    )
    due = (leaf for leaf in leaves if leaf.issued_at <= until)
    return tuple(heapq.nsmallest(limit, due, key=lambda leaf: (leaf.issued_at, leaf.leaf_hash)))
