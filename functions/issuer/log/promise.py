"""The merge promise: what a late leaf gives back."""

from attestlayer.encoding import format_hash
from issuer.model import CreditEntry, CreditKind, WaitingLeaf


def debit_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that paid for a leaf; issuing posts it."""
    return f"consume-{format_hash(leaf_hash)}"


def return_id(leaf_hash: bytes) -> str:
    """The id of the ledger line that gives a late leaf's credit back."""
    return f"return-{format_hash(leaf_hash)}"


def returned(paid: CreditEntry | WaitingLeaf, leaf_hash: bytes, at: int) -> CreditEntry:
    """The line that gives a late leaf's credit back to the account that paid, at the time `at`.

    `paid`: the debit; or the waiting leaf if there is none, which breaks an invariant that `issuer
    reconcile` names: the promise to the partner is kept all the same.
    """
    return CreditEntry(
        entry_id=return_id(leaf_hash),
        workspace_id=paid.workspace_id,
        at=at,
        kind=CreditKind.RETURNED,
        amount=1,
        source="consumed",
        target=paid.source if isinstance(paid, CreditEntry) else "available",
        reference=f"late merge of leaf {format_hash(leaf_hash)}",
    )
