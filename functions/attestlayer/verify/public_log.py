"""Whether a public log holds a kit's entry: what `verify --registry` adds to the fifteen steps. Pure.

A kit out of a private tree passes every step, for the log's own keys signed it. Its tree is no part of the
log that everybody else sees (REG-1.0 section 12.8).
"""

from attestlayer.encoding import format_time
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import RegistryReceipt
from attestlayer.log.merkle import HashReader
from attestlayer.log.promises import REGISTRY_STALE_S
from attestlayer.log.update import check_growth


def check_fresh(newest: Checkpoint, now: int) -> None:
    """Check that the newest checkpoint shows the registry's present state.

    Raises `CouldNotCheckError` (registry-stale).
    """
    as_of = format_time(newest.timestamp)
    if now - newest.timestamp > REGISTRY_STALE_S:
        message = (
            f"the registry's newest checkpoint is of {as_of}, over 10 minutes ago by this machine's clock"
        )
        raise CouldNotCheckError(Reason.REGISTRY_STALE, message)
    if newest.timestamp - now > REGISTRY_STALE_S:
        message = (
            f"the registry's newest checkpoint is of {as_of}, over 10 minutes after this machine's clock"
        )
        raise CouldNotCheckError(Reason.REGISTRY_STALE, message)


def check_held(receipt: RegistryReceipt, newest: Checkpoint, read: HashReader) -> None:
    """Check that the log of `newest` holds the entry of a receipt that verified.

    `read` gives hashes of the larger of the two trees. Raises `VerificationError` (checkpoint-conflict),
    `CouldNotCheckError` (registry-unreachable, registry-stale).
    """
    own = receipt.checkpoint.head
    smaller, larger = sorted((own, newest.head), key=lambda head: head.size)
    check_growth(smaller, larger, read)
    # A tree that is larger than the public one and extends it may hold the entry in what nobody else saw.
    if receipt.leaf_index >= newest.head.size:
        message = (
            f"the registry's newest checkpoint, of {format_time(newest.timestamp)}, has {newest.head.size} "
            f"entries, and does not hold entry {receipt.leaf_index} yet"
        )
        raise CouldNotCheckError(Reason.REGISTRY_STALE, message)
