"""Waiting leaves: an item each, in a partition that the leaf's hash says.

Who wants them in order reads all partitions. That is as many as wait for a round or for their delivery, a
minute's or two's, and strongly consistent, which no index is: an accepted leaf is in the next round.
"""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from issuer.adapters.aws.dynamodb_items import Item
from issuer.adapters.aws.dynamodb_keys import leaf_key, leaf_spans
from issuer.adapters.aws.dynamodb_table import Span, Table
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed, unpacked
from issuer.adapters.rows import WAITING_LEAVES
from issuer.model import WaitingLeaf

MERGED = "merged"
_WRITERS = 16  # threads; a round has up to 4,096 leaves to note


def put(work: Work, leaf: WaitingLeaf) -> None:
    """Store a leaf that was checked to be new."""
    work.put(leaf_key(leaf.leaf_hash), {"issued_at": leaf.issued_at}, packed(WAITING_LEAVES.format(leaf)))


def parse(item: Item) -> WaitingLeaf:
    """The leaf of an item."""
    return WAITING_LEAVES.parse(unpacked(item.body))


def waiting(table: Table, until: int, limit: int, *, unmerged: bool = False) -> tuple[WaitingLeaf, ...]:
    """The first `limit` up to `until`, by (`issued_at`, hash). Keeps no more than those in memory."""
    spans = leaf_spans()
    with ThreadPoolExecutor(len(spans)) as pool:
        found = pool.map(partial(_first, table, until, limit, unmerged), spans)
        first = heapq.nsmallest(limit, (item for items in found for item in items), key=_order)
    return tuple(parse(item) for item in first)


def note_merged(table: Table, leaf_hashes: Sequence[bytes]) -> None:
    """`Ledger.note_merged`."""
    if not leaf_hashes:
        return
    with ThreadPoolExecutor(min(_WRITERS, len(leaf_hashes))) as pool:
        for _ in pool.map(lambda each: table.mark(leaf_key(each), MERGED), leaf_hashes):
            pass


def _first(table: Table, until: int, limit: int, unmerged: bool, span: Span) -> list[Item]:
    items: Iterator[Item] = table.query(span)
    return heapq.nsmallest(
        limit,
        (
            item
            for item in items
            if item.number("issued_at") <= until and not (unmerged and item.number(MERGED))
        ),
        key=_order,
    )


def _order(item: Item) -> tuple[int, str]:
    return item.number("issued_at"), item.key.sk
