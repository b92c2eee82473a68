"""What the look-up index costs: `python tests/bench/index_costs.py` prints the table of decision 13.

List prices of us-east-1: $5 a million PUT requests, $0.40 a million GET requests, $0.023 a GB and month.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "functions"), str(Path(__file__).parents[1])]

from attestlayer.log.lookup import RECORD_LENGTH, added_segment, live_segments  # noqa: E402
from attestlayer.log.tiles import WIDTH  # noqa: E402
from support.log import leaf_number  # noqa: E402

SIZES = (10_000, 1_000_000, 10_000_000)
PUT, STORED_GB_MONTH = 5 / 1e6, 0.023
KEYS = 4
SHARD = KEYS * WIDTH * RECORD_LENGTH
"""Bytes of a shard, on average at any level: each level has as many shards as groups."""

ENTRY = 2 + len(leaf_number(1).entry())
"""Bytes of an entry in its bundle."""


def row(size: int) -> str:
    """One line of the table, for a log that grew to `size` leaves."""
    groups = size // WIDTH
    written = sum(added_segment(group).shards for group in range(groups))
    segments = [len(live_segments(each)) for each in range(groups + 1)]
    mean = sum(segments) / len(segments)
    cells = (
        f"{size:,}",
        f"{written:,}",
        f"{written / size:.4f}",
        f"${written * PUT / size * 1e6:.2f}",
        f"{written * SHARD / 1e9:.2f} GB, ${written * SHARD / 1e9 * STORED_GB_MONTH:.3f}",
        f"{mean:.1f}, {max(segments)}",
        f"{mean * SHARD / 1024:.0f} KiB, {max(segments) * SHARD / 1024:.0f} KiB",
        f"{(WIDTH - 1) / 2 * ENTRY / 1024:.0f} KiB, {(WIDTH - 1) * ENTRY / 1024:.0f} KiB",
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """The table, as Markdown."""
    head = (
        *("leaves", "objects written", "PUTs a leaf", "PUTs, a million leaves", "all kept, a month"),
        *("shards read: mean, worst", "their bytes: mean, worst", "newest bundle: mean, worst"),
    )
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(row(size) for size in SIZES)])


if __name__ == "__main__":
    print(table())
