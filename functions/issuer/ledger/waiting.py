"""What waits for the log: accepted leaves until their kits are delivered, notices until they are public.

A leaf is marked once it is known to be in a public round, so that a leaf whose kit can't be finished costs
later rounds no work. To list them in order, all that wait are read: as many as a minute or two bring, and
strongly consistent, which no index of DynamoDB is: a leaf that was accepted is in the next round.
"""

import heapq

from issuer.ledger.keys import LEAVES, NEXT_NOTICE, leaf_key, notice_key, notice_pointer
from issuer.ledger.rows import NOTICES, NUMBERS, POINTERS, WAITING_LEAVES
from issuer.ledger.work import Work
from issuer.model import QueuedNotice, WaitingLeaf
from issuer.ports import Table


def put_leaf(work: Work, leaf: WaitingLeaf) -> None:
    """Store a leaf that was checked to be new."""
    work.put(WAITING_LEAVES, leaf_key(leaf.leaf_hash), leaf)


def first_leaves(table: Table, until: int, limit: int, *, unmerged: bool = False) -> tuple[WaitingLeaf, ...]:
    """The first `limit` up to `until`, by (`issued_at`, hash). Keeps no more than those in memory."""
    leaves = (
        WAITING_LEAVES.parse(item.body) for item in table.gather(LEAVES) if not (unmerged and item.marked)
    )
    due = (leaf for leaf in leaves if leaf.issued_at <= until)
    return tuple(heapq.nsmallest(limit, due, key=lambda leaf: (leaf.issued_at, leaf.leaf_hash)))


def queue_notice(work: Work, notice: QueuedNotice) -> None:
    """Store the notice, the pointer to it, and the queue's next number."""
    pointer = notice_pointer(notice)
    work.read(pointer, NEXT_NOTICE)
    if work.get(POINTERS, pointer) is None:
        number = work.get(NUMBERS, NEXT_NOTICE) or 0
        work.put(NUMBERS, NEXT_NOTICE, number + 1)
        work.put(POINTERS, pointer, notice_key(number))
        work.put(NOTICES, notice_key(number), notice)


def replace_notice(work: Work, old: QueuedNotice, new: QueuedNotice) -> None:
    """Store a notice in the place of a queued one; if that is gone, as `queue_notice` does."""
    before, after = notice_pointer(old), notice_pointer(new)
    work.read(before, after, NEXT_NOTICE)
    key = work.get(POINTERS, before)
    if key is None or work.get(POINTERS, after) is not None:
        queue_notice(work, new)
        drop_notice(work, old)
        return
    work.read(key)
    work.put(NOTICES, key, new)
    work.put(POINTERS, after, key)
    work.delete(before)


def drop_notice(work: Work, notice: QueuedNotice) -> None:
    """Delete the notice if it is queued."""
    pointer = notice_pointer(notice)
    if key := work.get(POINTERS, pointer):
        work.read(key)
        work.delete(key)
        work.delete(pointer)
